//! `[liquidityinfo]` of `pool.toml`. Without the section the network is told nothing.

use std::path::Path;
use std::time::Duration;

use super::Config;
use super::faults::ConfigFaults;
use super::payouts_section::read_wallet;
use super::section::Section;
use crate::liquidity_report::{LiquidityReportConfig, MAX_IDENTIFIER_BYTES, MAX_LINES, Tiers, identifiers};

/// Longest address, in bytes: twice what addresses of the Bitcoin family have.
const MAX_ADDRESS_BYTES: usize = 70;

/// None within if nothing is told.
pub(super) fn read(top: &Section<'_, '_>, folder: &Path) -> Option<Option<LiquidityReportConfig>> {
    let Some(section) = top.section("liquidityinfo") else { return Some(None) };
    let wallet = read_wallet(&section, folder);
    let grant_address = section.text("grant_address", None).filter(|address| {
        let right = (1..=MAX_ADDRESS_BYTES).contains(&address.len())
            && address.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !right {
            section.fault("grant_address", "must be the custodian's address that was granted");
        }
        right
    });
    let currency = read_currency(&section);
    let tiers = match section.text("tiers", Some("rank"))?.as_str() {
        "rank" => Some(Tiers::ByRank),
        "one" => Some(Tiers::AlwaysOne),
        _ => {
            section.fault("tiers", "must be rank or one");
            None
        }
    };
    let pool = section.text("pool", None).filter(|pool| {
        let right = (1..=64).contains(&pool.len())
            && pool.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !right {
            section.fault("pool", "must be 1 to 64 of letters, digits, - and _");
        }
        right
    });
    let timeout = section.whole("timeout_seconds", 10, 1..=60);
    section.finish();
    Some(Some(LiquidityReportConfig {
        wallet: wallet?,
        grant_address: grant_address?,
        currency: currency?,
        tiers: tiers?,
        pool: pool?,
        timeout: Duration::from_secs(timeout?),
    }))
}

fn read_currency(section: &Section<'_, '_>) -> Option<char> {
    let text = section.text("currency", Some("B"))?;
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii_uppercase() => Some(letter),
        (_, _) => {
            section.fault("currency", "must be the one letter by which the network knows the currency");
            None
        }
    }
}

/// What would be told has to fit into what the network takes.
pub(super) fn check_lines(config: &Config, file: &Path, faults: &mut ConfigFaults) {
    let Some(settings) = &config.pool.liquidity_report else { return };
    let identifiers = identifiers(config, settings.tiers, &settings.pool);
    if identifiers.len() > MAX_LINES {
        let message = format!(
            "would tell {} ranks, and the network keeps {MAX_LINES} lines of a custodian: fewer markets or ranks are right",
            identifiers.len()
        );
        faults.add(file, "liquidityinfo", message);
    }
    let printable = |identifier: &String| identifier.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let fits = |identifier: &String| identifier.len() <= MAX_IDENTIFIER_BYTES && printable(identifier);
    if let Some(odd) = identifiers.iter().find(|identifier| !fits(identifier)) {
        let message = format!(
            "would tell of {odd:?}, and the network takes at most {MAX_IDENTIFIER_BYTES} printable characters of ASCII"
        );
        faults.add(file, "liquidityinfo", message);
    }
}

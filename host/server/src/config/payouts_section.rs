//! `[payouts]` of `pool.toml`. Without the section nothing is paid.

use std::path::Path;
use std::time::Duration;

use alp_pool::money::Coins;
use alp_pool::payout::{FeeBearer, Method, PayoutTerms, WalletTerms};

use super::section::Section;
use crate::network::{BasicAuth, OutboundGrant};
use crate::payouts::{Every, PayoutsConfig};

/// Longest password of a wallet, in bytes, with the line's end.
const MAX_PASSWORD_BYTES: u64 = 1024;

/// None within if nothing is paid.
pub(super) fn read(top: &Section<'_, '_>, folder: &Path) -> Option<Option<PayoutsConfig>> {
    let Some(section) = top.section("payouts") else { return Some(None) };
    let pool_id = section.text("pool_id", None).filter(|id| {
        let right = (1..=32).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !right {
            section.fault("pool_id", "must be 1 to 32 of a to z, 0 to 9 and -");
        }
        right
    });
    let method = read_method(&section);
    let wallet = match method {
        Some(Method::Manual) => Some(None),
        Some(Method::Plain | Method::Prepared) => read_wallet(&section, folder).map(Some),
        None => None,
    };
    let terms = read_terms(&section);
    let wallet_terms = read_wallet_terms(&section);
    let every = read_every(&section);
    let confirmations = section.whole("confirmations", 6, 1..=1000);
    let low_below = optional_coins(&section, "low_below");
    let timeout = section.whole("timeout_seconds", 60, 1..=600);
    let manual_folder = section.text("folder", Some("payouts")).map(|path| folder.join(path));
    section.finish();
    Some(Some(PayoutsConfig {
        pool_id: pool_id?,
        method: method?,
        wallet: wallet?,
        terms: terms?,
        wallet_terms: wallet_terms?,
        every: every?,
        confirmations: u32::try_from(confirmations?).ok()?,
        low_below: low_below?,
        timeout: Duration::from_secs(timeout?),
        folder: manual_folder?,
    }))
}

fn read_method(section: &Section<'_, '_>) -> Option<Method> {
    match section.text("method", None)?.as_str() {
        "prepared" => Some(Method::Prepared),
        "plain" => Some(Method::Plain),
        "manual" => Some(Method::Manual),
        _ => {
            section.fault("method", "must be prepared, plain or manual");
            None
        }
    }
}

/// The wallet that a section names by `wallet_url`, `wallet_user` and `wallet_password_file`.
pub(super) fn read_wallet(section: &Section<'_, '_>, folder: &Path) -> Option<OutboundGrant> {
    let url = section.text("wallet_url", None);
    let user = section.text("wallet_user", None);
    let password = section.text("wallet_password_file", None).and_then(|path| {
        let read = read_password(&folder.join(path));
        read.map_err(|message| section.fault("wallet_password_file", message)).ok()
    });
    let grant = OutboundGrant::post(&url?).map_err(|fault| section.fault("wallet_url", fault.to_string()));
    Some(grant.ok()?.with_basic_auth(BasicAuth { user: user?, password: password? }))
}

fn read_password(file: &Path) -> Result<String, String> {
    let length = std::fs::metadata(file).map_err(|error| format!("cannot be read: {error}"))?.len();
    if length > MAX_PASSWORD_BYTES {
        return Err(format!("has {length} bytes: a password has at most {MAX_PASSWORD_BYTES}"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err("is empty: it must hold the wallet's password".to_owned());
    }
    Ok(password.to_owned())
}

fn read_terms(section: &Section<'_, '_>) -> Option<PayoutTerms> {
    let minimum = section.decimal("minimum", Coins::from_e8(100_000_000), Coins::parse);
    let fee = optional_coins(section, "fee_per_address");
    let hold_above = optional_coins(section, "hold_above");
    let daily_ceiling = optional_coins(section, "daily_ceiling");
    let fee = fee?.map_or(FeeBearer::Pool, FeeBearer::Address);
    Some(PayoutTerms { minimum: minimum?, fee, hold_above: hold_above?, daily_ceiling: daily_ceiling? })
}

fn read_wallet_terms(section: &Section<'_, '_>) -> Option<WalletTerms> {
    let unit = section.decimal("unit", Coins::from_e8(10_000), Coins::parse);
    let smallest = section.decimal("smallest_output", Coins::from_e8(1_000_000), Coins::parse);
    let most = section.whole("most_outputs", 100, 1..=1000);
    let terms = WalletTerms::new(unit?, smallest?, usize::try_from(most?).ok()?);
    terms.map_err(|error| section.fault("unit", error.to_string())).ok()
}

fn read_every(section: &Section<'_, '_>) -> Option<Every> {
    let hours = section.whole("every_hours", 24, 1..=24 * 31);
    let at = section.text("at", Some("00:00"))?;
    let parsed = at.split_once(':').and_then(|(hour, minute)| {
        let (hour, minute): (u64, u64) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some((hour * 60 + minute) * 60_000)
    });
    let Some(offset_ms) = parsed else {
        section.fault("at", "must be a time of the day in UTC, such as 03:30");
        return None;
    };
    Some(Every { period_ms: hours?.saturating_mul(3_600_000), offset_ms })
}

/// None within if the key is left out.
fn optional_coins(section: &Section<'_, '_>, key: &str) -> Option<Option<Coins>> {
    section.decimal(key, Some(None), |text| Coins::parse(text).map(Some))
}

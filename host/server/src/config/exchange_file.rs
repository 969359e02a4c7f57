//! One file an exchange: `exchanges/<id>.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use alp_pool::schedule::Schedule;
use alp_record::MarketTerms;

use alp_sandbox::types::Lifetime;

use crate::containment::ExchangeLimits;

use super::faults::ConfigFaults;
use super::grant_section::read_grant;
use super::market_section::read_market;
use super::section::{self, Section};
use super::{ExchangeConfig, MAX_EXCHANGES, RulesConfig, UnitConfig};

/// Longest name of an exchange, a unit or a currency.
const MAX_NAME: usize = 64;

/// What an operator consents to whose exchange takes a signed request for ever.
const REPEATABLE: &str = "must be true if the grant says that a signed request can be used for ever: whoever saw one can \
     have the exchange show the key's orders again at any time, here or elsewhere. It moves no money and proves only \
     that the orders stand at that moment; a request that carries a nonce is still taken once here";

/// Largest number of anything a minute: as good as no limit.
const MAX_PER_MINUTE: u64 = 10_000_000;

pub(super) fn read_folder(
    folder: &Path,
    currency: &str,
    faults: &mut ConfigFaults,
) -> BTreeMap<String, ExchangeConfig> {
    let mut exchanges = BTreeMap::new();
    let files = match toml_files(folder) {
        Ok(files) => files,
        Err(error) => {
            faults.add(folder, "", format!("is the folder of exchange files and cannot be read: {error}"));
            return exchanges;
        }
    };
    if files.len() > MAX_EXCHANGES {
        faults.add(folder, "", format!("has {} files: at most {MAX_EXCHANGES} are read", files.len()));
        return exchanges;
    }
    for file in files {
        let id = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or("").to_owned();
        if !is_name(&id, "_") {
            faults.add(&file, "", "must be named after its exchange: lower-case letters, digits and _");
        }
        if let Some(exchange) = section::read_file(&file, faults, |top| read_exchange(top, currency)) {
            exchanges.insert(id, exchange);
        }
    }
    exchanges
}

fn toml_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().and_then(|name| name.to_str()).is_none_or(|name| name.starts_with('.'));
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_name(text: &str, also: &str) -> bool {
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c);
    !text.is_empty() && text.len() <= MAX_NAME && text.chars().all(right)
}

fn read_exchange(top: &Section<'_, '_>, currency: &str) -> Option<ExchangeConfig> {
    let endpoint = top.optional_text("endpoint");
    if let Some(endpoint) = &endpoint
        && !is_origin(endpoint)
    {
        top.fault(
            "endpoint",
            "must be an origin such as https://api.example.com, without a slash at the end",
        );
    }
    let connect = top.whole("connect_timeout_ms", 3_000, 10..=60_000);
    let call = top.whole("call_timeout_ms", 10_000, 10..=120_000);
    let concurrent = top.whole("concurrent_calls", 64, 1..=10_000);
    let waiting = top.whole("waiting_calls", 1_000, 0..=100_000);
    let reply = top.whole("reply_bytes", 2 * 1024 * 1024, 1024..=64 * 1024 * 1024);
    let grant = read_grant(top);
    let accept_repeatable = top.flag("accept_repeatable_requests", false);
    if accept_repeatable == Some(false)
        && grant.as_ref().is_some_and(|grant| grant.lifetime == Lifetime::Unlimited)
    {
        top.fault("accept_repeatable_requests", REPEATABLE);
    }
    let containment = read_containment(top);
    let mut units = BTreeMap::new();
    let sections = top.section("units");
    if let Some(sections) = &sections {
        for (name, section) in sections.other_sections() {
            if !is_name(&name, "_-") {
                section.fault("", "must be named in lower-case letters, digits, _ and -");
            }
            let unit = read_unit(&section, &name, currency);
            section.finish();
            if let Some(unit) = unit {
                units.insert(name, unit);
            }
        }
        sections.finish();
    }
    if sections.is_none() {
        top.fault("units", "is missing: an exchange needs at least one section such as [units.btc]");
    }
    Some(ExchangeConfig {
        endpoint,
        connect_timeout: Duration::from_millis(connect?),
        call_timeout: Duration::from_millis(call?),
        concurrent_calls: usize::try_from(concurrent?).ok()?,
        waiting_calls: usize::try_from(waiting?).ok()?,
        reply_bytes: usize::try_from(reply?).ok()?,
        grant,
        accept_repeatable_requests: accept_repeatable?,
        containment: containment?,
        units,
    })
}

/// Ten calls a second stay below what exchanges allow one address as a rule, and are enough for six hundred LPs that
/// post once a minute. Thirty submissions a minute are thirty times what a bot needs.
fn read_containment(top: &Section<'_, '_>) -> Option<ExchangeLimits> {
    let read = |key, default| {
        let read = top.whole(key, default, 1..=MAX_PER_MINUTE);
        read.and_then(|number| u32::try_from(number).ok())
    };
    let calls = read("calls_per_minute", 600);
    let submissions = read("submissions_per_minute", 30);
    let faults = read("faults_before_pause", 3);
    let refusals = read("refusals_before_pause", 5);
    Some(ExchangeLimits {
        calls_per_minute: calls?,
        submissions_per_minute: submissions?,
        faults_before_pause: faults?,
        refusals_before_pause: refusals?,
    })
}

fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:[]".contains(c))
    })
}

fn read_unit(section: &Section<'_, '_>, name: &str, currency: &str) -> Option<UnitConfig> {
    let base = section.text("base", Some(currency));
    let quote = section.text("quote", Some(&name.to_uppercase()));
    let reverse = section.flag("reverse", false);
    let parameters = read_parameters(section);
    let terms = read_market(section);
    let changes = read_changes(section);
    for (key, currency) in [("base", &base), ("quote", &quote)] {
        let right = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        if currency
            .as_ref()
            .is_some_and(|text| text.is_empty() || text.len() > MAX_NAME || !text.chars().all(right))
        {
            section.fault(key, "must be a currency in capitals, such as NBT");
        }
    }
    let (base, quote, reverse, terms, changes) = (base?, quote?, reverse?, terms?, changes?);
    let rules = |terms| RulesConfig::new(&base, &quote, reverse, terms);
    let changes = changes.into_iter().map(|(from, terms)| (from, rules(terms))).collect();
    let changes = read_schedule(section, changes)?;
    Some(UnitConfig { rules: rules(terms), changes, base, quote, reverse, parameters })
}

/// Every `[[change]]`: from when, and the full rules that begin then.
fn read_changes(section: &Section<'_, '_>) -> Option<Vec<(u64, MarketTerms)>> {
    let changes = section.list("change");
    let read = changes.iter().map(|change| {
        let (from, terms) = (change.moment("from"), read_market(change));
        change.finish();
        Some((from?, terms?))
    });
    // Collected first, so that the faults of all of them are found.
    let read: Vec<_> = read.collect();
    read.into_iter().collect()
}

fn read_schedule(
    section: &Section<'_, '_>,
    changes: Vec<(u64, RulesConfig)>,
) -> Option<Option<Schedule<RulesConfig>>> {
    if changes.is_empty() {
        return Some(None);
    }
    match Schedule::new(changes) {
        Ok(schedule) => Some(Some(schedule)),
        Err(error) => {
            section.fault("change", error.to_string());
            None
        }
    }
}

fn read_parameters(section: &Section<'_, '_>) -> BTreeMap<String, String> {
    let Some(parameters) = section.section("parameters") else { return BTreeMap::new() };
    parameters.texts().into_iter().filter_map(|(name, text)| text.map(|text| (name, text))).collect()
}

//! `pool.toml`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use alp_pool::address::AddressRules;
use alp_pool::price::Price;
use alp_pool::round::RoundLength;
use alp_store::check_postgres_url;

use super::faults::ConfigFaults;
use super::liquidityinfo_section;
use super::payouts_section;
use super::proof_section;
use super::retention_section;
use super::section::{self, Section};
use super::tllp_section;
use super::{BackupConfig, FeedsConfig, KeepConfig, Limits, PoolConfig, PriceConfig, SourceConfig};
use crate::backup::BackupKey;
use crate::kept::SealingKey;
use crate::network::OutboundGrant;

/// Messages a minute from one address: ten a second, enough for the bots of a large household, or for two that post as
/// often as the most eager ones known.
const POSTS_PER_MINUTE: u32 = 600;

/// The web server in front of the pool, if there is one, runs on the same machine as a rule.
const TRUSTED_PROXY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An hour of usual rounds: whoever is away for less finds its orders still its own.
const OWNER_LAPSES_AFTER_ROUNDS: u64 = 60;

/// Most feeds of one price.
const MAX_FEEDS: usize = 50;

/// The pool's settings (none if one is at fault), the prices, and the folder of the exchange files.
type PoolFile = (Option<PoolConfig>, BTreeMap<String, PriceConfig>, PathBuf);

pub(super) fn read(file: &Path, faults: &mut ConfigFaults) -> Option<PoolFile> {
    let folder = file.parent().unwrap_or(Path::new(""));
    section::read_file(file, faults, |top| {
        let exchanges = top.text("exchanges", Some("exchanges"))?;
        Some((read_pool(top, folder), read_prices(top), folder.join(exchanges)))
    })
}

fn read_pool(top: &Section<'_, '_>, folder: &Path) -> Option<PoolConfig> {
    let within = |key, default| top.text(key, Some(default)).map(|path| folder.join(path));
    let currency = top.text("currency", Some("NBT"));
    let address = read_address(top, currency.as_deref().unwrap_or("NBT"));
    let name = top.text("name", None);
    let test_pool = top.flag("test_pool", false);
    let listen =
        top.text("listen", Some("127.0.0.1:3333")).and_then(|text| match text.parse::<SocketAddr>() {
            Ok(address) => Some(address),
            Err(_) => {
                top.fault("listen", "must be an address and a port, such as 127.0.0.1:3333");
                None
            }
        });
    let database =
        top.text("database", Some("sqlite:alp.db")).and_then(|url| database_within(top, folder, &url));
    let password_file = top.text("database_password_file", Some("")).map(|path| {
        let named = !path.is_empty();
        named.then(|| folder.join(path))
    });
    if let (Some(Some(_)), Some(url)) = (&password_file, &database)
        && url.starts_with("sqlite:")
    {
        top.fault("database_password_file", "must be left out with sqlite, which has no passwords");
    }
    let plugins = within("plugins", "plugins");
    let cache = within("cache", "cache");
    let versions = within("versions", "versions");
    let control_socket = within("control_socket", "alp.sock");
    let signing_key = within("signing_key_file", "alp.key");
    let receipts = top.flag("receipts", true);
    let round = read_round(top);
    let owner_lapses = top.whole("owner_lapses_after_rounds", OWNER_LAPSES_AFTER_ROUNDS, 1..=100_000);
    let limits = read_limits(top);
    let keep_replies = read_keep(top, folder);
    let proof = proof_section::read(top);
    let backup = read_backup(top, folder);
    let payouts = payouts_section::read(top, folder);
    let liquidity_report = liquidityinfo_section::read(top, folder);
    let retention = retention_section::read(top, round);
    let tllp = tllp_section::read(top);
    Some(PoolConfig {
        name: name?,
        currency: currency?,
        test_pool: test_pool?,
        listen: listen?,
        database: database?,
        database_password_file: password_file?,
        plugins: plugins?,
        cache: cache?,
        versions: versions?,
        control_socket: control_socket?,
        signing_key: signing_key?,
        receipts: receipts?,
        round: round?,
        owner_lapses_after_rounds: owner_lapses?,
        address: address?,
        limits: limits?,
        keep_replies: keep_replies?,
        proof: proof?,
        backup: backup?,
        payouts: payouts?,
        liquidity_report: liquidity_report?,
        retention: retention?,
        tllp: tllp?,
    })
}

fn read_round(top: &Section<'_, '_>) -> Option<RoundLength> {
    let seconds = top.whole("round_seconds", 60, 1..=86_400)?;
    let length = RoundLength::from_seconds(u32::try_from(seconds).ok()?);
    length.map_err(|error| top.fault("round_seconds", error.to_string())).ok()
}

/// A path in the database's address is relative to the configuration, as every other path is.
fn database_within(top: &Section<'_, '_>, folder: &Path, url: &str) -> Option<String> {
    if url.starts_with("postgres") {
        return match check_postgres_url(url) {
            Ok(()) => Some(url.to_owned()),
            Err(error) => {
                top.fault("database", error.to_string());
                None
            }
        };
    }
    match url.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => Some(format!("sqlite:{}", folder.join(path).display())),
        Some(_) | None => {
            top.fault(
                "database",
                "must be sqlite: and a path, such as sqlite:alp.db, or postgres://user@host/database",
            );
            None
        }
    }
}

fn read_address(top: &Section<'_, '_>, currency: &str) -> Option<AddressRules> {
    let nubits = AddressRules::nubits();
    let Some(section) = top.section("address") else {
        return Some(AddressRules { currency: currency.to_owned(), ..nubits });
    };
    let letter = section.text("letter", Some("B"));
    let versions = section.bytes("versions", &nubits.versions);
    section.finish();
    let letter = letter?;
    let mut letters = letter.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => {
            Some(AddressRules { currency: currency.to_owned(), letter, versions: versions? })
        }
        (_, _) => {
            section.fault("letter", "must be one letter");
            None
        }
    }
}

fn read_limits(top: &Section<'_, '_>) -> Option<Limits> {
    let defaults = Limits {
        body_bytes: 16 * 1024,
        receive: Duration::from_secs(10),
        connections: 4096,
        posts_per_minute: POSTS_PER_MINUTE,
        trusted_proxy: TRUSTED_PROXY,
    };
    let Some(section) = top.section("limits") else { return Some(defaults) };
    let body_bytes = section.whole("body_bytes", 16 * 1024, 1024..=1024 * 1024);
    let receive = section.whole("receive_seconds", 10, 1..=120);
    let connections = section.whole("connections", 4096, 1..=100_000);
    let posts = section.whole("posts_per_minute", u64::from(POSTS_PER_MINUTE), 1..=10_000_000);
    let proxy = section.optional_text("trusted_proxy").map(|text| text.parse());
    if let Some(Err(_)) = proxy {
        section.fault("trusted_proxy", "must be an address, such as 192.0.2.10");
    }
    section.finish();
    Some(Limits {
        body_bytes: usize::try_from(body_bytes?).ok()?,
        receive: Duration::from_secs(receive?),
        connections: usize::try_from(connections?).ok()?,
        posts_per_minute: u32::try_from(posts?).ok()?,
        trusted_proxy: proxy.map_or(Some(TRUSTED_PROXY), Result::ok)?,
    })
}

/// None within if nothing is kept; a key that cannot be used is a fault, so that it is found before a dispute.
fn read_keep(top: &Section<'_, '_>, folder: &Path) -> Option<Option<KeepConfig>> {
    let Some(section) = top.section("keep_replies") else { return Some(None) };
    let days = section.whole("days", 7, 1..=366);
    let key_file = section.text("key_file", None).map(|path| folder.join(path));
    let kept_in = section.text("folder", Some("replies")).map(|path| folder.join(path));
    let megabytes = section.whole("max_megabytes", 1024, 1..=1_000_000);
    section.finish();
    if let Some(Err(error)) = key_file.as_deref().map(SealingKey::read) {
        section.fault("key_file", format!("is no key: {error}"));
        return None;
    }
    Some(Some(KeepConfig {
        days: days?,
        key_file: key_file?,
        folder: kept_in?,
        max_bytes: megabytes?.saturating_mul(1024 * 1024),
    }))
}

fn read_backup(top: &Section<'_, '_>, folder: &Path) -> Option<Option<BackupConfig>> {
    let Some(section) = top.section("backup") else { return Some(None) };
    let key_file = section.text("key_file", None).map(|path| folder.join(path));
    section.finish();
    if let Some(Err(error)) = key_file.as_deref().map(BackupKey::read) {
        section.fault("key_file", format!("is no key: {error}"));
        return None;
    }
    Some(Some(BackupConfig { key_file: key_file? }))
}

fn read_prices(top: &Section<'_, '_>) -> BTreeMap<String, PriceConfig> {
    let Some(prices) = top.section("prices") else { return BTreeMap::new() };
    let mut read = BTreeMap::new();
    for (unit, section) in prices.other_sections() {
        if let Some(price) = read_price(&section) {
            read.insert(unit, price);
        }
        section.finish();
    }
    prices.finish();
    read
}

fn read_price(section: &Section<'_, '_>) -> Option<PriceConfig> {
    let fixed = section.decimal("fixed", Some(None), |text| Price::parse(text).map(Some))?;
    let sources: Vec<Option<SourceConfig>> = section.list("sources").iter().map(read_source).collect();
    let every = section.whole("every_seconds", 60, 1..=3600);
    let max_age = section.whole("max_age_seconds", 180, 1..=86_400);
    let least = section.whole("least_sources", 1, 1..=50);
    match (fixed, sources.len()) {
        (Some(price), 0) => Some(PriceConfig::Fixed(price)),
        (None, count) if (1..=MAX_FEEDS).contains(&count) => {
            let (least, sources) =
                (usize::try_from(least?).ok()?, sources.into_iter().collect::<Option<Vec<_>>>()?);
            if least > sources.len() {
                section.fault(
                    "least_sources",
                    format!("must be at most {}, the number of sources", sources.len()),
                );
                return None;
            }
            let (every, max_age) = (Duration::from_secs(every?), Duration::from_secs(max_age?));
            if max_age < every {
                section
                    .fault("max_age_seconds", "must be at least every_seconds, or there is no price between");
                return None;
            }
            Some(PriceConfig::Feeds(FeedsConfig { every, max_age, least, sources }))
        }
        (_, _) => {
            section.fault("", format!("must have either fixed or 1 to {MAX_FEEDS} sources"));
            None
        }
    }
}

fn read_source(section: &Section<'_, '_>) -> Option<SourceConfig> {
    let url = section.text("url", None);
    let pointer = section.text("pointer", None);
    let inverted = section.flag("inverted", false);
    section.finish();
    let (url, pointer) = (url?, pointer?);
    let grant = match OutboundGrant::get(&url) {
        Ok(grant) => grant,
        Err(fault) => {
            section.fault("url", fault.to_string());
            return None;
        }
    };
    if !pointer.is_empty() && !pointer.starts_with('/') {
        section.fault("pointer", "must be a JSON pointer such as /data/price");
        return None;
    }
    Some(SourceConfig { grant, pointer, inverted: inverted? })
}

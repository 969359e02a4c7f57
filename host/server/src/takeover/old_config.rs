//! The configuration of an ALP-Server, read from its folder: `pool_config` and `exchanges/*.json`.
//! It knows nothing of this pool's own files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use super::TakeoverFault;
use super::ini::{Ini, read_ini};
use crate::config::{MAX_EXCHANGES, MAX_FILE_BYTES};

/// The configuration.
#[derive(Clone, Default)]
pub struct OldConfig {
    /// The pool's name.
    pub name: String,
    /// The address whose grants it announced liquidity for.
    pub grant_address: String,
    /// The least that was paid.
    pub minimum_payout: Option<String>,
    /// The wallet.
    pub rpc: Option<OldServerAt>,
    /// The database.
    pub database: Option<OldServerAt>,
    /// The name of the database.
    pub database_name: String,
    /// Markets by exchange and unit.
    pub exchanges: BTreeMap<String, BTreeMap<String, OldMarket>>,
    /// What could not be read, in sentences.
    pub notes: Vec<String>,
}

/// Something that it logs into.
#[derive(Clone)]
pub struct OldServerAt {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Debug for OldServerAt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("OldServerAt")
            .field("user", &self.user)
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// A market. Numbers are as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldMarket {
    /// The reward of a minute.
    pub reward: String,
    /// The target.
    pub target: String,
    /// Whether one divided by the price is what orders are compared with; none if it is not said.
    pub reverse: Option<bool>,
    /// Offers to sell.
    pub ask: OldSide,
    /// Offers to buy.
    pub bid: OldSide,
}

/// One side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldSide {
    /// Its part of the reward.
    pub ratio: String,
    /// Each rank's part of that, and how far from the price it reaches; everywhere if that is not said.
    pub ranks: BTreeMap<String, (String, Option<String>)>,
}

impl OldConfig {
    /// Reads the folder.
    ///
    /// # Errors
    /// [`TakeoverFault`] if a file is missing or not of its form. Markets that cannot be read are told in `notes`.
    pub fn read(folder: &Path) -> Result<Self, TakeoverFault> {
        let file = folder.join("pool_config");
        let (ini, odd) = read_ini(&read_text(&file)?);
        let mut notes: Vec<String> = Vec::new();
        if !odd.is_empty() {
            notes.push(format!("pool_config has lines that are no keys: {odd:?}"));
        }
        let text = |section: &str, key: &str| ini.get(section).and_then(|keys| keys.get(key)).cloned();
        let mut config = Self {
            name: text("pool", "name").filter(|name| !name.is_empty()).unwrap_or_else(|| "pool".to_owned()),
            grant_address: text("pool", "grant_address").unwrap_or_default(),
            minimum_payout: text("pool", "minimum_payout"),
            rpc: server_at(&ini, "rpc", 14_002),
            database: server_at(&ini, "db", 5432),
            database_name: text("db", "name").unwrap_or_default(),
            exchanges: BTreeMap::new(),
            notes,
        };
        for file in json_files(&folder.join("exchanges"))? {
            config.add_exchanges(&file)?;
        }
        Ok(config)
    }

    fn add_exchanges(&mut self, file: &Path) -> Result<(), TakeoverFault> {
        let read: BTreeMap<String, BTreeMap<String, Box<RawValue>>> = serde_json::from_str(&read_text(file)?)
            .map_err(|source| TakeoverFault::NotJson { path: file.to_owned(), source })?;
        for (exchange, units) in read {
            let markets = self.exchanges.entry(exchange.clone()).or_default();
            for (unit, market) in units {
                match read_market(&market) {
                    Ok((market, unknown)) => {
                        if !unknown.is_empty() {
                            let what = unknown.join(", ");
                            self.notes
                                .push(format!("{exchange} {unit}: {what} has no equal and is left out"));
                        }
                        if markets.insert(unit.clone(), market).is_some() {
                            self.notes
                                .push(format!("{exchange} {unit} is configured twice: the last file counts"));
                        }
                    }
                    Err(why) => self.notes.push(format!("{exchange} {unit} is left out: {why}")),
                }
            }
        }
        Ok(())
    }
}

fn server_at(ini: &Ini, section: &str, port: u16) -> Option<OldServerAt> {
    let keys = ini.get(section)?;
    let text = |key: &str| keys.get(key).cloned().unwrap_or_default();
    let host = keys.get("host").cloned().unwrap_or_else(|| "127.0.0.1".to_owned());
    let port = keys.get("port").map_or(Some(port), |port| port.parse().ok())?;
    Some(OldServerAt { user: text("user"), password: text("pass"), host, port })
}

fn json_files(folder: &Path) -> Result<Vec<PathBuf>, TakeoverFault> {
    let unreadable = |source| TakeoverFault::Unreadable { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().and_then(|name| name.to_str()).is_none_or(|name| name.starts_with('.'));
        if path.is_file() && !hidden {
            files.push(path);
        }
    }
    if files.len() > MAX_EXCHANGES {
        return Err(TakeoverFault::TooManyFiles { path: folder.to_owned() });
    }
    files.sort();
    Ok(files)
}

fn read_text(path: &Path) -> Result<String, TakeoverFault> {
    let unreadable = |source| TakeoverFault::Unreadable { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
        return Err(unreadable(std::io::Error::other("it is larger than any configuration")));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

type Members = BTreeMap<String, Box<RawValue>>;

/// The market, and the keys of it that are not known.
fn read_market(raw: &RawValue) -> Result<(OldMarket, Vec<String>), String> {
    let mut members = members("the market", raw)?;
    let market = OldMarket {
        reward: number(&mut members, "reward")?,
        target: number(&mut members, "target")?,
        reverse: match members.remove("reverse") {
            None => None,
            Some(raw) => Some(
                serde_json::from_str(raw.get())
                    .map_err(|_| "reverse is neither true nor false".to_owned())?,
            ),
        },
        ask: side(&mut members, "ask")?,
        bid: side(&mut members, "bid")?,
    };
    Ok((market, members.into_keys().collect()))
}

fn side(market: &mut Members, name: &str) -> Result<OldSide, String> {
    let raw = market.remove(name).ok_or_else(|| format!("{name} is missing"))?;
    let mut side = members(name, &raw)?;
    let ratio = number(&mut side, "ratio").map_err(|why| format!("{name}: {why}"))?;
    let mut ranks = BTreeMap::new();
    for (rank, raw) in side {
        let mut keys = members(&rank, &raw)?;
        let ratio = number(&mut keys, "ratio").map_err(|why| format!("{name}.{rank}: {why}"))?;
        let tolerance = keys.contains_key("tolerance").then(|| number(&mut keys, "tolerance")).transpose()?;
        ranks.insert(rank, (ratio, tolerance));
    }
    Ok(OldSide { ratio, ranks })
}

fn members(what: &str, raw: &RawValue) -> Result<Members, String> {
    serde_json::from_str(raw.get()).map_err(|_| format!("{what} is no object"))
}

/// A number as it was written, in quotes or not.
fn number(members: &mut Members, key: &str) -> Result<String, String> {
    let raw = members.remove(key).ok_or_else(|| format!("{key} is missing"))?;
    let text = raw.get().trim_matches('"');
    let right =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if right { Ok(text.to_owned()) } else { Err(format!("{key} is no number")) }
}

//! The files of a folder of fixtures, as they are.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A folder that was read.
#[derive(Debug)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// Every `request*.json`, by file name; at least one.
    pub calls: Vec<(String, SignedCall)>,
    /// `cases.json`; at least one.
    pub cases: Vec<Case>,
    /// `markets.json`, where it exists: what the operator configures for a market, by `BASE/QUOTE`.
    pub markets: BTreeMap<String, BTreeMap<String, String>>,
}

/// One signed call.
#[derive(Debug, Deserialize)]
pub struct SignedCall {
    /// The exchange's id.
    pub exchange: String,
    /// The market's base currency.
    pub base: String,
    /// The market's quote currency.
    pub quote: String,
    /// The time of signing, in Unix milliseconds.
    pub signed_at_ms: u64,
    /// `key`, `secret`, and whatever else the exchange gives out. Made up.
    pub credentials: BTreeMap<String, String>,
    /// The API key.
    pub user: String,
    /// The members of `req`, in order.
    #[serde(deserialize_with = "in_order")]
    pub req: Vec<(String, Value)>,
    /// The signature.
    pub sign: String,
    /// What was signed; for several requests one line each.
    pub string_to_sign: String,
    /// The request that must result.
    pub http: Http,
    /// Whether this is an old form of `req`, which `start` takes and `sign` does not make. A `req` without
    /// members always is.
    #[serde(default)]
    pub start_only: bool,
}

/// One HTTP request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Http {
    /// `GET` or `POST`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Every header. The names' case does not matter.
    pub headers: BTreeMap<String, String>,
    /// The body, if there is one.
    pub body: Option<String>,
}

/// One reply and what is to be seen in it.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// The file with the reply's body. Left out where `start` already refuses.
    #[serde(default)]
    pub file: String,
    /// The base currency of the market that is asked for.
    pub base: String,
    /// The quote currency.
    pub quote: String,
    /// The file with the orders, or `error`.
    pub expect: String,
    /// Where the reply comes from.
    pub provenance: String,
    /// The reply's HTTP status.
    #[serde(default = "ok")]
    pub status: u16,
    /// The reply's headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The fault that an error has to be: `refused`, `throttled`, ... Any, if it is left out.
    pub fault: Option<String>,
    /// The replies to the requests before, where there are several.
    #[serde(default)]
    pub before: Vec<String>,
    /// Credentials beside those of the call.
    #[serde(default)]
    pub credentials: BTreeMap<String, String>,
    /// What the operator configured for the market, beside what `markets.json` says.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// What the client posted, in place of what `sign` makes.
    pub submission: Option<Posted>,
}

/// What a client posted, in full.
#[derive(Clone, Debug, Deserialize)]
pub struct Posted {
    /// The API key.
    pub user: String,
    /// The members of `req`, in order.
    #[serde(deserialize_with = "in_order")]
    pub req: Vec<(String, Value)>,
    /// The signature.
    pub sign: String,
}

/// One order, as fixtures write it and as an adapter reports it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SeenOrder {
    /// The exchange's id.
    pub id: String,
    /// `bid` or `ask`.
    pub side: String,
    /// A decimal.
    pub price: String,
    /// What is left, a decimal.
    pub amount: String,
    /// In Unix milliseconds.
    pub opened_ms: Option<u64>,
}

/// A value of a member of `req`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A number as it is written.
    Number(String),
}

impl Value {
    /// The text or the digits.
    pub fn as_str(&self) -> &str {
        match self {
            Value::Text(text) | Value::Number(text) => text,
        }
    }
}

impl SignedCall {
    /// Whether `sign` has to make this call.
    pub fn is_signed_so(&self) -> bool {
        !self.start_only && !self.req.is_empty()
    }
}

impl Folder {
    /// Reads a folder.
    ///
    /// # Errors
    /// If a file is missing or is not what it should be, or if there is no call or no case with orders in it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let cases: Vec<Case> = read_json(&path.join("cases.json"))?;
        let mut calls = Vec::new();
        for name in file_names(path)? {
            if name.starts_with("request") && name.ends_with(".json") {
                let call = read_json(&path.join(&name))?;
                calls.push((name, call));
            }
        }
        if calls.is_empty() || cases.is_empty() {
            return Err(format!("{}: there is no call or no case", path.display()));
        }
        let markets = path.join("markets.json");
        let markets = if markets.exists() { read_json(&markets)? } else { BTreeMap::new() };
        Ok(Folder { path: path.to_owned(), calls, cases, markets })
    }

    /// The first call: its credentials serve for every case.
    ///
    /// # Errors
    /// Never for a folder that was read.
    pub fn call(&self) -> Result<&SignedCall, String> {
        self.calls.first().map(|(_, call)| call).ok_or_else(|| "there is no call".to_owned())
    }

    /// A reply's body.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn body(&self, file: &str) -> Result<Vec<u8>, String> {
        let path = self.path.join(file);
        fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The orders in a file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn orders(&self, file: &str) -> Result<Vec<SeenOrder>, String> {
        read_json(&self.path.join(file))
    }
}

fn ok() -> u16 {
    200
}

fn file_names(path: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn in_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Value)>, D::Error> {
    deserializer.deserialize_map(Members)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of texts and numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, raw)) = map.next_entry::<String, Box<RawValue>>()? {
            let value = if raw.get().starts_with('"') {
                Value::Text(serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?)
            } else {
                Value::Number(raw.get().to_owned())
            };
            members.push((name, value));
        }
        Ok(members)
    }
}

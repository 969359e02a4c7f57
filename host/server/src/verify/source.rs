//! Where entries and receipts come from: a pool's endpoints, or files.
//! It knows no rule of the record; whatever it reads is checked by others.

use std::path::{Path, PathBuf};
use std::time::Duration;

use alp_record::chain::{MAX_ENTRY_BYTES, SignedReceipt};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::try_join_all;

use super::heads::SignedHead;
use super::{VerifyError, file_error};
use crate::exchange::{ClientError, ExchangeClient, Timeouts};
use crate::network::OutboundGrant;

/// Entries that are fetched at a time: enough to hide the way there and back, and not too many megabytes.
pub(crate) const AT_A_TIME: usize = 4;

/// Most receipts that are read: one LP's of two months, once a minute.
const MAX_RECEIPTS: usize = 100_000;

/// How long a pool may take to answer.
const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(10), call: Duration::from_secs(120) };

/// What the names of entries in a folder end with.
const ENDING: &str = "entry";

/// A record.
pub(crate) enum Source {
    Pool { address: String, client: Box<ExchangeClient> },
    Folder(PathBuf),
}

/// The name of the file of an entry: they sort as they follow each other.
pub(super) fn file_name(number: u64) -> String {
    format!("{number:010}.{ENDING}")
}

impl Source {
    pub(crate) fn open(record: &str) -> Result<Self, VerifyError> {
        if !record.starts_with("http://") && !record.starts_with("https://") {
            return Ok(Self::Folder(PathBuf::from(record)));
        }
        let address = record.trim_end_matches('/').to_owned();
        let client = ExchangeClient::new(TIMEOUTS, MAX_ENTRY_BYTES)
            .map_err(|error| VerifyError::Address { address: address.clone(), reason: error.to_string() })?;
        Ok(Self::Pool { address, client: Box::new(client) })
    }

    /// The numbers of its entries, in their order.
    pub(crate) async fn numbers(&self) -> Result<Vec<u64>, VerifyError> {
        match self {
            Self::Pool { address, .. } => {
                let oldest = self.oldest().await?;
                let newest = self.head().await?.header.number;
                if oldest > newest {
                    let reason = format!("its record begins with entry {oldest} and ends with {newest}");
                    return Err(VerifyError::Pool { address: address.clone(), reason });
                }
                Ok((oldest..=newest).collect())
            }
            Self::Folder(folder) => numbers_in(folder),
        }
    }

    /// The number of the oldest entry that a pool still has. One that does not say so has them all.
    async fn oldest(&self) -> Result<u64, VerifyError> {
        #[derive(serde::Deserialize)]
        struct Extent {
            oldest: u64,
        }
        let Self::Pool { address, client } = self else { return Ok(0) };
        let pool = |reason: String| VerifyError::Pool { address: format!("{address}/records"), reason };
        match client.get(&grant(address, "/records")?).await {
            Ok(body) => {
                let extent: Result<Extent, _> = serde_json::from_slice(&body);
                Ok(extent.map_err(|_| pool("its answer cannot be read".to_owned()))?.oldest)
            }
            Err(ClientError::Status(404)) => Ok(0),
            Err(error) => Err(pool(error.to_string())),
        }
    }

    /// Entries as they lie there.
    pub(crate) async fn entries(&self, numbers: &[u64]) -> Result<Vec<(u64, String)>, VerifyError> {
        match self {
            Self::Pool { .. } => {
                let each = numbers.iter().map(|number| async move {
                    Ok((*number, self.get(&format!("/records/{number}")).await?))
                });
                try_join_all(each).await
            }
            Self::Folder(folder) => numbers
                .iter()
                .map(|number| Ok((*number, read_text(&folder.join(file_name(*number)))?)))
                .collect(),
        }
    }

    /// The newest head that it shows.
    pub(super) async fn head(&self) -> Result<SignedHead, VerifyError> {
        match self {
            Self::Pool { address, .. } => {
                let text = self.get("/head").await?;
                serde_json::from_str(&text).map_err(|_| VerifyError::Pool {
                    address: address.clone(),
                    reason: "its head cannot be read".to_owned(),
                })
            }
            Self::Folder(folder) => {
                let last = numbers_in(folder)?.last().copied().unwrap_or(0);
                let file = folder.join(file_name(last));
                let not_one = || VerifyError::NotOne { path: file.clone(), what: "entry", line: 1 };
                SignedHead::of_entry(&read_text(&file)?).ok_or_else(not_one)
            }
        }
    }

    async fn get(&self, path: &str) -> Result<String, VerifyError> {
        let Self::Pool { address, client } = self else { return Ok(String::new()) };
        let grant = grant(address, path)?;
        let pool = |reason: String| VerifyError::Pool { address: format!("{address}{path}"), reason };
        let body = client.get(&grant).await.map_err(|error| pool(error.to_string()))?;
        String::from_utf8(body).map_err(|_| pool("it is no text".to_owned()))
    }
}

fn grant(address: &str, path: &str) -> Result<OutboundGrant, VerifyError> {
    OutboundGrant::get(&format!("{address}{path}"))
        .map_err(|fault| VerifyError::Address { address: address.to_owned(), reason: fault.to_string() })
}

/// Every receipt in the files of a folder: one a line, as JSON or as it came in the header.
pub(super) fn read_receipts(folder: &Path) -> Result<Vec<SignedReceipt>, VerifyError> {
    let mut receipts = Vec::new();
    for file in files_in(folder)? {
        for (line, number) in read_text(&file)?.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            let decoded = STANDARD.decode(line).unwrap_or_else(|_| line.as_bytes().to_vec());
            let not_one = || VerifyError::NotOne { path: file.clone(), what: "receipt", line: number };
            receipts.push(serde_json::from_slice(&decoded).map_err(|_| not_one())?);
            if receipts.len() > MAX_RECEIPTS {
                let (path, what) = (folder.to_owned(), "receipts");
                return Err(VerifyError::TooMany { path, what, limit: MAX_RECEIPTS });
            }
        }
    }
    Ok(receipts)
}

pub(super) fn read_text(file: &Path) -> Result<String, VerifyError> {
    let bytes = std::fs::read(file).map_err(|source| file_error(file, source))?;
    // An entry that is no text any more is a finding, not the end.
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned()))
}

pub(super) fn numbers_in(folder: &Path) -> Result<Vec<u64>, VerifyError> {
    let mut numbers = Vec::new();
    for file in files_in(folder)? {
        let stem = file.file_stem().and_then(|stem| stem.to_str());
        let ending = file.extension().is_some_and(|ending| ending == ENDING);
        numbers.extend(stem.filter(|_| ending).and_then(|stem| stem.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    if numbers.is_empty() {
        return Err(VerifyError::NoEntries { path: folder.to_owned() });
    }
    Ok(numbers)
}

pub(super) fn files_in(folder: &Path) -> Result<Vec<PathBuf>, VerifyError> {
    let read = || {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    };
    read().map_err(|source| file_error(folder, source))
}

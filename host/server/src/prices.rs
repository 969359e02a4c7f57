//! The pool's price of each unit: fixed, or the median of feeds, and never older than the operator allows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use alp_pool::median::median;
use alp_pool::price::{PoolPrice, Price};
use alp_record::chain::PriceQuotes;
use alp_record::judged::to_json;
use alp_sandbox::clean_text;
use alp_store::Quote;
use futures_util::future::join_all;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::config::{FeedsConfig, PriceConfig, SourceConfig};
use crate::exchange::{ClientError, ExchangeClient};
use crate::record::quotes::{fixed, quote};

/// Longest JSON document of a feed that is looked through, in bytes.
pub const MAX_FEED_BYTES: usize = 1024 * 1024;

/// Deepest member that a pointer may name.
const MAX_POINTER_DEPTH: usize = 16;

/// A price that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fetched {
    price: Price,
    at_ms: u64,
    origin: PriceQuotes,
}

/// The last price fetched for each unit.
#[derive(Debug, Default)]
pub struct PriceBoard(Mutex<BTreeMap<String, Fetched>>);

impl PriceBoard {
    /// The price in force at this instant (Unix milliseconds): none if nothing young enough was fetched.
    #[must_use]
    pub fn current(&self, unit: &str, config: &PriceConfig, now_ms: u64) -> Option<Price> {
        self.current_with_origin(unit, config, now_ms).map(|(price, _)| price)
    }

    /// As [`PriceBoard::current`], with the quotes that the price came from.
    #[must_use]
    pub fn current_with_origin(
        &self,
        unit: &str,
        config: &PriceConfig,
        now_ms: u64,
    ) -> Option<(Price, PriceQuotes)> {
        match config {
            PriceConfig::Fixed(price) => Some((*price, fixed(unit, &price.to_string()))),
            PriceConfig::Feeds(feeds) => {
                let board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let max_age_ms = u64::try_from(feeds.max_age.as_millis()).unwrap_or(u64::MAX);
                let young = |fetched: &&Fetched| now_ms.saturating_sub(fetched.at_ms) <= max_age_ms;
                board.get(unit).filter(young).map(|fetched| (fetched.price, fetched.origin.clone()))
            }
        }
    }

    /// Takes over quotes whose times are the database's, of which `database_ms` is the present one.
    pub fn take(&self, quotes: &BTreeMap<String, Quote>, database_ms: u64, now_ms: u64) {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (unit, quote) in quotes {
            let Ok(price) = Price::parse(&quote.price) else { continue };
            let age_ms = database_ms.saturating_sub(quote.at_ms);
            // A server of an earlier version keeps no quotes.
            let origin = serde_json::from_str(&quote.quotes).ok();
            let origin = origin.unwrap_or_else(|| fixed(unit, &quote.price));
            board.insert(unit.clone(), Fetched { price, at_ms: now_ms.saturating_sub(age_ms), origin });
        }
    }

    /// The quotes that the newest price of a unit came from, as JSON, for other servers.
    #[must_use]
    pub fn quotes_of(&self, unit: &str) -> String {
        let board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.get(unit).map_or_else(String::new, |fetched| to_json(&fetched.origin))
    }

    /// Asks every feed of a unit at the same time and takes the median, if enough of them answered.
    ///
    /// # Errors
    /// [`PriceFault`]; the price before stays until it is too old.
    pub async fn refresh(
        &self,
        unit: &str,
        feeds: &FeedsConfig,
        client: &ExchangeClient,
        now_ms: u64,
    ) -> Result<Price, PriceFault> {
        let answers = join_all(feeds.sources.iter().map(|source| ask(source, client))).await;
        let (mut prices, mut quotes) = (Vec::new(), Vec::new());
        let mut failed = Vec::new();
        for ((answer, source), number) in answers.into_iter().zip(&feeds.sources).zip(1..) {
            match answer {
                Ok(price) => {
                    quotes.push(quote(source.grant.url().host_str().unwrap_or(""), price));
                    prices.push(price);
                }
                Err(fault) => failed.push(format!("source {number} {fault}")),
            }
        }
        if prices.len() < feeds.least {
            let reasons = failed.join("; ");
            return Err(PriceFault::TooFew { answered: prices.len(), least: feeds.least, reasons });
        }
        let price = median(prices).ok_or(PriceFault::OutOfRange)?;
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = PriceQuotes { unit: unit.to_owned(), price: price.to_string(), at_ms: now_ms, quotes };
        board.insert(unit.to_owned(), Fetched { price, at_ms: now_ms, origin });
        Ok(price)
    }
}

/// The price to judge a market by. Where the exchange quotes units for a coin (`reverse`), it is one divided by
/// the price, as an undivided fraction.
#[must_use]
pub fn pool_price(price: Price, reverse: bool) -> PoolPrice {
    let direct = PoolPrice::direct(price);
    if reverse { direct.inverted() } else { direct }
}

async fn ask(source: &SourceConfig, client: &ExchangeClient) -> Result<Price, SourceFault> {
    let body = client.get(&source.grant).await?;
    let text = number_at(&body, &source.pointer)?;
    let price = Price::parse(&text).map_err(|error| SourceFault::NotAPrice(error.to_string()))?;
    if source.inverted {
        // Rounded half to even in 1e-18: a feed's own price has far fewer digits.
        return PoolPrice::direct(price)
            .inverted()
            .rounded()
            .ok_or(SourceFault::NotAPrice("is too large".into()));
    }
    Ok(price)
}

/// The number, or the text that holds one, at a JSON pointer: exactly as written, never through a float.
fn number_at(body: &[u8], pointer: &str) -> Result<String, SourceFault> {
    let mut document: &RawValue = serde_json::from_slice(body).map_err(|_| SourceFault::NotJson)?;
    for part in pointer.split('/').skip(1).take(MAX_POINTER_DEPTH) {
        let name = part.replace("~1", "/").replace("~0", "~");
        document = member(document, &name).ok_or(SourceFault::NothingThere)?;
    }
    let written = document.get();
    if written.starts_with('"') {
        return serde_json::from_str(written).map_err(|_| SourceFault::NotJson);
    }
    Ok(written.to_owned())
}

fn member<'a>(document: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    if document.get().starts_with('[') {
        let list: Vec<&RawValue> = serde_json::from_str(document.get()).ok()?;
        return list.get(name.parse::<usize>().ok()?).copied();
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(document.get()).ok()?;
    members.get(name).copied()
}

/// Why there is no new price. The operator's, or the feeds'.
#[derive(Debug, Error)]
pub enum PriceFault {
    /// Not enough feeds.
    #[error("{answered} of the price's sources answered, {least} must: {}", clean_text(reasons, 500))]
    TooFew {
        /// How many did.
        answered: usize,
        /// How many must.
        least: usize,
        /// What each of the others did.
        reasons: String,
    },
    /// The median is no price.
    #[error("the median of the prices is out of range")]
    OutOfRange,
}

#[derive(Debug, Error)]
enum SourceFault {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("did not answer with JSON")]
    NotJson,
    #[error("has nothing at the pointer")]
    NothingThere,
    #[error("answered with a price that {0}")]
    NotAPrice(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_finds_a_number_as_it_is_written() {
        let body = br#"{"a":{"b/c":[0,{"price":0.00250000000000000001}]},"text":"1e-8","null":null}"#;
        assert_eq!(number_at(body, "/a/b~1c/1/price").unwrap(), "0.00250000000000000001");
        assert_eq!(number_at(body, "/text").unwrap(), "1e-8");
        assert_eq!(number_at(b"0.5", "").unwrap(), "0.5");
        for pointer in ["/b", "/a/b", "/a/b~1c/9", "/a/b~1c/x"] {
            assert!(matches!(number_at(body, pointer), Err(SourceFault::NothingThere)), "{pointer}");
        }
        assert!(matches!(number_at(b"<html>", "/a"), Err(SourceFault::NotJson)));
        assert!(Price::parse(&number_at(body, "/null").unwrap()).is_err());
    }
}

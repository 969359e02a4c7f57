//! The price document of a sample: the price its orders were judged by, and the quotes that the price came from.
//! It knows how the two are written together, and asks no feed.

use alp_pool::price::{PoolPrice, Price};
use alp_record::chain::{PriceQuotes, Quote};
use alp_record::judged::{PriceRecord, RecordError, from_json, to_json};
use serde::{Deserialize, Serialize};

/// Longest name of a feed that is kept, in bytes: fifty of them stay far below what a price document may have.
const MAX_SOURCE: usize = 100;

/// What is stored with each sample. Its first two members are those of [`PriceRecord`], which reads it too.
#[derive(Serialize, Deserialize)]
struct PriceDocument {
    numerator: String,
    denominator: String,
    /// Samples of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<PriceQuotes>,
}

/// The price document of a sample that was judged by `price`, which comes from `origin`.
#[must_use]
pub fn price_document(price: PoolPrice, origin: PriceQuotes) -> String {
    let PriceRecord { numerator, denominator } = PriceRecord::new(price);
    to_json(&PriceDocument {
        numerator: numerator.into(),
        denominator: denominator.into(),
        origin: Some(origin),
    })
}

/// Where the price of a stored sample came from. One of which that was not kept counts as fixed by the operator.
///
/// # Errors
/// [`RecordError`] if the document was changed by another hand.
pub fn origin_of(unit: &str, document: &str) -> Result<PriceQuotes, RecordError> {
    let read: PriceDocument = from_json(document, "a price")?;
    Ok(read.origin.unwrap_or_else(|| {
        let one = Price::parse(&read.denominator).ok() == Price::parse("1").ok();
        fixed(unit, if one { &read.numerator } else { &read.denominator })
    }))
}

/// The origin of a price that the operator wrote down.
#[must_use]
pub fn fixed(unit: &str, price: &str) -> PriceQuotes {
    PriceQuotes { unit: unit.to_owned(), price: price.to_owned(), at_ms: 0, quotes: Vec::new() }
}

/// What a feed said, under the name of its host.
#[must_use]
pub fn quote(host: &str, price: Price) -> Quote {
    let source = alp_sandbox::clean_text(host, MAX_SOURCE).to_string();
    Quote { source, price: price.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_as_a_price_and_as_its_origin() {
        let price = Price::parse("0.004").unwrap();
        let origin =
            PriceQuotes { at_ms: 7, quotes: vec![quote("feed", price)], ..fixed("btc", &price.to_string()) };
        for pool in [PoolPrice::direct(price), PoolPrice::direct(price).inverted()] {
            let document = price_document(pool, origin.clone());
            let record: PriceRecord = from_json(&document, "a price").unwrap();
            assert_eq!(record, PriceRecord::new(pool));
            assert_eq!(origin_of("btc", &document).unwrap(), origin);
            let before = to_json(&PriceRecord::new(pool));
            assert_eq!(origin_of("btc", &before).unwrap(), fixed("btc", "0.004"));
        }
    }
}

//! Entries as a pool makes them, of as many LPs as are wanted.

use std::collections::BTreeMap;
use std::path::Path;

use alp_pool::round::RoundLength;
use alp_record::chain::{
    Body, Digest, Entry, EpochStart, Header, LpSamples, Opening, PoolKey, PriceQuotes, RoundInputs,
    StoredOrders, round_body,
};
use alp_store::Sample;

use crate::market::{EXCHANGE, Market, UNIT};

/// The start of the first round, in Unix seconds.
const FIRST_ROUND: u64 = 1_760_000_040;

/// A pool's id.
const POOL: &str = "benchmark";

/// What rounds are made of: the same in each.
pub(crate) struct Records {
    key: PoolKey,
    documents: BTreeMap<String, String>,
    samples: Vec<Sample>,
    openings: Vec<Opening>,
}

impl Records {
    /// So many LPs with so many orders each.
    pub(crate) fn new(lps: usize, orders: usize) -> Self {
        let market = Market::new(lps, orders);
        let rules = &market.unit.rules;
        let opening = |lp: usize| {
            let mut nonce = [0; 16];
            nonce[..8].copy_from_slice(&(lp as u64).to_le_bytes());
            Opening::new(nonce)
        };
        Self {
            key: PoolKey::from_seed(&[42; 32]).unwrap(),
            documents: BTreeMap::from([(rules.terms_id.clone(), rules.document.clone())]),
            samples: (0..lps).map(|lp| market.sample(lp, lp as i64)).collect(),
            openings: (0..lps).map(opening).collect(),
        }
    }

    /// The entry of a round that follows this header.
    pub(crate) fn entry(&self, round: u64, previous: Option<&Header>) -> Entry {
        let start = FIRST_ROUND + 60 * round;
        let lps = self.samples.iter().zip(&self.openings).map(|(sample, opening)| LpSamples {
            lp_id: sample.lp_id,
            pseudonym: opening.pseudonym(POOL, &sample.lp_id.to_string()),
            opening,
            samples: vec![StoredOrders {
                exchange: EXCHANGE,
                unit: UNIT,
                slice: 0,
                at_ms: start * 1000 + 5_000,
                ask_rate: None,
                bid_rate: None,
                terms_id: &sample.terms_id,
                adapter: &sample.adapter_sha256,
                reply: &sample.reply_sha256,
                maybe_truncated: false,
                price: &sample.price,
                orders: &sample.orders,
            }],
            before: Vec::new(),
        });
        let (unit, price) = (UNIT.to_owned(), "0.004".to_owned());
        let inputs = RoundInputs {
            start,
            length: RoundLength::MINUTE,
            terms: &self.documents,
            prices: vec![PriceQuotes { unit, price, at_ms: 0, quotes: Vec::new() }],
            carried: Vec::new(),
            lps: lps.collect(),
        };
        let body = round_body(&inputs).unwrap().0;
        Entry::sign(&self.key, POOL, 1, previous, start * 1000 + 61_000, Body::Round(Box::new(body)))
    }

    /// Writes a chain of so many rounds into a folder, as `alp verify --save` does. Returns its size in bytes.
    pub(crate) fn write(&self, folder: &Path, rounds: usize) -> usize {
        let begins =
            EpochStart { reason: "begins".to_owned(), last_published: Digest::NOTHING, last_round: 0 };
        let mut last = Entry::sign(&self.key, POOL, 1, None, FIRST_ROUND * 1000, Body::Epoch(begins));
        let mut bytes = 0;
        for number in 0..=rounds as u64 {
            if number > 0 {
                last = self.entry(number - 1, Some(&last.header));
            }
            let text = last.text();
            bytes += text.len();
            std::fs::write(folder.join(format!("{number:010}.entry")), text).unwrap();
        }
        bytes
    }
}

//! From a round's evidence to the body that is published and the credits that are booked: they are computed once,
//! from what is published.

use std::collections::BTreeMap;

use alp_pool::round::RoundLength;

use super::body::{LpRound, PriceQuotes, RoundBody, RoundCredit, SampleEntry, TermsEntry};
use super::digest::Digest;
use super::pseudonym::{Opening, order_commitment};
use crate::computed::{ComputeError, Computed, Evidence, compute_round};
use crate::judged::{
    CreditDetail, OrderRecord, PriceRecord, RecordError, RoundStatistics, from_json, to_json,
};

/// What a round is made of.
#[derive(Debug)]
pub struct RoundInputs<'a> {
    /// Start, in Unix seconds.
    pub start: u64,
    /// Length.
    pub length: RoundLength,
    /// The reward rules by their ids.
    pub terms: &'a BTreeMap<String, String>,
    /// The prices that were in force.
    pub prices: Vec<PriceQuotes>,
    /// The LPs that have samples, by rising number.
    pub lps: Vec<LpSamples<'a>>,
}

/// One LP's samples.
#[derive(Debug)]
pub struct LpSamples<'a> {
    /// The pool's number of the LP.
    pub lp_id: i64,
    /// Its pseudonym.
    pub pseudonym: Digest,
    /// What opens the pseudonym.
    pub opening: &'a Opening,
    /// Its samples, with the orders as they are stored.
    pub samples: Vec<StoredOrders<'a>>,
}

/// A sample as it is stored: its orders bear the exchange's ids.
#[derive(Debug, Clone, Copy)]
pub struct StoredOrders<'a> {
    /// The exchange.
    pub exchange: &'a str,
    /// The unit.
    pub unit: &'a str,
    /// When it was taken, in Unix milliseconds.
    pub at_ms: u64,
    /// The reward rules it was judged by.
    pub terms_id: &'a str,
    /// The SHA-256 of the adapter.
    pub adapter: &'a str,
    /// The SHA-256 of the reply.
    pub reply: &'a str,
    /// Whether the exchange may have cut its list off.
    pub maybe_truncated: bool,
    /// The price, as JSON.
    pub price: &'a str,
    /// The judged orders, as JSON.
    pub orders: &'a str,
}

/// Computes a round and writes its body. The credits come out with the pool's own numbers of the LPs.
///
/// # Errors
/// [`ComputeError`] if something stored cannot be read, or a sum leaves its range.
pub fn round_body(inputs: &RoundInputs<'_>) -> Result<(RoundBody, Computed), ComputeError> {
    let mut lps = Vec::with_capacity(inputs.lps.len());
    for lp in &inputs.lps {
        let samples = lp.samples.iter().map(|stored| committed(lp.opening, stored));
        let samples = samples.collect::<Result<Vec<_>, _>>()?;
        lps.push(LpRound { lp: lp.pseudonym, samples, credits: Vec::new() });
    }
    let mut terms = Vec::new();
    for (id, document) in inputs.terms {
        let id = Digest::parse(id).ok_or(RecordError::Damaged("the id of reward rules"))?;
        terms.push(TermsEntry { id, document: document.clone() });
    }
    let mut prices = inputs.prices.clone();
    prices.sort_unstable();
    prices.dedup();
    let mut computed = recompute(inputs.length, &terms, &lps)?;
    let statistics: RoundStatistics = from_json(&computed.statistics, "statistics")?;
    let credits = credits_by_lp(&computed, &lps)?;
    for (lp, credits) in lps.iter_mut().zip(credits) {
        lp.credits = credits;
    }
    let body = RoundBody {
        start: inputs.start,
        seconds: inputs.length.seconds(),
        terms,
        prices,
        reward: coins_text(computed.reward_e8),
        paid: coins_text(computed.paid_e8),
        statistics,
        lps,
    };
    for credited in &mut computed.credits {
        let place = usize::try_from(credited.lp_id).ok();
        let lp = place.and_then(|place| inputs.lps.get(place));
        credited.lp_id = lp.ok_or(RecordError::Damaged("the list of LPs"))?.lp_id;
    }
    Ok((body, computed))
}

/// Computes the round from what is published. The LPs are numbered by their places.
pub(super) fn recompute(
    length: RoundLength,
    terms: &[TermsEntry],
    lps: &[LpRound],
) -> Result<Computed, ComputeError> {
    let documents: BTreeMap<String, String> =
        terms.iter().map(|terms| (terms.id.to_string(), terms.document.clone())).collect();
    let mut written = Vec::new();
    for (place, lp) in lps.iter().enumerate() {
        for sample in &lp.samples {
            written.push((place, sample, sample.terms.to_string(), to_json(&sample.orders)));
        }
    }
    let evidence: Vec<Evidence<'_>> = written
        .iter()
        .map(|(place, sample, terms_id, orders)| Evidence {
            exchange: &sample.exchange,
            unit: &sample.unit,
            lp_id: i64::try_from(*place).unwrap_or(i64::MAX),
            submitted_at_ms: sample.at_ms,
            terms_id,
            orders,
        })
        .collect();
    compute_round(length, &evidence, &documents)
}

/// The credits as they stand in the body: for each LP in the order of its samples.
pub(super) fn credits_by_lp(
    computed: &Computed,
    lps: &[LpRound],
) -> Result<Vec<Vec<RoundCredit>>, RecordError> {
    let by_market: BTreeMap<(i64, &str), _> = computed
        .credits
        .iter()
        .map(|credited| ((credited.lp_id, credited.unit.as_str()), credited))
        .collect();
    let mut all = Vec::with_capacity(lps.len());
    for (place, lp) in lps.iter().enumerate() {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let mut credits: Vec<RoundCredit> = Vec::new();
        for sample in &lp.samples {
            let known = credits.iter().any(|credit| credit.unit == sample.unit);
            let Some(credited) = by_market.get(&(place, sample.unit.as_str())).filter(|_| !known) else {
                continue;
            };
            let detail: CreditDetail = from_json(&credited.detail, "a credit")?;
            credits.push(RoundCredit {
                exchange: sample.exchange.clone(),
                unit: sample.unit.clone(),
                provided: credited.provided.clone(),
                amount: coins_text(credited.amount_e8),
                orders: detail.orders,
            });
        }
        all.push(credits);
    }
    Ok(all)
}

/// Coins as a decimal text. What is below zero cannot be credited and is written as it is.
pub(super) fn coins_text(e8: i64) -> String {
    let text = alp_pool::decimal::format_units(u128::from(e8.unsigned_abs()), 8);
    if e8 < 0 { format!("-{text}") } else { text }
}

fn committed(opening: &Opening, stored: &StoredOrders<'_>) -> Result<SampleEntry, RecordError> {
    let mut orders: Vec<OrderRecord> = from_json(stored.orders, "a sample")?;
    for order in &mut orders {
        order.id = order_commitment(opening, stored.exchange, stored.unit, &order.id).to_string();
    }
    let price: PriceRecord = from_json(stored.price, "a price")?;
    Ok(SampleEntry {
        exchange: stored.exchange.to_owned(),
        unit: stored.unit.to_owned(),
        at_ms: stored.at_ms,
        terms: Digest::parse(stored.terms_id).ok_or(RecordError::Damaged("the id of reward rules"))?,
        adapter: stored.adapter.to_owned(),
        reply: stored.reply.to_owned(),
        maybe_truncated: stored.maybe_truncated,
        price,
        orders,
    })
}

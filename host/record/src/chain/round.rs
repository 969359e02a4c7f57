//! From a round's evidence to the body that is published and the credits that are booked: they are computed once,
//! from what is published.

use std::collections::BTreeMap;

use alp_pool::judge::JudgedOrder;
use alp_pool::round::RoundLength;

use super::body::{LpRound, PriceQuotes, RoundBody, RoundCredit, SampleEntry, TermsEntry};
use super::digest::Digest;
use super::pseudonym::{Opening, order_commitment};
use crate::computed::{ComputeError, Computed, Evidence, RoundEvidence, Shown, compute_round};
use crate::judged::{Carried, OrderRecord, PriceRecord, RecordError, RoundStatistics, from_json};

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
    /// What the round before carried over, as its statistics say.
    pub carried: Vec<Carried>,
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
    /// Its samples, with the orders as they are stored, in each market by rising slice.
    pub samples: Vec<StoredOrders<'a>>,
    /// Those that it gave at the end of the round before, where the rules hold a round against it.
    pub before: Vec<StoredOrders<'a>>,
}

/// A sample as it is stored: its orders bear the exchange's ids.
#[derive(Debug, Clone, Copy)]
pub struct StoredOrders<'a> {
    /// The exchange.
    pub exchange: &'a str,
    /// The unit.
    pub unit: &'a str,
    /// The slice of its round, counted from 0.
    pub slice: u32,
    /// When it was taken, in Unix milliseconds.
    pub at_ms: u64,
    /// The least that the LP asks for each coin a day on offers to sell: a decimal.
    pub ask_rate: Option<&'a str>,
    /// The same on offers to buy.
    pub bid_rate: Option<&'a str>,
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
        let all = |stored: &[StoredOrders<'_>]| {
            stored.iter().map(|stored| committed(lp.opening, stored)).collect::<Result<Vec<_>, _>>()
        };
        let (before, samples) = (all(&lp.before)?, all(&lp.samples)?);
        lps.push(LpRound { lp: lp.pseudonym, before, samples, credits: Vec::new() });
    }
    let mut terms = Vec::new();
    for (id, document) in inputs.terms {
        let id = Digest::parse(id).ok_or(RecordError::Damaged("the id of reward rules"))?;
        terms.push(TermsEntry { id, document: document.clone() });
    }
    let mut prices = inputs.prices.clone();
    prices.sort_unstable();
    prices.dedup();
    let span = (inputs.start, inputs.length);
    let mut computed = recompute(span, &terms, &inputs.carried, &lps, None)?;
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
        carried: inputs.carried.clone(),
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

/// What a published round's orders were judged to be: by LP, by sample, by order.
pub(super) type JudgedRound = [Vec<Vec<JudgedOrder>>];

/// Computes the round of this start and length from what is published. The LPs are numbered by their places. Who has
/// judged the samples hands over what came of it, so that nothing is read twice.
pub(super) fn recompute(
    (start, length): (u64, RoundLength),
    terms: &[TermsEntry],
    carried: &[Carried],
    lps: &[LpRound],
    judged: Option<&JudgedRound>,
) -> Result<Computed, ComputeError> {
    let documents: BTreeMap<String, String> =
        terms.iter().map(|terms| (terms.id.to_string(), terms.document.clone())).collect();
    let samples: Vec<Written<'_>> = written(lps, |lp| &lp.samples, judged);
    let before: Vec<Written<'_>> = written(lps, |lp| &lp.before, None);
    let samples: Vec<Evidence<'_>> = samples.iter().map(Written::evidence).collect();
    let before: Vec<Evidence<'_>> = before.iter().map(Written::evidence).collect();
    let round =
        RoundEvidence { start, length, samples: &samples, before: &before, carried, documents: &documents };
    compute_round(&round)
}

/// A published sample.
struct Written<'a> {
    place: usize,
    sample: &'a SampleEntry,
    terms_id: String,
    judged: Option<&'a [JudgedOrder]>,
}

fn written<'a>(
    lps: &'a [LpRound],
    samples_of: impl Fn(&LpRound) -> &[SampleEntry],
    judged: Option<&'a JudgedRound>,
) -> Vec<Written<'a>> {
    let mut all = Vec::new();
    for (place, lp) in lps.iter().enumerate() {
        let of_lp = judged.and_then(|judged| judged.get(place));
        for (number, sample) in samples_of(lp).iter().enumerate() {
            let judged = of_lp.and_then(|samples| samples.get(number)).map(Vec::as_slice);
            all.push(Written { place, sample, terms_id: sample.terms.to_string(), judged });
        }
    }
    all
}

impl Written<'_> {
    fn evidence(&self) -> Evidence<'_> {
        Evidence {
            exchange: &self.sample.exchange,
            unit: &self.sample.unit,
            lp_id: i64::try_from(self.place).unwrap_or(i64::MAX),
            submitted_at_ms: self.sample.at_ms,
            terms_id: &self.terms_id,
            ask_rate: self.sample.ask_rate.as_deref(),
            bid_rate: self.sample.bid_rate.as_deref(),
            orders: match self.judged {
                Some(judged) => Shown::Judged { records: &self.sample.orders, judged },
                None => Shown::Orders(&self.sample.orders),
            },
        }
    }
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
            credits.push(RoundCredit {
                exchange: sample.exchange.clone(),
                unit: sample.unit.clone(),
                provided: credited.provided.clone(),
                amount: coins_text(credited.amount_e8),
                orders: credited.detail.orders.clone(),
                earlier: credited.detail.earlier.clone(),
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
        slice: u64::from(stored.slice),
        at_ms: stored.at_ms,
        terms: Digest::parse(stored.terms_id).ok_or(RecordError::Damaged("the id of reward rules"))?,
        adapter: stored.adapter.to_owned(),
        reply: stored.reply.to_owned(),
        maybe_truncated: stored.maybe_truncated,
        ask_rate: stored.ask_rate.map(str::to_owned),
        bid_rate: stored.bid_rate.map(str::to_owned),
        price,
        orders,
    })
}

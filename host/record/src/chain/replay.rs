//! Recorded rounds under other rules: the body that a round would have had if its market had been judged and shared
//! otherwise, everything that its LPs showed being the same.
//!
//! It cannot know what LPs would have done under those rules, which minimal rates they would have sent, which orders
//! they would have shown, nor what they showed in submissions that others of the same slice replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alp_pool::evidence::Span;
use alp_pool::judge::{OrderFault, ReportedOrder, judge_orders};
use alp_pool::price::{PoolPrice, Price};
use alp_pool::round::{RoundLength, RoundLengthError};
use alp_pool::terms::Side;
use thiserror::Error;

use super::body::{LpRound, RoundBody, SampleEntry, TermsEntry};
use super::digest::Digest;
use super::round::{coins_text, credits_by_lp, recompute};
use crate::computed::ComputeError;
use crate::judged::{Carried, OrderRecord, RecordError, RoundStatistics, from_json};
use crate::market_document::write_market;
use crate::market_terms::MarketTerms;
use crate::sightings::carry_on;
use crate::terms_document::Pair;

/// What was judged by one set of rules in a round: the exchange, the unit, and the digest of the rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct JudgedMarket {
    /// The exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
    /// The rules that the record says it was judged by.
    pub terms: Digest,
}

impl JudgedMarket {
    fn of(sample: &SampleEntry) -> Self {
        Self { exchange: sample.exchange.clone(), unit: sample.unit.clone(), terms: sample.terms }
    }

    /// Everything that was judged in a round.
    #[must_use]
    pub fn all_of(round: &RoundBody) -> BTreeSet<Self> {
        let mut all = BTreeSet::new();
        let mut last: Option<Self> = None;
        for sample in round.lps.iter().flat_map(|lp| &lp.samples) {
            // Most samples are judged as the one before was.
            let same = |known: &Self| {
                (&known.exchange, &known.unit, known.terms) == (&sample.exchange, &sample.unit, sample.terms)
            };
            if !last.as_ref().is_some_and(same) {
                let market = Self::of(sample);
                all.insert(market.clone());
                last = Some(market);
            }
        }
        all
    }
}

/// Rules that take the place of recorded ones, with their document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherRules {
    market: MarketTerms,
    entry: TermsEntry,
}

impl OtherRules {
    /// These rules for a market of this pair.
    #[must_use]
    pub fn new(market: MarketTerms, pair: &Pair) -> Self {
        let document = write_market(&pair.base, &pair.quote, pair.reverse, &market);
        Self { market, entry: TermsEntry { id: Digest::of(&[document.as_bytes()]), document } }
    }

    /// The rules.
    #[must_use]
    pub fn market(&self) -> &MarketTerms {
        &self.market
    }
}

/// The rules that take the place of recorded ones. What is not in it stays as it was.
pub type Replacements = BTreeMap<JudgedMarket, Arc<OtherRules>>;

/// Replays rounds in their order. It remembers the round before: what was shown in it, and what it carried over.
#[derive(Debug, Default)]
pub struct Replay {
    before: Option<Arc<RoundBody>>,
}

impl Replay {
    /// The body of a round under other rules. With nothing replaced it is the recorded one.
    ///
    /// The first round takes over what the record says it took over; each later one what the replay came to.
    ///
    /// # Errors
    /// [`ReplayError`] if what the record shows cannot be judged or computed.
    pub fn round(&mut self, round: &RoundBody, other: &Replacements) -> Result<Arc<RoundBody>, ReplayError> {
        let length = RoundLength::from_seconds(round.seconds)?;
        let before = self.before.take();
        let replayed = Round { round, before: before.as_deref(), other }.replay(length)?;
        let replayed = Arc::new(replayed);
        self.before = Some(Arc::clone(&replayed));
        Ok(replayed)
    }

    /// Forgets the round before: the next one begins with what the record says, as after a restored database.
    pub fn begin_anew(&mut self) {
        self.before = None;
    }
}

struct Round<'a> {
    round: &'a RoundBody,
    before: Option<&'a RoundBody>,
    other: &'a Replacements,
}

impl Round<'_> {
    fn replay(&self, length: RoundLength) -> Result<RoundBody, ReplayError> {
        let mut lps = Vec::with_capacity(self.round.lps.len());
        let shown: BTreeMap<Digest, &LpRound> = self
            .adjacent()
            .map(|before| before.lps.iter().map(|lp| (lp.lp, lp)).collect())
            .unwrap_or_default();
        for lp in &self.round.lps {
            lps.push(self.lp(lp, shown.get(&lp.lp).copied())?);
        }
        let terms = self.terms(&lps);
        let carried = self.carried();
        let computed = recompute((self.round.start, length), &terms, &carried, &lps, None)?;
        let statistics: RoundStatistics = from_json(&computed.statistics, "statistics")?;
        let credits = credits_by_lp(&computed, &lps)?;
        for (lp, credits) in lps.iter_mut().zip(credits) {
            lp.credits = credits;
        }
        Ok(RoundBody {
            start: self.round.start,
            seconds: self.round.seconds,
            terms,
            prices: self.round.prices.clone(),
            reward: coins_text(computed.reward_e8),
            paid: coins_text(computed.paid_e8),
            carried,
            statistics,
            lps,
        })
    }

    /// The round before, if this one begins where it ended.
    fn adjacent(&self) -> Option<&RoundBody> {
        let ends = |before: &&RoundBody| before.start.saturating_add(u64::from(before.seconds));
        self.before.filter(|before| ends(before) == self.round.start)
    }

    fn carried(&self) -> Vec<Carried> {
        let carried = self.before.map_or(&self.round.carried, |before| &before.statistics.carried);
        carried.clone()
    }

    fn other(&self, sample: &SampleEntry) -> Option<&OtherRules> {
        self.other.get(&JudgedMarket::of(sample)).map(|rules| &**rules)
    }

    /// What an LP showed, judged anew where its market has other rules.
    fn lp(&self, lp: &LpRound, shown_before: Option<&LpRound>) -> Result<LpRound, ReplayError> {
        let mut samples: Vec<SampleEntry> = Vec::with_capacity(lp.samples.len());
        for recorded in &lp.samples {
            let sample = match self.other(recorded) {
                Some(rules) => {
                    let mut sample = judged_anew(lp.lp, recorded, rules, span(self.round))?;
                    if rules.market.needs_first_sightings() {
                        let earlier = [shown_before.map_or(&[][..], |before| &before.samples), &samples];
                        note_age(&mut sample, earlier.into_iter().flatten());
                    }
                    sample
                }
                None => recorded.clone(),
            };
            samples.push(sample);
        }
        self.leave_the_last_of_each_slice(&mut samples, &lp.samples);
        Ok(LpRound { lp: lp.lp, before: self.before_of(lp, shown_before)?, samples, credits: Vec::new() })
    }

    /// Where a market is cut into fewer slices than it was, later samples take the place of earlier ones.
    fn leave_the_last_of_each_slice(&self, samples: &mut Vec<SampleEntry>, recorded: &[SampleEntry]) {
        let replaced: Vec<bool> = recorded.iter().map(|recorded| self.other(recorded).is_some()).collect();
        let place = |sample: &SampleEntry| (sample.exchange.clone(), sample.unit.clone(), sample.slice);
        let mut last = BTreeMap::new();
        for (at, sample) in samples.iter().enumerate().filter(|(at, _)| replaced.get(*at) == Some(&true)) {
            let newest = last.entry(place(sample)).or_insert((sample.at_ms, at));
            *newest = (*newest).max((sample.at_ms, at));
        }
        let mut at = 0_usize;
        samples.retain(|sample| {
            let here = at;
            at = at.saturating_add(1);
            replaced.get(here) != Some(&true) || last.get(&place(sample)).is_some_and(|(_, at)| *at == here)
        });
    }

    /// What the round is held against, of each market of the LP: where its rules stay, what the record says.
    fn before_of(&self, lp: &LpRound, shown: Option<&LpRound>) -> Result<Vec<SampleEntry>, ReplayError> {
        let mut held_against = Vec::new();
        let mut markets = BTreeSet::new();
        for sample in &lp.samples {
            if !markets.insert((&sample.exchange, &sample.unit)) {
                continue;
            }
            let ours =
                |other: &&SampleEntry| (&other.exchange, &other.unit) == (&sample.exchange, &sample.unit);
            let latest = lp.samples.iter().filter(ours).max_by_key(|sample| sample.at_ms).unwrap_or(sample);
            let Some(rules) = self.other(latest) else {
                held_against.extend(lp.before.iter().filter(ours).cloned());
                continue;
            };
            if !rules.market.needs_the_round_before() {
                continue;
            }
            // Before the first round that is replayed the record alone knows what was shown.
            let known = if self.before.is_none() { Some(&lp.before) } else { shown.map(|lp| &lp.samples) };
            let newest = known.into_iter().flatten().filter(ours).max_by_key(|sample| sample.at_ms);
            let before = span_before(self.round);
            let looks = rules.market.looks();
            let last_slice = looks.slices().saturating_sub(1);
            if let Some(newest) = newest.filter(|newest| looks.slice_of(before, newest.at_ms) == last_slice) {
                held_against.push(judged_anew(lp.lp, newest, rules, before)?);
            }
        }
        Ok(held_against)
    }

    /// The rules that anything is judged by, in the order of their digests.
    fn terms(&self, lps: &[LpRound]) -> Vec<TermsEntry> {
        if self.other.is_empty() {
            return self.round.terms.clone();
        }
        let samples = || lps.iter().flat_map(|lp| lp.before.iter().chain(&lp.samples));
        let used: BTreeSet<Digest> = samples().map(|sample| sample.terms).collect();
        let others = self.other.values().map(|rules| &rules.entry);
        let known: BTreeMap<Digest, &TermsEntry> =
            self.round.terms.iter().chain(others).map(|entry| (entry.id, entry)).collect();
        used.iter().filter_map(|id| known.get(id).map(|entry| (*entry).clone())).collect()
    }
}

/// A sample as it would have been judged: the price is the one it was judged by.
fn judged_anew(
    lp: Digest,
    recorded: &SampleEntry,
    rules: &OtherRules,
    within: Span,
) -> Result<SampleEntry, ReplayError> {
    let market = || format!("{} {}", recorded.exchange, recorded.unit);
    let parse = |text: &str| Price::parse(text).ok();
    let price = parse(&recorded.price.numerator).zip(parse(&recorded.price.denominator));
    let (numerator, denominator) = price.ok_or_else(|| ReplayError::Price { lp, market: market() })?;
    let mut reported = Vec::with_capacity(recorded.orders.len());
    for order in &recorded.orders {
        let side = Side::BOTH.into_iter().find(|side| side.name() == order.side);
        let side = side.ok_or(RecordError::Damaged("a side"))?;
        reported.push(ReportedOrder { id: &order.id, side, price: &order.price, amount: &order.amount });
    }
    let pool = PoolPrice::fraction(numerator, denominator);
    let judged = judge_orders(reported, rules.market.judged_by(), pool)
        .map_err(|source| ReplayError::Orders { lp, market: market(), source: Box::new(source) })?;
    let orders = judged.iter().zip(&recorded.orders).map(|(judged, recorded)| {
        let OrderRecord { opened_ms, closed_ms, first_seen_ms, .. } = *recorded;
        OrderRecord { closed_ms, first_seen_ms, ..OrderRecord::new(judged, opened_ms) }
    });
    Ok(SampleEntry {
        slice: u64::from(rules.market.looks().slice_of(within, recorded.at_ms)),
        terms: rules.entry.id,
        orders: orders.collect(),
        ..recorded.clone()
    })
}

/// Since when each order has been shown, where the record does not say: as the pool would have noted it, of the samples
/// that the record has.
fn note_age<'a>(sample: &mut SampleEntry, earlier: impl Iterator<Item = &'a SampleEntry>) {
    if sample.orders.iter().all(|order| order.first_seen_ms.is_some()) {
        return;
    }
    let market = (&sample.exchange, &sample.unit);
    let ours = |other: &&SampleEntry| (&other.exchange, &other.unit) == market && other.at_ms <= sample.at_ms;
    let newest = earlier.filter(ours).max_by_key(|other| other.at_ms);
    let (before, before_ms) = newest.map_or((&[][..], sample.at_ms), |newest| (&newest.orders, newest.at_ms));
    carry_on(before, before_ms, sample.at_ms, &mut sample.orders);
}

fn span(round: &RoundBody) -> Span {
    let start_ms = round.start.saturating_mul(1_000);
    Span { start_ms, end_ms: start_ms.saturating_add(length_ms(round)) }
}

fn span_before(round: &RoundBody) -> Span {
    let end_ms = round.start.saturating_mul(1_000);
    Span { start_ms: end_ms.saturating_sub(length_ms(round)), end_ms }
}

fn length_ms(round: &RoundBody) -> u64 {
    u64::from(round.seconds).saturating_mul(1_000)
}

/// Why a recorded round cannot be replayed. Whoever signed the record has to act; `alp verify` says more.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// Its length is none.
    #[error("its length {0}")]
    Length(#[from] RoundLengthError),
    /// A price that is none.
    #[error("a sample of {lp} on {market} has no price")]
    Price {
        /// The LP.
        lp: Digest,
        /// The exchange and the unit.
        market: String,
    },
    /// Orders that cannot be judged.
    #[error("the orders of {lp} on {market} cannot be judged")]
    Orders {
        /// The LP.
        lp: Digest,
        /// The exchange and the unit.
        market: String,
        /// What is wrong with them.
        source: Box<OrderFault>,
    },
    /// It cannot be computed.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// Something in it cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

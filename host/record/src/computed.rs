//! A round, computed from what was verified in it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use alp_pool::Overflow;
use alp_pool::credit::{LpId, MarketRound, Sample, credit_market};
use alp_pool::engines::rule_error::RuleError;
use alp_pool::judge::JudgedOrder;
use alp_pool::money::{Amount, Coins};
use alp_pool::round::RoundLength;
use alp_pool::terms::{Side, Terms};
use thiserror::Error;

use crate::judged::{
    Carried, CreditDetail, MarketStatistics, OrderRecord, RankStatistics, RecordError, RoundStatistics,
    SideStatistics, from_json, to_json,
};
use crate::market_document::read_market;
use crate::market_terms::MarketTerms;
use crate::shared::shared_market;
use crate::terms_document::TermsDocumentError;

/// What was verified of one LP in one market during a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence<'a> {
    /// The exchange.
    pub exchange: &'a str,
    /// The unit.
    pub unit: &'a str,
    /// The LP.
    pub lp_id: i64,
    /// When it was taken, in Unix milliseconds.
    pub submitted_at_ms: u64,
    /// The reward rules it was judged by: the SHA-256 of their document.
    pub terms_id: &'a str,
    /// The least that the LP asks for each coin a day on offers to sell: a decimal.
    pub ask_rate: Option<&'a str>,
    /// The same on offers to buy.
    pub bid_rate: Option<&'a str>,
    /// The judged orders.
    pub orders: Shown<'a>,
}

/// Judged orders, as they are at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown<'a> {
    /// As JSON, the way they are stored.
    Json(&'a str),
    /// Read already.
    Orders(&'a [OrderRecord]),
    /// Read and judged already: `judged` is what the records say, order by order.
    Judged {
        /// As they are recorded.
        records: &'a [OrderRecord],
        /// The same, ready to be shared.
        judged: &'a [JudgedOrder],
    },
}

/// What a round comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// What each LP gets; at most one entry for an LP and a unit.
    pub credits: Vec<Credited>,
    /// The statistics of the round, as JSON.
    pub statistics: String,
    /// What all markets together could pay, in 1e-8 of the coin.
    pub reward_e8: i64,
    /// The sum of the credits, in 1e-8 of the coin. The rest of the reward is unspent.
    pub paid_e8: i64,
}

/// What an LP gets for a unit in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credited {
    /// The LP.
    pub lp_id: i64,
    /// The unit.
    pub unit: String,
    /// The liquidity provided: a decimal.
    pub provided: String,
    /// The reward, in 1e-8 of the coin; never negative.
    pub amount_e8: i64,
    /// How it came about, order by order.
    pub detail: CreditDetail,
}

/// What a round is computed from.
#[derive(Debug, Clone, Copy)]
pub struct RoundEvidence<'a> {
    /// Its start, in Unix seconds.
    pub start: u64,
    /// Its length.
    pub length: RoundLength,
    /// What was verified in it, of every slice.
    pub samples: &'a [Evidence<'a>],
    /// What was verified at the end of the round before: only needed where rules hold a round against it.
    pub before: &'a [Evidence<'a>],
    /// What the round before carried over.
    pub carried: &'a [Carried],
    /// The documents of the reward rules by their ids.
    pub documents: &'a BTreeMap<String, String>,
}

/// Computes a round from its evidence alone: the same samples and rules give the same credits, whenever and
/// wherever it runs. A market is credited by the rules of its latest sample, which are those that were in force
/// when the round ended.
///
/// # Errors
/// [`ComputeError`] if a document cannot be read, or a sum leaves its range.
pub fn compute_round(round: &RoundEvidence<'_>) -> Result<Computed, ComputeError> {
    let mut markets: BTreeMap<(&str, &str), Vec<&Evidence<'_>>> = BTreeMap::new();
    for sample in round.samples {
        markets.entry((sample.exchange, sample.unit)).or_default().push(sample);
    }
    let mut statistics = RoundStatistics::default();
    let mut computed = Computed {
        credits: Vec::with_capacity(round.samples.len()),
        statistics: String::new(),
        reward_e8: 0,
        paid_e8: 0,
    };
    let unseen =
        |carried: &&Carried| !markets.contains_key(&(carried.exchange.as_str(), carried.unit.as_str()));
    statistics.carried = round.carried.iter().filter(unseen).cloned().collect();
    for ((exchange, unit), samples) in &markets {
        let Some(latest) = samples.iter().max_by_key(|sample| (sample.submitted_at_ms, sample.lp_id)) else {
            continue;
        };
        let document =
            round.documents.get(latest.terms_id).ok_or(RecordError::Damaged("the list of reward rules"))?;
        let terms = read_market(document)?;
        let judged = last_of_each_lp(samples)?;
        let ranked =
            judged.iter().flat_map(|sample| &*sample.orders).filter(|order| order.rank.is_some()).count();
        let lps = u64::try_from(judged.len()).unwrap_or(u64::MAX);
        statistics.active_users = statistics.active_users.saturating_add(lps);
        statistics.orders = statistics.orders.saturating_add(u64::try_from(ranked).unwrap_or(u64::MAX));
        let market = Market { exchange, unit, terms_id: latest.terms_id, terms: &terms };
        let outcome = if terms.is_plain() {
            plain_market(&market, round.length, &judged)?
        } else {
            shared_market(&market, round, samples, &judged)?
        };
        statistics.markets.push(outcome.statistics);
        statistics.carried.extend(outcome.carried);
        computed.reward_e8 = add(computed.reward_e8, outcome.reward)?;
        computed.paid_e8 = add(computed.paid_e8, outcome.paid)?;
        computed.credits.extend(outcome.credits);
    }
    statistics.carried.sort_by(|a, b| (&a.exchange, &a.unit).cmp(&(&b.exchange, &b.unit)));
    computed.statistics = to_json(&statistics);
    Ok(computed)
}

/// How long before the end of the round before samples may have been taken that these rules hold a round against, in
/// milliseconds: the longest of their slices. Nothing if none of them asks for that.
///
/// # Errors
/// [`ComputeError`] if a document cannot be read.
pub fn longest_look_back_ms<'d>(
    length: RoundLength,
    documents: impl IntoIterator<Item = &'d String>,
) -> Result<Option<u64>, ComputeError> {
    let length_ms = u64::from(length.seconds()).saturating_mul(1_000);
    let mut longest = None;
    for document in documents {
        let terms = read_market(document)?;
        if terms.needs_the_round_before() {
            let slices = u64::from(terms.looks().slices()).max(1);
            longest = longest.max(Some(length_ms.div_ceil(slices)));
        }
    }
    Ok(longest)
}

/// Why a round cannot be computed. The operator's.
#[derive(Debug, Error)]
pub enum ComputeError {
    /// A document cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The reward rules cannot be read.
    #[error(transparent)]
    Terms(#[from] TermsDocumentError),
    /// More orders or slices than are shared.
    #[error("a market of the round {0}")]
    Book(#[from] RuleError),
    /// A sum left its range.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// A market and its rules.
pub(crate) struct Market<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) terms_id: &'a str,
    pub(crate) terms: &'a MarketTerms,
}

/// What a round of one market comes to.
pub(crate) struct MarketOutcome {
    pub(crate) reward: Coins,
    pub(crate) paid: Coins,
    pub(crate) credits: Vec<Credited>,
    pub(crate) statistics: MarketStatistics,
    pub(crate) carried: Option<Carried>,
}

pub(crate) fn read_orders<'a>(sample: &Evidence<'a>) -> Result<Cow<'a, [OrderRecord]>, RecordError> {
    match sample.orders {
        Shown::Json(json) => from_json(json, "a sample").map(Cow::Owned),
        Shown::Orders(records) | Shown::Judged { records, .. } => Ok(Cow::Borrowed(records)),
    }
}

/// The orders of a sample, as they were judged.
pub(crate) fn judged_orders<'a>(sample: &Evidence<'a>) -> Result<Cow<'a, [JudgedOrder]>, RecordError> {
    match sample.orders {
        Shown::Judged { judged, .. } => Ok(Cow::Borrowed(judged)),
        Shown::Json(_) | Shown::Orders(_) => {
            read_orders(sample)?.iter().map(OrderRecord::read).collect::<Result<_, _>>().map(Cow::Owned)
        }
    }
}

/// The last sample of each LP, by rising number of the LP.
fn last_of_each_lp<'a>(samples: &[&Evidence<'a>]) -> Result<Vec<Sample<'a>>, RecordError> {
    let mut last: BTreeMap<i64, &Evidence<'a>> = BTreeMap::new();
    for sample in samples {
        let known =
            last.get(&sample.lp_id).is_some_and(|known| known.submitted_at_ms > sample.submitted_at_ms);
        if !known {
            last.insert(sample.lp_id, sample);
        }
    }
    last.into_values().map(read_sample).collect()
}

fn read_sample<'a>(sample: &Evidence<'a>) -> Result<Sample<'a>, RecordError> {
    Ok(Sample { lp: LpId(sample.lp_id), orders: judged_orders(sample)? })
}

fn plain_market(
    market: &Market<'_>,
    length: RoundLength,
    judged: &[Sample<'_>],
) -> Result<MarketOutcome, ComputeError> {
    let terms = market.terms.judged_by();
    let round = credit_market(terms, length.reward(terms.reward_per_minute())?, judged)?;
    let mut credits = Vec::with_capacity(round.credits.len());
    for credit in &round.credits {
        credits.push(Credited {
            lp_id: credit.lp.0,
            unit: market.unit.to_owned(),
            provided: credit.provided.to_string(),
            amount_e8: add(0, credit.credit)?,
            detail: CreditDetail::new(&credit.orders, &[]),
        });
    }
    Ok(MarketOutcome {
        reward: round.reward,
        paid: round.paid,
        credits,
        statistics: market_statistics(market, terms, &round)?,
        carried: None,
    })
}

fn market_statistics(
    market: &Market<'_>,
    terms: &Terms,
    round: &MarketRound,
) -> Result<MarketStatistics, Overflow> {
    let mut sides = Vec::new();
    for side in Side::BOTH {
        let side_terms = terms.side(side);
        let pots = || round.pots.iter().filter(move |pot| pot.side == side);
        let ranks = pots().map(|pot| RankStatistics {
            rank: pot.rank.0,
            ratio: side_terms
                .ranks()
                .iter()
                .find(|rank| rank.number == pot.rank)
                .map_or_else(String::new, |rank| rank.ratio.to_string()),
            total: pot.total.to_string(),
            pot: pot.pot.to_string(),
        });
        sides.push(SideStatistics {
            side: side.name().to_owned(),
            ratio: side_terms.ratio().to_string(),
            total: Amount::sum(pots().map(|pot| pot.total))?.to_string(),
            reward: Coins::sum(pots().map(|pot| pot.pot))?.to_string(),
            ranks: ranks.collect(),
        });
    }
    Ok(MarketStatistics {
        exchange: market.exchange.to_owned(),
        unit: market.unit.to_owned(),
        terms_id: market.terms_id.to_owned(),
        target: terms.target().to_string(),
        reward: round.reward.to_string(),
        paid: round.paid.to_string(),
        total: Amount::sum(round.pots.iter().map(|pot| pot.total))?.to_string(),
        sides,
        ignored_minimal_rates: 0,
    })
}

pub(crate) fn add(sum_e8: i64, coins: Coins) -> Result<i64, Overflow> {
    i64::try_from(coins.e8())
        .ok()
        .and_then(|coins| sum_e8.checked_add(coins))
        .ok_or(Overflow("the round's sum"))
}

//! A round, computed from what was verified in it.

use std::collections::BTreeMap;

use alp_pool::Overflow;
use alp_pool::credit::{LpId, MarketRound, Sample, credit_market};
use alp_pool::money::{Amount, Coins};
use alp_pool::round::RoundLength;
use alp_pool::terms::{Side, Terms};
use thiserror::Error;

use crate::judged::{
    CreditDetail, MarketStatistics, OrderRecord, RankStatistics, RecordError, RoundStatistics,
    SideStatistics, from_json, to_json,
};
use crate::terms_document::{TermsDocumentError, read_terms};

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
    /// The judged orders, as JSON.
    pub orders: &'a str,
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
    /// How it came about, order by order, as JSON.
    pub detail: String,
}

/// Computes a round from its evidence alone: the same samples and rules give the same credits, whenever and
/// wherever it runs. A market is credited by the rules of its latest sample, which are those that were in force
/// when the round ended.
///
/// # Errors
/// [`ComputeError`] if a document cannot be read, or a sum leaves its range.
pub fn compute_round(
    length: RoundLength,
    samples: &[Evidence<'_>],
    documents: &BTreeMap<String, String>,
) -> Result<Computed, ComputeError> {
    let mut markets: BTreeMap<(&str, &str), Vec<&Evidence<'_>>> = BTreeMap::new();
    for sample in samples {
        markets.entry((sample.exchange, sample.unit)).or_default().push(sample);
    }
    let mut statistics = RoundStatistics {
        active_users: u64::try_from(samples.len()).unwrap_or(u64::MAX),
        ..RoundStatistics::default()
    };
    let mut computed = Computed {
        credits: Vec::with_capacity(samples.len()),
        statistics: String::new(),
        reward_e8: 0,
        paid_e8: 0,
    };
    for ((exchange, unit), samples) in markets {
        let Some(latest) = samples.iter().max_by_key(|sample| (sample.submitted_at_ms, sample.lp_id)) else {
            continue;
        };
        let terms_id = latest.terms_id;
        let document = documents.get(terms_id).ok_or(RecordError::Damaged("the list of reward rules"))?;
        let terms = read_terms(document)?;
        let judged = samples.iter().map(|sample| read_sample(sample)).collect::<Result<Vec<_>, _>>()?;
        let ranked =
            judged.iter().flat_map(|sample| &sample.orders).filter(|order| order.rank.is_some()).count();
        let market = credit_market(&terms, length.reward(terms.reward_per_minute())?, &judged)?;
        statistics.orders = statistics.orders.saturating_add(u64::try_from(ranked).unwrap_or(u64::MAX));
        statistics.markets.push(market_statistics(exchange, unit, terms_id, &terms, &market)?);
        computed.reward_e8 = add(computed.reward_e8, market.reward)?;
        computed.paid_e8 = add(computed.paid_e8, market.paid)?;
        for credit in market.credits {
            computed.credits.push(Credited {
                lp_id: credit.lp.0,
                unit: unit.to_owned(),
                provided: credit.provided.to_string(),
                amount_e8: add(0, credit.credit)?,
                detail: to_json(&CreditDetail::new(&credit.orders)),
            });
        }
    }
    computed.statistics = to_json(&statistics);
    Ok(computed)
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
    /// A sum left its range.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

fn read_sample(sample: &Evidence<'_>) -> Result<Sample, RecordError> {
    let orders: Vec<OrderRecord> = from_json(sample.orders, "a sample")?;
    let orders = orders.iter().map(OrderRecord::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Sample { lp: LpId(sample.lp_id), orders })
}

fn market_statistics(
    exchange: &str,
    unit: &str,
    terms_id: &str,
    terms: &Terms,
    market: &MarketRound,
) -> Result<MarketStatistics, Overflow> {
    let mut sides = Vec::new();
    for side in Side::BOTH {
        let side_terms = terms.side(side);
        let pots = || market.pots.iter().filter(move |pot| pot.side == side);
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
        exchange: exchange.to_owned(),
        unit: unit.to_owned(),
        terms_id: terms_id.to_owned(),
        target: terms.target().to_string(),
        reward: market.reward.to_string(),
        paid: market.paid.to_string(),
        total: Amount::sum(market.pots.iter().map(|pot| pot.total))?.to_string(),
        sides,
    })
}

fn add(sum_e8: i64, coins: Coins) -> Result<i64, Overflow> {
    i64::try_from(coins.e8())
        .ok()
        .and_then(|coins| sum_e8.checked_add(coins))
        .ok_or(Overflow("the round's sum"))
}

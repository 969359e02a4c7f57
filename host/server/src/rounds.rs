//! Running a round: close it, read what was verified in it, share the reward, record the credits.

use std::collections::{BTreeMap, BTreeSet};

use alp_pool::Overflow;
use alp_pool::credit::{LpId, MarketRound, Sample, credit_market};
use alp_pool::money::{Amount, Coins};
use alp_pool::round::{RoundLength, RoundLengthError};
use alp_pool::terms::{Side, Terms};
use alp_store::{Closed, CreditEntry, Recorded, RoundRecord, Store, StoreError, StoredSample};
use thiserror::Error;

use crate::config::read_terms;
use crate::records::{
    CreditDetail, MarketStatistics, OrderRecord, RankStatistics, RecordError, RoundStatistics,
    SideStatistics, from_json, to_json,
};

/// What became of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundOutcome {
    /// It is credited now.
    Credited {
        /// How many LPs were credited, each unit for itself.
        credits: usize,
        /// The sum of the credits.
        paid: Coins,
    },
    /// It was credited before; nothing was done.
    AlreadyCredited,
}

/// Runs every past round that has samples and no record, oldest first.
///
/// # Errors
/// [`RoundError`] of the first round that cannot be run; the ones after it wait, so that running totals stay in
/// order of time.
pub async fn run_due_rounds(store: &Store) -> Result<Vec<(u64, RoundOutcome)>, RoundError> {
    let mut outcomes = Vec::new();
    for start in store.unfinished_rounds(store.clock_ms().await?).await? {
        outcomes.push((start, run_round(store, start).await?));
    }
    Ok(outcomes)
}

/// Runs one round. A repeat, or a second server, is a no-op.
///
/// # Errors
/// [`RoundError`]; then nothing was credited, and the round stays due.
pub async fn run_round(store: &Store, start: u64) -> Result<RoundOutcome, RoundError> {
    let round_seconds = match store.close_round(start).await? {
        Closed::AlreadyCredited => return Ok(RoundOutcome::AlreadyCredited),
        Closed::Closed { round_seconds } | Closed::AlreadyClosed { round_seconds } => round_seconds,
    };
    let length = RoundLength::from_seconds(u32::try_from(round_seconds).unwrap_or(0))?;
    let samples = store.samples(start).await?;
    let mut documents = BTreeMap::new();
    for id in samples.iter().map(|stored| &stored.sample.terms_id).collect::<BTreeSet<_>>() {
        let document = store.terms(id).await?.ok_or(RecordError::Damaged("the list of reward rules"))?;
        documents.insert(id.clone(), document);
    }
    // A hundred thousand orders take a second: not on a thread that answers bots.
    let computed = tokio::task::spawn_blocking(move || compute_round(start, length, &samples, &documents));
    let record = computed.await.map_err(|_| RoundError::Interrupted)??;
    let outcome = RoundOutcome::Credited {
        credits: record.credits.len(),
        paid: coins_from(record.paid_e8).ok_or(Overflow("paid"))?,
    };
    match store.record_round(&record).await? {
        Recorded::Recorded => Ok(outcome),
        Recorded::AlreadyRecorded => Ok(RoundOutcome::AlreadyCredited),
    }
}

/// Computes a round from its evidence alone: the same samples and rules give the same credits, whenever and
/// wherever it runs. A market is credited by the rules of its latest sample, which are those that were in force
/// when the round ended.
///
/// # Errors
/// [`RoundError`] if something stored cannot be read.
pub fn compute_round(
    start: u64,
    length: RoundLength,
    samples: &[StoredSample],
    documents: &BTreeMap<String, String>,
) -> Result<RoundRecord, RoundError> {
    let mut markets: BTreeMap<(&str, &str), Vec<&StoredSample>> = BTreeMap::new();
    for stored in samples {
        markets.entry((stored.exchange.as_str(), stored.sample.unit.as_str())).or_default().push(stored);
    }
    let mut statistics = RoundStatistics {
        active_users: u64::try_from(samples.len()).unwrap_or(u64::MAX),
        ..RoundStatistics::default()
    };
    let mut record = RoundRecord {
        round_start: start,
        credits: Vec::with_capacity(samples.len()),
        statistics: String::new(),
        reward_e8: 0,
        paid_e8: 0,
    };
    for ((exchange, unit), samples) in markets {
        let Some(latest) = samples.iter().max_by_key(|stored| (stored.submitted_at_ms, stored.sample.lp_id))
        else {
            continue;
        };
        let terms_id = &latest.sample.terms_id;
        let document = documents.get(terms_id).ok_or(RecordError::Damaged("the list of reward rules"))?;
        let terms = read_terms(document).map_err(RoundError::Terms)?;
        let judged = samples.iter().map(|stored| read_sample(stored)).collect::<Result<Vec<_>, _>>()?;
        let ranked =
            judged.iter().flat_map(|sample| &sample.orders).filter(|order| order.rank.is_some()).count();
        let market = credit_market(&terms, length.reward(terms.reward_per_minute())?, &judged)?;
        statistics.orders = statistics.orders.saturating_add(u64::try_from(ranked).unwrap_or(u64::MAX));
        statistics.markets.push(market_statistics(exchange, unit, terms_id, &terms, &market)?);
        record.reward_e8 = add(record.reward_e8, market.reward)?;
        record.paid_e8 = add(record.paid_e8, market.paid)?;
        for credit in market.credits {
            record.credits.push(CreditEntry {
                lp_id: credit.lp.0,
                unit: unit.to_owned(),
                provided: credit.provided.to_string(),
                amount_e8: add(0, credit.credit)?,
                detail: to_json(&CreditDetail::new(&credit.orders)),
            });
        }
    }
    record.statistics = to_json(&statistics);
    Ok(record)
}

fn read_sample(stored: &StoredSample) -> Result<Sample, RecordError> {
    let orders: Vec<OrderRecord> = from_json(&stored.sample.orders, "a sample")?;
    let orders = orders.iter().map(OrderRecord::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Sample { lp: LpId(stored.sample.lp_id), orders })
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

/// Coins from the database's whole number of 1e-8.
#[must_use]
pub fn coins_from(e8: i64) -> Option<Coins> {
    u64::try_from(e8).ok().and_then(Coins::from_e8)
}

/// Why a round could not be run. The operator's.
#[derive(Debug, Error)]
pub enum RoundError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something stored cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The rules that were stored cannot be read.
    #[error(transparent)]
    Terms(crate::config::TermsDocumentError),
    /// A sum left its range.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// The stored length of the round is none.
    #[error("the stored length of a round {0}")]
    Length(#[from] RoundLengthError),
    /// The computation was broken off, as it is when the program ends.
    #[error("the computation of a round was broken off")]
    Interrupted,
}

//! Running a round: close it, read what was verified in it, share the reward, record the credits.

use std::collections::{BTreeMap, BTreeSet};

use alp_pool::Overflow;
use alp_pool::money::Coins;
use alp_pool::round::{RoundLength, RoundLengthError};
use alp_record::judged::RecordError;
use alp_record::{ComputeError, Computed, Credited, Evidence, compute_round};
use alp_store::{Closed, CreditEntry, Lease, Recorded, RoundRecord, Store, StoreError, StoredSample};
use thiserror::Error;

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
pub async fn run_due_rounds(store: &Store, lease: &Lease) -> Result<Vec<(u64, RoundOutcome)>, RoundError> {
    let mut outcomes = Vec::new();
    for start in store.unfinished_rounds(store.clock_ms().await?).await? {
        outcomes.push((start, run_round(store, lease, start).await?));
    }
    Ok(outcomes)
}

/// Runs one round. A repeat, or a second server, is a no-op.
///
/// # Errors
/// [`RoundError`]; then nothing was credited, and the round stays due.
pub async fn run_round(store: &Store, lease: &Lease, start: u64) -> Result<RoundOutcome, RoundError> {
    let round_seconds = match store.close_round(lease, start).await? {
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
    let computed = tokio::task::spawn_blocking(move || {
        let evidence: Vec<Evidence<'_>> = samples.iter().map(evidence).collect();
        compute_round(length, &evidence, &documents)
    });
    let record = record(start, computed.await.map_err(|_| RoundError::Interrupted)??);
    let outcome = RoundOutcome::Credited {
        credits: record.credits.len(),
        paid: coins_from(record.paid_e8).ok_or(Overflow("paid"))?,
    };
    match store.record_round(lease, &record).await? {
        Recorded::Recorded => Ok(outcome),
        Recorded::AlreadyRecorded => Ok(RoundOutcome::AlreadyCredited),
    }
}

/// A sample as a round reads it.
pub(crate) fn evidence(stored: &StoredSample) -> Evidence<'_> {
    Evidence {
        exchange: &stored.exchange,
        unit: &stored.sample.unit,
        lp_id: stored.sample.lp_id,
        submitted_at_ms: stored.submitted_at_ms,
        terms_id: &stored.sample.terms_id,
        orders: &stored.sample.orders,
    }
}

fn record(round_start: u64, computed: Computed) -> RoundRecord {
    let Computed { credits, statistics, reward_e8, paid_e8 } = computed;
    let credits = credits.into_iter().map(|credited| {
        let Credited { lp_id, unit, provided, amount_e8, detail } = credited;
        CreditEntry { lp_id, unit, provided, amount_e8, detail }
    });
    RoundRecord { round_start, credits: credits.collect(), statistics, reward_e8, paid_e8 }
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
    /// It cannot be computed from what is stored.
    #[error(transparent)]
    Compute(#[from] ComputeError),
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

//! Running a round: close it, read what was verified in it, share the reward, record the credits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alp_pool::Overflow;
use alp_pool::money::Coins;
use alp_pool::round::{RoundLength, RoundLengthError};
use alp_record::chain::{Body, Digest, LpSamples, Opening, RoundBody, RoundInputs, StoredOrders, round_body};
use alp_record::judged::{Carried, RecordError, RoundStatistics, from_json, to_json};
use alp_record::{ComputeError, Computed, Credited, longest_look_back_ms};
use alp_store::{Closed, CreditEntry, Lease, Recorded, RoundRecord, Store, StoreError, StoredSample};
use thiserror::Error;

use crate::fail_at::{FailAt, Stopped};
use crate::record::quotes::origin_of;
use crate::record::{MAX_ATTEMPTS, PackError, PublishError, SharedPublisher};

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
pub async fn run_due_rounds(
    store: &Store,
    publisher: &SharedPublisher,
    lease: &Lease,
    fail_at: &FailAt,
) -> Result<Vec<(u64, RoundOutcome)>, RoundError> {
    let mut outcomes = Vec::new();
    let published_until = publisher.epoch(store).await?.last_round;
    for start in store.unfinished_rounds(store.clock_ms().await?).await? {
        if start <= published_until {
            // What it came to was published before the restore: the operator corrects what is owed by hand.
            tracing::warn!(
                round = start,
                "a round was published before the database was restored, and is not run"
            );
            continue;
        }
        outcomes.push((start, run_round(store, publisher, lease, start, fail_at).await?));
    }
    Ok(outcomes)
}

/// Runs one round. A repeat, or a second server, is a no-op.
///
/// # Errors
/// [`RoundError`]; then nothing was credited, and the round stays due.
pub async fn run_round(
    store: &Store,
    publisher: &SharedPublisher,
    lease: &Lease,
    start: u64,
    fail_at: &FailAt,
) -> Result<RoundOutcome, RoundError> {
    let round_seconds = match fail_at.around("close the round", store.close_round(lease, start)).await?? {
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
    let lps = fail_at.around("make pseudonyms", publisher.lps_of_round(store, start)).await??;
    let mut at = (publisher.read_head(store).await?, store.clock_ms().await?);
    let neighbour = read_neighbour(store, start, length, &documents).await?;
    let round = Round { start, length, samples, documents, lps, neighbour };
    // A hundred thousand orders take a tenth of a second: not on a thread that answers bots.
    let signs = Arc::clone(publisher);
    let head = at.clone();
    let (record, mut made) = on_another_thread(move || {
        let (body, computed) = round.compute()?;
        let made = signs.sign(&head.0, head.1, Body::Round(Box::new(body)))?;
        Ok((record(start, computed), made))
    })
    .await?;
    let outcome = RoundOutcome::Credited {
        credits: record.credits.len(),
        paid: coins_from(record.paid_e8).ok_or(Overflow("paid"))?,
    };
    for _ in 0..MAX_ATTEMPTS {
        let publish = store.publish_round(lease, &record, &made.1);
        match fail_at.around("credit and publish", publish).await?? {
            Recorded::Recorded => {
                publisher.read_head(store).await?;
                return Ok(outcome);
            }
            Recorded::AlreadyRecorded => return Ok(RoundOutcome::AlreadyCredited),
            Recorded::HeadMoved => {}
        }
        at = (publisher.read_head(store).await?, store.clock_ms().await?);
        let (signs, head) = (Arc::clone(publisher), at.clone());
        made = on_another_thread(move || Ok(signs.sign(&head.0, head.1, made.0.body)?)).await?;
    }
    Err(PublishError::HeadMoves.into())
}

/// All that a round is computed from.
struct Round {
    start: u64,
    length: RoundLength,
    samples: Vec<StoredSample>,
    documents: BTreeMap<String, String>,
    lps: Vec<(i64, Digest, Opening)>,
    neighbour: Neighbour,
}

impl Round {
    fn compute(&self) -> Result<(RoundBody, Computed), RoundError> {
        let mut prices = BTreeSet::new();
        let mut samples: BTreeMap<i64, Vec<StoredOrders<'_>>> = BTreeMap::new();
        for stored in &self.samples {
            prices.insert(origin_of(&stored.sample.unit, &stored.sample.price)?);
            samples.entry(stored.sample.lp_id).or_default().push(stored_orders(stored));
        }
        // What an LP showed before counts only together with what it shows now.
        let mut earlier: BTreeMap<i64, Vec<StoredOrders<'_>>> = BTreeMap::new();
        for stored in
            self.neighbour.samples.iter().filter(|stored| samples.contains_key(&stored.sample.lp_id))
        {
            prices.insert(origin_of(&stored.sample.unit, &stored.sample.price)?);
            earlier.entry(stored.sample.lp_id).or_default().push(stored_orders(stored));
        }
        let mut lps = Vec::with_capacity(self.lps.len());
        for (lp_id, pseudonym, opening) in &self.lps {
            let samples = samples.remove(lp_id).unwrap_or_default();
            let before = earlier.remove(lp_id).unwrap_or_default();
            lps.push(LpSamples { lp_id: *lp_id, pseudonym: *pseudonym, opening, samples, before });
        }
        if !samples.is_empty() {
            return Err(RecordError::Damaged("the list of LPs").into());
        }
        let (start, length, terms) = (self.start, self.length, &self.documents);
        let (prices, carried) = (prices.into_iter().collect(), self.neighbour.carried.clone());
        let inputs = RoundInputs { start, length, terms, prices, carried, lps };
        Ok(round_body(&inputs)?)
    }
}

/// What a round takes over from the one before it.
struct Neighbour {
    /// What was shown at its end, if any rules ask for that.
    samples: Vec<StoredSample>,
    /// What it carried over.
    carried: Vec<Carried>,
}

async fn read_neighbour(
    store: &Store,
    start: u64,
    length: RoundLength,
    documents: &BTreeMap<String, String>,
) -> Result<Neighbour, RoundError> {
    let samples = match longest_look_back_ms(length, documents.values())? {
        Some(back_ms) => {
            let since_ms = start.saturating_mul(1_000).saturating_sub(back_ms);
            store.samples_since(start.saturating_sub(u64::from(length.seconds())), since_ms).await?
        }
        None => Vec::new(),
    };
    let carried = match store.statistics_before(start).await? {
        Some(statistics) => from_json::<RoundStatistics>(&statistics, "the round before")?.carried,
        None => Vec::new(),
    };
    Ok(Neighbour { samples, carried })
}

async fn on_another_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RoundError> + Send + 'static,
) -> Result<T, RoundError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| RoundError::Interrupted)?
}

fn stored_orders(stored: &StoredSample) -> StoredOrders<'_> {
    StoredOrders {
        exchange: &stored.exchange,
        unit: &stored.sample.unit,
        at_ms: stored.submitted_at_ms,
        terms_id: &stored.sample.terms_id,
        ask_rate: stored.sample.ask_rate.as_deref(),
        bid_rate: stored.sample.bid_rate.as_deref(),
        slice: stored.slice,
        adapter: &stored.sample.adapter_sha256,
        reply: &stored.sample.reply_sha256,
        maybe_truncated: stored.sample.maybe_truncated,
        price: &stored.sample.price,
        orders: &stored.sample.orders,
    }
}

fn record(round_start: u64, computed: Computed) -> RoundRecord {
    let Computed { credits, statistics, reward_e8, paid_e8 } = computed;
    let credits = credits.into_iter().map(|credited| {
        let Credited { lp_id, unit, provided, amount_e8, detail } = credited;
        CreditEntry { lp_id, unit, provided, amount_e8, detail: to_json(&detail) }
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
    /// It cannot be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Its entry cannot be packed.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A sum left its range.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// The stored length of the round is none.
    #[error("the stored length of a round {0}")]
    Length(#[from] RoundLengthError),
    /// A test stopped it.
    #[error(transparent)]
    StoppedByTest(#[from] Stopped),
    /// The computation was broken off, as it is when the program ends.
    #[error("the computation of a round was broken off")]
    Interrupted,
}

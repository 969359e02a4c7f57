//! Group commit: one task takes what has arrived, writes it in one durable transaction, then answers all.
//!
//! Making a transaction durable costs the disk some milliseconds however much is in it, so that a thousand
//! bots at once cost hardly more than one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Any, AnyConnection, AnyPool, Transaction};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::dialect::{Dialect, Hold};
use crate::edge::hold_open;
use crate::error::StoreError;
use crate::freshness::{Submitted, Uses, use_in_order};
use crate::lps::{RegisterOutcome, Registration, register_in};
use crate::owners::{Claim, Owned, claim_in_order};
use crate::samples::{Placed, Sample, write_samples};

/// How many jobs wait for the next transaction before callers are told that the store is busy: some
/// transactions' worth, which is about a second on a slow disk.
pub(crate) const QUEUED_JOBS: usize = 4096;

/// The most jobs in one transaction. It bounds how long the first of them waits for the others.
const JOBS_PER_COMMIT: usize = 512;

/// The most LPs and units of which the last time is remembered: ten times the largest pool. Beyond it those go whose
/// time is past.
const MAX_TIMES_REMEMBERED: usize = 100_000;

/// Something to be written in the next transaction, and where the answer goes.
pub(crate) enum Job {
    /// A verified submission, and what it uses up.
    Sample(Box<Sample>, Uses, Answer<Submitted>),
    /// What an LP uses up without a sample.
    Use(i64, Uses, Answer<bool>),
    /// An LP that shows orders.
    Claim(Box<Claim>, Answer<Vec<Option<Owned>>>),
    /// An LP who registers.
    Registration(Registration, Answer<RegisterOutcome>),
    /// Nothing: what is in the queue is written, and no more is taken.
    Stop,
}

pub(crate) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// Writes until nobody can send any more. A failed transaction is answered as such, never ends the task.
pub(crate) async fn run_writer(write: Arc<WriteConnection>, mut queue: mpsc::Receiver<Job>) {
    while let Some(first) = queue.recv().await {
        let mut jobs = vec![first];
        gather(&mut jobs, &mut queue).await;
        if jobs.iter().any(|job| matches!(job, Job::Stop)) {
            queue.close();
        }
        write_jobs(&write, jobs).await;
    }
}

/// Takes what is in the queue, after those who are ready to run had their turn: they may be about to send
/// something as well, and the fewer the commits, the less they cost.
async fn gather(jobs: &mut Vec<Job>, queue: &mut mpsc::Receiver<Job>) {
    tokio::task::yield_now().await;
    while jobs.len() < JOBS_PER_COMMIT
        && let Ok(job) = queue.try_recv()
    {
        jobs.push(job);
    }
}

/// How often a transaction is tried that the database undoes in favour of another server's. Each time one of
/// those that met has gone through, so with a few servers the second attempt nearly always does.
const MAX_ATTEMPTS: u32 = 5;

/// Of what only one server's transactions number rows at a time. A transaction that needs several takes them
/// in this order, after the round it writes into: then none waits for one that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Users, LPs and their units.
    Registrations,
    /// Credits, and the running totals in them.
    Ledger,
    /// Configurations put in force.
    Configuration,
    /// Entries of the published record.
    Record,
    /// Challenges.
    Challenges,
}

impl Lock {
    /// The lock's row in the table `locks`.
    const fn name(self) -> &'static str {
        match self {
            Self::Registrations => "registrations",
            Self::Ledger => "ledger",
            Self::Configuration => "configuration",
            Self::Record => "record",
            Self::Challenges => "challenges",
        }
    }
}

/// The connections that write.
pub(crate) struct WriteConnection {
    pool: AnyPool,
    pub(crate) dialect: Dialect,
    pub(crate) clock: Clock,
    pub(crate) round_seconds: u64,
    commits: AtomicU64,
    /// When each LP's last sample for a unit was taken, so that no two have the same time: receipts name it.
    taken_ms: Mutex<BTreeMap<(i64, String), u64>>,
}

impl WriteConnection {
    pub(crate) fn new(pool: AnyPool, dialect: Dialect, clock: Clock, round_seconds: u64) -> Self {
        let (commits, taken_ms) = (AtomicU64::new(0), Mutex::new(BTreeMap::new()));
        Self { pool, dialect, clock, round_seconds, commits, taken_ms }
    }

    /// Each sample with its time: now, or a millisecond more than the last one of the same LP and unit.
    fn timed<'s>(&self, samples: &[&'s Sample], now_ms: u64) -> Vec<(&'s Sample, u64)> {
        let mut taken_ms = self.taken_ms.lock().unwrap_or_else(PoisonError::into_inner);
        if taken_ms.len() >= MAX_TIMES_REMEMBERED {
            // What was taken before this millisecond has no say any more.
            taken_ms.retain(|_, at_ms| *at_ms >= now_ms);
        }
        let timed = samples.iter().map(|sample| {
            let last = taken_ms.entry((sample.lp_id, sample.unit.clone())).or_insert(0);
            *last = now_ms.max(last.saturating_add(1));
            (*sample, *last)
        });
        timed.collect()
    }

    /// Starts a transaction. Dropped, it leaves no trace. In SQLite no other one writes until it ends; in
    /// PostgreSQL others do, and what must not change meanwhile has to be held.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        match self.pool.begin_with(self.dialect.begin()).await {
            // When the disk is full SQLite ends a transaction by itself, and the driver then believes for ever that it
            // is open. Of such a connection nothing more can be expected; SQLite has one that writes, so it is this one.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                self.pool.acquire().await?.close().await?;
                Ok(self.pool.begin_with(self.dialect.begin()).await?)
            }
            begun => Ok(begun?),
        }
    }

    /// The time within a transaction.
    pub(crate) async fn now_ms(&self, on: &mut AnyConnection) -> Result<u64, StoreError> {
        self.clock.read_ms(self.dialect, on).await
    }

    /// Waits until no other transaction has this lock, and takes it until the transaction ends.
    pub(crate) async fn lock(&self, on: &mut AnyConnection, lock: Lock) -> Result<(), StoreError> {
        if self.dialect == Dialect::Sqlite {
            return Ok(());
        }
        let select = self.dialect.holding("SELECT name FROM locks WHERE name = $1", Hold::Alone);
        let held = sqlx::query(select).bind(lock.name()).fetch_optional(on).await?;
        held.map(|_| ()).ok_or(StoreError::corrupt("a row of the table of locks is missing"))
    }

    /// Tries a transaction again that the database undid in favour of another one. Only what the database says
    /// it undid is repeated: after a lost connection nobody knows whether it was committed.
    pub(crate) async fn persistently<T, Attempt, Outcome>(&self, attempt: Attempt) -> Result<T, StoreError>
    where
        Attempt: Fn() -> Outcome,
        Outcome: Future<Output = Result<T, StoreError>>,
    {
        for _ in 1..MAX_ATTEMPTS {
            match attempt().await {
                Err(StoreError::Undone(cause)) => {
                    tracing::debug!(%cause, "a transaction was undone and is tried again");
                }
                outcome => return outcome,
            }
        }
        attempt().await
    }

    /// Makes a transaction durable.
    pub(crate) async fn commit(&self, transaction: Transaction<'static, Any>) -> Result<(), StoreError> {
        transaction.commit().await?;
        self.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// What became of the jobs of one transaction: one outcome each, in their order.
enum Outcome {
    Submitted(Submitted),
    Used(bool),
    Claimed(Vec<Option<Owned>>),
    Registered(RegisterOutcome),
    Nothing,
}

async fn write_jobs(write: &WriteConnection, jobs: Vec<Job>) {
    match write.persistently(|| write_together(write, &jobs)).await {
        Ok(outcomes) => {
            for (job, outcome) in jobs.into_iter().zip(outcomes) {
                answer(job, Ok(outcome));
            }
        }
        // One of them is at fault, and the others must not suffer for it.
        Err(StoreError::Contradicts(_)) if jobs.len() > 1 => {
            for job in jobs {
                let outcome = write_alone(write, &job).await;
                answer(job, outcome);
            }
        }
        Err(error) => {
            for job in jobs {
                answer(job, Err(error.clone()));
            }
        }
    }
}

async fn write_alone(write: &WriteConnection, job: &Job) -> Result<Outcome, StoreError> {
    let outcomes = write.persistently(|| write_together(write, std::slice::from_ref(job))).await?;
    Ok(outcomes.into_iter().next().unwrap_or(Outcome::Nothing))
}

async fn write_together(write: &WriteConnection, jobs: &[Job]) -> Result<Vec<Outcome>, StoreError> {
    if jobs.iter().all(|job| matches!(job, Job::Stop)) {
        return Ok(jobs.iter().map(|_| Outcome::Nothing).collect());
    }
    let mut transaction = write.begin().await?;
    let now_ms = write.now_ms(&mut transaction).await?;
    let uses: Vec<Option<(i64, &Uses)>> = jobs.iter().map(uses_of).collect();
    let fresh = use_in_order(&mut transaction, write.dialect, &uses).await?;
    let samples = last_of_each(jobs, &fresh);
    let (mut round_start, mut times) = (0, Vec::new());
    if !samples.is_empty() {
        let round = hold_open(&mut transaction, write.dialect, now_ms, write.round_seconds).await?;
        let place = (round, write.round_seconds);
        times = write.timed(&samples, now_ms);
        write_samples(&mut transaction, write.dialect, place, now_ms, &times).await?;
        round_start = round.round_start();
    }
    let mut claimed = claim(write, &mut transaction, now_ms, jobs).await?.into_iter();
    if jobs.iter().any(|job| matches!(job, Job::Registration(..))) {
        write.lock(&mut transaction, Lock::Registrations).await?;
    }
    let mut outcomes = Vec::with_capacity(jobs.len());
    for (job, fresh) in jobs.iter().zip(fresh) {
        outcomes.push(match job {
            Job::Sample(..) if !fresh => Outcome::Submitted(Submitted::Repeated),
            Job::Sample(sample, ..) => {
                let key = (sample.lp_id, sample.unit.as_str());
                // They are in the order of LP and unit.
                let of = times
                    .binary_search_by(|(counting, _)| (counting.lp_id, counting.unit.as_str()).cmp(&key));
                of.ok().and_then(|place| times.get(place)).map_or(Outcome::Nothing, |(counting, at_ms)| {
                    // One that was replaced before it was written came earlier than the one that was.
                    let counts = std::ptr::eq(*counting, sample.as_ref());
                    let at_ms = if counts { *at_ms } else { at_ms.saturating_sub(1) };
                    Outcome::Submitted(Submitted::Placed(Placed { round_start, at_ms }))
                })
            }
            Job::Use(..) => Outcome::Used(fresh),
            Job::Claim(..) => claimed.next().map_or(Outcome::Nothing, Outcome::Claimed),
            Job::Registration(registration, _) => {
                Outcome::Registered(register_in(&mut transaction, registration, now_ms).await?)
            }
            Job::Stop => Outcome::Nothing,
        });
    }
    write.commit(transaction).await?;
    Ok(outcomes)
}

fn uses_of(job: &Job) -> Option<(i64, &Uses)> {
    match job {
        Job::Sample(sample, uses, _) => Some((sample.lp_id, uses)),
        Job::Use(lp_id, uses, _) => Some((*lp_id, uses)),
        Job::Claim(..) | Job::Registration(..) | Job::Stop => None,
    }
}

async fn claim(
    write: &WriteConnection,
    on: &mut AnyConnection,
    now_ms: u64,
    jobs: &[Job],
) -> Result<Vec<Vec<Option<Owned>>>, StoreError> {
    let claims = jobs.iter().filter_map(|job| match job {
        Job::Claim(claim, _) => Some(claim.as_ref()),
        Job::Sample(..) | Job::Use(..) | Job::Registration(..) | Job::Stop => None,
    });
    let claims: Vec<&Claim> = claims.collect();
    claim_in_order(on, write.dialect, now_ms, write.round_seconds, &claims).await
}

/// The samples to write, in the order of their key. Of several for the same LP and unit the last one counts,
/// as it would had they been written one after the other.
fn last_of_each<'j>(jobs: &'j [Job], fresh: &[bool]) -> Vec<&'j Sample> {
    let mut samples = BTreeMap::new();
    for (job, fresh) in jobs.iter().zip(fresh) {
        if let Job::Sample(sample, ..) = job
            && *fresh
        {
            samples.insert((sample.lp_id, sample.unit.as_str()), sample.as_ref());
        }
    }
    samples.into_values().collect()
}

/// Tells the caller. One who no longer waits is not told; the write stands.
fn answer(job: Job, outcome: Result<Outcome, StoreError>) {
    match (job, outcome) {
        (Job::Sample(.., answer), Ok(Outcome::Submitted(submitted))) => drop(answer.send(Ok(submitted))),
        (Job::Sample(.., answer), Err(error)) => drop(answer.send(Err(error))),
        (Job::Use(.., answer), Ok(Outcome::Used(fresh))) => drop(answer.send(Ok(fresh))),
        (Job::Use(.., answer), Err(error)) => drop(answer.send(Err(error))),
        (Job::Claim(_, answer), Ok(Outcome::Claimed(owned))) => drop(answer.send(Ok(owned))),
        (Job::Claim(_, answer), Err(error)) => drop(answer.send(Err(error))),
        (Job::Registration(_, answer), Ok(Outcome::Registered(outcome))) => {
            drop(answer.send(Ok(outcome)));
        }
        (Job::Registration(_, answer), Err(error)) => drop(answer.send(Err(error))),
        // Dropping the sender without an answer makes the caller see a closed store.
        (Job::Sample(..) | Job::Use(..) | Job::Claim(..) | Job::Registration(..) | Job::Stop, _) => {}
    }
}

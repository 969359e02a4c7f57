//! One signed request, once: what was used of each LP, kept over a restart and shared by all servers.
//! Knows neither what a nonce is nor how a request is signed.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, Connection, Row};
use tokio::sync::oneshot;

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::rows::{check_name, count, runs, signed, statement};
use crate::samples::{Placed, Sample};
use crate::writer::Job;
use crate::{Store, connection};

/// Most signed requests of one submission: the host lets one cause twelve calls, and a list of single orders names
/// fewer than a hundred.
const MAX_REQUESTS: usize = 128;

/// Most rows forgotten in one transaction, so that submissions do not wait behind it for long.
const MAX_FORGOTTEN: u32 = 4096;

/// What a submission uses up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uses {
    /// The lowest and the highest of the numbers that rise from request to request. Below 2^63.
    pub rising: Option<(u64, u64)>,
    /// What makes the other requests unique.
    pub requests: Vec<UsedRequest>,
}

/// A request that has no rising number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedRequest {
    /// A keyed digest of what makes it unique; never the signature.
    pub digest: String,
    /// Until when it is remembered, in Unix milliseconds; for ever if it says nothing.
    pub expires_at_ms: Option<u64>,
}

impl Uses {
    /// Whether there is nothing by which a repetition could be told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rising.is_none() && self.requests.is_empty()
    }

    fn check(&self) -> Result<(), StoreError> {
        if let Some((lowest, highest)) = self.rising {
            signed("the number that rises", lowest.max(highest))?;
            if lowest > highest {
                return Err(StoreError::invalid("the number that rises", "the lowest is above the highest"));
            }
        }
        if self.requests.len() > MAX_REQUESTS {
            return Err(StoreError::invalid("the list of requests", "it is too long"));
        }
        for used in &self.requests {
            check_name("the digest of a request", &used.digest)?;
            signed("the expiry of a request", used.expires_at_ms.unwrap_or(0))?;
        }
        Ok(())
    }
}

/// What became of a sample that came with what it uses up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// It is stored, and the requests are used up.
    Placed(Placed),
    /// One of the requests was used before, perhaps by way of another server. Nothing is stored.
    Repeated,
}

impl Store {
    /// As [`Store::submit`], in one transaction with what the submission uses up. Nothing is stored if a number does
    /// not rise above the highest, or if a request is one that was used.
    pub async fn submit_once(&self, sample: Sample, uses: Uses) -> Result<Submitted, StoreError> {
        uses.check()?;
        self.enqueue_sample(sample, uses).await
    }

    /// Uses requests up without a sample. False if one was used before.
    pub async fn use_up(&self, lp_id: i64, uses: Uses) -> Result<bool, StoreError> {
        uses.check()?;
        let (answer, fresh) = oneshot::channel();
        self.enqueue(Job::Use(lp_id, uses, answer))?;
        fresh.await.unwrap_or(Err(StoreError::Closed))
    }

    /// The highest number of an LP's requests so far.
    pub async fn highest_rising(&self, lp_id: i64) -> Result<Option<u64>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query("SELECT rising FROM freshness WHERE lp_id = $1").bind(lp_id);
        row.fetch_optional(&mut *reader).await?.map(|row| count(&row, "rising")).transpose()
    }

    /// Whether a request of an LP without a rising number was used.
    pub async fn was_used(&self, lp_id: i64, digest: &str) -> Result<bool, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query("SELECT lp_id FROM used_requests WHERE lp_id = $1 AND digest = $2");
        Ok(row.bind(lp_id).bind(digest).fetch_optional(&mut *reader).await?.is_some())
    }

    /// The random key of this name, which is `candidate` if there was none: all servers get the same.
    pub async fn pool_key(&self, name: &str, candidate: &str) -> Result<String, StoreError> {
        check_name("the name of a key", name)?;
        check_name("a key", candidate)?;
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        sqlx::query("INSERT INTO pool_keys (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(candidate)
            .execute(&mut *transaction)
            .await?;
        let row = sqlx::query("SELECT value FROM pool_keys WHERE name = $1").bind(name);
        let value = row.fetch_one(&mut *transaction).await?.try_get("value")?;
        write.commit(transaction).await?;
        Ok(value)
    }

    /// Forgets requests that cannot be used any more, a few thousand at a time. Returns how many.
    pub async fn forget_expired_requests(&self, before_ms: u64) -> Result<u64, StoreError> {
        let delete = "DELETE FROM used_requests WHERE (lp_id, digest) IN (SELECT lp_id, digest FROM used_requests \
                      WHERE expires_at_ms < $1 ORDER BY expires_at_ms, lp_id, digest LIMIT $2)";
        self.forget_rows(delete, before_ms).await
    }

    /// Runs a DELETE with a bound below which rows go, and with how many may at once.
    pub(crate) async fn forget_rows(&self, delete: &'static str, below: u64) -> Result<u64, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        let deleted = sqlx::query(delete)
            .bind(signed("the time", below)?)
            .bind(i64::from(MAX_FORGOTTEN))
            .execute(&mut *transaction)
            .await?;
        write.commit(transaction).await?;
        Ok(deleted.rows_affected())
    }
}

/// Uses up what jobs bring, in their order: for each whether all of it was fresh. Of the same LP the second is held
/// against what the first left behind.
pub(crate) async fn use_in_order(
    on: &mut AnyConnection,
    dialect: Dialect,
    uses: &[Option<(i64, &Uses)>],
) -> Result<Vec<bool>, StoreError> {
    let mut fresh = vec![true; uses.len()];
    let brings = |(index, used): (usize, &Option<(i64, &Uses)>)| {
        used.filter(|(_, uses)| !uses.is_empty()).map(|(lp_id, _)| (index, lp_id))
    };
    let mut waiting: Vec<(usize, i64)> = uses.iter().enumerate().filter_map(brings).collect();
    while !waiting.is_empty() {
        // The rows are touched in the order of LPs, so that servers wait for each other in one order.
        let mut first_of_each = BTreeMap::new();
        waiting.retain(|(index, lp_id)| {
            let later = first_of_each.contains_key(lp_id);
            first_of_each.entry(*lp_id).or_insert(*index);
            later
        });
        let wave: Vec<(usize, i64, &Uses)> = first_of_each
            .into_iter()
            .filter_map(|(lp_id, index)| Some((index, lp_id, uses.get(index).copied().flatten()?.1)))
            .collect();
        let risen = raise(on, dialect, &wave).await?;
        let unused = insert(on, dialect, &wave).await?;
        for (index, lp_id, used) in wave {
            let rises = used.rising.is_none() || risen.contains(&lp_id);
            let new = used.requests.iter().all(|request| unused.contains(&(lp_id, request.digest.clone())));
            if let Some(fresh) = fresh.get_mut(index) {
                *fresh = rises && new;
            }
        }
    }
    Ok(fresh)
}

async fn raise(
    on: &mut AnyConnection,
    dialect: Dialect,
    wave: &[(usize, i64, &Uses)],
) -> Result<BTreeSet<i64>, StoreError> {
    let rising = wave.iter().filter_map(|(_, lp_id, uses)| uses.rising.map(|rising| (*lp_id, rising)));
    let rising: Vec<(i64, (u64, u64))> = rising.collect();
    let mut risen = BTreeSet::new();
    for run in runs(dialect, &rising) {
        // As a rule all of them rise, and then nobody needs to be told which.
        let mut attempt = on.begin().await?;
        let raised = raising(run, RAISE_TAIL)?.execute(&mut *attempt).await?.rows_affected();
        if usize::try_from(raised) == Ok(run.len()) {
            attempt.commit().await?;
            risen.extend(run.iter().map(|(lp_id, _)| *lp_id));
            continue;
        }
        attempt.rollback().await?;
        for row in raising(run, RAISE_AND_TELL_TAIL)?.fetch_all(&mut *on).await? {
            risen.insert(row.try_get("lp_id")?);
        }
    }
    Ok(risen)
}

async fn insert(
    on: &mut AnyConnection,
    dialect: Dialect,
    wave: &[(usize, i64, &Uses)],
) -> Result<BTreeSet<(i64, String)>, StoreError> {
    let mut requests: Vec<(i64, &UsedRequest)> = wave
        .iter()
        .flat_map(|(_, lp_id, uses)| uses.requests.iter().map(move |request| (*lp_id, request)))
        .collect();
    requests.sort_unstable_by(|left, right| (left.0, &left.1.digest).cmp(&(right.0, &right.1.digest)));
    requests.dedup_by(|left, right| (left.0, &left.1.digest) == (right.0, &right.1.digest));
    let mut inserted = BTreeSet::new();
    for run in runs(dialect, &requests) {
        let mut attempt = on.begin().await?;
        let inserts = inserting(run, USED_TAIL)?.execute(&mut *attempt).await?.rows_affected();
        if usize::try_from(inserts) == Ok(run.len()) {
            attempt.commit().await?;
            inserted.extend(run.iter().map(|(lp_id, request)| (*lp_id, request.digest.clone())));
            continue;
        }
        attempt.rollback().await?;
        for row in inserting(run, USED_AND_TELL_TAIL)?.fetch_all(&mut *on).await? {
            inserted.insert((row.try_get("lp_id")?, row.try_get("digest")?));
        }
    }
    Ok(inserted)
}

type Inserts<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn raising<'q>(run: &'q [(i64, (u64, u64))], tail: &'static str) -> Result<Inserts<'q>, StoreError> {
    let mut upsert = sqlx::query(statement(RAISE_HEAD, "($, $, $)", run.len(), tail));
    for (lp_id, (lowest, highest)) in run {
        let (highest, lowest) = (signed("a number that rises", *highest)?, signed("it", *lowest)?);
        upsert = upsert.bind(lp_id).bind(highest).bind(lowest);
    }
    Ok(upsert)
}

fn inserting<'q>(run: &'q [(i64, &'q UsedRequest)], tail: &'static str) -> Result<Inserts<'q>, StoreError> {
    let mut insert = sqlx::query(statement(USED_HEAD, "($, $, $)", run.len(), tail));
    for (lp_id, request) in run {
        let expires = request.expires_at_ms.map(|ms| signed("an expiry", ms)).transpose()?;
        insert = insert.bind(lp_id).bind(request.digest.as_str()).bind(expires);
    }
    Ok(insert)
}

const RAISE_HEAD: &str = "INSERT INTO freshness (lp_id, rising, lowest) VALUES";

const RAISE_TAIL: &str = "ON CONFLICT (lp_id) DO UPDATE SET rising = excluded.rising, lowest = excluded.lowest \
     WHERE freshness.rising < excluded.lowest";

const RAISE_AND_TELL_TAIL: &str = "ON CONFLICT (lp_id) DO UPDATE SET rising = excluded.rising, \
     lowest = excluded.lowest WHERE freshness.rising < excluded.lowest RETURNING lp_id";

const USED_HEAD: &str = "INSERT INTO used_requests (lp_id, digest, expires_at_ms) VALUES";

const USED_TAIL: &str = "ON CONFLICT (lp_id, digest) DO NOTHING";

const USED_AND_TELL_TAIL: &str = "ON CONFLICT (lp_id, digest) DO NOTHING RETURNING lp_id, digest";

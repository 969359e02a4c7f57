//! Samples: what the exchange showed of an LP's orders in a round.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use tokio::sync::oneshot;

use crate::dialect::Dialect;
use crate::edge::OpenRound;
use crate::error::StoreError;
use crate::freshness::{Submitted, Uses};
use crate::rows::{check_name, check_text, count, runs, signed, statement};
use crate::writer::Job;
use crate::{Store, connection};

/// The longest list of judged orders kept, in bytes: a thousand orders with a long id and every figure.
pub const MAX_ORDERS_BYTES: usize = 1024 * 1024;

/// The longest price document kept, in bytes: a price with its sources is far below.
pub const MAX_PRICE_BYTES: usize = 16 * 1024;

/// A verified submission of an LP for a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The LP, who is registered for the unit.
    pub lp_id: i64,
    /// The unit.
    pub unit: String,
    /// The price the orders were judged by: the caller's own JSON.
    pub price: String,
    /// The terms the orders were judged under, as [`Store::record_terms`] named them.
    pub terms_id: String,
    /// The SHA-256 of the adapter that read the reply.
    pub adapter_sha256: String,
    /// The SHA-256 of the exchange's reply.
    pub reply_sha256: String,
    /// Whether the exchange may have cut its list off.
    pub maybe_truncated: bool,
    /// The judged orders: the caller's own JSON array. Empty lists are samples too.
    pub orders: String,
    /// How many there are.
    pub order_count: u64,
}

/// Where an accepted sample went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Start of the round, in Unix seconds.
    pub round_start: u64,
}

/// A sample as a round reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSample {
    /// The exchange of the LP.
    pub exchange: String,
    /// When it was written, in Unix milliseconds by the database's clock.
    pub submitted_at_ms: u64,
    /// What was submitted.
    pub sample: Sample,
}

impl Store {
    /// Writes a sample into the round in which it is committed, or into the next one where that is already
    /// closed. It replaces an earlier sample of the same LP and unit in that round. Returns once it would
    /// survive a loss of power.
    ///
    /// Does not wait for a place in the queue: [`StoreError::Busy`] comes at once.
    pub async fn submit(&self, sample: Sample) -> Result<Placed, StoreError> {
        match self.enqueue_sample(sample, Uses::default()).await? {
            Submitted::Placed(placed) => Ok(placed),
            // What uses nothing up repeats nothing.
            Submitted::Repeated => Err(StoreError::Closed),
        }
    }

    pub(crate) async fn enqueue_sample(&self, sample: Sample, uses: Uses) -> Result<Submitted, StoreError> {
        check_name("unit", &sample.unit)?;
        check_name("terms_id", &sample.terms_id)?;
        check_name("adapter_sha256", &sample.adapter_sha256)?;
        check_name("reply_sha256", &sample.reply_sha256)?;
        check_text("the price", &sample.price, MAX_PRICE_BYTES)?;
        check_text("the list of orders", &sample.orders, MAX_ORDERS_BYTES)?;
        signed("the number of orders", sample.order_count)?;
        let (answer, submitted) = oneshot::channel();
        self.enqueue(Job::Sample(Box::new(sample), uses, answer))?;
        submitted.await.unwrap_or(Err(StoreError::Closed))
    }

    /// All samples of a round, in the order of exchange, unit and LP.
    pub async fn samples(&self, round_start: u64) -> Result<Vec<StoredSample>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT l.exchange, s.lp_id, s.unit, s.submitted_at_ms, s.terms_id, s.adapter_sha256, \
             s.reply_sha256, s.maybe_truncated, s.order_count, s.price, s.orders \
             FROM samples s JOIN lps l ON l.lp_id = s.lp_id WHERE s.round_start = $1",
        )
        .bind(signed("round_start", round_start)?)
        .fetch_all(&mut *reader)
        .await?;
        let mut samples = rows.iter().map(stored_sample).collect::<Result<Vec<_>, _>>()?;
        // Sorted here, since databases do not agree on the order of texts.
        samples.sort_unstable_by(|left, right| {
            let key = |stored: &StoredSample| stored.sample.lp_id;
            (&left.exchange, &left.sample.unit, key(left)).cmp(&(
                &right.exchange,
                &right.sample.unit,
                key(right),
            ))
        });
        Ok(samples)
    }
}

fn stored_sample(row: &AnyRow) -> Result<StoredSample, StoreError> {
    Ok(StoredSample {
        exchange: row.try_get("exchange")?,
        submitted_at_ms: count(row, "submitted_at_ms")?,
        sample: Sample {
            lp_id: row.try_get("lp_id")?,
            unit: row.try_get("unit")?,
            price: row.try_get("price")?,
            terms_id: row.try_get("terms_id")?,
            adapter_sha256: row.try_get("adapter_sha256")?,
            reply_sha256: row.try_get("reply_sha256")?,
            maybe_truncated: count(row, "maybe_truncated")? != 0,
            orders: row.try_get("orders")?,
            order_count: count(row, "order_count")?,
        },
    })
}

/// Writes samples, no two of the same LP and unit, into an open round.
pub(crate) async fn write_samples(
    on: &mut AnyConnection,
    dialect: Dialect,
    round: OpenRound,
    now_ms: u64,
    samples: &[&Sample],
) -> Result<(), StoreError> {
    let round_start = signed("round_start", round.round_start())?;
    let now_ms = signed("the time", now_ms)?;
    for run in runs(dialect, samples) {
        let mut upsert = sqlx::query(statement(UPSERT_HEAD, UPSERT_ROW, run.len(), UPSERT_TAIL));
        for sample in run {
            upsert = upsert
                .bind(round_start)
                .bind(sample.lp_id)
                .bind(sample.unit.as_str())
                .bind(sample.lp_id)
                .bind(now_ms)
                .bind(sample.terms_id.as_str())
                .bind(sample.adapter_sha256.as_str())
                .bind(sample.reply_sha256.as_str())
                .bind(i64::from(sample.maybe_truncated))
                .bind(signed("the number of orders", sample.order_count)?)
                .bind(sample.price.as_str())
                .bind(sample.orders.as_str());
        }
        upsert.execute(&mut *on).await?;
    }
    Ok(())
}

const UPSERT_HEAD: &str = "INSERT INTO samples (round_start, lp_id, unit, user_id, submitted_at_ms, \
     terms_id, adapter_sha256, reply_sha256, maybe_truncated, order_count, price, orders) VALUES";

const UPSERT_ROW: &str = "($, $, $, (SELECT user_id FROM lps WHERE lp_id = $), $, $, $, $, $, $, $, $)";

const UPSERT_TAIL: &str = "ON CONFLICT (round_start, lp_id, unit) DO UPDATE SET \
     submitted_at_ms = excluded.submitted_at_ms, terms_id = excluded.terms_id, \
     adapter_sha256 = excluded.adapter_sha256, reply_sha256 = excluded.reply_sha256, \
     maybe_truncated = excluded.maybe_truncated, order_count = excluded.order_count, \
     price = excluded.price, orders = excluded.orders";

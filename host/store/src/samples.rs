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
    /// Into how many slices its round is cut, by the terms: 1 if into none.
    pub slices: u32,
    /// The least that the LP asks for each coin a day on offers to sell: a decimal, as text.
    pub ask_rate: Option<String>,
    /// The same on offers to buy.
    pub bid_rate: Option<String>,
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
    /// When it was taken, in Unix milliseconds by the database's clock; later than every sample that it replaces.
    pub at_ms: u64,
}

/// A sample as a round reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSample {
    /// The exchange of the LP.
    pub exchange: String,
    /// When it was written, in Unix milliseconds by the database's clock.
    pub submitted_at_ms: u64,
    /// The slice of its round that it stands for, counted from 0.
    pub slice: u32,
    /// What was submitted; into how many slices its round is cut is not kept, and is 1 here.
    pub sample: Sample,
}

impl Store {
    /// Writes a sample into the round in which it is committed, or into the next one where that is already
    /// closed. It replaces an earlier sample of the same LP and unit in that slice of the round. Returns once it would
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
        for rate in [&sample.ask_rate, &sample.bid_rate].into_iter().flatten() {
            check_name("a minimal rate", rate)?;
        }
        signed("the number of orders", sample.order_count)?;
        let (answer, submitted) = oneshot::channel();
        self.enqueue(Job::Sample(Box::new(sample), uses, answer))?;
        submitted.await.unwrap_or(Err(StoreError::Closed))
    }

    /// All samples of a round, in the order of exchange, unit, LP and slice.
    pub async fn samples(&self, round_start: u64) -> Result<Vec<StoredSample>, StoreError> {
        self.samples_since(round_start, 0).await
    }

    /// The samples of a round that were written at this time (in Unix milliseconds) or later, in the same order.
    pub async fn samples_since(
        &self,
        round_start: u64,
        since_ms: u64,
    ) -> Result<Vec<StoredSample>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT l.exchange, s.lp_id, s.unit, s.slice, s.submitted_at_ms, s.terms_id, s.adapter_sha256, \
             s.reply_sha256, s.maybe_truncated, s.order_count, s.ask_rate, s.bid_rate, s.price, s.orders \
             FROM samples s JOIN lps l ON l.lp_id = s.lp_id \
             WHERE s.round_start = $1 AND s.submitted_at_ms >= $2",
        )
        .bind(signed("round_start", round_start)?)
        .bind(signed("the time", since_ms)?)
        .fetch_all(&mut *reader)
        .await?;
        let mut samples = rows.iter().map(stored_sample).collect::<Result<Vec<_>, _>>()?;
        // Sorted here, since databases do not agree on the order of texts.
        samples.sort_unstable_by(|left, right| {
            let key = |stored: &StoredSample| (stored.sample.lp_id, stored.slice);
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
        slice: u32::try_from(count(row, "slice")?).map_err(|_| StoreError::corrupt("a slice is too late"))?,
        sample: Sample {
            lp_id: row.try_get("lp_id")?,
            unit: row.try_get("unit")?,
            price: row.try_get("price")?,
            terms_id: row.try_get("terms_id")?,
            adapter_sha256: row.try_get("adapter_sha256")?,
            reply_sha256: row.try_get("reply_sha256")?,
            maybe_truncated: count(row, "maybe_truncated")? != 0,
            slices: 1,
            ask_rate: rate(row, "ask_rate")?,
            bid_rate: rate(row, "bid_rate")?,
            orders: row.try_get("orders")?,
            order_count: count(row, "order_count")?,
        },
    })
}

fn rate(row: &AnyRow, column: &str) -> Result<Option<String>, StoreError> {
    let text: String = row.try_get(column)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The slice that a moment falls into, of so many of equal length, counted from 0; floored, and within the round for
/// what is written at its edge. The same rule as that by which rounds are computed.
fn slice_at(round_start: u64, round_seconds: u64, now_ms: u64, slices: u32) -> u32 {
    let into = u128::from(now_ms.saturating_sub(round_start.saturating_mul(1_000)));
    let length = u128::from(round_seconds.saturating_mul(1_000)).max(1);
    let slice = into.saturating_mul(u128::from(slices)) / length;
    u32::try_from(slice).unwrap_or(u32::MAX).min(slices.saturating_sub(1))
}

/// Writes samples, no two of the same LP and unit, into an open round, each with its time. One that replaces a sample
/// of another server which has that time already, or a later one, gets a millisecond more than that.
pub(crate) async fn write_samples(
    on: &mut AnyConnection,
    dialect: Dialect,
    (round, round_seconds): (OpenRound, u64),
    now_ms: u64,
    samples: &[(&Sample, u64)],
) -> Result<(), StoreError> {
    let slice_of = |slices| i64::from(slice_at(round.round_start(), round_seconds, now_ms, slices));
    let round_start = signed("round_start", round.round_start())?;
    for run in runs(dialect, samples) {
        let mut upsert = sqlx::query(statement(UPSERT_HEAD, UPSERT_ROW, run.len(), UPSERT_TAIL));
        for (sample, at_ms) in run {
            upsert = upsert
                .bind(round_start)
                .bind(sample.lp_id)
                .bind(sample.unit.as_str())
                .bind(slice_of(sample.slices))
                .bind(sample.lp_id)
                .bind(signed("the time", *at_ms)?)
                .bind(sample.terms_id.as_str())
                .bind(sample.adapter_sha256.as_str())
                .bind(sample.reply_sha256.as_str())
                .bind(i64::from(sample.maybe_truncated))
                .bind(signed("the number of orders", sample.order_count)?)
                .bind(sample.ask_rate.as_deref().unwrap_or(""))
                .bind(sample.bid_rate.as_deref().unwrap_or(""))
                .bind(sample.price.as_str())
                .bind(sample.orders.as_str());
        }
        upsert.execute(&mut *on).await?;
    }
    Ok(())
}

const UPSERT_HEAD: &str = "INSERT INTO samples (round_start, lp_id, unit, slice, user_id, submitted_at_ms, \
     terms_id, adapter_sha256, reply_sha256, maybe_truncated, order_count, ask_rate, bid_rate, price, orders) VALUES";

const UPSERT_ROW: &str =
    "($, $, $, $, (SELECT user_id FROM lps WHERE lp_id = $), $, $, $, $, $, $, $, $, $, $)";

const UPSERT_TAIL: &str = "ON CONFLICT (round_start, lp_id, unit, slice) DO UPDATE SET \
     submitted_at_ms = CASE WHEN excluded.submitted_at_ms > samples.submitted_at_ms \
     THEN excluded.submitted_at_ms ELSE samples.submitted_at_ms + 1 END, terms_id = excluded.terms_id, \
     adapter_sha256 = excluded.adapter_sha256, reply_sha256 = excluded.reply_sha256, \
     maybe_truncated = excluded.maybe_truncated, order_count = excluded.order_count, \
     ask_rate = excluded.ask_rate, bid_rate = excluded.bid_rate, price = excluded.price, orders = excluded.orders";

//! What a round, or a sample, takes over from the one before it.

use sqlx::Row;

use crate::error::StoreError;
use crate::rows::{count, is_storable, signed};
use crate::{Store, connection};

/// The orders of the newest sample of an LP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewestOrders {
    /// When it was written, in Unix milliseconds by the database's clock.
    pub submitted_at_ms: u64,
    /// The judged orders: the caller's own JSON.
    pub orders: String,
}

/// Most rows that are told of the last rounds: those of an hour of rounds of two thousand LPs.
pub const MAX_LAST_ROUNDS: u64 = 120_000;

/// That an LP showed something on a market in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownInRound {
    /// Start of the round, in Unix seconds.
    pub round_start: u64,
    /// The LP.
    pub lp_id: i64,
    /// The unit.
    pub unit: String,
    /// How many samples are kept of it: one for each slice in which a submission was accepted.
    pub samples: u64,
}

impl Store {
    /// Who showed something in the rounds from `first` to `last`, newest round first, at most [`MAX_LAST_ROUNDS`] rows. It
    /// reads the index of those rounds and no order.
    pub async fn shown_in_rounds(&self, first: u64, last: u64) -> Result<Vec<ShownInRound>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT round_start, lp_id, unit, COUNT(*) AS samples FROM samples \
             WHERE round_start >= $1 AND round_start <= $2 GROUP BY round_start, lp_id, unit \
             ORDER BY round_start DESC, lp_id, unit LIMIT $3",
        )
        .bind(signed("a round", first)?)
        .bind(signed("a round", last)?)
        .bind(signed("the number of rows", MAX_LAST_ROUNDS)?)
        .fetch_all(&mut *reader)
        .await?;
        let shown = |row: &sqlx::any::AnyRow| {
            Ok(ShownInRound {
                round_start: count(row, "round_start")?,
                lp_id: row.try_get("lp_id")?,
                unit: row.try_get("unit")?,
                samples: count(row, "samples")?,
            })
        };
        rows.iter().map(shown).collect()
    }

    /// The statistics of the newest credited round that starts before this one. `None` if there is none.
    pub async fn statistics_before(&self, round_start: u64) -> Result<Option<String>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query(
            "SELECT statistics FROM rounds WHERE state = 'credited' AND round_start < $1 \
             ORDER BY round_start DESC LIMIT 1",
        )
        .bind(signed("round_start", round_start)?)
        .fetch_optional(&mut *reader)
        .await?;
        Ok(row.map(|row| row.try_get("statistics")).transpose()?)
    }

    /// The newest sample of an LP for a unit, if it is in one of these two rounds, the later one first.
    pub async fn newest_orders(
        &self,
        lp_id: i64,
        unit: &str,
        rounds: [u64; 2],
    ) -> Result<Option<NewestOrders>, StoreError> {
        if !is_storable(unit) {
            return Ok(None);
        }
        let mut reader = connection(&self.shared.reader).await?;
        for round_start in rounds {
            let row = sqlx::query(
                "SELECT submitted_at_ms, orders FROM samples \
                 WHERE round_start = $1 AND lp_id = $2 AND unit = $3 ORDER BY slice DESC LIMIT 1",
            )
            .bind(signed("round_start", round_start)?)
            .bind(lp_id)
            .bind(unit)
            .fetch_optional(&mut *reader)
            .await?;
            if let Some(row) = row {
                let submitted_at_ms = count(&row, "submitted_at_ms")?;
                return Ok(Some(NewestOrders { submitted_at_ms, orders: row.try_get("orders")? }));
            }
        }
        Ok(None)
    }
}

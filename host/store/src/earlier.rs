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

impl Store {
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

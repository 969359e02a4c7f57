//! Lists of orders take nearly all the room, and nobody asks for them after some time.

use super::{Forgot, at_most};
use crate::dialect::Hold;
use crate::error::StoreError;
use crate::leases::{Lease, hold_lease};
use crate::rows::{count, signed};
use crate::{Store, connection};

/// The most samples, and the most accounts of credits, forgotten in one transaction: some tens of milliseconds' worth,
/// so that submissions do not wait behind it for long.
pub const MAX_ORDERS_FORGOTTEN: u32 = 1_000;

/// What belongs to a round that is not credited stays, and so does the round before it, which that round may be held
/// against. The number of rows follows: written out, so that PostgreSQL knows beforehand that it is small.
const SAMPLES: &str = "DELETE FROM samples WHERE (round_start, lp_id, unit, slice) IN \
     (SELECT s.round_start, s.lp_id, s.unit, s.slice FROM samples s WHERE s.round_start < $1 AND NOT EXISTS \
     (SELECT 1 FROM uncredited_rounds u \
     WHERE u.round_start >= s.round_start AND u.round_start <= s.round_start + $2) \
     ORDER BY s.round_start, s.lp_id, s.unit, s.slice LIMIT";

/// The accounts of a round go with its samples.
const DETAILS: &str = "DELETE FROM credit_details WHERE (round_start, lp_id, unit) IN \
     (SELECT d.round_start, d.lp_id, d.unit FROM credit_details d WHERE d.round_start < $1 AND NOT EXISTS \
     (SELECT 1 FROM uncredited_rounds u \
     WHERE u.round_start >= d.round_start AND u.round_start <= d.round_start + $2) \
     ORDER BY d.round_start, d.lp_id, d.unit LIMIT";

impl Store {
    /// Forgets samples and the order-by-order accounts of rounds that start before `before_round`, the oldest first, of
    /// each at most `limit` and at most [`MAX_ORDERS_FORGOTTEN`]. Rounds, credits and balances stay, and so does what
    /// rounds need that are not credited yet. [`StoreError::NotLeader`] if another server leads.
    pub async fn forget_orders(
        &self,
        lease: &Lease,
        before_round: u64,
        limit: u32,
    ) -> Result<Forgot, StoreError> {
        self.shared.write.persistently(|| self.forget_orders_once(lease, before_round, limit)).await
    }

    /// The start of the oldest round of which a sample is kept, in Unix seconds. `None` if there is no sample.
    pub async fn oldest_sample(&self) -> Result<Option<u64>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query("SELECT round_start FROM samples ORDER BY round_start LIMIT 1")
            .fetch_optional(&mut *reader)
            .await?;
        row.map(|row| count(&row, "round_start")).transpose()
    }

    async fn forget_orders_once(
        &self,
        lease: &Lease,
        before_round: u64,
        limit: u32,
    ) -> Result<Forgot, StoreError> {
        let write = &self.shared.write;
        let limit = limit.min(MAX_ORDERS_FORGOTTEN);
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        let mut forgot = Forgot::default();
        for delete in [DETAILS, SAMPLES] {
            let deleted = sqlx::query(at_most(delete, limit))
                .bind(signed("before_round", before_round)?)
                .bind(signed("the length of a round", write.round_seconds)?)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            forgot.rows = forgot.rows.saturating_add(deleted);
            forgot.more |= deleted == u64::from(limit);
        }
        write.commit(transaction).await?;
        Ok(forgot)
    }
}

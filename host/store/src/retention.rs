//! Forgetting: lists of orders take nearly all the room, and nobody asks for them after some time.

use crate::Store;
use crate::error::StoreError;
use crate::rows::{count, signed};

/// The most rounds forgotten in one transaction, so that submissions do not wait behind it for long.
pub const MAX_ROUNDS_FORGOTTEN: u32 = 100;

impl Store {
    /// Forgets the samples and the order-by-order accounts of the oldest credited rounds that start before
    /// `before_round`, of at most `max_rounds` and at most [`MAX_ROUNDS_FORGOTTEN`]. Rounds, credits and
    /// balances stay, and so do rounds that are not credited. Returns how many rounds were forgotten.
    pub async fn forget_orders(&self, before_round: u64, max_rounds: u32) -> Result<u64, StoreError> {
        self.shared.write.persistently(|| self.forget_once(before_round, max_rounds)).await
    }

    async fn forget_once(&self, before_round: u64, max_rounds: u32) -> Result<u64, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        let rows = sqlx::query(
            "SELECT DISTINCT s.round_start FROM samples s WHERE s.round_start < $1 AND NOT EXISTS \
             (SELECT 1 FROM uncredited_rounds u WHERE u.round_start = s.round_start) \
             ORDER BY s.round_start LIMIT $2",
        )
        .bind(signed("before_round", before_round)?)
        .bind(i64::from(max_rounds.min(MAX_ROUNDS_FORGOTTEN)))
        .fetch_all(&mut *transaction)
        .await?;
        let mut forgotten = 0;
        for row in &rows {
            let round_start = signed("round_start", count(row, "round_start")?)?;
            for delete in [
                "DELETE FROM credit_details WHERE round_start = $1",
                "DELETE FROM samples WHERE round_start = $1",
            ] {
                sqlx::query(delete).bind(round_start).execute(&mut *transaction).await?;
            }
            forgotten += 1;
        }
        write.commit(transaction).await?;
        Ok(forgotten)
    }
}

//! Taking the payout role of the old server, so that it pays nothing any more, whoever starts it again.

use sqlx::Connection;

use super::state::noted;
use super::{AlpServerDatabase, Fingerprint, Unpaid, fingerprint};
use crate::error::StoreError;

/// The constraint that keeps unpaid credits out of its table from now on.
pub const TAKEN_CONSTRAINT: &str = "taken_over_by_alp";

/// Under which name the table `info` tells which import took the role.
pub(super) const MARKER: &str = "alp_import";

/// Under which name it tells what was unpaid then.
pub(super) const MARKER_CREDITS: &str = "alp_import_credits";

/// When the old server would pay next, in Unix seconds: in the year 2100.
const NEVER: &str = "4102444800";

/// What became of taking the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The old server pays nothing any more.
    Taken,
    /// An import has the role already.
    Before,
    /// What is unpaid is not what was read: somebody wrote meanwhile. Nothing was changed.
    Changed,
    /// Somebody is at work in its tables, as a payout that is being recorded would be. Nothing was changed.
    InUse,
}

impl AlpServerDatabase {
    /// Takes the payout role, in one transaction that has the tables for itself:
    ///
    /// - every unpaid credit (`paid = 0`) is marked as taken over (`paid = 2`);
    /// - a constraint forbids `paid = 0`, so that a server that is started again can neither credit nor find anything
    ///   to pay;
    /// - `info` names the import and the digest of what was unpaid, and has the next payout in the year 2100.
    ///
    /// Whoever is in the middle of a payout holds the table from before it looks for what is unpaid until it has
    /// recorded it: so there is none when the tables are had.
    ///
    /// # Errors
    /// [`StoreError`]. Whether it was taken is then told by [`AlpServerDatabase::state`].
    pub async fn take_over(&mut self, import_id: &str, read: &Fingerprint) -> Result<Taken, StoreError> {
        let mut transaction = self.on.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await?;
        let tables = "LOCK TABLE credits, info, users, orders IN ACCESS EXCLUSIVE MODE";
        match sqlx::query(tables).execute(&mut *transaction).await.map_err(StoreError::from) {
            Err(StoreError::Busy) => return Ok(Taken::InUse),
            locked => locked?,
        };
        if noted(&mut transaction, MARKER).await?.is_some() {
            return Ok(Taken::Before);
        }
        if fingerprint(&mut transaction, Unpaid::Open).await? != *read {
            return Ok(Taken::Changed);
        }
        sqlx::query("UPDATE credits SET paid = 2 WHERE paid = 0").execute(&mut *transaction).await?;
        sqlx::query("ALTER TABLE credits ADD CONSTRAINT taken_over_by_alp CHECK (paid <> 0)")
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO info (key, value) VALUES ($1, $2), ($3, $4)")
            .bind(MARKER)
            .bind(import_id)
            .bind(MARKER_CREDITS)
            .bind(read.credits.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE info SET value = $1 WHERE key = 'next_payout_time'")
            .bind(NEVER)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Taken::Taken)
    }
}

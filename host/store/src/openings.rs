//! What opens the pseudonym of each LP. Knows neither pseudonyms nor where nonces come from.

use std::fmt;

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::rows::{check_name, runs, signed, statement};
use crate::{Store, connection};

/// What is known of an LP's opening.
#[derive(Clone, PartialEq, Eq)]
pub struct KnownOpening {
    /// The LP.
    pub lp_id: i64,
    /// Its API key.
    pub api_key: String,
    /// Its nonce, if it has one.
    pub nonce: Option<String>,
}

impl fmt::Debug for KnownOpening {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("KnownOpening").field("lp_id", &self.lp_id).finish_non_exhaustive()
    }
}

impl Store {
    /// The nonce of an LP, if it has one.
    pub async fn opening(&self, lp_id: i64) -> Result<Option<String>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query("SELECT nonce FROM openings WHERE lp_id = $1")
            .bind(lp_id)
            .fetch_optional(&mut *reader)
            .await?;
        Ok(row.map(|row| row.try_get("nonce")).transpose()?)
    }

    /// The LPs that have samples in a round, by rising number.
    pub async fn openings_of_round(&self, round_start: u64) -> Result<Vec<KnownOpening>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT l.lp_id, u.api_key, o.nonce FROM lps l JOIN users u ON u.user_id = l.user_id \
             LEFT JOIN openings o ON o.lp_id = l.lp_id \
             WHERE l.lp_id IN (SELECT s.lp_id FROM samples s WHERE s.round_start = $1) ORDER BY l.lp_id",
        )
        .bind(signed("round_start", round_start)?)
        .fetch_all(&mut *reader)
        .await?;
        rows.iter().map(known_opening).collect()
    }

    /// These LPs, by rising number. One that is not registered is left out.
    pub async fn openings_of(&self, lp_ids: &[i64]) -> Result<Vec<KnownOpening>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let mut known = Vec::with_capacity(lp_ids.len());
        for run in runs(self.shared.write.dialect, lp_ids) {
            let mut select = sqlx::query(statement(
                "SELECT l.lp_id, u.api_key, o.nonce FROM lps l JOIN users u ON u.user_id = l.user_id \
                 LEFT JOIN openings o ON o.lp_id = l.lp_id WHERE l.lp_id IN (",
                "$",
                run.len(),
                ")",
            ));
            for lp_id in run {
                select = select.bind(*lp_id);
            }
            for row in &select.fetch_all(&mut *reader).await? {
                known.push(known_opening(row)?);
            }
        }
        known.sort_unstable_by_key(|lp| lp.lp_id);
        Ok(known)
    }

    /// Gives nonces to LPs that have none. One that has keeps it for good: what was published under it has to open.
    pub async fn give_openings(&self, nonces: &[(i64, String)]) -> Result<(), StoreError> {
        for (_, nonce) in nonces {
            check_name("the nonce of an opening", nonce)?;
        }
        self.shared.write.persistently(|| self.give_once(nonces)).await
    }

    async fn give_once(&self, nonces: &[(i64, String)]) -> Result<(), StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        for run in runs(write.dialect, nonces) {
            let mut insert = sqlx::query(statement(HEAD, ROW, run.len(), TAIL));
            for (lp_id, nonce) in run {
                insert = insert.bind(*lp_id).bind(nonce.as_str());
            }
            insert.execute(&mut *transaction).await?;
        }
        write.commit(transaction).await
    }
}

fn known_opening(row: &AnyRow) -> Result<KnownOpening, StoreError> {
    Ok(KnownOpening {
        lp_id: row.try_get("lp_id")?,
        api_key: row.try_get("api_key")?,
        nonce: row.try_get("nonce")?,
    })
}

const HEAD: &str = "INSERT INTO openings (lp_id, nonce) VALUES";

const ROW: &str = "($, $)";

const TAIL: &str = "ON CONFLICT (lp_id) DO NOTHING";

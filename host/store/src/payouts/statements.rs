//! What statements are made of: what an API key was credited, and what the record says was paid and corrected.
//! Each is some looks into indexes for a day and a market, however long the history is.

use std::fmt;

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::rows::{count, is_storable, runs, signed, statement};
use crate::{Store, connection};

/// The most moments for which credits are told at once: a quarter of days.
pub const MAX_STATEMENT_BOUNDS: usize = 100;

/// The most changes told at once: a payout each hour of a quarter, on four exchanges.
pub const MAX_STATEMENT_CHANGES: u64 = 10_000;

/// An LP of an API key.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountOfUser {
    /// The LP.
    pub lp_id: i64,
    /// Its exchange.
    pub exchange: String,
    /// Its payout address.
    pub address: String,
    /// What opens its pseudonym, if it has one.
    pub nonce: Option<String>,
}

impl fmt::Debug for AccountOfUser {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("AccountOfUser").field("lp_id", &self.lp_id).finish_non_exhaustive()
    }
}

/// What an LP was credited in all rounds before a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditedUntil {
    /// The LP.
    pub lp_id: i64,
    /// The moment, in Unix seconds.
    pub at_s: u64,
    /// The sum, in 1e-8 of the coin.
    pub sum_e8: i64,
}

/// Credits of an LP that were deleted because of their age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForgottenCredits {
    /// The first of their rounds, in Unix seconds.
    pub first_round: u64,
    /// The last of their rounds. What was credited between the two is not told any more.
    pub last_round: u64,
    /// Their sum, in 1e-8 of the coin.
    pub sum_e8: i64,
}

/// A payout or a correction, as an entry of the record tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedChange {
    /// The LP.
    pub lp_id: i64,
    /// The number of the entry.
    pub record_no: u64,
    /// When the entry was made, in Unix milliseconds.
    pub at_ms: u64,
    /// What the balance changed by, the fee within, in 1e-8 of the coin.
    pub amount_e8: i64,
    /// The part of it that is the fee of a payout, in 1e-8 of the coin.
    pub fee_e8: i64,
    /// The payout with the id of its transaction; `None` for a correction.
    pub payout: Option<(u64, String)>,
    /// Who corrected; empty for a payout, or where it is not known.
    pub who: String,
    /// Why; empty for a payout.
    pub why: String,
}

impl Store {
    /// The LPs of an API key, by rising number. Empty if it is not registered.
    pub async fn accounts_of(&self, user: &str) -> Result<Vec<AccountOfUser>, StoreError> {
        if !is_storable(user) {
            return Ok(Vec::new());
        }
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT l.lp_id, l.exchange, l.address, o.nonce FROM users u JOIN lps l ON l.user_id = u.user_id \
             LEFT JOIN openings o ON o.lp_id = l.lp_id WHERE u.api_key = $1 ORDER BY l.lp_id",
        )
        .bind(user)
        .fetch_all(&mut *reader)
        .await?;
        let account = |row: &AnyRow| {
            Ok(AccountOfUser {
                lp_id: row.try_get("lp_id")?,
                exchange: row.try_get("exchange")?,
                address: row.try_get("address")?,
                nonce: row.try_get("nonce")?,
            })
        };
        rows.iter().map(account).collect()
    }

    /// What these LPs were credited in all rounds that start before each of these moments (Unix seconds, at most
    /// [`MAX_STATEMENT_BOUNDS`]). An LP of which no credit from before is kept is left out: it had none, or
    /// [`Store::forgotten_credits`] tells of it.
    pub async fn credited_until(
        &self,
        lp_ids: &[i64],
        moments: &[u64],
    ) -> Result<Vec<CreditedUntil>, StoreError> {
        if moments.len() > MAX_STATEMENT_BOUNDS {
            return Err(StoreError::invalid("the list of moments", "it is too long"));
        }
        let mut wanted = Vec::with_capacity(lp_ids.len().saturating_mul(moments.len()));
        for at_s in moments {
            let at_s = signed("the time", *at_s)?;
            wanted.extend(lp_ids.iter().map(|lp_id| (*lp_id, at_s)));
        }
        let mut reader = connection(&self.shared.reader).await?;
        let mut credited = Vec::new();
        for run in runs(self.shared.write.dialect, &wanted) {
            // Rounds are credited in order of time, so the newest row before a moment has the sum of all before it.
            let mut select = sqlx::query(statement(
                "WITH wanted (lp_id, at_s) AS (VALUES",
                "(CAST($ AS BIGINT), CAST($ AS BIGINT))",
                run.len(),
                ") SELECT newest.lp_id, newest.at_s, k.balance_e8 FROM (SELECT w.lp_id, w.at_s, \
                 MAX((SELECT c.entry_no FROM credits c WHERE c.lp_id = n.lp_id AND c.unit = n.unit \
                  AND c.round_start < w.at_s ORDER BY c.round_start DESC LIMIT 1)) AS entry_no \
                 FROM wanted w JOIN lp_units n ON n.lp_id = w.lp_id GROUP BY w.lp_id, w.at_s) AS newest \
                 JOIN credits k ON k.entry_no = newest.entry_no",
            ));
            for (lp_id, at_s) in run {
                select = select.bind(*lp_id).bind(*at_s);
            }
            for row in &select.fetch_all(&mut *reader).await? {
                let (lp_id, sum_e8) = (row.try_get("lp_id")?, row.try_get("balance_e8")?);
                credited.push(CreditedUntil { lp_id, at_s: count(row, "at_s")?, sum_e8 });
            }
        }
        Ok(credited)
    }

    /// What was deleted of an LP's credits, if anything was.
    pub async fn forgotten_credits(&self, lp_id: i64) -> Result<Option<ForgottenCredits>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query(
            "SELECT COUNT(*) AS known, COALESCE(MIN(first_round), 0) AS first_round, \
             COALESCE(MAX(last_round), 0) AS last_round, \
             CAST(COALESCE(SUM(amount_e8), 0) AS BIGINT) AS sum_e8 FROM credits_carried WHERE lp_id = $1",
        )
        .bind(lp_id)
        .fetch_one(&mut *reader)
        .await?;
        if count(&row, "known")? == 0 {
            return Ok(None);
        }
        let (first_round, last_round) = (count(&row, "first_round")?, count(&row, "last_round")?);
        Ok(Some(ForgottenCredits { first_round, last_round, sum_e8: row.try_get("sum_e8")? }))
    }

    /// What the entries that were made before a moment (Unix milliseconds) took from an LP or gave it beside credits, in
    /// 1e-8 of the coin. It adds up all payouts there ever were of one LP, which are a few a day.
    pub async fn published_before(&self, lp_id: i64, at_ms: u64) -> Result<i64, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query(
            "SELECT CAST(COALESCE(SUM(amount_e8), 0) AS BIGINT) AS sum_e8 FROM published_changes \
             WHERE lp_id = $1 AND at_ms < $2",
        )
        .bind(lp_id)
        .bind(signed("the time", at_ms)?)
        .fetch_one(&mut *reader)
        .await?;
        Ok(row.try_get("sum_e8")?)
    }

    /// The payouts and corrections of an LP whose entries were made from `from_ms` on and before `until_ms`, in the
    /// record's order, at most [`MAX_STATEMENT_CHANGES`]. A payout has the transaction that is known now.
    pub async fn published_changes(
        &self,
        lp_id: i64,
        from_ms: u64,
        until_ms: u64,
    ) -> Result<Vec<PublishedChange>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT k.record_no, k.at_ms, k.amount_e8, k.fee_e8, COALESCE(k.payout_id, 0) AS payout_id, \
             COALESCE(p.txid, '') AS txid, COALESCE(e.who, '') AS who, COALESCE(e.why, '') AS why \
             FROM published_changes k LEFT JOIN payouts p ON p.payout_id = k.payout_id \
             LEFT JOIN ledger_entries e ON e.entry_no = k.correction_no \
             WHERE k.lp_id = $1 AND k.at_ms >= $2 AND k.at_ms < $3 ORDER BY k.record_no LIMIT $4",
        )
        .bind(lp_id)
        .bind(signed("the time", from_ms)?)
        .bind(signed("the time", until_ms)?)
        .bind(signed("the number of changes", MAX_STATEMENT_CHANGES)?)
        .fetch_all(&mut *reader)
        .await?;
        let change = |row: &AnyRow| {
            let payout_id = count(row, "payout_id")?;
            let txid: String = row.try_get("txid")?;
            Ok(PublishedChange {
                lp_id,
                record_no: count(row, "record_no")?,
                at_ms: count(row, "at_ms")?,
                amount_e8: row.try_get("amount_e8")?,
                fee_e8: row.try_get("fee_e8")?,
                payout: (payout_id > 0).then_some((payout_id, txid)),
                who: row.try_get("who")?,
                why: row.try_get("why")?,
            })
        };
        rows.iter().map(change).collect()
    }
}

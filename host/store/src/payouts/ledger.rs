//! The half of the ledger that payouts and corrections write: insert-only, every entry with its LP's running total.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::MAX_NOTE_BYTES;
use crate::credits::MAX_BALANCES_PAGE;
use crate::dialect::{Dialect, Hold};
use crate::error::StoreError;
use crate::leases::{Lease, hold_lease};
use crate::rows::{check_text, count, credited_e8, moved_e8, runs, signed, statement};
use crate::writer::Lock;
use crate::{Store, connection};

/// What an LP was credited, and what is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owing {
    /// The LP.
    pub lp_id: i64,
    /// Its exchange.
    pub exchange: String,
    /// Its payout address.
    pub address: String,
    /// The sum of its credits, in 1e-8 of the coin.
    pub credited_e8: i64,
    /// What it is owed and what no payout has reserved, in 1e-8 of the coin. Below zero only if the operator adopted a
    /// transaction that paid more than is credited.
    pub owed_e8: i64,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its number.
    pub entry_no: u64,
    /// The LP.
    pub lp_id: i64,
    /// `payout`, `fee`, `payout_returned`, `fee_returned` or `correction`.
    pub kind: String,
    /// Its payout; `None` for a correction.
    pub payout_id: Option<u64>,
    /// What the balance changes by, in 1e-8 of the coin.
    pub amount_e8: i64,
    /// The sum of the LP's entries up to this one, in 1e-8 of the coin.
    pub total_e8: i64,
    /// Why.
    pub why: String,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
}

/// An entry on its way into the ledger.
pub(crate) struct NewEntry<'a> {
    pub(crate) lp_id: i64,
    pub(crate) kind: &'static str,
    pub(crate) payout_id: Option<i64>,
    pub(crate) amount_e8: i64,
    pub(crate) why: &'a str,
    pub(crate) who: &'a str,
}

impl Store {
    /// What is owed to the LPs whose number is above `after_lp_id`, by rising number, at most `limit` and at most
    /// [`MAX_BALANCES_PAGE`]. Two looks into indexes for each.
    pub async fn owing(&self, after_lp_id: i64, limit: u32) -> Result<Vec<Owing>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(concat!(
            "SELECT l.lp_id, l.exchange, l.address, ",
            credited_e8!(),
            " AS credited_e8, ",
            moved_e8!(),
            " AS moved_e8 FROM lps l WHERE l.lp_id > $1 ORDER BY l.lp_id LIMIT $2",
        ))
        .bind(after_lp_id)
        .bind(i64::from(limit.min(MAX_BALANCES_PAGE)))
        .fetch_all(&mut *reader)
        .await?;
        rows.iter().map(owing).collect()
    }

    /// What an API key is owed over all its exchanges, in 1e-8 of the coin. `None` if it is not registered.
    pub async fn owed_to(&self, user: &str) -> Result<Option<i64>, StoreError> {
        if !crate::rows::is_storable(user) {
            return Ok(None);
        }
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query(concat!(
            "SELECT COUNT(*) AS lps, CAST(COALESCE(SUM(",
            credited_e8!(),
            " + ",
            moved_e8!(),
            "), 0) AS BIGINT) AS owed_e8 FROM lps l JOIN users u ON u.user_id = l.user_id WHERE u.api_key = $1",
        ))
        .bind(user)
        .fetch_one(&mut *reader)
        .await?;
        if count(&row, "lps")? == 0 {
            return Ok(None);
        }
        Ok(Some(row.try_get("owed_e8")?))
    }

    /// The entries of an LP, oldest first, at most a thousand above `after_entry_no`.
    pub async fn ledger_of(&self, lp_id: i64, after_entry_no: u64) -> Result<Vec<LedgerEntry>, StoreError> {
        let filter = "WHERE lp_id = $1 AND entry_no > $2 ORDER BY entry_no LIMIT 1000";
        self.entries(filter, lp_id, signed("the entry", after_entry_no)?).await
    }

    /// The entries of a payout, oldest first.
    pub async fn ledger_of_payout(&self, payout_id: u64) -> Result<Vec<LedgerEntry>, StoreError> {
        let filter = "WHERE payout_id = $1 AND entry_no > $2 ORDER BY entry_no";
        self.entries(filter, signed("the payout", payout_id)?, 0).await
    }

    async fn entries(
        &self,
        filter: &'static str,
        first: i64,
        second: i64,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let select = "SELECT entry_no, lp_id, kind, payout_id, amount_e8, total_e8, why, at_ms \
                      FROM ledger_entries";
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{select} {filter}")))
            .bind(first)
            .bind(second)
            .fetch_all(&mut *reader)
            .await?;
        rows.iter().map(ledger_entry).collect()
    }

    /// Corrects what an LP is owed by `amount_e8`, and says why. It cannot take more than is owed. For who does not sign
    /// the record: whoever leads next publishes it, and nothing else is published before. The operator's corrections
    /// are [`Store::publish_correction`].
    pub async fn correct(
        &self,
        lease: &Lease,
        lp_id: i64,
        amount_e8: i64,
        why: &str,
    ) -> Result<(), StoreError> {
        check_text("the reason", why, MAX_NOTE_BYTES)?;
        self.shared.write.persistently(|| self.correct_once(lease, lp_id, amount_e8, why)).await
    }

    async fn correct_once(
        &self,
        lease: &Lease,
        lp_id: i64,
        amount_e8: i64,
        why: &str,
    ) -> Result<(), StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        let entry = NewEntry { lp_id, kind: "correction", payout_id: None, amount_e8, why, who: "" };
        insert_entries(&mut transaction, write.dialect, &[entry], at_ms, Below::Refused).await?;
        write.commit(transaction).await
    }
}

/// Whether a balance may go below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below {
    /// It may not: nobody is paid what is not owed.
    Refused,
    /// It may: what is entered has happened already.
    Entered,
}

/// Adds entries, with their running totals, in a transaction that has the ledger's lock. The number of the last one.
pub(crate) async fn insert_entries(
    on: &mut AnyConnection,
    dialect: Dialect,
    entries: &[NewEntry<'_>],
    at_ms: u64,
    below: Below,
) -> Result<i64, StoreError> {
    let too_large = || StoreError::invalid("the balance of an LP", "it is beyond 63 bits");
    let row = sqlx::query("SELECT COALESCE(MAX(entry_no), 0) AS newest FROM ledger_entries")
        .fetch_one(&mut *on)
        .await?;
    let mut entry_no: i64 = row.try_get("newest")?;
    let mut totals = totals_of(on, dialect, entries).await?;
    for entry in entries {
        entry_no = entry_no.checked_add(1).ok_or_else(too_large)?;
        let (credited_e8, total_e8) = totals.get_mut(&entry.lp_id).ok_or_else(not_registered)?;
        *total_e8 = total_e8.checked_add(entry.amount_e8).ok_or_else(too_large)?;
        let left_e8 = credited_e8.checked_add(*total_e8).ok_or_else(too_large)?;
        if below == Below::Refused && entry.amount_e8 < 0 && left_e8 < 0 {
            return Err(StoreError::invalid("a debit", "it takes more than the LP is owed"));
        }
        let insert = match entry.payout_id {
            Some(payout_id) => sqlx::query(
                "INSERT INTO ledger_entries (entry_no, lp_id, kind, amount_e8, total_e8, why, at_ms, who, payout_id) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(entry_no)
            .bind(entry.lp_id)
            .bind(entry.kind)
            .bind(entry.amount_e8)
            .bind(*total_e8)
            .bind(entry.why)
            .bind(signed("the time", at_ms)?)
            .bind(entry.who)
            .bind(payout_id),
            None => sqlx::query(
                "INSERT INTO ledger_entries (entry_no, lp_id, kind, amount_e8, total_e8, why, at_ms, who) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(entry_no)
            .bind(entry.lp_id)
            .bind(entry.kind)
            .bind(entry.amount_e8)
            .bind(*total_e8)
            .bind(entry.why)
            .bind(signed("the time", at_ms)?)
            .bind(entry.who),
        };
        insert.execute(&mut *on).await?;
    }
    Ok(entry_no)
}

fn not_registered() -> StoreError {
    StoreError::invalid("a ledger entry", "its LP is not registered")
}

/// Of every LP: what it was credited in all, and the sum of its entries.
async fn totals_of(
    on: &mut AnyConnection,
    dialect: Dialect,
    entries: &[NewEntry<'_>],
) -> Result<BTreeMap<i64, (i64, i64)>, StoreError> {
    let mut lp_ids: Vec<i64> = entries.iter().map(|entry| entry.lp_id).collect();
    lp_ids.sort_unstable();
    lp_ids.dedup();
    let mut totals = BTreeMap::new();
    for run in runs(dialect, &lp_ids) {
        let mut select = sqlx::query(statement(
            concat!(
                "SELECT l.lp_id, ",
                credited_e8!(),
                " AS credited_e8, ",
                moved_e8!(),
                " AS total_e8 FROM lps l WHERE l.lp_id IN ("
            ),
            "$",
            run.len(),
            ")",
        ));
        for lp_id in run {
            select = select.bind(*lp_id);
        }
        for row in select.fetch_all(&mut *on).await? {
            totals.insert(row.try_get("lp_id")?, (row.try_get("credited_e8")?, row.try_get("total_e8")?));
        }
    }
    Ok(totals)
}

fn owing(row: &AnyRow) -> Result<Owing, StoreError> {
    let credited_e8: i64 = row.try_get("credited_e8")?;
    let moved_e8: i64 = row.try_get("moved_e8")?;
    Ok(Owing {
        lp_id: row.try_get("lp_id")?,
        exchange: row.try_get("exchange")?,
        address: row.try_get("address")?,
        credited_e8,
        owed_e8: credited_e8
            .checked_add(moved_e8)
            .ok_or(StoreError::corrupt("a balance is beyond 63 bits"))?,
    })
}

pub(crate) fn ledger_entry(row: &AnyRow) -> Result<LedgerEntry, StoreError> {
    let payout_id: Option<i64> = row.try_get("payout_id")?;
    Ok(LedgerEntry {
        entry_no: count(row, "entry_no")?,
        lp_id: row.try_get("lp_id")?,
        kind: row.try_get("kind")?,
        payout_id: payout_id.map(crate::rows::unsigned).transpose()?,
        amount_e8: row.try_get("amount_e8")?,
        total_e8: row.try_get("total_e8")?,
        why: row.try_get("why")?,
        at_ms: count(row, "at_ms")?,
    })
}

//! Changes of balances together with the entries of the record that tell of them: each one transaction, or nothing.
//! Knows nothing of what an entry says.

use sqlx::{AnyConnection, Row};

use super::documents::{AdoptedPayout, PayoutChange, check_outputs};
use super::ledger::{Below, NewEntry as LedgerRow, insert_entries};
use super::writes::{PayoutRecord, debits, insert_payout, must_have_transaction, next_id, update_stage};
use super::{MAX_NOTE_BYTES, select};
use crate::dialect::{Dialect, Hold};
use crate::error::StoreError;
use crate::leases::{Lease, hold_lease};
use crate::records::{Appended, NewEntry, append_in};
use crate::rows::{check_name, check_text, count, runs, signed, statement, unsigned};
use crate::writer::Lock;
use crate::{Store, connection};

/// What became of a change that was to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// The change and its entry are there now.
    Published,
    /// What was to change is not as the caller saw it, and nothing was written.
    Unchanged,
    /// Another entry came first, and nothing was written: the entry has to be made again, for the head that is there now.
    HeadMoved,
}

/// A correction of what an LP is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCorrection {
    /// The LP.
    pub lp_id: i64,
    /// By how much, in 1e-8 of the coin; below zero takes away.
    pub amount_e8: i64,
    /// Who corrects it.
    pub who: String,
    /// Why.
    pub why: String,
}

/// Something in the ledger that no entry tells of: it was written before there were such entries, or by somebody who
/// does not sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpublished {
    /// A payout that is sent, by its number.
    Payout(u64),
    /// A correction.
    Correction {
        /// Its number in the ledger.
        entry_no: u64,
        /// What it is.
        correction: NewCorrection,
    },
}

/// The most that is told at once of what is not published.
const MAX_UNPUBLISHED: i64 = 1_000;

impl Store {
    /// Moves a payout to `sent`, and adds the entry that tells what it took; or, if it is sent already, gives it another
    /// transaction and adds the entry that names it. [`Published::Unchanged`] if it was not in the stage `from`.
    pub async fn publish_payout(
        &self,
        lease: &Lease,
        payout_id: u64,
        from: &str,
        change: &PayoutChange,
        entry: &NewEntry,
    ) -> Result<Published, StoreError> {
        change.check()?;
        entry.check()?;
        if matches!(from, "paid" | "void") {
            return Err(StoreError::invalid("the stage of a payout", "nothing leads out of paid and void"));
        }
        let step = Step { payout_id, moves: Some((from, change)), first: from != "sent" };
        self.shared.write.persistently(|| self.publish_once(lease, &step, entry)).await
    }

    /// Adds the entry that tells what a payout took which was sent before there were such entries.
    /// [`Published::Unchanged`] if it is not sent, or if there is one.
    pub async fn publish_sent_payout(
        &self,
        lease: &Lease,
        payout_id: u64,
        entry: &NewEntry,
    ) -> Result<Published, StoreError> {
        entry.check()?;
        let step = Step { payout_id, moves: None, first: true };
        self.shared.write.persistently(|| self.publish_once(lease, &step, entry)).await
    }

    async fn publish_once(
        &self,
        lease: &Lease,
        step: &Step<'_>,
        entry: &NewEntry,
    ) -> Result<Published, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        let id = signed("the payout", step.payout_id)?;
        let at_ms = write.now_ms(&mut transaction).await?;
        let moved = match step.moves {
            Some((from, change)) => {
                update_stage(&mut transaction, step.payout_id, (from, "sent"), change, at_ms).await?
            }
            None => is_sent(&mut transaction, id).await?,
        };
        if !moved || is_published(&mut transaction, id).await? == step.first {
            return Ok(Published::Unchanged);
        }
        if append_in(&mut transaction, write, entry).await? == Appended::HeadMoved {
            return Ok(Published::HeadMoved);
        }
        note_payout(&mut transaction, write.dialect, id, &entry.head, step.first).await?;
        write.commit(transaction).await?;
        Ok(Published::Published)
    }

    /// Enters a transaction of the wallet as a payout that is sent, with what it took from balances and the entry that
    /// tells of it: it has happened, so a balance may go below zero. [`Published::Unchanged`] if its number is taken.
    pub async fn adopt_payout(
        &self,
        lease: &Lease,
        adopted: &AdoptedPayout,
        entry: &NewEntry,
    ) -> Result<Published, StoreError> {
        check_name("the transaction", &adopted.txid)?;
        check_name("the comment", &adopted.comment)?;
        check_text("the reason", &adopted.why, MAX_NOTE_BYTES)?;
        check_outputs(&adopted.outputs)?;
        entry.check()?;
        self.shared.write.persistently(|| self.adopt_once(lease, adopted, entry)).await
    }

    async fn adopt_once(
        &self,
        lease: &Lease,
        adopted: &AdoptedPayout,
        entry: &NewEntry,
    ) -> Result<Published, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        let id = signed("the payout", adopted.payout_id)?;
        if !select(&mut transaction, "WHERE payout_id = $1", id).await?.is_empty() {
            return Ok(Published::Unchanged);
        }
        // A payout that is void keeps the comment that its transaction carries after all.
        let known =
            sqlx::query("SELECT COUNT(*) AS payouts FROM payouts WHERE comment = $1 AND stage = 'void'")
                .bind(adopted.comment.as_str())
                .fetch_one(&mut *transaction)
                .await?;
        let is_taken = count(&known, "payouts")? > 0;
        let comment = if is_taken { format!("adopted:{}", adopted.txid) } else { adopted.comment.clone() };
        let row =
            PayoutRecord { id, method: "plain", stage: "sent", comment: &comment, outputs: &adopted.outputs };
        insert_payout(&mut transaction, &row, &adopted.txid, at_ms, &adopted.why).await?;
        let rows = debits(&adopted.outputs, id, &adopted.why);
        insert_entries(&mut transaction, write.dialect, &rows, at_ms, Below::Entered).await?;
        must_have_transaction(&mut transaction, id).await?;
        if append_in(&mut transaction, write, entry).await? == Appended::HeadMoved {
            return Ok(Published::HeadMoved);
        }
        note_payout(&mut transaction, write.dialect, id, &entry.head, true).await?;
        write.commit(transaction).await?;
        Ok(Published::Published)
    }

    /// The number that a payout gets: the wanted one if nobody has it, else the next one.
    pub async fn free_payout_id(&self, wanted: Option<u64>) -> Result<u64, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        if let Some(wanted) = wanted {
            let id = signed("the payout", wanted)?;
            if select(&mut reader, "WHERE payout_id = $1", id).await?.is_empty() {
                return Ok(wanted);
            }
        }
        unsigned(next_id(&mut reader).await?)
    }

    /// Corrects what an LP is owed, and adds the entry that tells of it. It cannot take more than is owed.
    pub async fn publish_correction(
        &self,
        lease: &Lease,
        correction: &NewCorrection,
        entry: &NewEntry,
    ) -> Result<Published, StoreError> {
        correction.check()?;
        entry.check()?;
        self.shared.write.persistently(|| self.correct_in_public(lease, correction, None, entry)).await
    }

    /// Adds the entry that tells of a correction which is in the ledger already. [`Published::Unchanged`] if there is
    /// one.
    pub async fn publish_known_correction(
        &self,
        lease: &Lease,
        entry_no: u64,
        correction: &NewCorrection,
        entry: &NewEntry,
    ) -> Result<Published, StoreError> {
        entry.check()?;
        let known = Some(signed("the entry", entry_no)?);
        self.shared.write.persistently(|| self.correct_in_public(lease, correction, known, entry)).await
    }

    async fn correct_in_public(
        &self,
        lease: &Lease,
        correction: &NewCorrection,
        known: Option<i64>,
        entry: &NewEntry,
    ) -> Result<Published, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        let NewCorrection { lp_id, amount_e8, who, why } = correction;
        let entry_no = match known {
            Some(entry_no) if is_known_correction(&mut transaction, entry_no).await? => {
                return Ok(Published::Unchanged);
            }
            Some(entry_no) => entry_no,
            None => {
                let (kind, payout_id) = ("correction", None);
                let row = LedgerRow { lp_id: *lp_id, kind, payout_id, amount_e8: *amount_e8, why, who };
                insert_entries(&mut transaction, write.dialect, &[row], at_ms, Below::Refused).await?
            }
        };
        if append_in(&mut transaction, write, entry).await? == Appended::HeadMoved {
            return Ok(Published::HeadMoved);
        }
        note_correction(&mut transaction, *lp_id, entry_no, *amount_e8, &entry.head).await?;
        write.commit(transaction).await?;
        Ok(Published::Published)
    }

    /// What the ledger has and no entry tells of, in the ledger's order, at most a thousand. It looks at every payout
    /// and every correction there ever was: for who begins to lead.
    pub async fn unpublished(&self) -> Result<Vec<Unpublished>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        // What a payout took was entered at once, so any of its entries tells its place among corrections. The smallest
        // is not asked for: PostgreSQL would look for it from the ledger's beginning on, for each payout.
        let payouts = sqlx::query(
            "SELECT COALESCE((SELECT e.entry_no FROM ledger_entries e WHERE e.payout_id = p.payout_id \
             ORDER BY e.lp_id, e.kind LIMIT 1), 0) AS entry_no, p.payout_id FROM payouts p \
             WHERE p.stage IN ('sent', 'paid') \
             AND NOT EXISTS (SELECT 1 FROM published_payouts k WHERE k.payout_id = p.payout_id) \
             ORDER BY p.payout_id LIMIT $1",
        )
        .bind(MAX_UNPUBLISHED)
        .fetch_all(&mut *reader)
        .await?;
        let corrections = sqlx::query(
            "SELECT e.entry_no, e.lp_id, e.amount_e8, e.who, e.why FROM ledger_entries e WHERE e.kind = 'correction' \
             AND NOT EXISTS (SELECT 1 FROM published_changes k WHERE k.correction_no = e.entry_no) \
             ORDER BY e.entry_no LIMIT $1",
        )
        .bind(MAX_UNPUBLISHED)
        .fetch_all(&mut *reader)
        .await?;
        let mut unpublished = Vec::with_capacity(payouts.len().saturating_add(corrections.len()));
        for row in &payouts {
            unpublished.push((count(row, "entry_no")?, Unpublished::Payout(count(row, "payout_id")?)));
        }
        for row in &corrections {
            let correction = NewCorrection {
                lp_id: row.try_get("lp_id")?,
                amount_e8: row.try_get("amount_e8")?,
                who: row.try_get("who")?,
                why: row.try_get("why")?,
            };
            let entry_no = count(row, "entry_no")?;
            unpublished.push((entry_no, Unpublished::Correction { entry_no, correction }));
        }
        // Of one number there are only payouts that took nothing, and those stay in their own order.
        unpublished.sort_by_key(|(entry_no, _)| *entry_no);
        unpublished.truncate(usize::try_from(MAX_UNPUBLISHED).unwrap_or(usize::MAX));
        Ok(unpublished.into_iter().map(|(_, change)| change).collect())
    }
}

/// What is published of a payout.
struct Step<'a> {
    payout_id: u64,
    /// The stage it was seen in, and what is new of it; nothing if it is sent already.
    moves: Option<(&'a str, &'a PayoutChange)>,
    /// Whether its entry takes from balances; else it names another transaction.
    first: bool,
}

impl NewCorrection {
    fn check(&self) -> Result<(), StoreError> {
        check_name("who corrects", &self.who)?;
        check_name("the reason", &self.why)?;
        if self.amount_e8 == 0 {
            return Err(StoreError::invalid("a correction", "it changes nothing"));
        }
        Ok(())
    }
}

async fn is_sent(on: &mut AnyConnection, payout_id: i64) -> Result<bool, StoreError> {
    let known = select(on, "WHERE payout_id = $1", payout_id).await?;
    Ok(known.iter().any(|payout| matches!(payout.stage.as_str(), "sent" | "paid")))
}

/// Whether an entry tells what a payout took. Nobody adds one meanwhile: its caller has the ledger's lock.
pub(super) async fn is_published(on: &mut AnyConnection, payout_id: i64) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS known FROM published_payouts WHERE payout_id = $1")
        .bind(payout_id)
        .fetch_one(on)
        .await?;
    Ok(count(&row, "known")? > 0)
}

async fn is_known_correction(on: &mut AnyConnection, entry_no: i64) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS known FROM published_changes WHERE correction_no = $1")
        .bind(entry_no)
        .fetch_one(on)
        .await?;
    Ok(count(&row, "known")? > 0)
}

/// Notes which entry tells of a correction.
pub(crate) async fn note_correction(
    on: &mut AnyConnection,
    lp_id: i64,
    entry_no: i64,
    amount_e8: i64,
    head: &crate::records::RecordHead,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO published_changes (lp_id, record_no, correction_no, amount_e8, fee_e8, at_ms) \
         VALUES ($1, $2, $3, $4, 0, $5)",
    )
    .bind(lp_id)
    .bind(signed("the entry", head.number)?)
    .bind(entry_no)
    .bind(amount_e8)
    .bind(signed("the time", head.at_ms)?)
    .execute(on)
    .await?;
    Ok(())
}

/// Notes which entry tells of a payout, and what it took from whom if it is the first.
async fn note_payout(
    on: &mut AnyConnection,
    dialect: Dialect,
    payout_id: i64,
    head: &crate::records::RecordHead,
    first: bool,
) -> Result<(), StoreError> {
    let record_no = signed("the entry", head.number)?;
    sqlx::query("INSERT INTO published_payouts (record_no, payout_id) VALUES ($1, $2)")
        .bind(record_no)
        .bind(payout_id)
        .execute(&mut *on)
        .await?;
    if !first {
        return Ok(());
    }
    let rows = sqlx::query(
        "SELECT lp_id, CAST(SUM(amount_e8) AS BIGINT) AS amount_e8, \
         CAST(SUM(CASE WHEN kind = 'fee' THEN amount_e8 ELSE 0 END) AS BIGINT) AS fee_e8 FROM ledger_entries \
         WHERE payout_id = $1 AND kind IN ('payout', 'fee') GROUP BY lp_id ORDER BY lp_id",
    )
    .bind(payout_id)
    .fetch_all(&mut *on)
    .await?;
    let change = |row: &sqlx::any::AnyRow| {
        Ok((row.try_get("lp_id")?, row.try_get("amount_e8")?, row.try_get("fee_e8")?))
    };
    let changes = rows.iter().map(change).collect::<Result<Vec<(i64, i64, i64)>, StoreError>>()?;
    let at_ms = signed("the time", head.at_ms)?;
    for run in runs(dialect, &changes) {
        let mut insert = sqlx::query(statement(
            "INSERT INTO published_changes (lp_id, record_no, payout_id, amount_e8, fee_e8, at_ms) VALUES",
            "($, $, $, $, $, $)",
            run.len(),
            "",
        ));
        for (lp_id, amount_e8, fee_e8) in run {
            insert = insert
                .bind(*lp_id)
                .bind(record_no)
                .bind(payout_id)
                .bind(*amount_e8)
                .bind(*fee_e8)
                .bind(at_ms);
        }
        insert.execute(&mut *on).await?;
    }
    Ok(())
}

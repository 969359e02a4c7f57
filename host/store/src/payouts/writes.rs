//! Reserving, moving and ending payouts: each one transaction, under the lease and the ledger's lock.

use sqlx::{AnyConnection, Row};

use super::documents::{NewPayout, PayoutChange, PayoutOutput};
use super::ledger::{Below, NewEntry, insert_entries};
use super::published::is_published;
use super::{MAX_NEW_PAYOUTS, MAX_NOTE_BYTES, outputs_text, select};
use crate::Store;
use crate::dialect::{Dialect, Hold};
use crate::error::StoreError;
use crate::leases::{Lease, hold_lease};
use crate::proof::check_payable;
use crate::rows::{check_text, signed, unsigned};
use crate::writer::Lock;

/// Payouts that are ended together after a restore.
const UNSENT_AT_ONCE: i64 = 100;

impl Store {
    /// Reserves payouts: their rows, and what they take from balances, all or nothing. `slot_ms` is the time they were
    /// planned for. Refused if an LP is owed less than is taken, or if the address of one changed since it was planned.
    pub async fn reserve_payouts(
        &self,
        lease: &Lease,
        slot_ms: u64,
        payouts: &[NewPayout],
    ) -> Result<Vec<u64>, StoreError> {
        if payouts.len() > MAX_NEW_PAYOUTS {
            return Err(StoreError::invalid("a planning", "it has too many payouts"));
        }
        payouts.iter().try_for_each(NewPayout::check)?;
        self.shared.write.persistently(|| self.reserve_once(lease, slot_ms, payouts)).await
    }

    async fn reserve_once(
        &self,
        lease: &Lease,
        slot_ms: u64,
        payouts: &[NewPayout],
    ) -> Result<Vec<u64>, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        sqlx::query(
            "INSERT INTO payout_schedule (name, last_slot_ms, retry_at_ms) VALUES ('payouts', $1, 0) \
             ON CONFLICT (name) DO UPDATE SET last_slot_ms = excluded.last_slot_ms, retry_at_ms = 0",
        )
        .bind(signed("the time", slot_ms)?)
        .execute(&mut *transaction)
        .await?;
        let mut ids = Vec::with_capacity(payouts.len());
        for payout in payouts {
            check_payable(&mut transaction, write.dialect, &payout.outputs, at_ms).await?;
            let id = next_id(&mut transaction).await?;
            let comment = format!("{}:{id}:{}", payout.comment_head, payout.digest);
            let row = PayoutRecord {
                id,
                method: &payout.method,
                stage: "reserved",
                comment: &comment,
                outputs: &payout.outputs,
            };
            insert_payout(&mut transaction, &row, "", at_ms, "reserved").await?;
            let entries = debits(&payout.outputs, id, "");
            insert_entries(&mut transaction, write.dialect, &entries, at_ms, Below::Refused).await?;
            for output in &payout.outputs {
                sqlx::query(
                    "UPDATE payout_approvals SET payout_id = $2 WHERE address = $1 AND payout_id = 0",
                )
                .bind(output.address.as_str())
                .bind(id)
                .execute(&mut *transaction)
                .await?;
            }
            ids.push(unsigned(id)?);
        }
        write.commit(transaction).await?;
        Ok(ids)
    }

    /// Moves a payout from one stage to another, and says what happened. Whether it was in that stage: if not, nothing
    /// is written. `from` and `to` may be the same, to note something. That a payout is sent, and by which transaction,
    /// is published: [`Store::publish_payout`].
    pub async fn move_payout(
        &self,
        lease: &Lease,
        payout_id: u64,
        from: &str,
        to: &str,
        change: &PayoutChange,
    ) -> Result<bool, StoreError> {
        change.check()?;
        if to == "void" && from != "void" {
            return Err(StoreError::invalid("the stage of a payout", "a payout is voided by void_payout"));
        }
        if to == "sent" && (from != "sent" || !change.txid.is_empty()) {
            return Err(StoreError::invalid(
                "the stage of a payout",
                "that it is sent is published with its entry",
            ));
        }
        self.shared.write.persistently(|| self.move_once(lease, payout_id, from, to, change)).await
    }

    async fn move_once(
        &self,
        lease: &Lease,
        payout_id: u64,
        from: &str,
        to: &str,
        change: &PayoutChange,
    ) -> Result<bool, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        let moved = update_stage(&mut transaction, payout_id, (from, to), change, at_ms).await?;
        if moved {
            write.commit(transaction).await?;
        }
        Ok(moved)
    }

    /// Ends a payout of which nothing was sent: what it took is given back, and what was approved for it may be used
    /// again. Payouts are planned again at `retry_at_ms`. Whether it was in the stage `from`, which is refused where it
    /// was sent: that stands in the record.
    pub async fn void_payout(
        &self,
        lease: &Lease,
        payout_id: u64,
        from: &str,
        retry_at_ms: u64,
        note: &str,
    ) -> Result<bool, StoreError> {
        check_text("the note", note, MAX_NOTE_BYTES)?;
        if !matches!(from, "reserved" | "prepared" | "calling") {
            return Err(StoreError::invalid("the stage of a payout", "what was sent cannot be given back"));
        }
        self.shared.write.persistently(|| self.void_once(lease, payout_id, from, retry_at_ms, note)).await
    }

    async fn void_once(
        &self,
        lease: &Lease,
        payout_id: u64,
        from: &str,
        retry_at_ms: u64,
        note: &str,
    ) -> Result<bool, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        if !void_in(&mut transaction, write.dialect, (payout_id, from), note, at_ms).await? {
            return Ok(false);
        }
        sqlx::query("UPDATE payout_schedule SET retry_at_ms = $1 WHERE name = 'payouts'")
            .bind(signed("the time", retry_at_ms)?)
            .execute(&mut *transaction)
            .await?;
        write.commit(transaction).await?;
        Ok(true)
    }
}

/// Ends a payout of which nothing was sent, in a transaction that has the ledger's lock. Whether it was in the stage
/// `from`.
async fn void_in(
    on: &mut AnyConnection,
    dialect: Dialect,
    (payout_id, from): (u64, &str),
    note: &str,
    at_ms: u64,
) -> Result<bool, StoreError> {
    let change = PayoutChange { note: note.to_owned(), ..PayoutChange::default() };
    if !update_stage(on, payout_id, (from, "void"), &change, at_ms).await? {
        return Ok(false);
    }
    let id = signed("the payout", payout_id)?;
    if is_published(on, id).await? {
        return Err(StoreError::corrupt("a payout that is published as sent is in a stage before that"));
    }
    let taken = sqlx::query(
        "SELECT lp_id, kind, amount_e8 FROM ledger_entries WHERE payout_id = $1 \
         AND kind IN ('payout', 'fee') ORDER BY entry_no",
    )
    .bind(id)
    .fetch_all(&mut *on)
    .await?;
    let mut entries = Vec::with_capacity(taken.len());
    for row in &taken {
        let (kind, amount_e8): (String, i64) = (row.try_get("kind")?, row.try_get("amount_e8")?);
        let kind = if kind == "fee" { "fee_returned" } else { "payout_returned" };
        let amount_e8 = amount_e8.checked_neg().ok_or(StoreError::corrupt("a debit"))?;
        let lp_id = row.try_get("lp_id")?;
        entries.push(NewEntry { lp_id, kind, payout_id: Some(id), amount_e8, why: note, who: "" });
    }
    insert_entries(on, dialect, &entries, at_ms, Below::Entered).await?;
    sqlx::query("UPDATE payout_approvals SET payout_id = 0 WHERE payout_id = $1")
        .bind(id)
        .execute(on)
        .await?;
    Ok(true)
}

/// Ends every payout that was not sent yet, as far as this database knows: reserved ones and those that are signed. Their
/// numbers.
pub(crate) async fn void_unsent(
    on: &mut AnyConnection,
    dialect: Dialect,
    at_ms: u64,
    note: &str,
) -> Result<Vec<u64>, StoreError> {
    let mut voided = Vec::new();
    loop {
        let filter = "WHERE stage IN ('reserved', 'prepared') ORDER BY payout_id LIMIT $1";
        let open = select(on, filter, UNSENT_AT_ONCE).await?;
        if open.is_empty() {
            return Ok(voided);
        }
        for payout in open {
            void_in(on, dialect, (payout.payout_id, &payout.stage), note, at_ms).await?;
            voided.push(payout.payout_id);
        }
    }
}

/// A payout on its way into its table.
pub(super) struct PayoutRecord<'a> {
    pub(super) id: i64,
    pub(super) method: &'a str,
    pub(super) stage: &'a str,
    pub(super) comment: &'a str,
    pub(super) outputs: &'a [PayoutOutput],
}

pub(super) async fn insert_payout(
    on: &mut AnyConnection,
    row: &PayoutRecord<'_>,
    txid: &str,
    at_ms: u64,
    note: &str,
) -> Result<(), StoreError> {
    let too_large = StoreError::invalid("a payout", "its sum is beyond 63 bits");
    let total = row.outputs.iter().try_fold(0_i64, |sum, output| sum.checked_add(output.amount_e8));
    let outputs: Vec<(String, i64)> =
        row.outputs.iter().map(|output| (output.address.clone(), output.amount_e8)).collect();
    let sent_at_ms = if txid.is_empty() { 0 } else { at_ms };
    sqlx::query(
        "INSERT INTO payouts (payout_id, method, stage, total_e8, outputs, comment, txid, created_at_ms, \
         called_at_ms, sent_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(row.id)
    .bind(row.method)
    .bind(row.stage)
    .bind(total.ok_or(too_large)?)
    .bind(outputs_text(&outputs))
    .bind(row.comment)
    .bind(txid)
    .bind(signed("the time", at_ms)?)
    .bind(signed("the time", sent_at_ms)?)
    .bind(signed("the time", sent_at_ms)?)
    .execute(&mut *on)
    .await?;
    insert_event(on, row.id, row.stage, note, at_ms).await
}

/// A conditional update of the stage, with what is new of the payout. Whether it was in the stage `from`.
pub(super) async fn update_stage(
    on: &mut AnyConnection,
    payout_id: u64,
    (from, to): (&str, &str),
    change: &PayoutChange,
    at_ms: u64,
) -> Result<bool, StoreError> {
    let id = signed("the payout", payout_id)?;
    let now = signed("the time", at_ms)?;
    // The time of the first call stays, because the wallet's history is read back past it.
    let updated = sqlx::query(
        "UPDATE payouts SET stage = $3, \
         txid = CASE WHEN $4 = '' THEN txid ELSE $4 END, \
         hex = CASE WHEN $5 = '' THEN hex ELSE $5 END, \
         inputs = CASE WHEN $6 = '' THEN inputs ELSE $6 END, \
         since_block = CASE WHEN $7 = '' THEN since_block ELSE $7 END, \
         called_at_ms = CASE WHEN $3 = 'calling' AND called_at_ms = 0 THEN $8 ELSE called_at_ms END, \
         sent_at_ms = CASE WHEN $3 = 'sent' AND sent_at_ms = 0 THEN $8 ELSE sent_at_ms END, \
         ended_at_ms = CASE WHEN $3 IN ('paid', 'void') THEN $8 ELSE ended_at_ms END \
         WHERE payout_id = $1 AND stage = $2",
    )
    .bind(id)
    .bind(from)
    .bind(to)
    .bind(change.txid.as_str())
    .bind(change.hex.as_str())
    .bind(change.inputs.as_str())
    .bind(change.since_block.as_str())
    .bind(now)
    .execute(&mut *on)
    .await?;
    if updated.rows_affected() == 0 {
        return Ok(false);
    }
    insert_event(on, id, to, &change.note, at_ms).await?;
    if to == "sent" && from != "sent" {
        must_have_transaction(on, id).await?;
    }
    Ok(true)
}

/// A payout counts as sent only with the id of its transaction.
pub(super) async fn must_have_transaction(on: &mut AnyConnection, payout_id: i64) -> Result<(), StoreError> {
    let known = select(on, "WHERE payout_id = $1", payout_id).await?;
    if known.iter().any(|payout| !payout.txid.is_empty()) {
        return Ok(());
    }
    Err(StoreError::invalid("a payout", "it cannot be sent without the id of its transaction"))
}

async fn insert_event(
    on: &mut AnyConnection,
    payout_id: i64,
    stage: &str,
    note: &str,
    at_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO payout_events (payout_id, event_no, at_ms, stage, note) VALUES ($1, \
         (SELECT COALESCE(MAX(event_no), 0) + 1 FROM payout_events WHERE payout_id = $1), $2, $3, $4)",
    )
    .bind(payout_id)
    .bind(signed("the time", at_ms)?)
    .bind(stage)
    .bind(note)
    .execute(on)
    .await?;
    Ok(())
}

pub(super) async fn next_id(on: &mut AnyConnection) -> Result<i64, StoreError> {
    let row = sqlx::query("SELECT COALESCE(MAX(payout_id), 0) AS newest FROM payouts").fetch_one(on).await?;
    let newest: i64 = row.try_get("newest")?;
    newest.checked_add(1).ok_or(StoreError::corrupt("there are too many payouts"))
}

/// The entries by which outputs go down on balances. Nothing is entered where nothing is taken.
pub(super) fn debits<'a>(outputs: &[PayoutOutput], payout_id: i64, why: &'a str) -> Vec<NewEntry<'a>> {
    let mut entries = Vec::new();
    for debit in outputs.iter().flat_map(|output| &output.debits) {
        for (kind, taken_e8) in [("payout", debit.paid_e8), ("fee", debit.fee_e8)] {
            if taken_e8 > 0 {
                entries.push(NewEntry {
                    lp_id: debit.lp_id,
                    kind,
                    payout_id: Some(payout_id),
                    amount_e8: taken_e8.saturating_neg(),
                    why,
                    who: "",
                });
            }
        }
    }
    entries
}

//! What is noted beside payouts: addresses that are held, approvals, alarms, foreign transactions, the schedule.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::MAX_NOTE_BYTES;
use crate::dialect::Hold;
use crate::error::StoreError;
use crate::leases::{Lease, hold_lease};
use crate::rows::{check_name, check_text, count, signed};
use crate::{Store, connection};

/// The most rows of a kind told at once. Held addresses and alarms are for a person to go through.
const MOST: i64 = 100_000;

/// An address that is not paid as the others are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressMark {
    /// The address.
    pub address: String,
    /// Whether it is not paid at all; else it is paid alone.
    pub held: bool,
    /// Why.
    pub why: String,
}

/// What the operator approved of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The address.
    pub address: String,
    /// The most that it covers, in 1e-8 of the coin.
    pub up_to_e8: i64,
    /// Whether a payout has used it.
    pub used: bool,
}

/// Something the operator has to know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Of which kind.
    pub kind: String,
    /// What it is about: a payout, a transaction, an address.
    pub subject: String,
    /// A sentence for the operator.
    pub sentence: String,
    /// Since when, in Unix milliseconds.
    pub raised_at_ms: u64,
}

/// A transaction of the wallet that is no payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Its id.
    pub txid: String,
    /// Why it is none.
    pub why: String,
}

impl Store {
    /// All addresses that are held or paid alone.
    pub async fn address_marks(&self) -> Result<Vec<AddressMark>, StoreError> {
        let rows = self.all("SELECT address, mark, why FROM payout_address_marks ORDER BY address LIMIT $1");
        let mark = |row: &AnyRow| {
            let mark: String = row.try_get("mark")?;
            Ok(AddressMark {
                address: row.try_get("address")?,
                held: mark == "held",
                why: row.try_get("why")?,
            })
        };
        rows.await?.iter().map(mark).collect()
    }

    /// All approvals.
    pub async fn approvals(&self) -> Result<Vec<Approval>, StoreError> {
        let rows =
            self.all("SELECT address, up_to_e8, payout_id FROM payout_approvals ORDER BY address LIMIT $1");
        let approval = |row: &AnyRow| {
            let used = count(row, "payout_id")? != 0;
            Ok(Approval { address: row.try_get("address")?, up_to_e8: row.try_get("up_to_e8")?, used })
        };
        rows.await?.iter().map(approval).collect()
    }

    /// All alarms that were raised and not cleared.
    pub async fn alarms(&self) -> Result<Vec<Alarm>, StoreError> {
        let rows = self.all(
            "SELECT kind, subject, sentence, raised_at_ms FROM payout_alarms ORDER BY kind, subject LIMIT $1",
        );
        let alarm = |row: &AnyRow| {
            Ok(Alarm {
                kind: row.try_get("kind")?,
                subject: row.try_get("subject")?,
                sentence: row.try_get("sentence")?,
                raised_at_ms: count(row, "raised_at_ms")?,
            })
        };
        rows.await?.iter().map(alarm).collect()
    }

    /// Holds an address (`held`), or has it paid alone.
    pub async fn mark_address(&self, lease: &Lease, mark: &AddressMark) -> Result<(), StoreError> {
        check_name("the address", &mark.address)?;
        check_text("the reason", &mark.why, MAX_NOTE_BYTES)?;
        let name = if mark.held { "held" } else { "alone" };
        let texts = [mark.address.as_str(), name, mark.why.as_str()];
        let sql = "INSERT INTO payout_address_marks (address, mark, why, at_ms) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (address) DO UPDATE SET mark = excluded.mark, why = excluded.why, \
                   at_ms = excluded.at_ms";
        self.note(lease, sql, &texts, Last::Time).await.map(|_| ())
    }

    /// Has an address paid as the others are. Whether it was held or alone.
    pub async fn unmark_address(&self, lease: &Lease, address: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM payout_address_marks WHERE address = $1";
        self.note(lease, sql, &[address], Last::Nothing).await
    }

    /// Approves that an address is paid up to so much at once, above the limit, one time.
    pub async fn approve(&self, lease: &Lease, address: &str, up_to_e8: i64) -> Result<(), StoreError> {
        check_name("the address", address)?;
        let sql = "INSERT INTO payout_approvals (address, up_to_e8, payout_id) \
                   VALUES ($1, $2, 0) ON CONFLICT (address) DO UPDATE \
                   SET up_to_e8 = excluded.up_to_e8, payout_id = 0";
        self.note(lease, sql, &[address], Last::Number(up_to_e8)).await.map(|_| ())
    }

    /// Raises an alarm. Whether it was not raised before.
    pub async fn raise_alarm(
        &self,
        lease: &Lease,
        kind: &str,
        subject: &str,
        sentence: &str,
    ) -> Result<bool, StoreError> {
        check_name("the kind of an alarm", kind)?;
        check_name("the subject of an alarm", subject)?;
        check_text("the sentence of an alarm", sentence, MAX_NOTE_BYTES)?;
        let sql = "INSERT INTO payout_alarms (kind, subject, sentence, raised_at_ms) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (kind, subject) DO NOTHING";
        self.note(lease, sql, &[kind, subject, sentence], Last::Time).await
    }

    /// Clears an alarm. Whether it was raised.
    pub async fn clear_alarm(&self, lease: &Lease, kind: &str, subject: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM payout_alarms WHERE kind = $1 AND subject = $2";
        self.note(lease, sql, &[kind, subject], Last::Nothing).await
    }

    /// Notes that a transaction of the wallet is no payout. Whether that was not noted before.
    pub async fn note_foreign(&self, lease: &Lease, foreign: &Foreign) -> Result<bool, StoreError> {
        check_name("the transaction", &foreign.txid)?;
        check_text("the reason", &foreign.why, MAX_NOTE_BYTES)?;
        let sql = "INSERT INTO payout_foreign (txid, why, at_ms) VALUES ($1, $2, $3) \
                   ON CONFLICT (txid) DO NOTHING";
        self.note(lease, sql, &[&foreign.txid, &foreign.why], Last::Time).await
    }

    /// Notes that payouts were planned for a time without any being made. Whether that time is later than the last.
    pub async fn note_slot(&self, lease: &Lease, slot_ms: u64) -> Result<bool, StoreError> {
        let sql = "INSERT INTO payout_schedule (name, last_slot_ms, retry_at_ms) VALUES ($1, $2, 0) \
                   ON CONFLICT (name) DO UPDATE SET last_slot_ms = excluded.last_slot_ms, retry_at_ms = 0 \
                   WHERE payout_schedule.last_slot_ms <= excluded.last_slot_ms";
        let slot_ms = signed("the time", slot_ms)?;
        self.note(lease, sql, &["payouts"], Last::Number(slot_ms)).await
    }

    async fn all(&self, sql: &'static str) -> Result<Vec<AnyRow>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        Ok(sqlx::query(sql).bind(MOST).fetch_all(&mut *reader).await?)
    }

    /// One statement under the lease: texts first, then a number. Whether it changed a row.
    async fn note(
        &self,
        lease: &Lease,
        sql: &'static str,
        texts: &[&str],
        last: Last,
    ) -> Result<bool, StoreError> {
        self.shared.write.persistently(|| self.note_once(lease, sql, texts, last)).await
    }

    async fn note_once(
        &self,
        lease: &Lease,
        sql: &'static str,
        texts: &[&str],
        last: Last,
    ) -> Result<bool, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        let mut query = sqlx::query(sql);
        for text in texts {
            query = query.bind(*text);
        }
        query = match last {
            Last::Time => query.bind(signed("the time", at_ms)?),
            Last::Number(number) => query.bind(number),
            Last::Nothing => query,
        };
        let changed = query.execute(&mut *transaction).await?.rows_affected() > 0;
        write.commit(transaction).await?;
        Ok(changed)
    }
}

/// The last parameter of a statement.
#[derive(Debug, Clone, Copy)]
enum Last {
    /// The time of the transaction.
    Time,
    /// A number.
    Number(i64),
    /// None.
    Nothing,
}

//! Old entries of the published record: they go once an entry stands in it that carries their balances forward.

use sqlx::Row;

use super::{Forgot, at_most, note_forgotten};
use crate::dialect::Hold;
use crate::error::StoreError;
use crate::leases::{Lease, hold_lease};
use crate::records::{Appended, EntryOf, NewEntry, append_in};
use crate::rows::{count, signed};
use crate::writer::Lock;
use crate::{Store, connection};

/// The most entries deleted in one transaction: of a large pool each has some megabytes.
pub const MAX_RECORDS_FORGOTTEN: u32 = 32;

/// The kind of an entry that carries balances forward, or of the first of several that do so together.
const CARRY_FORWARD: &str = "carry_forward";

impl Store {
    /// Adds entries that follow each other, all or none: what is carried forward can be too long for one. As
    /// [`Store::append_entry`] in everything else.
    pub async fn append_entries(&self, lease: &Lease, entries: &[NewEntry]) -> Result<Appended, StoreError> {
        entries.iter().try_for_each(NewEntry::check)?;
        self.shared.write.persistently(|| self.append_all_once(lease, entries)).await
    }

    async fn append_all_once(&self, lease: &Lease, entries: &[NewEntry]) -> Result<Appended, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        for entry in entries {
            if append_in(&mut transaction, write, entry).await? == Appended::HeadMoved {
                return Ok(Appended::HeadMoved);
            }
        }
        write.commit(transaction).await?;
        Ok(Appended::Appended)
    }

    /// Number and time (in Unix milliseconds) of the newest entry of the kind `carry_forward` that was made at
    /// `until_ms` or before.
    pub async fn newest_carried(&self, until_ms: u64) -> Result<Option<(u64, u64)>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        // Bounds in place of an equality, for the same reason as in `rows::credited_e8`.
        let row = sqlx::query(
            "SELECT number, at_ms FROM records WHERE kind >= $1 AND kind <= $1 AND at_ms <= $2 \
             ORDER BY kind DESC, number DESC LIMIT 1",
        )
        .bind(CARRY_FORWARD)
        .bind(signed("the time", until_ms)?)
        .fetch_optional(&mut *reader)
        .await?;
        row.map(|row| Ok((count(&row, "number")?, count(&row, "at_ms")?))).transpose()
    }

    /// Forgets the entries below this number, which has to be that of an entry that carries balances forward. From the
    /// first call on nobody is told of them; each call deletes at most `limit` and at most [`MAX_RECORDS_FORGOTTEN`], the
    /// oldest first. The newest entry that began an epoch stays. [`StoreError::NotLeader`] if another server leads.
    pub async fn forget_records(&self, lease: &Lease, below: u64, limit: u32) -> Result<Forgot, StoreError> {
        self.shared.write.persistently(|| self.forget_records_once(lease, below, limit)).await
    }

    async fn forget_records_once(&self, lease: &Lease, below: u64, limit: u32) -> Result<Forgot, StoreError> {
        let write = &self.shared.write;
        let limit = limit.min(MAX_RECORDS_FORGOTTEN);
        let number = signed("the number of an entry", below)?;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        write.lock(&mut transaction, Lock::Record).await?;
        let kind = sqlx::query("SELECT kind FROM records WHERE number = $1")
            .bind(number)
            .fetch_optional(&mut *transaction)
            .await?;
        let kind = kind.map(|row| row.try_get::<String, _>("kind")).transpose()?;
        if kind.as_deref() != Some(CARRY_FORWARD) {
            return Err(StoreError::invalid(
                "the number below which entries go",
                "its entry carries nothing forward",
            ));
        }
        note_forgotten(&mut transaction, "records", below).await?;
        let delete = "DELETE FROM records WHERE number IN (SELECT number FROM records WHERE number < $1 \
                      AND number <> (SELECT COALESCE(MAX(number), -1) FROM records WHERE kind = 'epoch') \
                      ORDER BY number LIMIT";
        let deleted = sqlx::query(at_most(delete, limit))
            .bind(number)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        write.commit(transaction).await?;
        Ok(Forgot { rows: deleted, more: deleted == u64::from(limit) })
    }

    /// The number of the oldest entry that is told: 0 as long as none was forgotten.
    pub async fn oldest_record(&self) -> Result<u64, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row =
            sqlx::query("SELECT COALESCE(MAX(below), 0) AS below FROM forgotten WHERE what = 'records'")
                .fetch_one(&mut *reader)
                .await?;
        count(&row, "below")
    }

    /// Whether an entry that is not told was there once and is forgotten: then the number of the oldest one that is
    /// told. A round that was credited and has no entry any more is one of these.
    pub async fn forgotten_entry(&self, of: EntryOf) -> Result<Option<u64>, StoreError> {
        let oldest = self.oldest_record().await?;
        let was_there = match of {
            EntryOf::Number(number) => number < oldest,
            EntryOf::Round(start) => oldest > 0 && self.was_credited(start).await?,
        };
        Ok(was_there.then_some(oldest))
    }

    async fn was_credited(&self, round_start: u64) -> Result<bool, StoreError> {
        // No round starts beyond the times that can be stored.
        let Ok(start) = signed("round_start", round_start) else { return Ok(false) };
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query("SELECT round_start FROM rounds WHERE round_start = $1 AND state = 'credited'")
            .bind(start)
            .fetch_optional(&mut *reader)
            .await?;
        Ok(row.is_some())
    }
}

//! A database that was put back from a backup: it has no memory of what happened since, so nothing goes on by itself.
//! Knows neither backups nor the record's entries: it notes that it was restored, and what has to wait for whom.

use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::dialect::{Dialect, Hold, Role};
use crate::error::StoreError;
use crate::leases::{Lease, end_leases, hold_lease};
use crate::open::connection_for;
use crate::payouts::void_unsent;
use crate::place::Place;
use crate::rows::{check_text, count, signed};
use crate::snapshot::tables;
use crate::writer::Lock;
use crate::{Store, connection};

/// A table that is there while a PostgreSQL database is being filled: no server starts on half of one.
pub(crate) const UNFINISHED: &str = "restore_unfinished";

/// A restore from a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restore {
    /// When the backup was made, in Unix milliseconds.
    pub backup_at_ms: u64,
    /// When it was put back, in Unix milliseconds.
    pub restored_at_ms: u64,
    /// The epoch of the record's newest entry in the backup.
    pub epoch: u64,
    /// Whether the operator let payouts go on.
    pub payouts_resumed: bool,
}

impl Store {
    /// Notes that this database was put back from a backup made at `backup_at_ms`, before anything else happens in it.
    /// Payouts that had not been sent then are void, since nobody knows what became of them: what they took is owed
    /// again, and one that was sent since is found in the wallet and adopted. The numbers of those payouts.
    pub async fn note_restore(&self, backup_at_ms: u64, why: &str) -> Result<Vec<u64>, StoreError> {
        check_text("the note", why, crate::payouts::MAX_NOTE_BYTES)?;
        self.shared.write.persistently(|| self.note_restore_once(backup_at_ms, why)).await
    }

    async fn note_restore_once(&self, backup_at_ms: u64, why: &str) -> Result<Vec<u64>, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        write.lock(&mut transaction, Lock::Configuration).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        end_leases(&mut transaction).await?;
        let voided = void_unsent(&mut transaction, write.dialect, at_ms, why).await?;
        sqlx::query(
            "INSERT INTO restores (restore_no, restored_at_ms, backup_at_ms, epoch) VALUES (\
             (SELECT COALESCE(MAX(restore_no), 0) + 1 FROM restores), $1, $2, \
             (SELECT COALESCE(MAX(epoch), 0) FROM records))",
        )
        .bind(signed("the time", at_ms)?)
        .bind(signed("the time", backup_at_ms)?)
        .execute(&mut *transaction)
        .await?;
        transaction.execute(AssertSqlSafe(format!("DROP TABLE IF EXISTS {UNFINISHED}"))).await?;
        write.commit(transaction).await?;
        Ok(voided)
    }

    /// The newest restore, if the record has not begun an epoch since: until then no server may go on.
    pub async fn restore_without_epoch(&self) -> Result<Option<Restore>, StoreError> {
        let Some(restore) = self.newest_restore().await? else { return Ok(None) };
        let head = self.record_head().await?;
        Ok(head.is_none_or(|head| head.epoch <= restore.epoch).then_some(restore))
    }

    /// The newest restore.
    pub async fn newest_restore(&self) -> Result<Option<Restore>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query(
            "SELECT restored_at_ms, backup_at_ms, epoch, resumed_at_ms FROM restores \
             ORDER BY restore_no DESC LIMIT 1",
        )
        .fetch_optional(&mut *reader)
        .await?;
        let restore = row.map(|row| {
            Ok::<_, StoreError>(Restore {
                backup_at_ms: count(&row, "backup_at_ms")?,
                restored_at_ms: count(&row, "restored_at_ms")?,
                epoch: count(&row, "epoch")?,
                payouts_resumed: count(&row, "resumed_at_ms")? > 0,
            })
        });
        restore.transpose()
    }

    /// Lets payouts go on after a restore. Whether they stood still.
    pub async fn resume_payouts(&self, lease: &Lease) -> Result<bool, StoreError> {
        self.shared.write.persistently(|| self.resume_once(lease)).await
    }

    async fn resume_once(&self, lease: &Lease) -> Result<bool, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        let resumed = sqlx::query("UPDATE restores SET resumed_at_ms = $1 WHERE resumed_at_ms = 0")
            .bind(signed("the time", at_ms)?)
            .execute(&mut *transaction)
            .await?;
        write.commit(transaction).await?;
        Ok(resumed.rows_affected() > 0)
    }
}

/// Marks an empty PostgreSQL database as one that is being filled. Nothing to do for a file, which appears when it is
/// whole.
///
/// # Errors
/// [`StoreError::Invalid`] if there is anything in it.
pub async fn begin_restore(url: &str) -> Result<(), StoreError> {
    let Some(mut on) = to_server(url).await? else { return Ok(()) };
    let there = tables(&mut on, Dialect::Postgres).await?;
    if there.iter().any(|table| table == UNFINISHED) {
        return Err(StoreError::RestoreUnfinished);
    }
    if !there.is_empty() {
        return Err(StoreError::invalid("the database", "it has tables; an empty one is needed"));
    }
    on.execute(AssertSqlSafe(format!("CREATE TABLE {UNFINISHED} (nothing BIGINT)"))).await?;
    Ok(on.close().await?)
}

/// Empties a PostgreSQL database that [`begin_restore`] marked, after what it was filled with turned out not to be right.
///
/// # Errors
/// [`StoreError::Invalid`] if it is not marked.
pub async fn empty_database(url: &str) -> Result<(), StoreError> {
    let Some(mut on) = to_server(url).await? else { return Ok(()) };
    let there = tables(&mut on, Dialect::Postgres).await?;
    if !there.iter().any(|table| table == UNFINISHED) {
        return Err(StoreError::invalid("the database", "it is not one that is being restored"));
    }
    // Its own mark goes last, so that whoever is stopped in between leaves nothing that could be taken for a pool's.
    for table in there.iter().filter(|table| *table != UNFINISHED) {
        on.execute(AssertSqlSafe(format!("DROP TABLE IF EXISTS {} CASCADE", quoted(table)))).await?;
    }
    on.execute(AssertSqlSafe(format!("DROP TABLE {UNFINISHED}"))).await?;
    Ok(on.close().await?)
}

/// Refuses a database that is only half restored.
pub(crate) async fn refuse_unfinished(on: &mut sqlx::AnyConnection) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS marks FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1",
    )
    .bind(UNFINISHED)
    .fetch_one(on)
    .await?;
    if count(&row, "marks")? > 0 { Err(StoreError::RestoreUnfinished) } else { Ok(()) }
}

/// A name as SQL takes it, whatever it is made of.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn to_server(url: &str) -> Result<Option<sqlx::AnyConnection>, StoreError> {
    sqlx::any::install_default_drivers();
    let place = Place::parse(url)?;
    if place.dialect() == Dialect::Sqlite {
        return Ok(None);
    }
    Ok(Some(connection_for(&place, Role::Schema).await?))
}

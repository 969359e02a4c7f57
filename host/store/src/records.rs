//! The published record: entries that are only ever added, each to the head it was made for.
//! Knows nothing of what an entry says, of signatures or of compression: the caller packs and reads.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::dialect::Hold;
use crate::error::StoreError;
use crate::leases::{Lease, hold_lease};
use crate::rows::{check_name, check_text, count, signed};
use crate::writer::{Lock, WriteConnection};
use crate::{Store, connection};

/// The longest packed entry kept, in bytes: a round of ten thousand LPs with ten orders each takes about a tenth.
pub const MAX_PACKED_BYTES: usize = 128 * 1024 * 1024;

/// The longest header or signature kept, in bytes. Both have a fixed form of some hundred.
pub const MAX_HEADER_BYTES: usize = 4096;

/// The most entries listed at once.
pub const MAX_RECORDS_PAGE: u32 = 1_000;

/// An entry to be added to the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// Its head, as it will be listed.
    pub head: RecordHead,
    /// The digest of the head that it was made to follow; nothing for the first entry.
    pub previous: Option<String>,
    /// What it is: `epoch`, `round`, or another name of the caller's.
    pub kind: String,
    /// The whole entry, as the caller wants it back.
    pub packed: Vec<u8>,
}

/// What stands at the top of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHead {
    /// Its place in the record, from 0.
    pub number: u64,
    /// Its epoch.
    pub epoch: u64,
    /// The start of the round that it is about, in Unix seconds, if it is about one.
    pub round_start: Option<u64>,
    /// The digest of its header, in hexadecimal.
    pub digest: String,
    /// The header: the caller's own text.
    pub header: String,
    /// The signature: the caller's own text.
    pub signature: String,
    /// When it was made, in Unix milliseconds.
    pub at_ms: u64,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is the newest one now.
    Appended,
    /// Another entry came before it: it has to be made again, for the head that is there now.
    HeadMoved,
}

/// Which packed entry is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryOf {
    /// The one of this number.
    Number(u64),
    /// The one about the round that starts then, in Unix seconds.
    Round(u64),
}

impl Store {
    /// The newest entry's head, if there is an entry.
    pub async fn record_head(&self) -> Result<Option<RecordHead>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        newest_head(&mut reader).await
    }

    /// Adds an entry that begins the record, or an epoch after a restore. It needs no lease: of several servers that
    /// start at once, one does. [`Appended::HeadMoved`] if it was not made for the head that is there.
    pub async fn begin_record(&self, entry: &NewEntry) -> Result<Appended, StoreError> {
        entry.check()?;
        self.shared.write.persistently(|| self.append_once(None, entry)).await
    }

    /// Adds an entry that is about no round. [`StoreError::NotLeader`] if another server leads.
    pub async fn append_entry(&self, lease: &Lease, entry: &NewEntry) -> Result<Appended, StoreError> {
        entry.check()?;
        self.shared.write.persistently(|| self.append_once(Some(lease), entry)).await
    }

    async fn append_once(&self, lease: Option<&Lease>, entry: &NewEntry) -> Result<Appended, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        if let Some(lease) = lease {
            hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        }
        let appended = append_in(&mut transaction, write, entry).await?;
        if appended == Appended::Appended {
            write.commit(transaction).await?;
        }
        Ok(appended)
    }

    /// An entry's digest, and the entry as it was packed. Nothing of one that is forgotten, also while it is still there.
    pub async fn packed_entry(&self, of: EntryOf) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let (statement, key) = match of {
            EntryOf::Number(number) => (
                "SELECT digest, packed FROM records WHERE number = $1 AND number >= \
                 (SELECT COALESCE(MAX(below), 0) FROM forgotten WHERE what = 'records')",
                number,
            ),
            EntryOf::Round(start) => (
                "SELECT digest, packed FROM records WHERE round_start = $1 AND number >= \
                 (SELECT COALESCE(MAX(below), 0) FROM forgotten WHERE what = 'records')",
                start,
            ),
        };
        // No entry has a number beyond those that can be stored.
        let Ok(key) = signed("the number of an entry", key) else { return Ok(None) };
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query(statement).bind(key).fetch_optional(&mut *reader).await?;
        row.map(|row| Ok((row.try_get("digest")?, row.try_get("packed")?))).transpose()
    }

    /// The newest entry of a kind, as it was packed.
    pub async fn newest_of_kind(&self, kind: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        // Bounds in place of an equality, for the same reason as in `rows::credited_e8`.
        let row = sqlx::query(
            "SELECT packed FROM records WHERE kind >= $1 AND kind <= $1 ORDER BY kind DESC, number DESC LIMIT 1",
        )
        .bind(kind)
        .fetch_optional(&mut *reader)
        .await?;
        Ok(row.map(|row| row.try_get("packed")).transpose()?)
    }

    /// Heads of the entries about rounds that start at `from` (Unix seconds) or later, oldest first, at most `limit`
    /// and at most [`MAX_RECORDS_PAGE`]. Without those that are forgotten.
    pub async fn recorded_rounds(&self, from: u64, limit: u32) -> Result<Vec<RecordHead>, StoreError> {
        let Ok(from) = signed("the time", from) else { return Ok(Vec::new()) };
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT number, epoch, round_start, digest, header, signature, at_ms FROM records \
             WHERE round_start >= $1 AND number >= \
             (SELECT COALESCE(MAX(below), 0) FROM forgotten WHERE what = 'records') \
             ORDER BY round_start LIMIT $2",
        )
        .bind(from)
        .bind(i64::from(limit.min(MAX_RECORDS_PAGE)))
        .fetch_all(&mut *reader)
        .await?;
        rows.iter().map(head).collect()
    }
}

/// The newest entry's head, if there is an entry.
pub(crate) async fn newest_head(on: &mut AnyConnection) -> Result<Option<RecordHead>, StoreError> {
    let row = sqlx::query(
        "SELECT number, epoch, round_start, digest, header, signature, at_ms FROM records \
         ORDER BY number DESC LIMIT 1",
    )
    .fetch_optional(on)
    .await?;
    row.as_ref().map(head).transpose()
}

/// Adds an entry within a transaction, which its caller gives up if the head moved. Whatever the entry tells of is
/// written in the same transaction.
pub(crate) async fn append_in(
    on: &mut AnyConnection,
    write: &WriteConnection,
    entry: &NewEntry,
) -> Result<Appended, StoreError> {
    write.lock(&mut *on, Lock::Record).await?;
    let newest = sqlx::query("SELECT number, digest FROM records ORDER BY number DESC LIMIT 1")
        .fetch_optional(&mut *on)
        .await?;
    let (due, newest) = match &newest {
        Some(row) => (count(row, "number")?.saturating_add(1), Some(row.try_get::<String, _>("digest")?)),
        None => (0, None),
    };
    let NewEntry { head, previous, kind, packed } = entry;
    if head.number != due || *previous != newest {
        return Ok(Appended::HeadMoved);
    }
    let round_start = head.round_start.map(|start| signed("round_start", start)).transpose()?;
    sqlx::query(
        "INSERT INTO records (number, epoch, kind, round_start, digest, header, signature, at_ms, packed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(signed("the number of an entry", head.number)?)
    .bind(signed("the epoch of an entry", head.epoch)?)
    .bind(kind.as_str())
    .bind(round_start)
    .bind(head.digest.as_str())
    .bind(head.header.as_str())
    .bind(head.signature.as_str())
    .bind(signed("the time", head.at_ms)?)
    .bind(packed.as_slice())
    .execute(&mut *on)
    .await?;
    Ok(Appended::Appended)
}

impl NewEntry {
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        check_name("the kind of an entry", &self.kind)?;
        check_name("the digest of an entry", &self.head.digest)?;
        check_text("the header of an entry", &self.head.header, MAX_HEADER_BYTES)?;
        check_text("the signature of an entry", &self.head.signature, MAX_HEADER_BYTES)?;
        if self.packed.len() > MAX_PACKED_BYTES {
            return Err(StoreError::invalid("a packed entry", "it is too long"));
        }
        Ok(())
    }
}

pub(crate) fn head(row: &AnyRow) -> Result<RecordHead, StoreError> {
    let round_start: Option<i64> = row.try_get("round_start")?;
    Ok(RecordHead {
        number: count(row, "number")?,
        epoch: count(row, "epoch")?,
        round_start: round_start.map(crate::rows::unsigned).transpose()?,
        digest: row.try_get("digest")?,
        header: row.try_get("header")?,
        signature: row.try_get("signature")?,
        at_ms: count(row, "at_ms")?,
    })
}

//! What is in a backup: what kind of database it is of, the database in frames, and the manifest that it has to agree with.
//! It knows how these are written, and nothing of databases.

use std::collections::BTreeMap;
use std::io::{self, BufReader, ErrorKind, Read, Write};

use alp_record::chain::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::stream::{BackupKey, SealedReader, SealedWriter};

/// The version of this form.
const VERSION: u32 = 1;

/// Longest first line, in bytes.
const MAX_BEGINNING_BYTES: u64 = 1024;

/// Longest manifest, in bytes: a line for each table.
const MAX_MANIFEST_BYTES: u64 = 1024 * 1024;

/// Longest frame, in bytes.
const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// The kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// A file of SQLite.
    Sqlite,
    /// What `pg_dump` writes in its custom form.
    Postgres,
}

#[derive(Serialize, Deserialize)]
struct Beginning {
    version: u32,
    engine: Engine,
}

/// What the database held at the moment of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The pool's id; empty for one that has no record yet.
    pub pool: String,
    /// The moment, in Unix milliseconds by the database's clock.
    pub made_at_ms: u64,
    /// The newest step of its schema.
    pub schema: i64,
    /// The newest entry of the published record.
    pub head: Option<PublishedHead>,
    /// The start of the newest round in the record, in Unix seconds; zero if there is none.
    pub newest_round: u64,
    /// How many rows each table has.
    pub rows: BTreeMap<String, u64>,
    /// The length of the database as it is in the backup, in bytes.
    pub bytes: u64,
    /// The SHA-256 of the same.
    pub sha256: Digest,
}

/// The newest entry of the record, by which a restored pool is told where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedHead {
    /// Its number.
    pub number: u64,
    /// Its epoch.
    pub epoch: u64,
    /// The digest of its header.
    pub digest: String,
}

/// Writes a backup: what is written to it is the database.
pub(super) struct ArchiveWriter<W: Write> {
    sealed: SealedWriter<W>,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> ArchiveWriter<W> {
    pub(super) fn begin(key: &BackupKey, engine: Engine, to: W) -> io::Result<Self> {
        let mut sealed = SealedWriter::begin(key, to)?;
        serde_json::to_writer(&mut sealed, &Beginning { version: VERSION, engine })?;
        sealed.write_all(b"\n")?;
        Ok(Self { sealed, hash: Sha256::new(), bytes: 0 })
    }

    /// Ends the backup with its manifest, whose length and digest are those of what was written.
    pub(super) fn finish(mut self, mut manifest: Manifest) -> io::Result<(W, Manifest)> {
        (manifest.bytes, manifest.sha256) = (self.bytes, Digest(self.hash.finalize().into()));
        self.sealed.write_all(&0_u32.to_be_bytes())?;
        serde_json::to_writer(&mut self.sealed, &manifest)?;
        Ok((self.sealed.finish()?, manifest))
    }
}

impl<W: Write> Write for ArchiveWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (frame, _) = bytes.split_at(bytes.len().min(MAX_FRAME_BYTES));
        if frame.is_empty() {
            return Ok(0);
        }
        let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
        self.sealed.write_all(&length.to_be_bytes())?;
        self.sealed.write_all(frame)?;
        self.hash.update(frame);
        self.bytes = self.bytes.saturating_add(u64::from(length));
        Ok(frame.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sealed.flush()
    }
}

/// Reads a backup. Whatever it hands out was sealed by the key; that it is all of it is known at the end only.
pub(super) struct ArchiveReader<R: Read> {
    sealed: BufReader<SealedReader<R>>,
    engine: Engine,
}

impl<R: Read> ArchiveReader<R> {
    pub(super) fn begin(key: &BackupKey, from: R) -> io::Result<Self> {
        let mut sealed = BufReader::new(SealedReader::begin(key, from)?);
        let mut line = Vec::new();
        io::BufRead::read_until(&mut (&mut sealed).take(MAX_BEGINNING_BYTES), b'\n', &mut line)?;
        let beginning: Beginning = serde_json::from_slice(&line)?;
        if beginning.version != VERSION {
            return Err(io::Error::new(ErrorKind::InvalidData, "it is of a newer version of this program"));
        }
        Ok(Self { sealed, engine: beginning.engine })
    }

    pub(super) fn engine(&self) -> Engine {
        self.engine
    }

    /// Hands the database over, `told` of each frame's length, and then the manifest, which is right about it.
    pub(super) fn read_into(
        mut self,
        to: &mut impl Write,
        mut told: impl FnMut(u64),
    ) -> io::Result<Manifest> {
        let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
        let mut frame = Vec::new();
        loop {
            let mut length = [0; 4];
            self.sealed.read_exact(&mut length)?;
            let length = u32::from_be_bytes(length);
            if length == 0 {
                break;
            }
            frame.clear();
            let read = (&mut self.sealed).take(u64::from(length)).read_to_end(&mut frame)?;
            if u32::try_from(read).ok() != Some(length) {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            hash.update(&frame);
            bytes = bytes.saturating_add(u64::from(length));
            to.write_all(&frame)?;
            told(u64::from(length));
        }
        to.flush()?;
        let mut text = Vec::new();
        self.sealed.take(MAX_MANIFEST_BYTES).read_to_end(&mut text)?;
        let manifest: Manifest = serde_json::from_slice(&text)?;
        let sha256 = Digest(hash.finalize().into());
        if (manifest.bytes, manifest.sha256) != (bytes, sha256) {
            return Err(io::Error::new(ErrorKind::InvalidData, "its manifest is of another database"));
        }
        Ok(manifest)
    }
}

//! Everything in which one database differs from another. The rest of the crate speaks the SQL they share.

use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind as IoErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::AnyConnection;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::{Executor, Row};

use crate::error::StoreError;

/// The readable and writable bits of the database's file: it holds API keys and what everybody earns.
const FILE_MODE: u32 = 0o600;

/// The same for folders made on the way to it.
const FOLDER_MODE: u32 = 0o700;

/// What every connection to SQLite is set to. It waits for a lock as long as a large round takes to write,
/// several times over; the cache (16 MiB) and the mapped part of the file (64 MiB) hold the newest rounds.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 5000; \
     PRAGMA foreign_keys = ON; \
     PRAGMA temp_store = MEMORY; \
     PRAGMA cache_size = -16384; \
     PRAGMA mmap_size = 67108864;";

/// What the connection that writes is set to besides: an answered write survives a loss of power, and the
/// log is cut back to 64 MiB after a large round.
const SQLITE_WRITER_SETTINGS: &str = "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;";

/// A database this crate knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite, in a file.
    Sqlite,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The one that writes.
    Writer,
    /// One of those that only read.
    Reader,
}

/// Where a database is.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) dialect: Dialect,
    path: PathBuf,
}

impl Place {
    /// Reads `sqlite:path`. The path is taken as it stands, relative to the working folder.
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let wrong = |reason| StoreError::Address { reason };
        let path = url
            .strip_prefix("sqlite:")
            .ok_or(wrong("it starts with `sqlite:`, then the path of the file"))?;
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path == ":memory:" {
            return Err(wrong("the path of a file is needed"));
        }
        if path.contains(['?', '#', '\0']) {
            return Err(wrong("the path must not contain `?` or `#`"));
        }
        let path = std::path::absolute(path)
            .map_err(|source| StoreError::Location { path: PathBuf::from(path), source: Arc::new(source) })?;
        Ok(Self { dialect: Dialect::Sqlite, path })
    }

    /// Makes the folder and the file, if they are missing, for this user alone. The files SQLite puts
    /// beside it take its mode.
    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        let failed =
            |path: &Path, source| StoreError::Location { path: path.to_owned(), source: Arc::new(source) };
        if let Some(folder) = self.path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(FOLDER_MODE)
                .create(folder)
                .map_err(|source| failed(folder, source))?;
        }
        let made = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&self.path);
        match made {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == IoErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(failed(&self.path, error)),
        }
    }

    /// The address to connect to.
    pub(crate) fn url(&self, role: Role) -> String {
        let mode = match role {
            Role::Writer => "rw",
            Role::Reader => "ro",
        };
        let mut url = String::from("sqlite://");
        for byte in self.path.as_os_str().as_encoded_bytes() {
            if byte.is_ascii_alphanumeric() || b"/._-~".contains(byte) {
                url.push(char::from(*byte));
            } else {
                url.push_str(&format!("%{byte:02X}"));
            }
        }
        url.push_str("?mode=");
        url.push_str(mode);
        url
    }
}

impl Dialect {
    /// Settings of a new connection.
    pub(crate) async fn set_up(self, role: Role, on: &mut AnyConnection) -> sqlx::Result<()> {
        match self {
            Self::Sqlite => {
                on.execute(SQLITE_SETTINGS).await?;
                if role == Role::Writer {
                    let mode = on.fetch_one("PRAGMA journal_mode = WAL").await?;
                    if mode.try_get::<String, _>(0)? != "wal" {
                        let reason = "this file system cannot hold a write-ahead log";
                        return Err(sqlx::Error::Configuration(reason.into()));
                    }
                    on.execute(SQLITE_WRITER_SETTINGS).await?;
                }
                Ok(())
            }
        }
    }

    /// Starts a transaction that no other writer runs beside. A plain BEGIN in SQLite takes the lock only
    /// at the first write, and then fails where it should have waited.
    pub(crate) const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
        }
    }

    /// The database's own clock in Unix milliseconds, as a whole number.
    pub(crate) const fn clock_ms(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT CAST(ROUND(unixepoch('subsec') * 1000) AS BIGINT) AS now_ms",
        }
    }
}

/// What kind of refusal the database's answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The statement breaks a constraint. Nothing is wrong with the database.
    Contradiction,
    /// Another process holds the lock.
    Locked,
    /// The file is damaged or no database.
    Damaged,
    /// Disk full, read-only, input/output.
    Other,
}

/// Sorts an answer of the database.
pub(crate) fn verdict(error: &dyn DatabaseError) -> Verdict {
    let contradicts = matches!(
        error.kind(),
        ErrorKind::UniqueViolation
            | ErrorKind::ForeignKeyViolation
            | ErrorKind::NotNullViolation
            | ErrorKind::CheckViolation
    );
    if contradicts {
        return Verdict::Contradiction;
    }
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    // The low byte of SQLite's extended codes is the plain one.
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => Verdict::Locked,
        Some(11 | 26) => Verdict::Damaged,
        _ => Verdict::Other,
    }
}

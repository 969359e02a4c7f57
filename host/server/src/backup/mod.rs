//! Backups of a pool's database, sealed, and a database put back from one.
//! It knows files and programs; what stands in the database only the store knows, and the record its own crate.
//!
//! A backup is a database as it was at one moment, with a manifest of what was in it. It holds neither configuration nor
//! keys: the pool's signing key and the wallet's password are in files of their own, and stay there.

mod archive;
mod make;
mod part;
mod programs;
mod restore;
mod stream;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use alp_store::StoreError;
use thiserror::Error;

use crate::database::PasswordError;
use crate::kept::KeyError;
use crate::record::{PublishError, SigningKeyError};

pub use archive::{Engine, Manifest, PublishedHead};
pub use make::{make, unseen};
pub use restore::{PublishedSince, Restored, read_whole, restore};
pub use stream::BackupKey;

/// Is told what is being done, how much of it is done, and of how much: in bytes.
pub type Progress = Arc<dyn Fn(&'static str, u64, u64) + Send + Sync>;

/// Why there is no backup, or no restored database. The operator's.
#[derive(Debug, Error)]
pub enum BackupError {
    /// No key is configured.
    #[error("no backups are configured: pool.toml has no section [backup] with a key_file")]
    NotConfigured,
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key that signs the record.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// The password of the database.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record in the restored database.
    #[error("the record in the backup is not this pool's, or not as it was written")]
    Record(#[from] PublishError),
    /// A file cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The backup cannot be opened.
    #[error("{} cannot be opened as a backup", path.display())]
    NotOpened {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something is in the place already.
    #[error("{} is there already, and nothing is overwritten: name another place{hint}", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
        /// How.
        hint: &'static str,
    },
    /// Another backup or restore is under way.
    #[error("another backup or restore is under way: it uses {}", path.display())]
    UnderWay {
        /// The file it uses.
        path: PathBuf,
    },
    /// A pool answers.
    #[error("the pool is running: stop it before its database is put back")]
    Running,
    /// The database has another kind than the backup.
    #[error("the backup is of a {backup:?} database, and {place} is another kind")]
    OtherEngine {
        /// The backup's.
        backup: Engine,
        /// Where it was to go.
        place: &'static str,
    },
    /// What was restored is not what the backup says it holds.
    #[error("what is in the backup is not sound, so nothing was put in place: {0}")]
    NotSound(String),
    /// The newest round that is said to be published is older than one in the backup.
    #[error("the backup itself holds the published round {newest}: --last-round cannot be before it")]
    RoundBefore {
        /// The newest round in the backup.
        newest: u64,
    },
    /// One of PostgreSQL's programs is not installed.
    #[error("{name} is not installed: it is neither in PATH nor in /usr/lib/postgresql/*/bin")]
    NoProgram {
        /// The program.
        name: &'static str,
    },
    /// One of PostgreSQL's programs could not be run.
    #[error("{name} cannot be run")]
    Program {
        /// The program.
        name: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// One of PostgreSQL's programs failed.
    #[error("{name} failed: {words}")]
    ProgramFailed {
        /// The program.
        name: &'static str,
        /// What it said.
        words: String,
    },
    /// The work was broken off, as it is when the program ends.
    #[error("the work was broken off")]
    BrokenOff,
}

//! What can go wrong, by who must act.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::dialect;

/// Why the store did not do what was asked. Texts name no values of LPs.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// Nobody: more is being written than the disk takes. The bot submits again.
    #[error("the store has too much to write at the moment; try again shortly")]
    Busy,
    /// Nobody: several servers' transactions got into each other's way again and again. Nothing was written;
    /// the caller tries later.
    #[error("the database undid the transaction in favour of others; try again shortly")]
    Undone(#[source] Cause),
    /// Nobody: another server leads the pool, or this one did and does no more. Nothing was written.
    #[error("this server does not lead: the lease {lease:?} of epoch {epoch} is over, another one counts")]
    NotLeader {
        /// The lease's name.
        lease: String,
        /// The epoch this server had.
        epoch: u64,
    },
    /// The operator: this server's configuration is not the one in force for all servers of this database.
    #[error(
        "this server's configuration ({own}) is not the one in force ({in_force}), so it cannot lead: give it \
         the same files, or put its own in force with `alp reload`"
    )]
    OtherConfiguration {
        /// The digest of this server's configuration.
        own: String,
        /// The digest of the one in force.
        in_force: String,
    },
    /// Nobody: the store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// The caller: a value is not one the store keeps.
    #[error("{what} is not acceptable: {reason}")]
    Invalid {
        /// Which value.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The caller: the row would break a rule of the schema, such as a sample of an LP that is not
    /// registered for the unit.
    #[error("the database refuses the row: it contradicts rows it has")]
    Contradicts(#[source] Cause),
    /// The caller: the round has not ended by the database's clock.
    #[error("round {round_start} cannot be closed: it ends in {remaining_ms} ms")]
    RoundStillOpen {
        /// Start of the round, in Unix seconds.
        round_start: u64,
        /// Milliseconds until its end.
        remaining_ms: u64,
    },
    /// The caller: a round is closed before it is recorded.
    #[error("round {round_start} cannot be recorded: it was never closed")]
    RoundNotClosed {
        /// Start of the round, in Unix seconds.
        round_start: u64,
    },
    /// The caller: the credits of a round do not add up to what it says was paid, or exceed the reward.
    #[error("round {round_start} does not balance: {reason}")]
    Unbalanced {
        /// Start of the round, in Unix seconds.
        round_start: u64,
        /// Which sum is wrong.
        reason: &'static str,
    },
    /// The operator: the database's clock went back into rounds that are closed.
    #[error(
        "the clock of the database is behind: round {round_start} and the one after it are closed; set the clock"
    )]
    ClockBehind {
        /// The round the clock points at, in Unix seconds.
        round_start: u64,
    },
    /// The operator: the database cannot be reached, written or synchronised.
    #[error("the database does not work")]
    Unavailable(#[source] Cause),
    /// The operator: the database's file or folder cannot be made.
    #[error("{path:?} cannot be created")]
    Location {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The operator: the database's address in the configuration cannot be used.
    #[error("the address of the database cannot be used: {reason}")]
    Address {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The operator: the database was made by a newer version of this program.
    #[error("the database has schema {version}, which this version does not know; run a newer version")]
    NewerSchema {
        /// The newest step found in the database.
        version: i64,
    },
    /// The operator: the database was made by an older version of this program, and is only read here.
    #[error(
        "the database has schema {version}, which is older than this version's; start the pool once, which completes it"
    )]
    OlderSchema {
        /// The newest step found in the database.
        version: i64,
    },
    /// The operator: the database is being filled from a backup, or that was broken off.
    #[error(
        "the database is being restored from a backup, or a restore was broken off: then drop it, make an empty one, and \
         restore again"
    )]
    RestoreUnfinished,
    /// The operator: a step of the schema is not the one this program would have made.
    #[error("step {version} of the database's schema is not this program's; restore a backup")]
    ForeignSchema {
        /// The step.
        version: i64,
    },
    /// The operator: what is stored cannot be what was written.
    #[error("the database is damaged: {what}; restore a backup")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// What the database said, if it noticed by itself.
        #[source]
        source: Option<Cause>,
    },
}

impl StoreError {
    pub(crate) const fn invalid(what: &'static str, reason: &'static str) -> Self {
        Self::Invalid { what, reason }
    }

    pub(crate) const fn corrupt(what: &'static str) -> Self {
        Self::Corrupt { what, source: None }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::PoolTimedOut) {
            return Self::Busy;
        }
        if matches!(error, sqlx::Error::PoolClosed) {
            return Self::Closed;
        }
        let unreadable = matches!(
            error,
            sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::ColumnIndexOutOfBounds { .. }
                | sqlx::Error::Decode(_)
        );
        let verdict = error.as_database_error().map(dialect::verdict);
        let cause = Cause(Arc::new(error));
        if unreadable {
            return Self::Corrupt { what: "a column holds what it cannot hold", source: Some(cause) };
        }
        match verdict {
            Some(dialect::Verdict::Contradiction) => Self::Contradicts(cause),
            Some(dialect::Verdict::Locked) => Self::Busy,
            Some(dialect::Verdict::Undone) => Self::Undone(cause),
            Some(dialect::Verdict::Damaged) => {
                Self::Corrupt { what: "the file is not a sound database", source: Some(cause) }
            }
            Some(dialect::Verdict::Other) | None => Self::Unavailable(cause),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as Migrate;
        if let Migrate::VersionMissing(version) | Migrate::VersionTooNew(version, _) = error {
            return Self::NewerSchema { version };
        }
        if let Migrate::VersionMismatch(version) | Migrate::Dirty(version) = error {
            return Self::ForeignSchema { version };
        }
        if let Migrate::Execute(error) | Migrate::ExecuteMigration(error, _) = error {
            return Self::from(error);
        }
        Self::Unavailable(Cause(Arc::new(sqlx::Error::from(error))))
    }
}

/// What the database said. Its type is this crate's own business.
#[derive(Clone)]
pub struct Cause(Arc<sqlx::Error>);

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(self.0.as_ref())
    }
}

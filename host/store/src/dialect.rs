//! Everything in which one database differs from another. The rest of the crate speaks the SQL they share.

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::PgDatabaseError;
use sqlx::{AnyConnection, AssertSqlSafe, Executor, Row};

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

/// What every connection of a running server to PostgreSQL is set to. No statement of the store takes a
/// second, so half a minute means that something is wrong, and the call is ended. Nor is any worth compiling, or worth
/// being shared out to several workers: with a hundred million credits PostgreSQL reckons with more rows than it then
/// reads, and took 80 ms to compile what runs in one, and 10 ms to start workers for it. An engine that has no such
/// settings is left alone.
const POSTGRES_SETTINGS: &str = "SET statement_timeout = 30000; \
     SELECT set_config(name, CASE name WHEN 'jit' THEN 'off' ELSE '0' END, false) FROM pg_settings \
     WHERE name IN ('jit', 'max_parallel_workers_per_gather');";

/// What a connection that writes to PostgreSQL is set to besides. An answered write survives a loss of power.
/// A lock is waited for as long as a large round takes to write, several times over. A transaction in which
/// its server says nothing for five seconds is ended by the database: a server that was paused or cut off
/// must not keep others from closing a round, and none of the store's own pauses is a hundredth as long.
const POSTGRES_WRITER_SETTINGS: &str = "SET synchronous_commit = on; SET lock_timeout = 5000; \
     SET idle_in_transaction_session_timeout = 5000;";

/// What a connection is set to that reads all of PostgreSQL: it may take long over a statement, and between two.
const POSTGRES_SNAPSHOT_SETTINGS: &str = "SET statement_timeout = 0; \
     SET idle_in_transaction_session_timeout = 0; SET default_transaction_read_only = on;";

/// What a connection that only reads PostgreSQL is set to besides.
const POSTGRES_READER_SETTINGS: &str = "SET default_transaction_read_only = on;";

/// A database this crate knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite, in a file.
    Sqlite,
    /// PostgreSQL, and what speaks its protocol.
    Postgres,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The one that makes the schema, once at the start. It may take its time.
    Schema,
    /// One that writes.
    Writer,
    /// One of those that only read.
    Reader,
    /// One that reads all there is, as it is at one moment. It may take its time.
    Snapshot,
}

/// How a row is locked until the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nobody may change the row; others may hold it so as well.
    Shared,
    /// Nobody else may hold it at all.
    Alone,
}

impl Dialect {
    /// Settings of a new connection.
    pub(crate) async fn set_up(self, role: Role, on: &mut AnyConnection) -> sqlx::Result<()> {
        match self {
            Self::Sqlite => {
                on.execute(SQLITE_SETTINGS).await?;
                if !matches!(role, Role::Reader | Role::Snapshot) {
                    let mode = on.fetch_one("PRAGMA journal_mode = WAL").await?;
                    if mode.try_get::<String, _>(0)? != "wal" {
                        let reason = "this file system cannot hold a write-ahead log";
                        return Err(sqlx::Error::Configuration(reason.into()));
                    }
                    on.execute(SQLITE_WRITER_SETTINGS).await?;
                }
            }
            Self::Postgres => match role {
                Role::Schema => {}
                Role::Snapshot => {
                    on.execute(POSTGRES_SNAPSHOT_SETTINGS).await?;
                }
                Role::Writer => {
                    on.execute(POSTGRES_SETTINGS).await?;
                    on.execute(POSTGRES_WRITER_SETTINGS).await?;
                }
                Role::Reader => {
                    on.execute(POSTGRES_SETTINGS).await?;
                    on.execute(POSTGRES_READER_SETTINGS).await?;
                }
            },
        }
        Ok(())
    }

    /// Starts a transaction that writes. In SQLite no other one runs beside it: a plain BEGIN takes the lock
    /// only at the first write, and then fails where it should have waited. In PostgreSQL each statement sees
    /// what was committed before it, so that what is read after a lock was waited for is what stands.
    pub(crate) const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        }
    }

    /// Starts a transaction that sees the database as it is at one moment.
    pub(crate) const fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// The names of all tables, in a column `name`.
    pub(crate) const fn tables(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                 ORDER BY name"
            }
            Self::Postgres => {
                "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables WHERE schemaname = current_schema() \
                 ORDER BY name"
            }
        }
    }

    /// The database's own clock in Unix milliseconds, as a whole number. The time of the moment, not the one
    /// at which the transaction began.
    pub(crate) const fn clock_ms(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT CAST(ROUND(unixepoch('subsec') * 1000) AS BIGINT) AS now_ms",
            Self::Postgres => {
                "SELECT CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT) AS now_ms"
            }
        }
    }

    /// A SELECT that holds the rows it finds until the transaction ends. In SQLite the transaction holds
    /// everything anyway. What is given is a constant, so nothing anybody sent can become SQL.
    pub(crate) fn holding(self, select: &'static str, hold: Hold) -> AssertSqlSafe<String> {
        let clause = match (self, hold) {
            (Self::Sqlite, Hold::Shared | Hold::Alone) => "",
            (Self::Postgres, Hold::Shared) => " FOR SHARE",
            (Self::Postgres, Hold::Alone) => " FOR UPDATE",
        };
        AssertSqlSafe(format!("{select}{clause}"))
    }

    /// How many transactions one server writes at a time. SQLite has one writer. In PostgreSQL a round is
    /// recorded beside the submissions, and a lease renewed beside both.
    pub(crate) const fn writers(self) -> u32 {
        match self {
            Self::Sqlite => 1,
            Self::Postgres => 3,
        }
    }

    /// The most rows written by one statement, a power of two. Finding the name of a parameter takes SQLite
    /// time in proportion to its place, so that longer ones are slower; PostgreSQL answers each statement over
    /// a network, so that fewer are faster. Times the most columns this stays far below the 32 766 parameters
    /// that SQLite allows, and the 65 535 of PostgreSQL's protocol.
    pub(crate) const fn longest_run(self) -> usize {
        match self {
            Self::Sqlite => 16,
            Self::Postgres => 128,
        }
    }
}

/// What kind of refusal the database's answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The statement breaks a constraint. Nothing is wrong with the database.
    Contradiction,
    /// Another transaction holds the lock.
    Locked,
    /// Transactions of several servers got into each other's way, and this one was undone.
    Undone,
    /// The file is damaged or no database.
    Damaged,
    /// Disk full, read-only, input/output.
    Other,
}

/// Sorts an answer of the database.
pub(crate) fn verdict(error: &(dyn DatabaseError + 'static)) -> Verdict {
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
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        return match error.code() {
            // serialization_failure, deadlock_detected.
            "40001" | "40P01" => Verdict::Undone,
            // lock_not_available, query_canceled, idle_in_transaction_session_timeout, too_many_connections.
            "55P03" | "57014" | "25P03" | "53300" => Verdict::Locked,
            // data_corrupted, index_corrupted.
            "XX001" | "XX002" => Verdict::Damaged,
            _ => Verdict::Other,
        };
    }
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    // The low byte of SQLite's extended codes is the plain one.
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => Verdict::Locked,
        Some(11 | 26) => Verdict::Damaged,
        _ => Verdict::Other,
    }
}

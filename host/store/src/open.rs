//! Opening a database: connections, settings, schema.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection};
use tokio::sync::{Mutex, mpsc};

use crate::clock::Clock;
use crate::dialect::{Dialect, Role};
use crate::error::StoreError;
use crate::lps::RegisteredLps;
use crate::place::Place;
use crate::restored::refuse_unfinished;
use crate::writer::{QUEUED_JOBS, WriteConnection, run_writer};
use crate::{Shared, Store};

/// Connections that read. A read takes well under a millisecond, so a few serve thousands a second.
const READERS: u32 = 4;

/// How long a call waits for a connection before it is told that the store is busy. Longer than a large
/// round takes to write, shorter than a bot waits for its answer.
const CONNECTION_WAIT: Duration = Duration::from_secs(10);

/// The longest round that can be configured, in seconds: a day.
const MAX_ROUND_SECONDS: u64 = 86_400;

static SCHEMA: Migrator = sqlx::migrate!();

/// The newest step of the schema that this program knows.
pub(crate) fn newest_schema() -> i64 {
    SCHEMA.iter().map(|step| step.version).max().unwrap_or(0)
}

/// Which database to open, and how.
#[derive(Clone)]
pub struct StoreOptions {
    /// `sqlite:` and the path of the file, which is made if it is missing; or the address of a PostgreSQL
    /// database, `postgres://user@host/database`. It can hold a password.
    pub url: String,
    /// The length of a round in seconds, 1 to 86 400.
    pub round_seconds: u64,
    /// Where the time comes from.
    pub clock: Clock,
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address can hold a password.
        out.debug_struct("StoreOptions")
            .field("round_seconds", &self.round_seconds)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database, makes or completes its schema, and starts the task that writes. Needs a running
    /// tokio runtime.
    pub async fn open(options: StoreOptions) -> Result<Self, StoreError> {
        Self::open_which(options, Restored::Finished).await
    }

    /// As [`Store::open`], for a database that is being restored: what is in it may be completed, and then noted by
    /// [`Store::note_restore`].
    pub async fn open_restored(options: StoreOptions) -> Result<Self, StoreError> {
        Self::open_which(options, Restored::Unfinished).await
    }

    async fn open_which(options: StoreOptions, restored: Restored) -> Result<Self, StoreError> {
        if !(1..=MAX_ROUND_SECONDS).contains(&options.round_seconds) {
            return Err(StoreError::invalid("round_seconds", "it is not within 1 to 86400"));
        }
        sqlx::any::install_default_drivers();
        let place = Place::parse(&options.url)?;
        place.prepare()?;
        let dialect = place.dialect();
        let mut schema = connection_for(&place, Role::Schema).await?;
        if restored == Restored::Finished && dialect == Dialect::Postgres {
            refuse_unfinished(&mut schema).await?;
        }
        SCHEMA.run(&mut schema).await?;
        schema.close().await?;
        let writer = connect(&place, Role::Writer, dialect.writers()).await?;
        let reader = connect(&place, Role::Reader, READERS).await?;

        let write = Arc::new(WriteConnection::new(writer, dialect, options.clock, options.round_seconds));
        let (jobs, queue) = mpsc::channel(QUEUED_JOBS);
        let task = tokio::spawn(run_writer(Arc::clone(&write), queue));
        Ok(Self {
            shared: Arc::new(Shared {
                write,
                reader,
                jobs,
                writer: Mutex::new(Some(task)),
                registered: RegisteredLps::default(),
            }),
        })
    }
}

/// Whether a database may be one whose restore is under way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Restored {
    Finished,
    Unfinished,
}

async fn connect(place: &Place, role: Role, connections: u32) -> Result<AnyPool, StoreError> {
    let address = quiet(place.options(role)?);
    let dialect = place.dialect();
    // The pool tries a connection that cannot be set up again and again, and then does not say why. So one
    // is made outside of it first.
    connection_for(place, role).await?.close().await?;
    let pool = AnyPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(CONNECTION_WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
        // A file is always there. A server may have been restarted, and its connections are dead then.
        .test_before_acquire(dialect == Dialect::Postgres)
        .after_connect(move |on, _| Box::pin(async move { dialect.set_up(role, on).await }))
        .connect_with(address)
        .await?;
    Ok(pool)
}

pub(crate) async fn connection_for(place: &Place, role: Role) -> Result<AnyConnection, StoreError> {
    let mut connection = AnyConnection::connect_with(&quiet(place.options(role)?)).await?;
    place.dialect().set_up(role, &mut connection).await?;
    Ok(connection)
}

/// Statements are not logged: they run too often, and a failing one is in the error.
fn quiet(address: AnyConnectOptions) -> AnyConnectOptions {
    #[cfg(feature = "testing")]
    if crate::testing::statements_are_told() {
        return address;
    }
    address.disable_statement_logging()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection;
    use sqlx::{Executor, Row};

    async fn setting(on: &AnyPool, pragma: &'static str) -> String {
        let row = connection(on).await.unwrap().fetch_one(pragma).await.unwrap();
        row.try_get::<String, _>(0).or_else(|_| row.try_get::<i64, _>(0).map(|set| set.to_string())).unwrap()
    }

    #[tokio::test]
    async fn every_commit_waits_for_the_disk_and_readers_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("pool.db").display());
        let place = Place::parse(&url).unwrap();
        let store =
            Store::open(StoreOptions { url, round_seconds: 60, clock: Clock::Database }).await.unwrap();
        let writer = connect(&place, Role::Writer, 1).await.unwrap();
        assert_eq!(setting(&writer, "PRAGMA journal_mode").await, "wal");
        assert_eq!(setting(&writer, "PRAGMA synchronous").await, "2");
        assert_eq!(setting(&writer, "PRAGMA foreign_keys").await, "1");

        let mut reader = connection(&store.shared.reader).await.unwrap();
        let refused = reader.execute("DELETE FROM users").await;
        assert!(refused.unwrap_err().to_string().contains("readonly"));
    }

    #[cfg(feature = "testing")]
    #[tokio::test]
    async fn postgres_waits_for_the_disk_and_neither_compiles_nor_shares_out_a_statement() {
        let Some(url) = crate::testing::postgres_database().await else { return };
        let place = Place::parse(&url).unwrap();
        for role in [Role::Writer, Role::Reader] {
            let on = connect(&place, role, 1).await.unwrap();
            assert_eq!(setting(&on, "SHOW jit").await, "off");
            assert_eq!(setting(&on, "SHOW max_parallel_workers_per_gather").await, "0");
            assert_eq!(setting(&on, "SHOW synchronous_commit").await, "on");
        }
    }
}

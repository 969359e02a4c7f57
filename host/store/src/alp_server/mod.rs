//! The database of an ALP-Server, as its operator hands it over. Reads it, and takes its payout role; knows no rule.
//!
//! Its schema has neither keys nor constraints, its numbers are binary floats, and its texts are whatever somebody sent.
//! So everything is read as text or checked for its range first, and what is too long stands for itself by a digest.

mod read;
mod state;
mod take;

use std::fmt;

use sqlx::{AnyConnection, ConnectOptions, Connection, Executor, Row};

use crate::dialect::{Dialect, Role};
use crate::error::StoreError;
use crate::place::Place;

pub use read::{OldCredit, OldReader, OldUser};
pub use state::{OldSession, OldState};
pub use take::{TAKEN_CONSTRAINT, Taken};

/// What a connection is set to. Floats are written with as many digits as tell them apart. A lock is waited for as long
/// as a payout that is being recorded takes if it is a small one; a large one is refused and tried again. Sorting a day of a
/// large pool (1.4 million credits) takes a few hundred megabytes, most of it on the database's disk.
const SETTINGS: &str = "SET extra_float_digits = 3; SET lock_timeout = 5000; SET synchronous_commit = on; \
     SET work_mem = '64MB';";

/// A column that is asked for, of each table that is needed.
const COLUMNS: [(&str, &[&str]); 4] = [
    ("users", &["id", "key", "address", "exchange", "unit"]),
    ("orders", &["id", "key", "order_id", "exchange", "unit", "credited"]),
    ("credits", &["id", "time", "key", "exchange", "unit", "order_id", "reward", "paid"]),
    ("info", &["key", "value"]),
];

/// Which credits are unpaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpaid {
    /// As ALP-Server marks them.
    Open,
    /// As an import that took its role marked them.
    Taken,
}

impl Unpaid {
    const fn mark(self) -> i64 {
        match self {
            Self::Open => 0,
            Self::Taken => 2,
        }
    }
}

/// What was unpaid and who was registered, as digests in which the order of rows plays no part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of the unpaid credits.
    pub credits: String,
    /// Of the registrations.
    pub users: String,
}

/// The database of an ALP-Server, over one connection.
pub struct AlpServerDatabase {
    on: AnyConnection,
}

impl AlpServerDatabase {
    /// Connects, and sees whether it is one.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if it is not; others as for the pool's own database.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let place = Place::parse(url)?;
        if place.dialect() != Dialect::Postgres {
            return Err(foreign("ALP-Server keeps it in PostgreSQL: `postgres://user@host/database`"));
        }
        let options = place.options(Role::Schema)?.disable_statement_logging();
        let mut on = AnyConnection::connect_with(&options).await?;
        on.execute(SETTINGS).await?;
        let mut database = Self { on };
        database.check_schema().await?;
        Ok(database)
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.on.close().await?)
    }

    async fn check_schema(&mut self) -> Result<(), StoreError> {
        let rows = sqlx::query(
            "SELECT CAST(table_name AS TEXT) AS of, CAST(column_name AS TEXT) AS named \
             FROM information_schema.columns WHERE table_schema = current_schema()",
        )
        .fetch_all(&mut self.on)
        .await?;
        let mut found = std::collections::BTreeSet::new();
        for row in &rows {
            found.insert((row.try_get::<String, _>("of")?, row.try_get::<String, _>("named")?));
        }
        let all =
            COLUMNS.iter().flat_map(|(table, columns)| columns.iter().map(move |column| (table, column)));
        for (table, column) in all {
            if !found.contains(&((*table).to_owned(), (*column).to_owned())) {
                return Err(foreign("it lacks tables or columns that ALP-Server makes at its start"));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for AlpServerDatabase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("AlpServerDatabase").finish_non_exhaustive()
    }
}

const fn foreign(reason: &'static str) -> StoreError {
    StoreError::invalid("the old server's database", reason)
}

/// The digests of what is unpaid and of who is registered.
async fn fingerprint(on: &mut AnyConnection, unpaid: Unpaid) -> Result<Fingerprint, StoreError> {
    // The sum of two halves of each row's digest: the same for the same rows, whatever their order and number.
    let credits = sqlx::query(
        "SELECT CAST(COUNT(*) AS TEXT) || '-' || \
         CAST(COALESCE(SUM(CAST(CAST(CAST('x' || substr(h, 1, 16) AS BIT(64)) AS BIGINT) AS NUMERIC)), 0) AS TEXT) \
         || '-' || \
         CAST(COALESCE(SUM(CAST(CAST(CAST('x' || substr(h, 17) AS BIT(64)) AS BIGINT) AS NUMERIC)), 0) AS TEXT) \
         AS digest FROM (SELECT md5(CAST(ROW(id, time, key, exchange, unit, order_id, reward) AS TEXT)) AS h \
         FROM credits WHERE paid = $1) AS hashed",
    )
    .bind(unpaid.mark())
    .fetch_one(&mut *on)
    .await?;
    let users = sqlx::query(
        "SELECT CAST(COUNT(*) AS TEXT) || '-' || \
         CAST(COALESCE(SUM(CAST(CAST(CAST('x' || substr(h, 1, 16) AS BIT(64)) AS BIGINT) AS NUMERIC)), 0) AS TEXT) \
         AS digest FROM (SELECT md5(CAST(ROW(id, key, address, exchange, unit) AS TEXT)) AS h FROM users) AS hashed",
    )
    .fetch_one(&mut *on)
    .await?;
    Ok(Fingerprint { credits: credits.try_get("digest")?, users: users.try_get("digest")? })
}

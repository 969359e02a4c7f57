//! A whole database as it is at one moment, read beside servers that go on writing: for backups and for audits.
//!
//! In SQLite it is one read transaction: writers go on, and their log grows until it ends. In PostgreSQL it is one
//! transaction of repeatable reads, which others can join by its exported name.

mod lines;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};

use crate::dialect::{Dialect, Role};
use crate::error::StoreError;
use crate::open::{connection_for, newest_schema};
use crate::place::Place;
use crate::records::{RecordHead, newest_head};
use crate::restored::quoted;
use crate::rows::count;

pub use lines::{AuditedPayout, CreditLine, Forgotten, MAX_LINES, PublishedEntry, RoundLine};

/// Most faults of a damaged file that are told.
const MAX_FAULTS: u32 = 20;

/// A database as it is at one moment.
pub struct Snapshot {
    on: AnyConnection,
    dialect: Dialect,
    schema: i64,
}

/// What a database holds at one moment, by its outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The newest step of its schema.
    pub schema: i64,
    /// How many rows each table has.
    pub rows: BTreeMap<String, u64>,
    /// The newest entry of the published record, if there is one.
    pub head: Option<RecordHead>,
    /// The start of the newest round in the record, in Unix seconds; zero if there is none.
    pub newest_round: u64,
    /// The moment, by the database's clock, in Unix milliseconds.
    pub at_ms: u64,
}

impl Snapshot {
    /// Begins to read. Nothing is written and no step of the schema is made.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] if the database is one of a newer version of this program.
    pub async fn begin(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let place = Place::parse(url)?;
        let dialect = place.dialect();
        let mut on = connection_for(&place, Role::Snapshot).await?;
        on.execute(dialect.begin_snapshot()).await?;
        // In SQLite the first statement that reads is what the moment is taken at.
        let row =
            sqlx::query("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) AS schema FROM _sqlx_migrations")
                .fetch_one(&mut on)
                .await?;
        let schema: i64 = row.try_get("schema")?;
        if schema > newest_schema() {
            return Err(StoreError::NewerSchema { version: schema });
        }
        Ok(Self { on, dialect, schema })
    }

    /// Refuses a database that this version of the program has not completed yet: what it reads may not be there.
    ///
    /// # Errors
    /// [`StoreError::OlderSchema`].
    pub fn needs_newest_schema(&self) -> Result<(), StoreError> {
        if self.schema < newest_schema() {
            return Err(StoreError::OlderSchema { version: self.schema });
        }
        Ok(())
    }

    /// The name by which another connection to the same PostgreSQL server sees the same moment; none for SQLite.
    pub async fn exported(&mut self) -> Result<Option<String>, StoreError> {
        if self.dialect == Dialect::Sqlite {
            return Ok(None);
        }
        let row = sqlx::query("SELECT pg_export_snapshot() AS name").fetch_one(&mut self.on).await?;
        Ok(Some(row.try_get("name")?))
    }

    /// The database's time, in Unix milliseconds.
    pub async fn now_ms(&mut self) -> Result<u64, StoreError> {
        let row = sqlx::query(self.dialect.clock_ms()).fetch_one(&mut self.on).await?;
        count(&row, "now_ms")
    }

    /// The outline of what is there. It counts every row.
    pub async fn contents(&mut self) -> Result<Contents, StoreError> {
        let mut rows = BTreeMap::new();
        for table in tables(&mut self.on, self.dialect).await? {
            let select = format!("SELECT COUNT(*) AS rows_in_it FROM {}", quoted(&table));
            let row = sqlx::query(AssertSqlSafe(select)).fetch_one(&mut self.on).await?;
            rows.insert(table, count(&row, "rows_in_it")?);
        }
        let head = newest_head(&mut self.on).await?;
        let row = sqlx::query("SELECT COALESCE(MAX(round_start), 0) AS newest_round FROM records")
            .fetch_one(&mut self.on)
            .await?;
        let newest_round = count(&row, "newest_round")?;
        let at_ms = self.now_ms().await?;
        Ok(Contents { schema: self.schema, rows, head, newest_round, at_ms })
    }

    /// What SQLite finds wrong with its file when it reads all of it, and rows that name others which are not there; a
    /// sentence each. PostgreSQL has tools of its own for that, and is not asked.
    pub async fn faults_of_the_file(&mut self) -> Result<Vec<String>, StoreError> {
        if self.dialect == Dialect::Postgres {
            return Ok(Vec::new());
        }
        let mut faults = Vec::new();
        let check = format!("PRAGMA integrity_check({MAX_FAULTS})");
        for row in self.on.fetch_all(AssertSqlSafe(check)).await? {
            let fault: String = row.try_get(0)?;
            if fault != "ok" {
                faults.push(fault);
            }
        }
        for row in self.on.fetch_all("PRAGMA foreign_key_check").await?.iter().take(MAX_FAULTS as usize) {
            let (from, to): (String, String) = (row.try_get(0)?, row.try_get(2)?);
            faults.push(format!("a row of {from} names one of {to} that is not there"));
        }
        Ok(faults)
    }

    /// Ends it.
    pub async fn end(self) -> Result<(), StoreError> {
        Ok(self.on.close().await?)
    }
}

/// Writes a SQLite database as it is at one moment into the empty file `to`, without holding up who writes. The copy is
/// not durable yet.
///
/// # Errors
/// [`StoreError`]; then what is in the file is of no use.
pub async fn copy_file(url: &str, to: &Path) -> Result<(), StoreError> {
    sqlx::any::install_default_drivers();
    let place = Place::parse(url)?;
    if place.dialect() != Dialect::Sqlite {
        return Err(StoreError::invalid("the database", "it is not a file"));
    }
    let not_text = || StoreError::Location {
        path: PathBuf::from(to),
        source: Arc::new(std::io::Error::other("its path is not UTF-8")),
    };
    let path = to.to_str().ok_or_else(not_text)?;
    let mut on = connection_for(&place, Role::Snapshot).await?;
    sqlx::query("VACUUM INTO $1").bind(path).execute(&mut on).await?;
    Ok(on.close().await?)
}

/// Where a database of this address is kept, if it is a file.
///
/// # Errors
/// [`StoreError::Address`] says what is wrong with the address.
pub fn file_of(url: &str) -> Result<Option<PathBuf>, StoreError> {
    Ok(match Place::parse(url)? {
        Place::File(path) => Some(path),
        Place::Server(_) => None,
    })
}

/// The tables of a database, by name.
pub(crate) async fn tables(on: &mut AnyConnection, dialect: Dialect) -> Result<Vec<String>, StoreError> {
    let rows = on.fetch_all(dialect.tables()).await?;
    rows.iter().map(|row| Ok(row.try_get("name")?)).collect()
}

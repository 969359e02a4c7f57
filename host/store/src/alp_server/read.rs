//! Reading registrations and credits, row after row, in one view of the database.

use futures_util::StreamExt;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Row};

use super::{AlpServerDatabase, Fingerprint, Unpaid, fingerprint};
use crate::error::StoreError;

/// A registration. Missing texts are empty.
#[derive(Clone, PartialEq, Eq)]
pub struct OldUser {
    /// The API key, or a digest of one that is longer than is kept.
    pub key: String,
    /// Whether it is longer than is kept.
    pub too_long: bool,
    /// The payout address.
    pub address: String,
    /// The exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
}

/// A credit. Missing texts are empty.
#[derive(Clone, PartialEq, Eq)]
pub struct OldCredit {
    /// The API key, or a digest of one that is longer than is kept.
    pub key: String,
    /// The exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
    /// The exchange's id of the order, if the order is still there.
    pub order: Option<String>,
    /// The submitted order that was credited.
    pub order_row: Option<i64>,
    /// When, in Unix seconds; 0 if that is no time.
    pub at_s: i64,
    /// The reward as a decimal of as many digits as the float needs; empty if it is missing.
    pub reward: String,
    /// Whether it is marked as paid.
    pub paid: bool,
}

/// Who takes the rows.
pub trait OldReader {
    /// Takes a registration. False ends the reading.
    fn user(&mut self, user: &OldUser) -> bool;
    /// Takes a credit: the unpaid ones, and those paid ones of the same submissions; by key, exchange, unit, order,
    /// submission and time. False ends the reading.
    fn credit(&mut self, credit: &OldCredit) -> bool;
}

/// A text of at most 256 bytes, or a digest that stands for it.
macro_rules! kept {
    ($column:literal) => {
        concat!(
            "COALESCE(CASE WHEN octet_length(",
            $column,
            ") > 256 THEN 'longer than 256 bytes, md5 ' || md5(",
            $column,
            ") ELSE ",
            $column,
            " END, '')"
        )
    };
}

const USERS: &str = concat!(
    "SELECT ",
    kept!("key"),
    " AS key, CAST(COALESCE(octet_length(key), 0) > 256 AS INTEGER) AS too_long, ",
    "COALESCE(left(address, 257), '') AS address, COALESCE(left(exchange, 257), '') AS exchange, ",
    "COALESCE(left(unit, 257), '') AS unit FROM users",
);

/// The order of a credit is looked up by its row's id, of which nothing says that it is there once: so one of each id is
/// taken. A paid credit matters if the same submission has an unpaid one.
const CREDITS: &str = concat!(
    "SELECT t.* FROM (SELECT ",
    kept!("c.key"),
    " AS key, COALESCE(left(c.exchange, 257), '') AS exchange, COALESCE(left(c.unit, 257), '') AS unit, ",
    "o.order_id, CASE WHEN c.order_id BETWEEN 0 AND 9e15 THEN CAST(c.order_id AS BIGINT) END AS order_row, ",
    "CASE WHEN c.time BETWEEN 0 AND 9e11 THEN CAST(FLOOR(c.time) AS BIGINT) ELSE 0 END AS at_s, ",
    "COALESCE(CAST(c.reward AS TEXT), '') AS reward, CAST(c.paid <> $1 AS INTEGER) AS paid, ",
    "CAST(COALESCE(c.id, 0) AS BIGINT) AS credit_id FROM credits c LEFT JOIN (SELECT id, ",
    "MIN(NULLIF(CASE WHEN octet_length(order_id) > 256 THEN md5(order_id) ELSE order_id END, '')) AS order_id ",
    "FROM orders GROUP BY id) o ON CAST(o.id AS FLOAT8) = c.order_id LEFT JOIN (SELECT DISTINCT order_id FROM credits ",
    "WHERE paid = $1) u ON u.order_id = c.order_id WHERE c.paid = $1 OR (c.paid = 1 AND u.order_id IS NOT NULL)) t ",
    "ORDER BY t.key COLLATE \"C\", t.exchange COLLATE \"C\", t.unit COLLATE \"C\", ",
    "t.order_id COLLATE \"C\" NULLS FIRST, t.order_row NULLS FIRST, t.at_s, t.credit_id",
);

impl AlpServerDatabase {
    /// Hands all rows to `reader`, in one view of the database that nobody changes meanwhile, however long it takes. Rows
    /// are taken as they arrive; the sorting is the database's. What was read is told as digests; `None` if the reader
    /// ended it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(
        &mut self,
        unpaid: Unpaid,
        reader: &mut (dyn OldReader + Send),
    ) -> Result<Option<Fingerprint>, StoreError> {
        let mut view = self.on.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let read = read_in(&mut view, unpaid, reader).await?;
        let fingerprint = if read { Some(fingerprint(&mut view, unpaid).await?) } else { None };
        view.rollback().await?;
        Ok(fingerprint)
    }
}

async fn read_in(
    on: &mut AnyConnection,
    unpaid: Unpaid,
    reader: &mut (dyn OldReader + Send),
) -> Result<bool, StoreError> {
    {
        let mut rows = sqlx::query(USERS).fetch(&mut *on);
        while let Some(row) = rows.next().await {
            if !reader.user(&old_user(&row?)?) {
                return Ok(false);
            }
        }
    }
    let mut rows = sqlx::query(CREDITS).bind(unpaid.mark()).fetch(&mut *on);
    while let Some(row) = rows.next().await {
        if !reader.credit(&old_credit(&row?)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn old_user(row: &AnyRow) -> Result<OldUser, StoreError> {
    Ok(OldUser {
        key: row.try_get("key")?,
        too_long: row.try_get::<i32, _>("too_long")? != 0,
        address: row.try_get("address")?,
        exchange: row.try_get("exchange")?,
        unit: row.try_get("unit")?,
    })
}

fn old_credit(row: &AnyRow) -> Result<OldCredit, StoreError> {
    Ok(OldCredit {
        key: row.try_get("key")?,
        exchange: row.try_get("exchange")?,
        unit: row.try_get("unit")?,
        order: row.try_get("order_id")?,
        order_row: row.try_get("order_row")?,
        at_s: row.try_get("at_s")?,
        reward: row.try_get("reward")?,
        paid: row.try_get::<i32, _>("paid")? != 0,
    })
}

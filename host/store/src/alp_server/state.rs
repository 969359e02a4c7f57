//! Whether the old server runs, how far it is, and what it left lying.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::take::{MARKER, MARKER_CREDITS};
use super::{AlpServerDatabase, Unpaid};
use crate::error::StoreError;
use crate::rows::count;

/// Somebody else who is connected to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldSession {
    /// The database's user.
    pub user: String,
    /// What the program calls itself.
    pub application: String,
    /// From where; empty for a socket.
    pub address: String,
}

/// How the old server is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OldState {
    /// The database's clock, in Unix seconds.
    pub now_s: i64,
    /// Who else is connected to this database.
    pub sessions: Vec<OldSession>,
    /// When it ran its last round, in Unix seconds, if that is readable. It notes one each minute, also without orders.
    pub last_credit_time_s: Option<i64>,
    /// The id of the import that took its payout role, if one did.
    pub taken_by: Option<String>,
    /// The digest of the credits that were unpaid then.
    pub taken_credits: Option<String>,
    /// The time of the newest credit that is marked as paid, in Unix seconds.
    pub paid_until_s: Option<i64>,
    /// How many orders were submitted and never credited.
    pub uncredited_orders: u64,
    /// How many orders were left out of their round as doubles of another LP's, or of one on another market (PB-11).
    pub left_out_orders: u64,
    /// How many credits are marked neither as paid nor as unpaid.
    pub odd_marks: u64,
    /// How many rounds the unpaid credits are of.
    pub rounds: u64,
    /// How many of these came less than half a minute after the one before, and were paid a whole minute each (PB-09).
    pub close_rounds: u64,
}

impl AlpServerDatabase {
    /// How the old server is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn state(&mut self) -> Result<OldState, StoreError> {
        let on = &mut self.on;
        // Of another user's session some columns are not shown to a user who is not the database's owner.
        let rows = sqlx::query(
            "SELECT CAST(COALESCE(usename, '') AS TEXT) AS who, COALESCE(application_name, '') AS application, \
             COALESCE(CAST(client_addr AS TEXT), '') AS address FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND (backend_type = 'client backend' \
              OR (backend_type IS NULL AND usename IS NOT NULL)) ORDER BY pid LIMIT 1000",
        )
        .fetch_all(&mut *on)
        .await?;
        let sessions = rows.iter().map(session).collect::<Result<_, _>>()?;
        let taken_by = noted(on, MARKER).await?;
        let unpaid = if taken_by.is_some() { Unpaid::Taken } else { Unpaid::Open };
        let last_credit_time = noted(on, "last_credit_time").await?;
        let taken_credits = noted(on, MARKER_CREDITS).await?;
        let row = sqlx::query(
            "SELECT CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp())) AS BIGINT) AS now_s, \
             (SELECT CAST(FLOOR(MAX(time)) AS BIGINT) FROM credits WHERE paid = 1 AND time BETWEEN 0 AND 9e11) \
              AS paid_until_s, \
             (SELECT COUNT(*) FROM orders WHERE credited = 0) AS uncredited, \
             (SELECT COUNT(*) FROM credits WHERE paid IS NULL OR paid NOT IN (0, 1, 2)) AS odd, \
             (SELECT COUNT(*) FROM orders o WHERE o.credited = -1 AND NOT EXISTS (SELECT 1 FROM orders p \
              WHERE p.credited = 1 AND p.key = o.key AND p.exchange = o.exchange AND p.unit = o.unit \
              AND p.order_id = o.order_id)) AS left_out",
        )
        .fetch_one(&mut *on)
        .await?;
        let rounds = sqlx::query(
            "SELECT COUNT(*) AS rounds, COUNT(CASE WHEN at - before < 30 THEN 1 END) AS close FROM \
             (SELECT time AS at, LAG(time) OVER (ORDER BY time) AS before FROM \
              (SELECT DISTINCT time FROM credits WHERE paid = $1 AND time BETWEEN 0 AND 9e11) t) w",
        )
        .bind(unpaid.mark())
        .fetch_one(&mut *on)
        .await?;
        Ok(OldState {
            now_s: row.try_get("now_s")?,
            sessions,
            last_credit_time_s: last_credit_time.and_then(|text| whole_seconds(&text)),
            taken_by,
            taken_credits,
            paid_until_s: row.try_get("paid_until_s")?,
            uncredited_orders: count(&row, "uncredited")?,
            left_out_orders: count(&row, "left_out")?,
            odd_marks: count(&row, "odd")?,
            rounds: count(&rounds, "rounds")?,
            close_rounds: count(&rounds, "close")?,
        })
    }
}

fn session(row: &AnyRow) -> Result<OldSession, StoreError> {
    Ok(OldSession {
        user: row.try_get("who")?,
        application: row.try_get("application")?,
        address: row.try_get("address")?,
    })
}

/// What stands under a name in the table `info`. It may stand there several times; the largest counts.
pub(super) async fn noted(on: &mut AnyConnection, key: &str) -> Result<Option<String>, StoreError> {
    let row =
        sqlx::query("SELECT MAX(value) AS value FROM info WHERE key = $1").bind(key).fetch_one(on).await?;
    Ok(row.try_get("value")?)
}

/// Seconds as they were written there, with or without a fraction.
fn whole_seconds(text: &str) -> Option<i64> {
    text.split('.').next()?.trim().parse().ok()
}

//! The edge of a round: whatever the number of servers, a sample is in a round before that is closed, or in the
//! next one.
//!
//! Both sides meet at the round's row in `uncredited_rounds`. Who writes samples holds it together with other
//! writers; who closes the round holds it alone, so it waits for every writer that came first, and every writer
//! that comes later finds the round closed.

use sqlx::AnyConnection;

use crate::dialect::{Dialect, Hold};
use crate::error::StoreError;
use crate::rows::{count, signed};

/// A round that cannot be closed while the transaction lasts that asked for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenRound(u64);

impl OpenRound {
    /// Its start, in Unix seconds.
    pub(crate) const fn round_start(self) -> u64 {
        self.0
    }
}

/// A round that nobody can write into while the transaction lasts that asked for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldRound {
    /// The length it began with, in seconds.
    pub(crate) round_seconds: u64,
    /// Whether its row was made for this: it has no samples.
    made: bool,
}

/// Holds the round that takes samples now open: the one the time falls into, or the next if that one is closed,
/// as it can be when the clock was set back a little, or when it was closed a moment ago.
pub(crate) async fn hold_open(
    on: &mut AnyConnection,
    dialect: Dialect,
    now_ms: u64,
    round_seconds: u64,
) -> Result<OpenRound, StoreError> {
    let now_s = now_ms / 1000;
    let current = now_s - now_s % round_seconds;
    for round_start in [current, current.saturating_add(round_seconds)] {
        let start = signed("the time", round_start)?;
        if is_closed(on, start).await? {
            continue;
        }
        let made = if hold(on, dialect, start, Hold::Shared).await?.is_some() {
            false
        } else {
            let made = make_row(on, start, round_seconds).await?;
            if hold(on, dialect, start, Hold::Shared).await?.is_none() {
                // It was closed and recorded in between.
                continue;
            }
            made
        };
        // Asked again: whoever closed it had to let go of the row first, and that is visible now.
        if !is_closed(on, start).await? {
            return Ok(OpenRound(round_start));
        }
        if made {
            drop_row(on, start).await?;
        }
    }
    Err(StoreError::ClockBehind { round_start: current })
}

/// Waits for everybody who writes into a round, and keeps others out. A round without samples has the length
/// `round_seconds`. `None` if it was recorded while this waited.
pub(crate) async fn hold_alone(
    on: &mut AnyConnection,
    dialect: Dialect,
    start: i64,
    round_seconds: u64,
) -> Result<Option<HeldRound>, StoreError> {
    let made = make_row(on, start, round_seconds).await?;
    let held = hold(on, dialect, start, Hold::Alone).await?;
    Ok(held.map(|round_seconds| HeldRound { round_seconds, made }))
}

impl HeldRound {
    /// Removes the row of a round without samples: there is nothing to credit.
    pub(crate) async fn leave(self, on: &mut AnyConnection, start: i64) -> Result<(), StoreError> {
        if self.made { drop_row(on, start).await } else { Ok(()) }
    }
}

async fn is_closed(on: &mut AnyConnection, start: i64) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT round_start FROM rounds WHERE round_start = $1").bind(start);
    Ok(row.fetch_optional(on).await?.is_some())
}

/// Makes a round's row. False if there is one. Waits for another transaction that is just making it.
async fn make_row(on: &mut AnyConnection, start: i64, round_seconds: u64) -> Result<bool, StoreError> {
    let made = sqlx::query(
        "INSERT INTO uncredited_rounds (round_start, round_seconds) VALUES ($1, $2) \
         ON CONFLICT (round_start) DO NOTHING",
    )
    .bind(start)
    .bind(signed("round_seconds", round_seconds)?)
    .execute(on)
    .await?;
    Ok(made.rows_affected() == 1)
}

async fn drop_row(on: &mut AnyConnection, start: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM uncredited_rounds WHERE round_start = $1").bind(start).execute(on).await?;
    Ok(())
}

/// Holds a round's row, and tells the length of the round.
async fn hold(
    on: &mut AnyConnection,
    dialect: Dialect,
    start: i64,
    hold: Hold,
) -> Result<Option<u64>, StoreError> {
    let select = dialect.holding("SELECT round_seconds FROM uncredited_rounds WHERE round_start = $1", hold);
    let row = sqlx::query(select).bind(start).fetch_optional(on).await?;
    row.map(|row| count(&row, "round_seconds")).transpose()
}

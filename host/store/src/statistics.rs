//! What the endpoints show. Each is a few looks into indexes, however long the history is.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::credits::{UserCredit, newest_of_user};
use crate::error::StoreError;
use crate::rows::{count, is_storable, signed, unsigned};
use crate::{Store, connection};

/// The most samples of a user told at once: as many as there are orders on the page they are for.
pub const MAX_USER_SAMPLES: u64 = 100;

/// The most rounds in a user's history.
pub const HISTORY_ROUNDS: u64 = 50;

/// The state of the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolStatus {
    /// The newest credited round, if there is any.
    pub last_credit: Option<LastCredit>,
    /// How many (exchange, user, unit) are registered.
    pub number_of_users: u64,
}

/// A credited round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCredit {
    /// Its start, in Unix seconds.
    pub round_start: u64,
    /// When it was credited, in Unix milliseconds.
    pub credited_at_ms: u64,
    /// The pots of all markets together, in 1e-8 of the coin.
    pub reward_e8: i64,
    /// What was credited of them, in 1e-8 of the coin.
    pub paid_e8: i64,
    /// The statistics it was recorded with.
    pub statistics: String,
}

/// A sample of a user, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSample {
    /// Start of its round, in Unix seconds.
    pub round_start: u64,
    /// The exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
    /// When it was written, in Unix milliseconds.
    pub submitted_at_ms: u64,
    /// The terms it was judged under.
    pub terms_id: String,
    /// The price it was judged by.
    pub price: String,
    /// The judged orders.
    pub orders: String,
    /// How many there are.
    pub order_count: u64,
    /// Its round, if that is credited.
    pub round: Option<CreditedRound>,
    /// What it earned, if its round is credited and has an entry for it.
    pub credit: Option<Credit>,
}

/// What is told of a credited round beside a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditedRound {
    /// When it was credited, in Unix milliseconds.
    pub credited_at_ms: u64,
    /// The statistics it was recorded with.
    pub statistics: String,
}

/// An entry of the ledger, as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// The liquidity provided: a decimal.
    pub provided: String,
    /// The reward in 1e-8 of the coin.
    pub amount_e8: i64,
    /// How it came about; `None` where that is no longer kept.
    pub detail: Option<String>,
}

/// What a user earned, over all exchanges and units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserStats {
    /// The sum of all credits, in 1e-8 of the coin.
    pub total_e8: i64,
    /// The credits of the pool's newest credited round, in 1e-8 of the coin.
    pub current_e8: i64,
    /// The newest rounds with credits of this user, newest first, at most [`HISTORY_ROUNDS`].
    pub history: Vec<UserRound>,
}

/// What a user earned in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRound {
    /// Its start, in Unix seconds.
    pub round_start: u64,
    /// Its length in seconds.
    pub round_seconds: u64,
    /// The liquidity provided, one decimal for each exchange and unit: the caller adds them, since the
    /// store knows no decimals.
    pub provided: Vec<String>,
    /// The reward over all exchanges and units, in 1e-8 of the coin.
    pub amount_e8: i64,
}

impl Store {
    /// The newest credited round and the number of registrations: the newest entry of one index each.
    pub async fn pool_status(&self) -> Result<PoolStatus, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query(
            "SELECT round_start, credited_at_ms, reward_e8, paid_e8, statistics FROM rounds \
             WHERE state = 'credited' ORDER BY round_start DESC LIMIT 1",
        )
        .fetch_optional(&mut *reader)
        .await?;
        let last_credit = row.as_ref().map(last_credit).transpose()?;
        // Registrations are numbered without holes and never deleted.
        let row = sqlx::query("SELECT COALESCE(MAX(registration_no), 0) AS newest FROM lp_units")
            .fetch_one(&mut *reader)
            .await?;
        Ok(PoolStatus { last_credit, number_of_users: count(&row, "newest")? })
    }

    /// The newest samples of an API key over all exchanges and units, of each round that of the last slice, newest
    /// first: as many as together have `max_orders` orders, at most [`MAX_USER_SAMPLES`]. `None` if the key is not
    /// registered.
    pub async fn orders_of(
        &self,
        user: &str,
        max_orders: u64,
    ) -> Result<Option<Vec<UserSample>>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let Some(user_id) = find_user(&mut reader, user).await? else { return Ok(None) };
        let needed = samples_needed(&mut reader, user_id, max_orders).await?;
        let rows = sqlx::query(
            "SELECT s.round_start, l.exchange, s.unit, s.submitted_at_ms, s.terms_id, s.price, s.orders, \
             s.order_count, r.state, r.credited_at_ms, r.statistics, c.provided, c.amount_e8, d.detail FROM samples s \
             JOIN lps l ON l.lp_id = s.lp_id \
             LEFT JOIN rounds r ON r.round_start = s.round_start \
             LEFT JOIN credits c ON c.lp_id = s.lp_id AND c.unit = s.unit AND c.round_start = s.round_start \
             LEFT JOIN credit_details d \
             ON d.round_start = s.round_start AND d.lp_id = s.lp_id AND d.unit = s.unit \
             WHERE s.user_id = $1 AND s.slice = (SELECT MAX(o.slice) FROM samples o \
             WHERE o.round_start = s.round_start AND o.lp_id = s.lp_id AND o.unit = s.unit) \
             ORDER BY s.round_start DESC, s.lp_id DESC, s.unit DESC LIMIT $2",
        )
        .bind(user_id)
        .bind(signed("the number of samples", needed)?)
        .fetch_all(&mut *reader)
        .await?;
        Ok(Some(rows.iter().map(user_sample).collect::<Result<_, _>>()?))
    }

    /// What an API key earned over all exchanges and units. `None` if it is not registered.
    pub async fn stats_of(&self, user: &str) -> Result<Option<UserStats>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let Some(user_id) = find_user(&mut reader, user).await? else { return Ok(None) };
        let (total_e8, credits) = newest_of_user(&mut reader, user_id, HISTORY_ROUNDS).await?;
        let mut history: Vec<UserRound> = Vec::new();
        for UserCredit { round_start, round_seconds, provided, amount_e8 } in credits {
            let (round_start, round_seconds) = (unsigned(round_start)?, unsigned(round_seconds)?);
            match history.last_mut() {
                Some(round) if round.round_start == round_start => {
                    round.provided.push(provided);
                    round.amount_e8 = round
                        .amount_e8
                        .checked_add(amount_e8)
                        .ok_or(StoreError::corrupt("the credits of a round are beyond 63 bits"))?;
                }
                _ => history.push(UserRound {
                    round_start,
                    round_seconds,
                    provided: vec![provided],
                    amount_e8,
                }),
            }
        }
        let row = sqlx::query(
            "SELECT round_start FROM rounds WHERE state = 'credited' ORDER BY round_start DESC LIMIT 1",
        )
        .fetch_optional(&mut *reader)
        .await?;
        let newest = row.map(|row| count(&row, "round_start")).transpose()?;
        let current = history.first().filter(|round| Some(round.round_start) == newest);
        let current_e8 = current.map_or(0, |round| round.amount_e8);
        Ok(Some(UserStats { total_e8, current_e8, history }))
    }
}

pub(crate) async fn find_user(on: &mut AnyConnection, user: &str) -> Result<Option<i64>, StoreError> {
    if !is_storable(user) {
        return Ok(None);
    }
    let row =
        sqlx::query("SELECT user_id FROM users WHERE api_key = $1").bind(user).fetch_optional(on).await?;
    Ok(row.map(|row| row.try_get("user_id")).transpose()?)
}

/// How many of the newest samples have `max_orders` orders together. Reads the counts only: a list of orders
/// can be long, and mostly the first few samples are enough.
async fn samples_needed(on: &mut AnyConnection, user_id: i64, max_orders: u64) -> Result<u64, StoreError> {
    let rows = sqlx::query(
        "SELECT s.order_count FROM samples s WHERE s.user_id = $1 AND s.slice = (SELECT MAX(o.slice) \
         FROM samples o WHERE o.round_start = s.round_start AND o.lp_id = s.lp_id AND o.unit = s.unit) \
         ORDER BY s.round_start DESC, s.lp_id DESC, s.unit DESC LIMIT $2",
    )
    .bind(user_id)
    .bind(signed("the number of samples", MAX_USER_SAMPLES)?)
    .fetch_all(on)
    .await?;
    let (mut needed, mut orders) = (0_u64, 0_u64);
    for row in &rows {
        if orders >= max_orders {
            break;
        }
        needed += 1;
        orders = orders.saturating_add(count(row, "order_count")?);
    }
    Ok(needed)
}

fn last_credit(row: &AnyRow) -> Result<LastCredit, StoreError> {
    Ok(LastCredit {
        round_start: count(row, "round_start")?,
        credited_at_ms: count(row, "credited_at_ms")?,
        reward_e8: row.try_get("reward_e8")?,
        paid_e8: row.try_get("paid_e8")?,
        statistics: row.try_get("statistics")?,
    })
}

fn user_sample(row: &AnyRow) -> Result<UserSample, StoreError> {
    let credit = match row.try_get::<Option<i64>, _>("amount_e8")? {
        Some(amount_e8) => {
            Some(Credit { provided: row.try_get("provided")?, amount_e8, detail: row.try_get("detail")? })
        }
        None => None,
    };
    let round = match row.try_get::<Option<String>, _>("state")?.as_deref() {
        Some("credited") => Some(CreditedRound {
            credited_at_ms: count(row, "credited_at_ms")?,
            statistics: row.try_get("statistics")?,
        }),
        Some(_) | None => None,
    };
    Ok(UserSample {
        round_start: count(row, "round_start")?,
        exchange: row.try_get("exchange")?,
        unit: row.try_get("unit")?,
        submitted_at_ms: count(row, "submitted_at_ms")?,
        terms_id: row.try_get("terms_id")?,
        price: row.try_get("price")?,
        orders: row.try_get("orders")?,
        order_count: count(row, "order_count")?,
        round,
        credit,
    })
}

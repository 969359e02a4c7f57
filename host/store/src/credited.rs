//! The credited rounds of one LP and unit, newest first, each with what it showed last and what came of it.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::rows::{count, is_storable, signed};
use crate::{Store, connection};

/// The most rounds told at once: each can have a long list of orders.
pub const MAX_CREDITED_PAGE: u32 = 120;

/// The most pages that are counted past: some weeks of rounds of a minute.
pub const MAX_CREDITED_PAGES: u32 = 500;

/// A credited round of an LP and unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditedSample {
    /// Its start, in Unix seconds.
    pub round_start: u64,
    /// What it earned in it, in 1e-8 of the coin.
    pub amount_e8: i64,
    /// What the LP was credited in all by then, over all of its units, in 1e-8 of the coin.
    pub balance_e8: i64,
    /// In how many slices of it there was a sample; none where samples of then are not kept any more.
    pub slices: u64,
    /// The judged orders of the last of them: the caller's own JSON.
    pub orders: Option<String>,
    /// How the credit came about; `None` where that is no longer kept.
    pub detail: Option<String>,
}

impl Store {
    /// A page of the credited rounds of an LP and unit, newest first. Pages are counted from 0 and have `rounds` rounds,
    /// at most [`MAX_CREDITED_PAGE`]; beyond [`MAX_CREDITED_PAGES`] they are empty.
    pub async fn credited_rounds(
        &self,
        lp_id: i64,
        unit: &str,
        page: u32,
        rounds: u32,
    ) -> Result<Vec<CreditedSample>, StoreError> {
        if !is_storable(unit) || page >= MAX_CREDITED_PAGES {
            return Ok(Vec::new());
        }
        let rounds = u64::from(rounds.min(MAX_CREDITED_PAGE));
        let skipped = u64::from(page).saturating_mul(rounds);
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT c.round_start, c.amount_e8, c.balance_e8, d.detail, \
             (SELECT COUNT(*) FROM samples n WHERE n.round_start = c.round_start \
             AND n.lp_id = c.lp_id AND n.unit = c.unit) AS slices, \
             (SELECT s.orders FROM samples s WHERE s.round_start = c.round_start \
             AND s.lp_id = c.lp_id AND s.unit = c.unit ORDER BY s.slice DESC LIMIT 1) AS orders \
             FROM credits c LEFT JOIN credit_details d \
             ON d.round_start = c.round_start AND d.lp_id = c.lp_id AND d.unit = c.unit \
             WHERE c.lp_id = $1 AND c.unit = $2 ORDER BY c.round_start DESC LIMIT $3 OFFSET $4",
        )
        .bind(lp_id)
        .bind(unit)
        .bind(signed("the number of rounds", rounds)?)
        .bind(signed("the number of rounds", skipped)?)
        .fetch_all(&mut *reader)
        .await?;
        rows.iter().map(credited_sample).collect()
    }
}

fn credited_sample(row: &AnyRow) -> Result<CreditedSample, StoreError> {
    Ok(CreditedSample {
        round_start: count(row, "round_start")?,
        amount_e8: row.try_get("amount_e8")?,
        balance_e8: row.try_get("balance_e8")?,
        slices: count(row, "slices")?,
        orders: row.try_get("orders")?,
        detail: row.try_get("detail")?,
    })
}

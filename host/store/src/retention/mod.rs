//! Forgetting what is old: lists of orders, credits, entries of the published record. Knows no ages: its callers say
//! before which round, or below which number.
//!
//! Each call is one transaction of a bounded number of rows, under the lease of the server that leads, and leaves
//! everything exact that can still be asked: whatever is deleted is in the same transaction, or already, part of a sum
//! that stands for it. Whoever is killed between two calls goes on with the next. What a round came to, and its
//! statistics, are never forgotten.

mod credits;
mod orders;
mod records;

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::error::StoreError;
use crate::rows::signed;

pub use credits::{CarriedCredits, MAX_CREDITS_CARRIED};
pub use orders::MAX_ORDERS_FORGOTTEN;
pub use records::MAX_RECORDS_FORGOTTEN;

/// What one call forgot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgot {
    /// How many rows.
    pub rows: u64,
    /// Whether there may be more of the same age.
    pub more: bool,
}

/// A statement that ends in a number of rows and a bracket. The two parts are a constant and a number.
fn at_most(statement: &'static str, rows: u32) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("{statement} {rows})"))
}

/// Notes that everything below a number is forgotten. It only rises.
async fn note_forgotten(on: &mut AnyConnection, what: &'static str, below: u64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO forgotten (what, below) VALUES ($1, $2) \
         ON CONFLICT (what) DO UPDATE SET below = excluded.below WHERE forgotten.below < excluded.below",
    )
    .bind(what)
    .bind(signed("the number", below)?)
    .execute(on)
    .await?;
    Ok(())
}

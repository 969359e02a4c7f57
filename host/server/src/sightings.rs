//! Since when an order has been seen without a break, for markets in which orders mature.
//! It knows neither rules nor money.

use alp_pool::round::RoundLength;
use alp_record::carry_on;
use alp_record::judged::{OrderRecord, RecordError, from_json};
use alp_store::Store;
use thiserror::Error;

/// Notes in each order since when the LP has shown it. What counts as without a break is that the LP showed it in its
/// sample before, and that that one was taken in this round or the one before.
///
/// # Errors
/// [`SightingsError`]; then nothing is noted.
pub(crate) async fn note_first_sightings(
    store: &Store,
    (lp_id, unit): (i64, &str),
    length: RoundLength,
    now_ms: u64,
    orders: &mut [OrderRecord],
) -> Result<(), SightingsError> {
    let this_round = length.start_of(now_ms / 1_000);
    let round_before = this_round.saturating_sub(u64::from(length.seconds()));
    let newest = store.newest_orders(lp_id, unit, [this_round, round_before]).await?;
    let (before_ms, before): (u64, Vec<OrderRecord>) = match &newest {
        Some(newest) => (newest.submitted_at_ms, from_json(&newest.orders, "a sample")?),
        None => (now_ms, Vec::new()),
    };
    carry_on(&before, before_ms, now_ms, orders);
    Ok(())
}

/// Why the sample before is not known. The operator's.
#[derive(Debug, Error)]
pub(crate) enum SightingsError {
    /// The database.
    #[error(transparent)]
    Store(#[from] alp_store::StoreError),
    /// What it holds cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

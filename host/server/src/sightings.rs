//! Since when an order has been seen without a break, for markets in which orders mature.
//! It knows neither rules nor money.

use alp_pool::round::RoundLength;
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

/// An order that stood in the sample before, with the same id, side and price, has been seen since it was first seen
/// then; any other since now.
fn carry_on(before: &[OrderRecord], before_ms: u64, now_ms: u64, orders: &mut [OrderRecord]) {
    for order in orders {
        let same = |other: &&OrderRecord| {
            (&other.id, &other.side, &other.price) == (&order.id, &order.side, &order.price)
        };
        let since = before.iter().find(same).map(|known| known.first_seen_ms.unwrap_or(before_ms));
        order.first_seen_ms = Some(since.unwrap_or(now_ms));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: &str, price: &str, first_seen_ms: Option<u64>) -> OrderRecord {
        let text = format!(
            r#"{{"id":"{id}","side":"ask","price":"{price}","amount":"1","rank":1,"deviation":"0","tolerance":"1"}}"#
        );
        OrderRecord { first_seen_ms, ..serde_json::from_str(&text).unwrap() }
    }

    #[test]
    fn an_order_is_as_old_as_its_unbroken_row_of_sightings() {
        let before = [order("a", "1", Some(10)), order("b", "1", None), order("c", "1", Some(10))];
        let mut now =
            [order("a", "1", None), order("b", "1", None), order("c", "2", None), order("d", "1", None)];
        carry_on(&before, 70, 130, &mut now);
        let since: Vec<_> = now.iter().map(|order| order.first_seen_ms).collect();
        assert_eq!(since, [Some(10), Some(70), Some(130), Some(130)]);
    }
}

//! Since when an order has been seen without a break. It knows neither where samples are kept nor what age is good for.

use crate::judged::OrderRecord;

/// Notes in each order since when it has been shown: an order that stood in the LP's sample before, with the same id,
/// side and price, has been seen since it was first seen then; any other since now. Times are Unix milliseconds.
pub fn carry_on(before: &[OrderRecord], before_ms: u64, now_ms: u64, orders: &mut [OrderRecord]) {
    for order in orders {
        let same = |other: &&OrderRecord| {
            (&other.id, &other.side, &other.price) == (&order.id, &order.side, &order.price)
        };
        let since = before.iter().find(same).map(|known| known.first_seen_ms.unwrap_or(before_ms));
        order.first_seen_ms = Some(since.unwrap_or(now_ms));
    }
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

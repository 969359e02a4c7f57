//! What a user showed in some rounds: for looks back that are bounded in rounds and in orders.

use sqlx::Row;

use crate::error::StoreError;
use crate::rows::{count, signed};
use crate::statistics::find_user;
use crate::{Store, connection};

/// Most samples that are told at once: those of all markets there are, in the rounds of a user's history.
const MAX_SHOWN_SAMPLES: u64 = 5_000;

/// What a user showed last in a round, on one market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownSample {
    /// Start of its round, in Unix seconds.
    pub round_start: u64,
    /// The price it was judged by.
    pub price: String,
    /// The judged orders.
    pub orders: String,
}

impl Store {
    /// What an API key showed in the rounds from `first` to `last`, over all exchanges and units, of each round that of
    /// the last slice, newest first. Of as many of the newest rounds as together have at most `max_orders` orders: a
    /// round is told as a whole or not at all. One look into an index for each sample, however long the history is.
    pub async fn shown_by(
        &self,
        user: &str,
        (first, last): (u64, u64),
        max_orders: u64,
    ) -> Result<Vec<ShownSample>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let Some(user_id) = find_user(&mut reader, user).await? else { return Ok(Vec::new()) };
        let last = signed("a round", last)?;
        let counts = sqlx::query(
            "SELECT s.round_start, s.order_count FROM samples s WHERE s.user_id = $1 AND s.round_start >= $2 AND \
             s.round_start <= $3 AND s.slice = (SELECT MAX(o.slice) FROM samples o WHERE \
             o.round_start = s.round_start AND o.lp_id = s.lp_id AND o.unit = s.unit) \
             ORDER BY s.round_start DESC LIMIT $4",
        )
        .bind(user_id)
        .bind(signed("a round", first)?)
        .bind(last)
        .bind(signed("the number of samples", MAX_SHOWN_SAMPLES + 1)?)
        .fetch_all(&mut *reader)
        .await?;
        let mut rounds = Vec::with_capacity(counts.len());
        for row in &counts {
            rounds.push((count(row, "round_start")?, count(row, "order_count")?));
        }
        let Some(since) = oldest_that_fits(&rounds, max_orders) else { return Ok(Vec::new()) };
        let rows = sqlx::query(
            "SELECT s.round_start, s.price, s.orders FROM samples s WHERE s.user_id = $1 AND s.round_start >= $2 AND \
             s.round_start <= $3 AND s.slice = (SELECT MAX(o.slice) FROM samples o WHERE \
             o.round_start = s.round_start AND o.lp_id = s.lp_id AND o.unit = s.unit) \
             ORDER BY s.round_start DESC, s.lp_id DESC, s.unit DESC LIMIT $4",
        )
        .bind(user_id)
        .bind(signed("a round", since)?)
        .bind(last)
        .bind(signed("the number of samples", MAX_SHOWN_SAMPLES)?)
        .fetch_all(&mut *reader)
        .await?;
        let sample = |row: &sqlx::any::AnyRow| {
            Ok(ShownSample {
                round_start: count(row, "round_start")?,
                price: row.try_get("price")?,
                orders: row.try_get("orders")?,
            })
        };
        rows.iter().map(sample).collect()
    }
}

/// Of rounds with their samples' numbers of orders, newest first: the oldest round that is told as a whole.
fn oldest_that_fits(samples: &[(u64, u64)], max_orders: u64) -> Option<u64> {
    let (mut oldest, mut round, mut orders) = (None, None, 0_u64);
    let fitting = samples.iter().take(usize::try_from(MAX_SHOWN_SAMPLES).unwrap_or(usize::MAX));
    for (start, order_count) in fitting {
        if round.is_some_and(|round| round != *start) {
            oldest = round;
        }
        round = Some(*start);
        orders = orders.saturating_add(*order_count);
        if orders > max_orders {
            return oldest;
        }
    }
    // The last round is whole, unless there are samples beyond those that were looked at.
    let cut_off = u64::try_from(samples.len()).unwrap_or(u64::MAX) > MAX_SHOWN_SAMPLES;
    if cut_off { oldest } else { round }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_told_as_a_whole_or_not_at_all() {
        let samples = [(180, 5), (120, 3), (120, 4), (60, 1)];
        let oldest = |most| oldest_that_fits(&samples, most);
        assert_eq!([4, 5, 11, 12, 13].map(oldest), [None, Some(180), Some(180), Some(120), Some(60)]);
        assert_eq!(oldest_that_fits(&[], 10), None);
        let many: Vec<(u64, u64)> =
            (0..=MAX_SHOWN_SAMPLES).map(|at| (if at < 10 { 60 } else { 0 }, 0)).collect();
        assert_eq!(oldest_that_fits(&many, 10), Some(60));
    }
}

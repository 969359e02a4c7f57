//! Which LPs of an exchange had a sample accepted recently.
//! It knows no names: an LP is the number of its registration.

use std::collections::{BTreeMap, BTreeSet};

/// For how long an accepted sample gives standing, in milliseconds: ten minutes, so that a bot that posts each
/// minute may miss a few, and a key that has lost its orders loses its say soon after.
pub const STANDING_MS: u64 = 10 * 60_000;

/// Most LPs whose standing is remembered for one exchange: far more than any pool had.
const MAX_LPS: usize = 20_000;

/// How often those that ended are cleared out, in milliseconds.
const CLEAR_EVERY_MS: u64 = 1_000;

/// The LPs of one exchange that have standing.
#[derive(Debug, Default)]
pub struct Standing {
    accepted: BTreeMap<i64, u64>,
    cleared_at_ms: u64,
}

impl Standing {
    /// Notes a sample with at least one order. An empty one gives no standing, since an account without orders
    /// costs nothing.
    pub fn accepted(&mut self, lp: i64, at_ms: u64) {
        self.accepted.insert(lp, at_ms);
        if self.accepted.len() > MAX_LPS {
            let oldest = self.accepted.iter().min_by_key(|(_, at_ms)| **at_ms).map(|(lp, _)| *lp);
            oldest.and_then(|lp| self.accepted.remove(&lp));
        }
    }

    /// Whether this LP has standing.
    #[must_use]
    pub fn has(&self, lp: i64, now_ms: u64) -> bool {
        self.accepted.get(&lp).is_some_and(|at_ms| now_ms.saturating_sub(*at_ms) < STANDING_MS)
    }

    /// How many LPs have standing; one that ended within the last second may still be counted.
    #[must_use]
    pub fn count(&mut self, now_ms: u64) -> usize {
        if now_ms.abs_diff(self.cleared_at_ms) >= CLEAR_EVERY_MS {
            self.accepted.retain(|_, at_ms| now_ms.saturating_sub(*at_ms) < STANDING_MS);
            self.cleared_at_ms = now_ms;
        }
        self.accepted.len()
    }

    /// The LPs that have standing.
    #[must_use]
    pub fn members(&mut self, now_ms: u64) -> BTreeSet<i64> {
        let _ = self.count(now_ms);
        self.accepted.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standing_ends_ten_minutes_after_the_last_accepted_sample() {
        let mut standing = Standing::default();
        standing.accepted(1, 1_000);
        standing.accepted(2, 5_000);
        assert!(standing.has(1, 1_000 + STANDING_MS - 1) && !standing.has(1, 1_000 + STANDING_MS));
        assert!(!standing.has(3, 1_000));
        assert_eq!(standing.count(1_000 + STANDING_MS), 1);
        assert_eq!(standing.members(1_000 + STANDING_MS), BTreeSet::from([2]));
    }

    #[test]
    fn when_there_are_too_many_the_oldest_is_forgotten() {
        let mut standing = Standing::default();
        for lp in 0..=MAX_LPS {
            standing.accepted(i64::try_from(lp).unwrap(), 1_000 + lp as u64);
        }
        assert_eq!(standing.accepted.len(), MAX_LPS);
        assert!(!standing.has(0, 1_000) && standing.has(1, 1_000));
    }
}

//! A token bucket in whole numbers: so many a minute, a minute's worth at once.
//! It knows no clock; the time comes in, and a clock that was set back refills nothing and locks nobody out.

/// What one token weighs: a bucket gains its rate each millisecond, so nothing is ever divided or lost.
const TOKEN: i64 = 60_000;

/// The bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    per_minute: u32,
    /// In parts of [`TOKEN`]. Below zero where more was used than could be foreseen.
    level: i64,
    at_ms: u64,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn full(per_minute: u32, now_ms: u64) -> Self {
        Self { per_minute, level: capacity(per_minute), at_ms: now_ms }
    }

    /// Follows a change of the configuration. What is above the new capacity is lost.
    pub fn set_rate(&mut self, per_minute: u32, now_ms: u64) {
        if self.per_minute != per_minute {
            self.refill(now_ms);
            // A bucket that was full stays full, so that a larger rate helps at once.
            let was_full = self.level >= capacity(self.per_minute);
            self.per_minute = per_minute;
            self.level = if was_full { capacity(per_minute) } else { self.level.min(capacity(per_minute)) };
        }
    }

    /// How long until a token can be taken that leaves at least so many behind, in milliseconds, rounded up. None if
    /// that never comes.
    #[must_use]
    pub fn wait_ms(&mut self, leaving: u32, now_ms: u64) -> Option<u64> {
        self.refill(now_ms);
        let wanted = i64::from(leaving).saturating_add(1).saturating_mul(TOKEN);
        if wanted > capacity(self.per_minute) {
            return None;
        }
        let missing = u64::try_from(wanted.saturating_sub(self.level)).unwrap_or(0);
        Some(missing.div_ceil(u64::from(self.per_minute.max(1))))
    }

    /// Takes so many tokens, whether they are there or not.
    pub fn take(&mut self, tokens: u32, now_ms: u64) {
        self.refill(now_ms);
        let weight = i64::from(tokens).saturating_mul(TOKEN);
        // A debt of more than a minute would punish later ones for what is past.
        self.level = self.level.saturating_sub(weight).max(-capacity(self.per_minute));
    }

    /// Whether it is full: then it says no more than no bucket at all.
    #[must_use]
    pub fn is_full(&mut self, now_ms: u64) -> bool {
        self.refill(now_ms);
        self.level >= capacity(self.per_minute)
    }

    fn refill(&mut self, now_ms: u64) {
        let gone = i64::try_from(now_ms.saturating_sub(self.at_ms)).unwrap_or(i64::MAX);
        let gained = gone.saturating_mul(i64::from(self.per_minute));
        self.level = self.level.saturating_add(gained).min(capacity(self.per_minute));
        self.at_ms = now_ms;
    }
}

fn capacity(per_minute: u32) -> i64 {
    i64::from(per_minute).saturating_mul(TOKEN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_minutes_worth_is_there_at_once_and_then_one_after_the_other() {
        let mut bucket = Bucket::full(30, 1_000);
        for _ in 0..30 {
            assert_eq!(bucket.wait_ms(0, 1_000), Some(0));
            bucket.take(1, 1_000);
        }
        assert_eq!(bucket.wait_ms(0, 1_000), Some(2_000));
        assert_eq!(bucket.wait_ms(0, 2_500), Some(500));
        assert_eq!(bucket.wait_ms(0, 3_000), Some(0));
        assert!(!bucket.is_full(3_000));
        assert!(bucket.is_full(61_000));
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let mut bucket = Bucket::full(1, 1_000_000);
        bucket.take(1, 1_000_000);
        assert_eq!(bucket.wait_ms(0, 0), Some(60_000));
        assert_eq!(bucket.wait_ms(0, 60_000), Some(0));
    }

    #[test]
    fn what_can_never_be_left_behind_is_never_waited_for() {
        assert_eq!(Bucket::full(5, 0).wait_ms(5, 0), None);
        assert_eq!(Bucket::full(0, 0).wait_ms(0, 0), None);
        assert_eq!(Bucket::full(5, 0).wait_ms(4, 0), Some(0));
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_gives_more_than_its_rate_and_a_minutes_worth(
            rate in 1_u32..10_000,
            steps in prop::collection::vec(0_u64..5_000, 1..400),
        ) {
            let (mut bucket, mut now, mut taken) = (Bucket::full(rate, 0), 0, 0_u64);
            for step in steps {
                now += step;
                while bucket.wait_ms(0, now) == Some(0) && taken < 1_000_000 {
                    bucket.take(1, now);
                    taken += 1;
                }
                prop_assert!(taken <= u64::from(rate) + u64::from(rate) * now / 60_000);
            }
        }

        #[test]
        fn who_waits_as_long_as_told_is_served(rate in 1_u32..100_000, used in 0_u32..200_000, now in 0_u64..1 << 40) {
            let mut bucket = Bucket::full(rate, now);
            bucket.take(used, now);
            let wait = bucket.wait_ms(0, now).unwrap();
            prop_assert_eq!(bucket.clone().wait_ms(0, now + wait), Some(0));
            prop_assert!(wait == 0 || bucket.wait_ms(0, now + wait - 1) != Some(0));
        }
    }
}

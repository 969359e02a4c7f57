//! Staying away for a while, twice as long each time.
//! It knows neither whom nor from what.

/// The pause after the first time, in milliseconds: half a minute, so that a bot that posts each minute loses nothing.
pub const FIRST_PAUSE_MS: u64 = 30_000;

/// The longest pause, in milliseconds: five minutes, after which whatever was mended is noticed.
pub const LONGEST_PAUSE_MS: u64 = 5 * 60_000;

/// A pause that follows another.
#[must_use]
pub fn next_pause_ms(before_ms: u64) -> u64 {
    before_ms.saturating_mul(2).clamp(FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
}

/// Counts what went wrong in a row, and says how long to stay away. When a pause is over, one try is let through;
/// the next has to wait for as long again, unless that one succeeded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackOff {
    in_a_row: u32,
    pause_ms: u64,
    until_ms: u64,
}

impl BackOff {
    /// How long to stay away, in milliseconds; zero if a try is free.
    #[must_use]
    pub fn wait_ms(&self, now_ms: u64) -> u64 {
        // A clock that was set back must not make a pause longer than it was meant to be.
        self.until_ms.saturating_sub(now_ms).min(self.pause_ms)
    }

    /// How many went wrong in a row.
    #[must_use]
    pub fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// Notes that a try begins. After a pause it is the only one until its end is known, or for as long again.
    pub fn begin(&mut self, now_ms: u64) {
        if self.pause_ms > 0 {
            self.until_ms = now_ms.saturating_add(self.pause_ms);
        }
    }

    /// Notes that a try went wrong. Pauses begin when `allowed` of them did so in a row. `alone` says that the try
    /// began after a pause: only such a one makes the next pause longer, so that tries under way together count as
    /// one.
    pub fn went_wrong(&mut self, allowed: u32, alone: bool, now_ms: u64) {
        self.in_a_row = self.in_a_row.saturating_add(1);
        if self.in_a_row >= allowed && (alone || self.pause_ms == 0) {
            self.pause_ms = next_pause_ms(self.pause_ms);
            self.until_ms = now_ms.saturating_add(self.pause_ms);
        }
    }

    /// Whether it pauses between tries.
    #[must_use]
    pub fn pauses(&self) -> bool {
        self.pause_ms > 0
    }

    /// Notes that a try ended without saying anything: the next one is free.
    pub fn said_nothing(&mut self, alone: bool, now_ms: u64) {
        if alone {
            self.until_ms = self.until_ms.min(now_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_begin_after_the_allowed_number_and_double_up_to_a_cap() {
        let mut back_off = BackOff::default();
        for _ in 0..2 {
            back_off.went_wrong(3, false, 0);
            assert_eq!(back_off.wait_ms(0), 0);
        }
        back_off.went_wrong(3, false, 0);
        let (mut now, mut pauses) = (0, Vec::new());
        for _ in 0..6 {
            let wait = back_off.wait_ms(now);
            pauses.push(wait / 1000);
            now += wait;
            assert_eq!(back_off.wait_ms(now), 0);
            back_off.begin(now);
            assert!(back_off.wait_ms(now) > 0, "one try is let through after a pause, not two");
            back_off.went_wrong(3, true, now);
        }
        assert_eq!(pauses, [30, 60, 120, 240, 300, 300]);
    }

    #[test]
    fn many_tries_that_fail_together_count_as_one() {
        let mut back_off = BackOff::default();
        for _ in 0..50 {
            back_off.went_wrong(3, false, 0);
        }
        assert_eq!((back_off.wait_ms(0), back_off.in_a_row()), (FIRST_PAUSE_MS, 50));
    }

    #[test]
    fn a_try_that_said_nothing_lets_the_next_one_follow() {
        let mut back_off = BackOff::default();
        back_off.went_wrong(1, false, 0);
        back_off.begin(FIRST_PAUSE_MS);
        back_off.said_nothing(true, FIRST_PAUSE_MS + 5);
        assert_eq!(back_off.wait_ms(FIRST_PAUSE_MS + 5), 0);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_pause_longer() {
        let mut back_off = BackOff::default();
        back_off.went_wrong(1, false, 1_000_000_000);
        assert_eq!(back_off.wait_ms(0), FIRST_PAUSE_MS);
    }
}

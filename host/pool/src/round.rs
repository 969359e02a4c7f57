//! Rounds: spans of time of one length, each keyed by its start.

use thiserror::Error;

use crate::money::Coins;
use crate::wide::{self, Overflow, wide};

/// Seconds of a minute, for which rewards are stated.
const MINUTE: u32 = 60;

/// Longest round: a day, for which the other rewards are stated and after which payouts fall due.
const MAX_ROUND_SECONDS: u32 = 86_400;

/// How long a round is: a divisor of 60 seconds or a multiple of it, so that rounds and minutes stay in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundLength(u32);

impl RoundLength {
    /// One minute, as in the systems this succeeds.
    pub const MINUTE: Self = Self(MINUTE);

    /// One day, for which the rewards of most engines are stated.
    pub const DAY: Self = Self(MAX_ROUND_SECONDS);

    /// Takes a number of seconds.
    ///
    /// # Errors
    /// [`RoundLengthError`] unless it divides a minute or is whole minutes, of at most a day.
    pub fn from_seconds(seconds: u32) -> Result<Self, RoundLengthError> {
        let in_step = MINUTE.checked_rem(seconds) == Some(0) || seconds.checked_rem(MINUTE) == Some(0);
        if seconds == 0 || seconds > MAX_ROUND_SECONDS || !in_step {
            return Err(RoundLengthError(seconds));
        }
        Ok(Self(seconds))
    }

    /// In seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// The start, in Unix seconds, of the round that contains this instant.
    #[must_use]
    pub fn start_of(self, unix_seconds: u64) -> u64 {
        let into = unix_seconds.checked_rem(u64::from(self.0)).unwrap_or(0);
        unix_seconds.saturating_sub(into)
    }

    /// A round's share of a reward that is stated per minute, floored to 1e-8: the pool never promises more than
    /// the reward, and what flooring leaves is not paid.
    ///
    /// # Errors
    /// [`Overflow`] for a reward near the limit and rounds of hours.
    pub fn reward(self, per_minute: Coins) -> Result<Coins, Overflow> {
        let exact = wide::product(&[wide(u128::from(per_minute.e8())), wide(u128::from(self.0))], "reward")?;
        let (units, _) = wide::div_rem(exact, wide(u128::from(MINUTE)), "reward")?;
        u64::try_from(units).ok().and_then(Coins::from_e8).ok_or(Overflow("reward"))
    }
}

/// One round: when it starts and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Its start, in Unix seconds.
    pub start_s: u64,
    /// Its length.
    pub length: RoundLength,
}

impl Round {
    /// This round's share of a reward that is stated per day, with the remainder carried exactly: a round is given
    /// what is due since the Unix epoch at its end, floored to 1e-8, less what was due at its start, floored. So
    /// the rounds of a day, of whatever length, add up to the day's reward to the last unit, and a round differs
    /// from the exact share by less than one unit. No state is kept: the start says where the round stands.
    ///
    /// # Errors
    /// [`Overflow`], which the bounds of coins rule out.
    pub fn of_daily(self, per_day: Coins) -> Result<Coins, Overflow> {
        let due = |seconds: u64| {
            let exact =
                wide::product(&[wide(u128::from(per_day.e8())), wide(u128::from(seconds))], "reward")?;
            exact.checked_div(wide(u128::from(MAX_ROUND_SECONDS))).ok_or(Overflow("reward"))
        };
        let end = self.start_s.checked_add(u64::from(self.length.seconds())).ok_or(Overflow("round"))?;
        let units = wide::minus(due(end)?, due(self.start_s)?, "reward")?;
        u64::try_from(units).ok().and_then(Coins::from_e8).ok_or(Overflow("reward"))
    }
}

/// A length that rounds cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "is {0} seconds: a divisor of 60 (such as 10) or a multiple of it (such as 120) of at most a day is right"
)]
pub struct RoundLengthError(u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_divides_a_minute_or_is_whole_minutes() {
        for seconds in [1, 2, 10, 30, 60, 120, 3600, 86_400] {
            assert!(RoundLength::from_seconds(seconds).is_ok(), "{seconds}");
        }
        for seconds in [0, 7, 45, 61, 90, 100, 86_460] {
            assert!(RoundLength::from_seconds(seconds).is_err(), "{seconds}");
        }
    }

    #[test]
    fn rounds_start_at_multiples_of_their_length() {
        let ten = RoundLength::from_seconds(10).unwrap();
        assert_eq!(ten.start_of(1_760_000_009), 1_760_000_000);
        assert_eq!(ten.start_of(1_760_000_010), 1_760_000_010);
    }

    #[test]
    fn the_rounds_of_a_day_add_up_to_the_days_reward_to_the_last_unit() {
        for (seconds, daily) in [(60, "7.5"), (10, "0.00000007"), (7 * 60, "1"), (3600, "36.12345678")] {
            let length = RoundLength::from_seconds(seconds).unwrap();
            let daily = Coins::parse(daily).unwrap();
            // Seven minutes do not divide a day, but seven days.
            let days: u64 = if 86_400 % seconds == 0 { 1 } else { 7 };
            let start_s = 1_760_054_400;
            let mut sum = 0;
            for at in (0..86_400 * days).step_by(usize::try_from(seconds).unwrap()) {
                sum += Round { start_s: start_s + at, length }.of_daily(daily).unwrap().e8();
            }
            assert_eq!(sum, daily.e8() * days, "{seconds}");
        }
    }

    #[test]
    fn a_minutes_reward_is_floored_to_the_round() {
        let ten = RoundLength::from_seconds(10).unwrap();
        let reward = |text| ten.reward(Coins::parse(text).unwrap()).unwrap().to_string();
        assert_eq!(reward("0.06"), "0.01");
        assert_eq!(reward("0.025"), "0.00416666");
        assert_eq!(reward("0.00000005"), "0");
    }
}

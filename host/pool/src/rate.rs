//! Rates: what one coin of liquidity earns in a day.

use std::fmt;

use ethnum::U256;

use crate::decimal::{self, DecimalError};
use crate::money::{AMOUNT_SCALE, Amount, Coins};
use crate::round::{Round, RoundLength};
use crate::wide::{self, Overflow, wide};

/// Highest rate that is read: a thousand coins per coin and day. The dearest promise known was 7.5, for one coin
/// in an empty pool.
const MAX_RATE_E18: u128 = 1_000 * ONE_E18;

const ONE_E18: u128 = 1_000_000_000_000_000_000;

/// How many 1e-18 there are in 1e-8.
const E18_PER_E8: u128 = 10_000_000_000;

/// Seconds of a day.
const DAY_SECONDS: u128 = 86_400;

/// Coins per coin of liquidity and day, in 1e-18: `0.0025` is a quarter of a per cent a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rate(u128);

impl Rate {
    /// Nothing: who asks this takes whatever there is.
    pub const ZERO: Self = Self(0);
    /// The highest that is read.
    pub const MAX: Self = Self(MAX_RATE_E18);

    /// Reads a decimal text such as `0.0025`.
    ///
    /// # Errors
    /// What is wrong with the text; more than eighteen decimal places are refused, not rounded.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        decimal::parse_units(text, AMOUNT_SCALE, MAX_RATE_E18).map(Self)
    }

    /// Reads what an LP asks at least: as [`Rate::parse`], but digits beyond the eighteenth decimal place, which floats
    /// that were divided have, are rounded up, so that nobody is paid less than was asked.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse_at_least(text: &str) -> Result<Self, DecimalError> {
        decimal::parse_units_up(text, AMOUNT_SCALE, MAX_RATE_E18).map(Self)
    }

    /// The rate that `liquidity` earned which was paid this much for so long: coins · day / (time · liquidity), floored
    /// to 1e-18, and the highest rate at most. Nothing where there is no liquidity. For showing.
    #[must_use]
    pub fn earned(coins: Coins, liquidity: Amount, over: RoundLength) -> Self {
        // Coins count 1e-8 and the rate 1e-18, on liquidity in 1e-18: at most 64 + 34 + 60 + 17 bits.
        let factors = [wide(u128::from(coins.e8())), wide(E18_PER_E8), wide(ONE_E18), wide(DAY_SECONDS)];
        let earned = wide::product(&factors, "rate").unwrap_or(U256::MAX);
        let time = wide(liquidity.e18()).checked_mul(wide(u128::from(over.seconds())));
        let rate = time.and_then(|time| earned.checked_div(time));
        rate.map_or(Self::ZERO, Self::at_most)
    }

    /// The whole number of 1e-18.
    #[must_use]
    pub fn e18(self) -> u128 {
        self.0
    }

    /// From a whole number of 1e-18; what exceeds the highest rate becomes the highest.
    pub(crate) fn at_most(units: U256) -> Self {
        Self(u128::try_from(units).map_or(MAX_RATE_E18, |units| units.min(MAX_RATE_E18)))
    }

    /// What this rate pays in one round for `weight` of liquidity, in 1e-8 coins, floored: a pool never promises
    /// more than its rate, and what flooring leaves (under a unit) is not paid. `weight` counts 1e-18 coins,
    /// times `scale`.
    pub(crate) fn pay(self, weight: U256, scale: U256, round: Round) -> Result<U256, Overflow> {
        self.pay_finely(1, weight, scale, round)
    }

    /// As [`Self::pay`], in parts of 1e-8 coins of which there are `fine` in one.
    pub(crate) fn pay_finely(
        self,
        fine: u128,
        weight: U256,
        scale: U256,
        round: Round,
    ) -> Result<U256, Overflow> {
        let seconds = wide(u128::from(round.length.seconds()));
        let factor = wide::product(&[wide(self.0), wide(100_000_000), seconds, wide(fine)], "rate")?;
        let unit = wide::product(&[wide(ONE_E18), wide(ONE_E18), wide(DAY_SECONDS), scale], "rate")?;
        wide::mul_div(weight, factor, unit, "pay")
    }

    /// As [`Self::pay`], but never above what is counted in coins.
    pub(crate) fn pay_at_most(
        self,
        limit: Coins,
        weight: U256,
        scale: U256,
        round: Round,
    ) -> Result<Coins, Overflow> {
        let units = self.pay(weight, scale, round)?.min(wide(u128::from(limit.e8())));
        u64::try_from(units).ok().and_then(Coins::from_e8).ok_or(Overflow("pay"))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal::format_units(self.0, AMOUNT_SCALE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_a_per_cent_of_a_thousand_is_two_and_a_half_a_day() {
        let rate = Rate::parse("0.0025").unwrap();
        let weight = wide(1_000) * wide(ONE_E18) * wide(6);
        let day = Round { start_s: 0, length: RoundLength::from_seconds(86_400).unwrap() };
        assert_eq!(rate.pay(weight, wide(6), day).unwrap(), wide(250_000_000));
        let minute = Round { start_s: 0, length: RoundLength::MINUTE };
        assert_eq!(rate.pay(weight, wide(6), minute).unwrap(), wide(173_611), "2.5 / 1440, floored");
    }

    #[test]
    fn what_was_earned_in_a_round_is_shown_as_the_rate_of_a_day() {
        let (coins, amount) = (|text| Coins::parse(text).unwrap(), |text| Amount::parse(text).unwrap());
        let shown = |paid, on| Rate::earned(coins(paid), amount(on), RoundLength::MINUTE).to_string();
        assert_eq!(shown("0.001", "1000"), "0.00144");
        assert_eq!(shown("0.001", "0"), "0");
        assert_eq!(shown("0", "1000"), "0");
        assert_eq!(shown("0.00000001", "700"), "0.000000020571428571", "floored");
        assert_eq!(Rate::earned(Coins::MAX, amount("0.000000000000000001"), RoundLength::DAY), Rate::MAX);
    }

    #[test]
    fn digits_beyond_the_last_place_are_in_favour_of_who_asks() {
        assert_eq!(Rate::parse_at_least("5e-07").unwrap().to_string(), "0.0000005");
        assert_eq!(
            Rate::parse_at_least("0.0007000000000000001").unwrap().to_string(),
            "0.000700000000000001"
        );
        for text in ["-0.1", "1001", "nan", "inf", "", "0.1 "] {
            assert!(Rate::parse_at_least(text).is_err(), "{text}");
        }
    }

    #[test]
    fn absurd_rates_are_refused() {
        for text in ["-0.1", "1001", "1e-19", "nan", ""] {
            assert!(Rate::parse(text).is_err(), "{text}");
        }
        assert_eq!(Rate::parse("0.00250").unwrap().to_string(), "0.0025");
    }
}

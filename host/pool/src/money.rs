//! Coins (what is paid), amounts (what is on order) and ratios, as whole numbers of their smallest unit.

use std::fmt;

use crate::decimal::{self, DecimalError};
use crate::wide::{self, Overflow};

/// Decimal places of [`Coins`] and [`Ratio`].
pub const COIN_SCALE: u32 = 8;

/// Decimal places of [`Amount`] and of prices: some exchanges write eighteen.
pub const AMOUNT_SCALE: u32 = 18;

/// Most coins that are counted, in 1e-8 coins: a hundred million coins, far above any daily reward, and small
/// enough that products with two ratios and an amount stay below 2^256.
const MAX_COINS_E8: u64 = 10_000_000_000_000_000;

/// Most that one order may hold, in 1e-18: 10^15 coins, beyond the supply of any currency with a peg.
const MAX_AMOUNT_E18: u128 = 10u128.pow(33);

/// Reward currency, in 1e-8 coins. Never negative, never a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Coins(u64);

impl Coins {
    /// None.
    pub const ZERO: Self = Self(0);
    /// The most that is counted: a hundred million.
    pub const MAX: Self = Self(MAX_COINS_E8);

    /// Takes a whole number of 1e-8 coins, if it is within range.
    #[must_use]
    pub fn from_e8(units: u64) -> Option<Self> {
        (units <= MAX_COINS_E8).then_some(Self(units))
    }

    /// The whole number of 1e-8 coins.
    #[must_use]
    pub fn e8(self) -> u64 {
        self.0
    }

    /// Reads a decimal text such as `0.025`.
    ///
    /// # Errors
    /// What is wrong with the text; more than eight decimal places are refused, not rounded.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let units = decimal::parse_units(text, COIN_SCALE, u128::from(MAX_COINS_E8))?;
        Ok(Self(u64::try_from(units).unwrap_or(MAX_COINS_E8)))
    }

    /// The sum, if it is within range.
    ///
    /// # Errors
    /// [`Overflow`] above a hundred million coins.
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).and_then(Self::from_e8).ok_or(Overflow("coins"))
    }

    /// The difference, or nothing where it would be negative.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The sum of many.
    ///
    /// # Errors
    /// [`Overflow`] above a hundred million coins.
    pub fn sum(coins: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        coins.into_iter().try_fold(Self::ZERO, Self::plus)
    }

    /// The decimal text that it is shown as, made at once: records have many.
    #[must_use]
    pub fn text(self) -> String {
        decimal::format_units(u128::from(self.0), COIN_SCALE)
    }
}

impl fmt::Display for Coins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// How much of the base currency, in 1e-18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(u128);

impl Amount {
    /// None.
    pub const ZERO: Self = Self(0);

    /// The whole number of 1e-18.
    #[must_use]
    pub fn e18(self) -> u128 {
        self.0
    }

    /// A whole number of 1e-18. It may be a sum, and exceed what one order may hold.
    pub(crate) fn from_e18(units: u128) -> Self {
        Self(units)
    }

    /// Reads a decimal text such as `250.12345678`.
    ///
    /// # Errors
    /// What is wrong with the text; more than eighteen decimal places are refused, not rounded.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        decimal::parse_units(text, AMOUNT_SCALE, MAX_AMOUNT_E18).map(Self)
    }

    /// Reads a sum that was written by [`fmt::Display`]: it may exceed what one order may hold.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse_sum(text: &str) -> Result<Self, DecimalError> {
        decimal::parse_units(text, AMOUNT_SCALE, u128::MAX).map(Self)
    }

    /// How much of `whole` this is, in 1e-8 per cent, half to even: for showing. None of nothing.
    #[must_use]
    pub fn percent_e8_of(self, whole: Self) -> Option<u128> {
        // A hundred per cent, in 1e-8.
        const ALL: u128 = 10_000_000_000;
        let exact = wide::product(&[wide::wide(self.0), wide::wide(ALL)], "percentage").ok()?;
        wide::div_half_even(exact, wide::wide(whole.0), "percentage").ok()
    }

    /// The sum of many. A sum may exceed what one order may hold.
    ///
    /// # Errors
    /// [`Overflow`] above 2^128 of 1e-18, which takes over 300 000 orders of the largest size.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        wide::sum(amounts.into_iter().map(|amount| amount.0), "amounts").map(Self)
    }

    /// The decimal text that it is shown as, made at once: records have many.
    #[must_use]
    pub fn text(self) -> String {
        decimal::format_units(self.0, AMOUNT_SCALE)
    }

    /// Whether it is shown as this text.
    #[must_use]
    pub fn is_shown_as(self, text: &str) -> bool {
        decimal::is_written_as(text, self.0, AMOUNT_SCALE)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// A share or tolerance between 0 and 1, in 1e-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(u32);

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// All of it.
    pub const ONE: Self = Self(100_000_000);

    /// The whole number of 1e-8.
    #[must_use]
    pub fn e8(self) -> u32 {
        self.0
    }

    /// Reads a decimal text such as `0.0105`.
    ///
    /// # Errors
    /// What is wrong with the text; above 1 and below 1e-8 is refused.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let units = decimal::parse_units(text, COIN_SCALE, u128::from(Self::ONE.0))?;
        Ok(Self(u32::try_from(units).unwrap_or(Self::ONE.0)))
    }

    /// Whether these add up to exactly 1.
    #[must_use]
    pub fn add_up_to_one(ratios: impl IntoIterator<Item = Self>) -> bool {
        let total = ratios.into_iter().try_fold(0u64, |sum, ratio| sum.checked_add(u64::from(ratio.0)));
        total == Some(u64::from(Self::ONE.0))
    }

    /// The decimal text that it is shown as, made at once: records have many.
    #[must_use]
    pub fn text(self) -> String {
        decimal::format_units(u128::from(self.0), COIN_SCALE)
    }

    /// Whether it is shown as this text.
    #[must_use]
    pub fn is_shown_as(self, text: &str) -> bool {
        decimal::is_written_as(text, u128::from(self.0), COIN_SCALE)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_never_wrap_and_never_go_negative() {
        let most = Coins::from_e8(MAX_COINS_E8).unwrap();
        assert!(most.plus(Coins::from_e8(1).unwrap()).is_err());
        assert_eq!(Coins::ZERO.minus(most), None);
        assert_eq!(Coins::from_e8(MAX_COINS_E8 + 1), None);
    }

    #[test]
    fn ratios_are_between_zero_and_one() {
        assert_eq!(Ratio::parse("1").unwrap(), Ratio::ONE);
        assert!(Ratio::parse("1.00000001").is_err());
        assert!(Ratio::parse("-0.1").is_err());
        assert!(Ratio::add_up_to_one(["0.6", "0.4"].map(|ratio| Ratio::parse(ratio).unwrap())));
        assert!(!Ratio::add_up_to_one(["0.6", "0.39999999"].map(|ratio| Ratio::parse(ratio).unwrap())));
    }

    #[test]
    fn each_shows_as_it_is_written() {
        assert_eq!(Coins::parse("0.02500000").unwrap().to_string(), "0.025");
        assert_eq!(Amount::parse("1e-18").unwrap().to_string(), "0.000000000000000001");
        assert_eq!(Ratio::parse("0.0105").unwrap().to_string(), "0.0105");
    }
}

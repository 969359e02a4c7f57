//! Prices, the pool's price of a market, and how far an order is from it.

use std::cmp::Ordering;
use std::fmt;

use ethnum::U256;

use crate::decimal::{self, DecimalError};
use crate::money::{AMOUNT_SCALE, Ratio};
use crate::wide::{self, Overflow, wide};

/// Highest price that is read, in 1e-18: 10^12. It bounds the product of two prices and a tolerance below 2^256.
const MAX_PRICE_E18: u128 = 10u128.pow(30);

/// A price, in 1e-18 of the quote currency for one of the base currency. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u128);

impl Price {
    /// One to one.
    pub const ONE: Self = Self(1_000_000_000_000_000_000);

    /// Reads a decimal text such as `0.0025`.
    ///
    /// # Errors
    /// What is wrong with the text, or [`PriceError::Zero`].
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        match decimal::parse_units(text, AMOUNT_SCALE, MAX_PRICE_E18)? {
            0 => Err(PriceError::Zero),
            units => Ok(Self(units)),
        }
    }

    /// The whole number of 1e-18.
    #[must_use]
    pub fn e18(self) -> u128 {
        self.0
    }

    pub(crate) fn from_e18(units: u128) -> Option<Self> {
        (units > 0 && units <= MAX_PRICE_E18).then_some(Self(units))
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

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// Why a text is not a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not a number.
    #[error(transparent)]
    Decimal(#[from] DecimalError),
    /// Zero, which nothing can be compared with.
    #[error("is zero")]
    Zero,
}

/// What the pool holds a market to be worth: a fraction, so that an inverted price is still exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PoolPrice {
    numerator: Price,
    denominator: Price,
}

impl PoolPrice {
    /// The fraction of two prices.
    #[must_use]
    pub fn fraction(numerator: Price, denominator: Price) -> Self {
        Self { numerator, denominator }
    }

    /// The price as it stands.
    #[must_use]
    pub fn direct(price: Price) -> Self {
        Self::fraction(price, Price::ONE)
    }

    /// One divided by the price, undivided: for a feed that says what a unit is worth while the exchange
    /// says how many units a coin is worth.
    #[must_use]
    pub fn inverted(self) -> Self {
        Self::fraction(self.denominator, self.numerator)
    }

    /// Numerator and denominator.
    #[must_use]
    pub fn parts(self) -> (Price, Price) {
        (self.numerator, self.denominator)
    }

    /// The price in 1e-18, half to even, for showing. Nothing is judged by it.
    #[must_use]
    pub fn rounded(self) -> Option<Price> {
        let numerator = wide::product(&[wide(self.numerator.0), wide(Price::ONE.0)], "price").ok()?;
        let units = wide::div_half_even(numerator, wide(self.denominator.0), "price").ok()?;
        Price::from_e18(units)
    }
}

/// How far an order is from the pool's price: `1 − min/max`, kept as the fraction `(max − min) / max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deviation {
    difference: U256,
    larger: U256,
}

impl Deviation {
    /// Of an order's price from the pool's: both are brought to one denominator by multiplying across.
    ///
    /// # Errors
    /// [`Overflow`], which the bounds of [`Price`] rule out.
    pub fn between(order: Price, pool: PoolPrice) -> Result<Self, Overflow> {
        let ours = wide::product(&[wide(order.0), wide(pool.denominator.0)], "deviation")?;
        let theirs = wide(pool.numerator.0).checked_mul(wide(Price::ONE.0)).ok_or(Overflow("deviation"))?;
        let (larger, smaller) = if ours > theirs { (ours, theirs) } else { (theirs, ours) };
        let difference = larger.checked_sub(smaller).ok_or(Overflow("deviation"))?;
        Ok(Self { difference, larger })
    }

    /// Whether it is at most `tolerance`: equal is inside. Multiplied across, never divided.
    ///
    /// # Errors
    /// [`Overflow`], which the bounds of [`Price`] rule out.
    pub fn within(self, tolerance: Ratio) -> Result<bool, Overflow> {
        let left = wide::product(&[self.difference, wide(u128::from(Ratio::ONE.e8()))], "tolerance")?;
        let right = wide::product(&[self.larger, wide(u128::from(tolerance.e8()))], "tolerance")?;
        Ok(left.cmp(&right) != Ordering::Greater)
    }

    /// In 1e-8, half to even, for showing.
    ///
    /// # Errors
    /// [`Overflow`], which the bounds of [`Price`] rule out.
    pub fn rounded_e8(self) -> Result<u32, Overflow> {
        let scaled = wide::product(&[self.difference, wide(u128::from(Ratio::ONE.e8()))], "deviation")?;
        let rounded = wide::div_half_even(scaled, self.larger, "deviation")?;
        u32::try_from(rounded).map_err(|_| Overflow("deviation"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        Price::parse(text).unwrap()
    }

    fn within(order: &str, pool: PoolPrice, tolerance: &str) -> bool {
        let deviation = Deviation::between(price(order), pool).unwrap();
        deviation.within(Ratio::parse(tolerance).unwrap()).unwrap()
    }

    #[test]
    fn an_order_exactly_at_the_tolerance_is_inside() {
        // Rewards, case A6: 1.25 and 0.8 both deviate by exactly 0.2, which binary floats miss on one side.
        let one = PoolPrice::direct(price("1"));
        assert!(within("1.25", one, "0.2"));
        assert!(within("0.8", one, "0.2"));
        assert!(!within("1.26", one, "0.2"));
        assert!(!within("1.250000000000000001", one, "0.2"));
    }

    #[test]
    fn an_inverted_price_is_compared_without_dividing() {
        // One divided by three has no decimal form; an order at 1/3 rounded up deviates by less than 1e-17.
        let third = PoolPrice::direct(price("3")).inverted();
        assert!(within("0.333333333333333333", third, "0.00000001"));
        assert!(!within("0.333333333333333333", third, "0"));
        assert_eq!(third.rounded().unwrap().to_string(), "0.333333333333333333");
        let quarter = PoolPrice::direct(price("4")).inverted();
        assert!(within("0.25", quarter, "0"));
    }

    #[test]
    fn the_extremes_do_not_overflow() {
        for (order, pool) in [("1e12", "1e-18"), ("1e-18", "1e12"), ("1e12", "1e12"), ("1e-18", "1e-18")] {
            for pool in [PoolPrice::direct(price(pool)), PoolPrice::direct(price(pool)).inverted()] {
                let deviation = Deviation::between(price(order), pool).unwrap();
                assert!(deviation.within(Ratio::ONE).unwrap());
                assert!(deviation.rounded_e8().unwrap() <= Ratio::ONE.e8());
            }
        }
    }

    #[test]
    fn zero_and_absurd_prices_are_refused() {
        assert_eq!(Price::parse("0.000"), Err(PriceError::Zero));
        for text in ["-1", "1e400", "1000000000001", "0.0000000000000000001", "nan"] {
            assert!(Price::parse(text).is_err(), "{text}");
        }
    }
}

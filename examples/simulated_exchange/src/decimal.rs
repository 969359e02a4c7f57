//! Prices and amounts: exact decimals in units of 1e-8.

use std::fmt;
use std::str::FromStr;

/// Decimals after the point that the exchange keeps. Eight is what most exchanges keep, a satoshi.
const FRACTION_DIGITS: usize = 8;
/// Units in one.
const ONE: u64 = 100_000_000;

/// A number of at least zero in units of 1e-8. Parsed and written exactly; more digits than eight after the
/// point are refused, not rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Decimal(u64);

impl Decimal {
    /// So many, without a fraction.
    pub fn from_whole(number: u32) -> Self {
        Self(u64::from(number).saturating_mul(ONE))
    }

    /// Whether this is nothing.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` beyond what can be written (1.8e11).
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, nothing if `other` is more.
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The product, cut to eight digits after the point; the largest number there is if it is more.
    pub fn times(self, other: Self) -> Self {
        let product = u128::from(self.0).saturating_mul(u128::from(other.0));
        let units = product.checked_div(u128::from(ONE)).unwrap_or_default();
        Self(u64::try_from(units).unwrap_or(u64::MAX))
    }

    /// One divided by this, cut to eight digits after the point; the largest number there is for nothing.
    pub fn inverse(self) -> Self {
        let units = u128::from(ONE).saturating_mul(u128::from(ONE)).checked_div(u128::from(self.0));
        Self(units.and_then(|units| u64::try_from(units).ok()).unwrap_or(u64::MAX))
    }

    /// With exactly eight digits after the point: `0.00250000`.
    pub fn with_eight_digits(self) -> String {
        format!("{}.{:08}", self.0 / ONE, self.0 % ONE)
    }
}

/// The text is not a plain decimal of at least zero with at most eight digits after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a plain decimal of at least zero, below 1.8e11, with at most eight digits after the point")]
pub struct NotADecimal;

impl FromStr for Decimal {
    type Err = NotADecimal;

    /// Digits, optionally a point and more digits: no sign, exponent, blank or grouping.
    fn from_str(text: &str) -> Result<Self, NotADecimal> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(NotADecimal),
            None => (text, ""),
        };
        if whole.is_empty() || fraction.len() > FRACTION_DIGITS {
            return Err(NotADecimal);
        }
        let padding = "0".repeat(FRACTION_DIGITS.saturating_sub(fraction.len()));
        whole
            .chars()
            .chain(fraction.chars())
            .chain(padding.chars())
            .try_fold(0_u64, |units, letter| {
                let digit = letter.to_digit(10)?;
                units.checked_mul(10)?.checked_add(u64::from(digit))
            })
            .map(Self)
            .ok_or(NotADecimal)
    }
}

impl fmt::Display for Decimal {
    /// The shortest plain form: `100`, `0.0025`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / ONE, self.0 % ONE);
        if fraction == 0 {
            return write!(out, "{whole}");
        }
        let digits = format!("{fraction:08}");
        write!(out, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_decimals_come_back_in_their_shortest_form() {
        for (text, shown) in [
            ("0", "0"),
            ("100", "100"),
            ("0.0025", "0.0025"),
            ("1.50000000", "1.5"),
            ("0.00000001", "0.00000001"),
            ("007", "7"),
        ] {
            assert_eq!(text.parse::<Decimal>().map(|d| d.to_string()), Ok(shown.to_owned()));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in
            ["", ".", "1.", ".5", "-1", "+1", "1e3", "NaN", "1,5", " 1", "0.000000001", "999999999999", "١"]
        {
            assert_eq!(text.parse::<Decimal>(), Err(NotADecimal), "{text:?}");
        }
    }

    #[test]
    fn sums_and_products_are_cut_to_eight_digits_and_stay_within_what_can_be_written() {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap_or_default();
        let largest = Decimal(u64::MAX);
        for (result, shown) in [
            (decimal("12.5").saturating_sub(decimal("0.5")), "12.00000000"),
            (decimal("0.5").saturating_sub(decimal("12.5")), "0.00000000"),
            (decimal("0.00000003").times(decimal("0.5")), "0.00000001"),
            (decimal("9.6").times(decimal("0.0026")), "0.02496000"),
            (decimal("0.003").inverse(), "333.33333333"),
            (Decimal::from_whole(7), "7.00000000"),
        ] {
            assert_eq!(result.with_eight_digits(), shown);
        }
        assert_eq!((largest.times(largest), Decimal::default().inverse()), (largest, largest));
    }
}

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
    /// Whether this is nothing.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` beyond what can be written (1.8e11).
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
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
}

//! Coins with a sign: what a balance is, or changes by.

use std::fmt;

use alp_pool::decimal;
use alp_pool::money::COIN_SCALE;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::round::coins_text;

/// Whole 1e-8 of the coin, of either sign. Written as a decimal text, such as `-0.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct SignedCoins(pub i64);

impl SignedCoins {
    /// Reads what [`fmt::Display`] writes. More than eight decimal places are refused, not rounded.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let units = decimal::parse_units(digits, COIN_SCALE, u128::from(i64::MAX.unsigned_abs())).ok()?;
        let units = i64::try_from(units).ok()?;
        Some(Self(if negative { units.checked_neg()? } else { units }))
    }

    /// The same, with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl fmt::Display for SignedCoins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&coins_text(self.0))
    }
}

impl Serialize for SignedCoins {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SignedCoins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("not coins with up to eight decimal places"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_amount_reads_back_as_it_is_written() {
        for e8 in [0, 1, -1, 50_000_000, -50_000_000, i64::MAX, -i64::MAX] {
            assert_eq!(SignedCoins::parse(&SignedCoins(e8).to_string()), Some(SignedCoins(e8)), "{e8}");
        }
        assert_eq!(SignedCoins(-50_000_000).to_string(), "-0.5");
        for text in ["", "-", "--1", "0.000000001", "92233720368.54775808"] {
            assert_eq!(SignedCoins::parse(text), None, "{text}");
        }
    }
}

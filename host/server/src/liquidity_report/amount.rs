//! An amount as the network carries it: whole steps of 0.0001, written as a JSON real. Never a float.

use std::fmt;

use alp_pool::money::Amount;
use serde_json::value::RawValue;

/// Steps in a coin.
const STEPS: u128 = 10_000;

/// How many of the smallest units of an [`Amount`], 1e-18, are a step.
const UNITS_OF_A_STEP: u128 = 100_000_000_000_000;

/// Whole steps of 0.0001.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NetworkAmount(u128);

impl NetworkAmount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Floored to a step: no more is told than there is. What is cut off is told nowhere.
    #[must_use]
    pub fn floored(amount: Amount) -> Self {
        Self(amount.e18() / UNITS_OF_A_STEP)
    }

    /// Reads a JSON number that is a whole number of steps.
    #[must_use]
    pub fn read(written: &RawValue) -> Option<Self> {
        let amount = Amount::parse_sum(written.get()).ok()?;
        (amount.e18() % UNITS_OF_A_STEP == 0).then(|| Self::floored(amount))
    }

    /// A JSON number that the daemon takes for a real: it has a point.
    #[must_use]
    pub fn written(self) -> Box<RawValue> {
        RawValue::from_string(self.to_string()).unwrap_or_default()
    }

    /// The sum; nothing beyond 128 bits, which no network reaches.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl fmt::Display for NetworkAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}", self.0 / STEPS, self.0 % STEPS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floored(text: &str) -> NetworkAmount {
        NetworkAmount::floored(Amount::parse(text).unwrap())
    }

    #[test]
    fn amounts_are_floored_to_a_step_and_written_as_reals() {
        for (amount, written) in [
            ("0", "0.0000"),
            ("0.0001", "0.0001"),
            ("0.000199999999999999", "0.0001"),
            ("0.00009999", "0.0000"),
            ("1500", "1500.0000"),
            ("12345678901234.56789", "12345678901234.5678"),
        ] {
            assert_eq!(floored(amount).written().get(), written);
        }
    }

    #[test]
    fn what_the_network_shows_is_read_exactly_or_not_at_all() {
        let read = |text: &str| NetworkAmount::read(&RawValue::from_string(text.to_owned()).unwrap());
        assert_eq!(read("12.34000000"), Some(floored("12.34")));
        assert_eq!(read("0.0"), Some(NetworkAmount::ZERO));
        assert_eq!(read("1e3"), Some(floored("1000")));
        for odd in ["12.34567", "-1.0", "\"1.0\"", "null"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}

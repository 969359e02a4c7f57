//! Rewards as ALP-Server wrote them, and their sums as coins.

use thiserror::Error;

use crate::decimal::{self, DecimalError};

/// Decimal places in which rewards are added up: those of a float around a hundredth.
pub const REWARD_SCALE: u32 = 18;

/// Most that one credit can hold, in 1e-18: a million coins, far above what a round of that server ever paid.
const MAX_REWARD_E18: u128 = 10u128.pow(24);

/// 1e-18 in a unit of coins.
const E18_IN_E8: u128 = 10_000_000_000;

/// Reads a float as the database writes it, in 1e-18; what lies below is cut off.
///
/// # Errors
/// What it is instead of an amount.
pub fn read_reward(text: &str) -> Result<u128, RewardError> {
    match text {
        "" => return Err(RewardError::Missing),
        // Both databases and Python know a zero with a sign.
        "-0" | "-0.0" => return Ok(0),
        _ => {}
    }
    decimal::parse_units_cut(text, REWARD_SCALE, MAX_REWARD_E18).map_err(RewardError::NotAnAmount)
}

/// A sum of rewards in whole 1e-8, halves to the even neighbour, and what that gave or took, in 1e-18.
#[must_use]
pub fn to_e8(sum_e18: u128) -> (u128, i128) {
    let (floor, rest) = (sum_e18 / E18_IN_E8, sum_e18 % E18_IN_E8);
    let half = E18_IN_E8 / 2;
    let up = rest > half || (rest == half && floor % 2 == 1);
    // Both are below ten thousand million, and the floor far below the largest number.
    let rounding = i128::try_from(rest).unwrap_or(0).wrapping_neg();
    if up {
        (floor.saturating_add(1), rounding.wrapping_add(i128::try_from(E18_IN_E8).unwrap_or(0)))
    } else {
        (floor, rounding)
    }
}

/// Why a credit has no amount. Its LP is held.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RewardError {
    /// Nothing is written.
    #[error("is missing")]
    Missing,
    /// Something else is.
    #[error(transparent)]
    NotAnAmount(DecimalError),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn floats_are_read_as_they_are_written() {
        for (text, e18) in [
            ("0", 0),
            ("-0", 0),
            ("0.1", 100_000_000_000_000_000),
            ("1.25e-05", 12_500_000_000_000),
            ("0.012499999999999999", 12_499_999_999_999_999),
            ("1.2345678901234567e-10", 123_456_789),
            ("3", 3_000_000_000_000_000_000),
        ] {
            assert_eq!(read_reward(text), Ok(e18), "{text}");
        }
        for text in ["", "NaN", "Infinity", "-Infinity", "-0.1", "1e300", "x", "1e7"] {
            assert!(read_reward(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pb_06_two_thousand_tenths_are_two_hundred() {
        let tenth = read_reward("0.1").unwrap();
        assert_eq!(to_e8(tenth * 2_000), (20_000_000_000, 0));
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        assert_eq!(to_e8(15_000_000_000), (2, 5_000_000_000));
        assert_eq!(to_e8(25_000_000_000), (2, -5_000_000_000));
        assert_eq!(to_e8(25_000_000_001), (3, 4_999_999_999));
    }

    proptest! {
        #[test]
        fn what_is_rounded_is_what_was_recorded_and_the_rounding(sum in 0u128..10u128.pow(30)) {
            let (e8, rounding) = to_e8(sum);
            prop_assert_eq!(i128::try_from(e8 * E18_IN_E8).unwrap(), i128::try_from(sum).unwrap() + rounding);
            prop_assert!(rounding.unsigned_abs() <= E18_IN_E8 / 2);
        }

        #[test]
        fn what_is_cut_off_is_less_than_a_unit(whole in 0u64..1_000, digits in "[0-9]{18}", beyond in "[0-9]{0,6}") {
            let read = read_reward(&format!("{whole}.{digits}{beyond}")).unwrap();
            let exact: u128 = format!("{whole}{digits}").parse().unwrap();
            prop_assert_eq!(read, exact);
        }
    }
}

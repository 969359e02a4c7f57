//! Splitting whole units in proportion to weights, so that the parts add up to the whole.

use std::cmp::Reverse;

use ethnum::U256;

use crate::wide::{self, Overflow, wide};

/// Splits `whole` units among `weights` by largest remainders. Each part is the floor or the ceiling of its exact
/// quota `whole · weight / Σ weights`, and the parts add up to `whole`, or are all zero if every weight is.
///
/// The units that flooring leaves go to the largest remainders; among equal remainders to the larger weight; among
/// equal weights to the part that stands first. Callers put the parts in the order of their identity, so that the
/// order in which orders happened to arrive decides nothing.
///
/// # Errors
/// [`Overflow`] if the weights add up to more than 2^128.
pub fn apportion(whole: u64, weights: &[u128]) -> Result<Vec<u64>, Overflow> {
    wide::sum(weights.iter().copied(), "weights")?;
    apportion_wide(whole, &weights.iter().copied().map(wide).collect::<Vec<_>>())
}

/// As [`apportion`], for weights that are products and exceed 128 bits.
///
/// # Errors
/// [`Overflow`] if `whole` times the sum of the weights exceeds 2^256.
pub(crate) fn apportion_wide(whole: u64, weights: &[U256]) -> Result<Vec<u64>, Overflow> {
    let total = wide::total(weights.iter().copied(), "weights")?;
    if total == U256::ZERO {
        return Ok(vec![0; weights.len()]);
    }
    let quotas = weights
        .iter()
        .map(|weight| Ok((wide::product(&[wide(u128::from(whole)), *weight], "quota")?, *weight)))
        .collect::<Result<Vec<_>, Overflow>>()?;
    largest_remainders(whole, &quotas, total)
}

/// Rounds fractions of one denominator to whole units together: each to its floor or its ceiling, so that they add up
/// to `whole`, which is the floor of their sum, or the next unit if the sum is as good as that. The ceilings go as
/// in [`apportion`].
///
/// # Errors
/// [`Overflow`] if `whole` is below the sum of the floors.
pub(crate) fn round_together(
    whole: u64,
    numerators: &[U256],
    denominator: U256,
) -> Result<Vec<u64>, Overflow> {
    let quotas: Vec<_> = numerators.iter().map(|numerator| (*numerator, *numerator)).collect();
    largest_remainders(whole, &quotas, denominator)
}

/// Shares `whole` by quotas, each a numerator over `denominator` with the weight by which ties are broken, that add up
/// to `whole` but for less than a unit.
fn largest_remainders(whole: u64, quotas: &[(U256, U256)], denominator: U256) -> Result<Vec<u64>, Overflow> {
    let mut parts = Vec::with_capacity(quotas.len());
    let mut remainders = Vec::with_capacity(quotas.len());
    let mut left = whole;
    for (place, (exact, weight)) in quotas.iter().enumerate() {
        let (floor, remainder) = wide::div_rem(*exact, denominator, "quota")?;
        let floor = u64::try_from(floor).map_err(|_| Overflow("quota"))?;
        left = left.checked_sub(floor).ok_or(Overflow("quota"))?;
        parts.push(floor);
        remainders.push((Reverse(remainder), Reverse(*weight), place));
    }
    let left = usize::try_from(left).map_err(|_| Overflow("remainders"))?;
    // Fewer units are left than there are parts, since each part lost less than one.
    if let Some(last) = left.checked_sub(1).filter(|last| *last < remainders.len()) {
        remainders.select_nth_unstable(last);
    }
    for (_, _, place) in remainders.iter().take(left) {
        if let Some(part) = parts.get_mut(*place) {
            *part = part.checked_add(1).ok_or(Overflow("part"))?;
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_odd_unit_goes_to_the_largest_remainder() {
        assert_eq!(apportion(10, &[1, 1, 1]).unwrap(), [4, 3, 3]);
        assert_eq!(apportion(10, &[1, 2, 4]).unwrap(), [1, 3, 6]);
        assert_eq!(apportion(0, &[1, 2]).unwrap(), [0, 0]);
        assert_eq!(apportion(7, &[0, 5, 0]).unwrap(), [0, 7, 0]);
        assert_eq!(apportion(7, &[0, 0]).unwrap(), [0, 0]);
        assert_eq!(apportion(7, &[]).unwrap(), Vec::<u64>::new());
    }

    #[test]
    fn fractions_round_to_floor_or_ceiling_and_add_up() {
        let tenths = |whole, numerators: &[u128]| {
            let numerators: Vec<_> = numerators.iter().copied().map(wide).collect();
            round_together(whole, &numerators, wide(10)).unwrap()
        };
        assert_eq!(tenths(5, &[19, 19, 19]), [2, 2, 1]);
        assert_eq!(tenths(0, &[9]), [0]);
        assert_eq!(tenths(4, &[25, 16]), [2, 2]);
        assert_eq!(tenths(0, &[]), Vec::<u64>::new());
    }

    proptest! {
        #[test]
        fn parts_add_up_and_each_is_the_floor_or_ceiling_of_its_quota(
            whole in 0u64..10_000_000_000,
            weights in prop::collection::vec(0u128..10u128.pow(33), 1..40),
        ) {
            let parts = apportion(whole, &weights).unwrap();
            let total: u128 = weights.iter().sum();
            if total > 0 {
                prop_assert_eq!(parts.iter().sum::<u64>(), whole);
                for (part, weight) in parts.iter().zip(&weights) {
                    let (floor, rest) = wide::div_rem(wide(u128::from(whole)) * wide(*weight), wide(total), "").unwrap();
                    let part = u128::from(*part);
                    prop_assert!(part == floor || (rest > ethnum::U256::ZERO && part == floor + 1));
                }
            }
        }
    }
}

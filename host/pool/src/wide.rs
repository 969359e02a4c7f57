//! Products that do not fit 128 bits, and fractions compared without dividing.

use std::cmp::Ordering;

use ethnum::U256;
use thiserror::Error;

/// A sum or product left the range that the bounds of prices, amounts and coins guarantee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a sum or product is out of range: {0}")]
pub struct Overflow(pub &'static str);

pub(crate) fn wide(value: u128) -> U256 {
    U256::from(value)
}

pub(crate) fn product(factors: &[U256], what: &'static str) -> Result<U256, Overflow> {
    factors.iter().try_fold(U256::ONE, |product, factor| product.checked_mul(*factor)).ok_or(Overflow(what))
}

pub(crate) fn sum(terms: impl IntoIterator<Item = u128>, what: &'static str) -> Result<u128, Overflow> {
    terms.into_iter().try_fold(0u128, u128::checked_add).ok_or(Overflow(what))
}

pub(crate) fn plus(a: U256, b: U256, what: &'static str) -> Result<U256, Overflow> {
    a.checked_add(b).ok_or(Overflow(what))
}

pub(crate) fn minus(a: U256, b: U256, what: &'static str) -> Result<U256, Overflow> {
    a.checked_sub(b).ok_or(Overflow(what))
}

pub(crate) fn total(terms: impl IntoIterator<Item = U256>, what: &'static str) -> Result<U256, Overflow> {
    terms.into_iter().try_fold(U256::ZERO, U256::checked_add).ok_or(Overflow(what))
}

/// The floor of `a · b / divisor`, whose product may take 512 bits: long multiplication by the bits of `b`, with
/// quotient and remainder carried along, so that only a quotient above 2^256 or a divisor above 2^255 is refused.
pub(crate) fn mul_div(a: U256, b: U256, divisor: U256, what: &'static str) -> Result<U256, Overflow> {
    let whole = a.checked_div(divisor).ok_or(Overflow(what))?;
    let rest = a.checked_rem(divisor).ok_or(Overflow(what))?;
    if let Some(product) = a.checked_mul(b) {
        return product.checked_div(divisor).ok_or(Overflow(what));
    }
    let (mut quotient, mut remainder) = (U256::ZERO, U256::ZERO);
    for bit in (0..256u32.saturating_sub(b.leading_zeros())).rev() {
        let set = b.checked_shr(bit).ok_or(Overflow(what))? & U256::ONE == U256::ONE;
        let (more, extra) = if set { (whole, rest) } else { (U256::ZERO, U256::ZERO) };
        quotient = plus(plus(quotient, quotient, what)?, more, what)?;
        for added in [remainder, extra] {
            remainder = plus(remainder, added, what)?;
            if remainder >= divisor {
                remainder = minus(remainder, divisor, what)?;
                quotient = plus(quotient, U256::ONE, what)?;
            }
        }
    }
    Ok(quotient)
}

/// Quotient and remainder of `numerator / denominator`; the quotient must fit 128 bits.
pub(crate) fn div_rem(
    numerator: U256,
    denominator: U256,
    what: &'static str,
) -> Result<(u128, U256), Overflow> {
    let quotient = numerator.checked_div(denominator).ok_or(Overflow(what))?;
    let remainder = numerator.checked_rem(denominator).ok_or(Overflow(what))?;
    let quotient = u128::try_from(quotient).map_err(|_| Overflow(what))?;
    Ok((quotient, remainder))
}

/// `numerator / denominator`, rounded to the nearest whole, halves to the even neighbour.
pub(crate) fn div_half_even(
    numerator: U256,
    denominator: U256,
    what: &'static str,
) -> Result<u128, Overflow> {
    let (floor, remainder) = div_rem(numerator, denominator, what)?;
    // The remainder is compared with what is missing to the next whole, which cannot overflow as doubling could.
    let missing = denominator.checked_sub(remainder).ok_or(Overflow(what))?;
    let up = match remainder.cmp(&missing) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => floor.checked_rem(2) == Some(1),
    };
    floor.checked_add(u128::from(up)).ok_or(Overflow(what))
}

/// Compares two fractions between 0 and 1 by Euclid's algorithm: no product, so nothing overflows.
pub(crate) fn compare_fractions(left: (U256, U256), right: (U256, U256)) -> Ordering {
    let (mut left, mut right, mut swapped) = (left, right, false);
    loop {
        let ordering = match (left.0.checked_div(left.1), right.0.checked_div(right.1)) {
            (Some(a), Some(b)) => a.cmp(&b),
            // A zero denominator stands for "infinitely large", as it appears while the fractions are inverted.
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
        };
        if ordering != Ordering::Equal {
            return if swapped { ordering.reverse() } else { ordering };
        }
        let (Some(a), Some(b)) = (left.0.checked_rem(left.1), right.0.checked_rem(right.1)) else {
            return Ordering::Equal;
        };
        if a == U256::ZERO && b == U256::ZERO {
            return Ordering::Equal;
        }
        (left, right, swapped) = ((left.1, a), (right.1, b), !swapped);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn fractions_compare_as_their_cross_products_do(a in 0u64.., b in 1u64.., c in 0u64.., d in 1u64..) {
            let expected = (u128::from(a) * u128::from(d)).cmp(&(u128::from(c) * u128::from(b)));
            let fraction = |n: u64, d: u64| (U256::from(n), U256::from(d));
            prop_assert_eq!(compare_fractions(fraction(a, b), fraction(c, d)), expected);
        }

        #[test]
        fn a_product_beyond_256_bits_is_divided_exactly(
            a in any::<[u128; 2]>(), small in 1u64.., factor in any::<[u128; 2]>(),
        ) {
            // a · (factor · small) / (factor · 1) must be a · small, however long the product is.
            let a: U256 = U256::from_words(a[0] >> 70, a[1]) >> 60u32;
            let factor = U256::from_words(factor[0] >> 66, factor[1] | 1);
            let b = factor.checked_mul(U256::from(small));
            if let (Some(b), Some(expected)) = (b, a.checked_mul(U256::from(small))) {
                prop_assert_eq!(mul_div(a, b, factor, "test").unwrap(), expected);
            }
        }

        #[test]
        fn half_even_is_within_half_a_unit_and_even_at_the_half(n in 0u64..1_000_000, d in 1u64..1_000) {
            let rounded = div_half_even(U256::from(n), U256::from(d), "test").unwrap();
            let twice = 2 * i128::from(n) - 2 * i128::try_from(rounded).unwrap() * i128::from(d);
            prop_assert!(twice.abs() <= i128::from(d));
            if twice.abs() == i128::from(d) {
                prop_assert_eq!(rounded % 2, 0);
            }
        }
    }
}

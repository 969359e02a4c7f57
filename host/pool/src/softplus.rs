//! `ln(1 + e^-z)` for z from zero up, in fixed point, with a bound on its error.
//!
//! Everything counts in units of 2^-112. Where the text says *unit* it means that, 1.9e-34.
//!
//! The method, and what each step may lose:
//!
//! 1. From z = 80 on the answer is zero: the true one is below e^-80 = 1.9e-35, a tenth of a unit.
//! 2. `z = k · ln 2 + f` with `0 ≤ f < ln 2`. z and the constant are floored to a unit and k is at most 115, so f is
//!    off by at most 116 units; e^-f passes on no more than it is given, for its slope is at most 1.
//! 3. `e^f` is the sum of `f^n / n!`. A term's floor loses under one unit and passes on under a unit of what the
//!    one before lost, so the terms, of which there are fewer than 40 before they vanish, lose under 80 units
//!    together; the rest of the series is below the last term. `e^-f = 1 / e^f` halves that at worst into as much,
//!    since e^f ≥ 1, and its floor loses one more.
//! 4. `e^-z = e^-f / 2^k`, floored: one unit.
//! 5. `ln(1 + x) = 2 · (y + y³/3 + y⁵/5 + …)` with `y = x / (2 + x)`, at most a third. The slope of ln(1 + x) is at
//!    most 1, so what came so far passes on as it is. y loses under a unit; each power and each quotient under two
//!    more; fewer than 40 terms are summed before they vanish, and the sum is doubled: under 243 units.
//!
//! So the answer is off by fewer than 116 + 82 + 1 + 243 < 512 units, which is below 1e-31. [`ERROR`] is that.

use ethnum::U256;

use crate::wide::{self, Overflow, wide};

/// Bits behind the point.
const BITS: u32 = 112;

/// Most by which [`ln_one_plus_exp_minus`] is off, either way, in units of 2^-112: below 1e-31.
pub(crate) const ERROR: u128 = 512;

/// The natural logarithm of 2, in 2^-112, floored.
const LN_2: u128 = 3_599_025_928_123_676_973_540_407_451_845_618;

/// From here on the answer is below a unit.
const VANISHED: u128 = 80;

/// One, in 2^-112.
pub(crate) fn one() -> U256 {
    wide(1 << BITS)
}

/// `ln(1 + e^-(numerator / denominator))`, in 2^-112, off by at most [`ERROR`] units.
///
/// # Errors
/// [`Overflow`] for a denominator of zero or above 2^248.
pub(crate) fn ln_one_plus_exp_minus(numerator: U256, denominator: U256) -> Result<U256, Overflow> {
    let vanished = wide::product(&[denominator, wide(VANISHED)], WHAT)?;
    if numerator >= vanished {
        return Ok(U256::ZERO);
    }
    let z = wide::mul_div(numerator, one(), denominator, WHAT)?;
    let (halvings, rest) = wide::div_rem(z, wide(LN_2), WHAT)?;
    let exp = quotient(wide::product(&[one(), one()], WHAT)?, exp(rest)?)?;
    let halvings = u32::try_from(halvings).map_err(|_| Overflow(WHAT))?;
    let x = exp.checked_shr(halvings).ok_or(Overflow(WHAT))?;
    ln_one_plus(x)
}

const WHAT: &str = "logarithm";

/// `e^f` for f below 1.
fn exp(f: U256) -> Result<U256, Overflow> {
    let (mut sum, mut term) = (one(), one());
    for n in 1u128.. {
        term = quotient(times(term, f)?, wide(n))?;
        if term == U256::ZERO {
            break;
        }
        sum = wide::plus(sum, term, WHAT)?;
    }
    Ok(sum)
}

/// `ln(1 + x)` for x up to 1.
fn ln_one_plus(x: U256) -> Result<U256, Overflow> {
    let two = wide::plus(one(), one(), WHAT)?;
    let y = wide::mul_div(x, one(), wide::plus(two, x, WHAT)?, WHAT)?;
    let square = times(y, y)?;
    let (mut sum, mut power) = (U256::ZERO, y);
    for odd in (1u128..).step_by(2) {
        if power == U256::ZERO {
            break;
        }
        sum = wide::plus(sum, quotient(power, wide(odd))?, WHAT)?;
        power = times(power, square)?;
    }
    wide::plus(sum, sum, WHAT)
}

/// The product of two numbers in 2^-112, floored. Both are below 2^3, so 230 bits hold it.
fn times(a: U256, b: U256) -> Result<U256, Overflow> {
    wide::product(&[a, b], WHAT)?.checked_shr(BITS).ok_or(Overflow(WHAT))
}

fn quotient(a: U256, b: U256) -> Result<U256, Overflow> {
    a.checked_div(b).ok_or(Overflow(WHAT))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// z in thousandths, and floor(ln(1 + e^-z) · 2^112), computed with 120 digits.
    const REFERENCE: &[(u64, &str)] = &[
        (0, "3599025928123676973540407451845618"),
        (1, "3596430428731489833368593781815983"),
        (2, "3593836227413138722036197658068905"),
        (10, "3573129347271304195561593853327249"),
        (100, "3345898753750337343606692333838531"),
        (250, "2990448440543290482836306787245924"),
        (500, "2461548435662033094391608944623811"),
        (693, "2105549954626073609234929951668702"),
        (694, "2103819596065093708950816610207138"),
        (1000, "1626547676000187244421287227001323"),
        (1386, "1158933278549177784446559713610368"),
        (2000, "659047912998500003405384500740340"),
        (3000, "252279952940868105015184377142536"),
        (5000, "34868082864014348775239643105934"),
        (7500, "2870984362500890488045325799089"),
        (10000, "235724561784665551638542232394"),
        (15000, "1588335414822411858025721897"),
        (20000, "10702121467716045800433388"),
        (30000, "485875563444599124862"),
        (40000, "22058716453693584"),
        (50000, "1001464177648"),
        (60000, "45466403"),
        (70000, "2064"),
        (75000, "13"),
        (78500, "0"),
        (79000, "0"),
        (79999, "0"),
        (80000, "0"),
        (80001, "0"),
        (100000, "0"),
        (4914, "37988029177336510176408103590585"),
        (6328, "9263104908261081152670238921835"),
        (7602, "2592653215986343144710354195381"),
        (7747, "2242778397785057160624896654435"),
        (8108, "1563271735669711189381621387358"),
        (9156, "548196567254867895661269935327"),
        (9494, "390977127921712109730435113600"),
        (11265, "66531818378429766108803784204"),
        (11889, "35647651892700166687489889112"),
        (12337, "22775480000228147899100636905"),
        (16226, "466119456628405314715401476"),
        (19772, "13442777723044827296535545"),
        (28140, "3121136723237128524986"),
        (29260, "1018363849048442919558"),
        (31544, "103746720484270341623"),
        (42445, "1913067218922066"),
        (47931, "7928494007149"),
        (51750, "174028379374"),
        (51993, "136485500531"),
        (54810, "8159789611"),
        (55642, "3550961407"),
        (56838, "1073815706"),
        (66510, "67675"),
        (70239, "1625"),
        (72226, "222"),
        (74115, "33"),
        (75642, "7"),
        (76387, "3"),
        (76414, "3"),
        (76748, "2"),
    ];

    #[test]
    fn it_is_within_its_stated_error_of_values_computed_with_120_digits() {
        assert_eq!(REFERENCE.len(), 60);
        for (z, expected) in REFERENCE {
            let expected: U256 = expected.parse().unwrap();
            let got = ln_one_plus_exp_minus(U256::from(*z), U256::from(1_000u32)).unwrap();
            let off = if got > expected { got - expected } else { expected - got };
            assert!(off < U256::from(ERROR), "z = {z}/1000: off by {off} units");
        }
    }

    #[test]
    fn its_stated_error_is_below_ten_to_the_minus_31() {
        // 512 / 2^112 < 1e-31, multiplied across.
        assert!(U256::from(ERROR) * U256::from(10u128.pow(31)) < one());
    }

    #[test]
    fn it_never_rises_with_z_beyond_its_error() {
        let mut last = U256::MAX;
        for z in 0..9_000u32 {
            let now = ln_one_plus_exp_minus(U256::from(z), U256::from(100u32)).unwrap();
            assert!(now <= last.saturating_add(U256::from(2 * ERROR)), "z = {z}/100");
            last = now;
        }
    }
}

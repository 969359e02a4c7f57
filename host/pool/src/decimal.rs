//! Decimal text to whole units of a fixed scale and back, exactly.

use thiserror::Error;

/// Longest decimal text that is read. A sane number has under forty digits; the rest is an attack on time.
pub const MAX_TEXT: usize = 80;

/// Largest exponent, either way, that is read: `1e-18` is the smallest unit anything here is counted in.
const MAX_EXPONENT: i32 = 60;

/// Why a text is not an exact number of units.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecimalError {
    /// Nothing was written.
    #[error("is empty: write a decimal number such as 0.0025")]
    Empty,
    /// Longer than [`MAX_TEXT`].
    #[error("is {0} characters long: at most {MAX_TEXT} are read")]
    TooLong(usize),
    /// A character that no decimal number has.
    #[error("has {character:?} at position {position}: write digits and at most one point, such as 0.0025")]
    BadCharacter {
        /// The character.
        character: char,
        /// Its place in the text, counted from 1.
        position: usize,
    },
    /// A sign where only amounts from zero up make sense.
    #[error("is negative")]
    Negative,
    /// No digit at all.
    #[error("has no digits")]
    NoDigits,
    /// An exponent that does not fit.
    #[error("has an exponent out of range: at most {MAX_EXPONENT} either way is read")]
    Exponent,
    /// Digits below the smallest unit.
    #[error("has more than {scale} decimal places")]
    TooPrecise {
        /// Decimal places of the smallest unit.
        scale: u32,
    },
    /// Above what is counted.
    #[error("is larger than {limit}")]
    TooLarge {
        /// The largest number that is read, as text.
        limit: String,
    },
}

/// Reads `text` as a number of units of 10^-`scale`, of which there are at most `max_units`. Plain and exponent
/// notation are read; the number is exact or it is refused.
///
/// # Errors
/// [`DecimalError`] says what is wrong with the text.
pub fn parse_units(text: &str, scale: u32, max_units: u128) -> Result<u128, DecimalError> {
    match parse_plain(text, scale) {
        Some(units) if units <= max_units => Ok(units),
        Some(_) | None => parse_any(text, scale, max_units),
    }
}

/// Most digits that surely fit 64 bits.
const SHORT: usize = 19;

/// The short way for what is nearly always read: a few digits with at most one point among them. Nothing where it is
/// anything else, right or wrong.
fn parse_plain(text: &str, scale: u32) -> Option<u128> {
    let (mut units, mut digits, mut decimals) = (0_u64, 0_usize, None);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' if digits < SHORT => {
                units = units.checked_mul(10)?.checked_add(u64::from(byte.checked_sub(b'0')?))?;
                digits = digits.checked_add(1)?;
                decimals = match decimals {
                    Some(decimals) => Some(u32::checked_add(decimals, 1)?),
                    None => None,
                };
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    if digits == 0 {
        return None;
    }
    let shift = scale.checked_sub(decimals.unwrap_or(0))?;
    u128::from(units).checked_mul(10_u128.checked_pow(shift)?)
}

fn parse_any(text: &str, scale: u32, max_units: u128) -> Result<u128, DecimalError> {
    let scanned = scan(text)?;
    if shift_of(&scanned, scale) < 0 && !scanned.digits.is_empty() {
        return Err(DecimalError::TooPrecise { scale });
    }
    units_of(scanned, scale, max_units)
}

/// As [`parse_units`], but what is below the smallest unit is rounded up to it: for what somebody asks at least, which
/// rounding must not lower.
///
/// # Errors
/// [`DecimalError`] says what is wrong with the text.
pub fn parse_units_up(text: &str, scale: u32, max_units: u128) -> Result<u128, DecimalError> {
    let mut scanned = scan(text)?;
    let below = usize::try_from(shift_of(&scanned, scale).min(0).unsigned_abs()).unwrap_or(usize::MAX);
    if below == 0 || scanned.digits.is_empty() {
        return units_of(scanned, scale, max_units);
    }
    // The last digit is never a zero, so something is cut off.
    scanned.digits.truncate(scanned.digits.len().saturating_sub(below));
    scanned.exponent = i32::try_from(scale).map_or(i32::MIN, i32::wrapping_neg);
    match units_of(scanned, scale, max_units)?.checked_add(1) {
        Some(units) if units <= max_units => Ok(units),
        Some(_) | None => Err(DecimalError::TooLarge { limit: format_units(max_units, scale) }),
    }
}

/// As [`parse_units`], but digits below the smallest unit are cut off.
///
/// # Errors
/// [`DecimalError`] says what is wrong with the text.
pub(crate) fn parse_units_cut(text: &str, scale: u32, max_units: u128) -> Result<u128, DecimalError> {
    let Scanned { mut digits, mut exponent } = scan(text)?;
    let lowest = i32::try_from(scale).map_or(i32::MIN, |scale| scale.saturating_neg());
    while exponent < lowest && digits.pop().is_some() {
        exponent = exponent.saturating_add(1);
    }
    units_of(Scanned { digits, exponent }, scale, max_units)
}

/// How many places the digits have to be shifted to the left to count whole units.
fn shift_of(scanned: &Scanned, scale: u32) -> i64 {
    i64::from(scanned.exponent).saturating_add(i64::from(scale))
}

fn units_of(scanned: Scanned, scale: u32, max_units: u128) -> Result<u128, DecimalError> {
    let shift = shift_of(&scanned, scale);
    let digits = scanned.digits;
    if digits.is_empty() {
        return Ok(0);
    }
    let too_large = || DecimalError::TooLarge { limit: format_units(max_units, scale) };
    let shift = u32::try_from(shift).map_err(|_| too_large())?;
    let mut units: u128 = 0;
    for digit in digits {
        units = units
            .checked_mul(10)
            .and_then(|units| units.checked_add(u128::from(digit)))
            .ok_or_else(too_large)?;
    }
    let factor = 10u128.checked_pow(shift).ok_or_else(too_large)?;
    let units = units.checked_mul(factor).ok_or_else(too_large)?;
    if units > max_units { Err(too_large()) } else { Ok(units) }
}

/// Writes `units` of 10^-`scale` in plain notation, without trailing zeros.
#[must_use]
pub fn format_units(units: u128, scale: u32) -> String {
    let mut text = Vec::with_capacity(USUAL_TEXT);
    text.extend(backwards(units, scale));
    text.reverse();
    // Digits and a point are text.
    String::from_utf8(text).unwrap_or_default()
}

/// Whether `text` is what [`format_units`] writes. Nothing is written for it.
#[must_use]
pub fn is_written_as(text: &str, units: u128, scale: u32) -> bool {
    text.bytes().rev().eq(backwards(units, scale))
}

/// Room for what most prices and amounts are written as.
const USUAL_TEXT: usize = 24;

/// The text from its last character to its first, which is the order in which digits come.
fn backwards(units: u128, scale: u32) -> impl Iterator<Item = u8> {
    let (mut digits, mut places) = (Digits(units), scale);
    while places > 0 && digits.ends_with_zero() {
        digits.take_last();
        places = places.saturating_sub(1);
    }
    // A point stands after the decimals, if there are any, and a digit before it, if only a zero.
    let mut written = 0_u32;
    std::iter::from_fn(move || {
        let at = written;
        written = written.saturating_add(1);
        if places > 0 && at == places {
            return Some(b'.');
        }
        let first_whole = if places > 0 { places.saturating_add(1) } else { 0 };
        (at <= first_whole || digits.0 > 0).then(|| digits.take_last())
    })
}

/// What is left of a number whose digits are taken off at its end.
struct Digits(u128);

impl Digits {
    fn ends_with_zero(&self) -> bool {
        // Most numbers fit into a word, whose division costs a tenth.
        u64::try_from(self.0).map_or_else(|_| self.0.is_multiple_of(10), |word| word.is_multiple_of(10))
    }

    /// The last digit, as it is written; a zero once there are none.
    fn take_last(&mut self) -> u8 {
        let last = match u64::try_from(self.0) {
            Ok(word) => {
                self.0 = u128::from(word / 10);
                word % 10
            }
            Err(_) => {
                let last = self.0 % 10;
                self.0 /= 10;
                u64::try_from(last).unwrap_or(0)
            }
        };
        u8::try_from(last).unwrap_or(0).saturating_add(b'0')
    }
}

/// A number as significant digits (no zeros at either end) times a power of ten.
struct Scanned {
    digits: Vec<u8>,
    exponent: i32,
}

fn scan(text: &str) -> Result<Scanned, DecimalError> {
    if text.is_empty() {
        return Err(DecimalError::Empty);
    }
    if text.len() > MAX_TEXT {
        return Err(DecimalError::TooLong(text.len()));
    }
    let mut digits: Vec<u8> = Vec::with_capacity(text.len());
    let mut exponent: i32 = 0;
    let mut seen_point = false;
    let mut seen_digit = false;
    let mut rest = text.char_indices();
    while let Some((at, character)) = rest.next() {
        let position = at.saturating_add(1);
        let bad = DecimalError::BadCharacter { character, position };
        match character {
            '0'..='9' => {
                seen_digit = true;
                if seen_point {
                    exponent = exponent.saturating_sub(1);
                }
                let digit = character.to_digit(10).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
                if !(digits.is_empty() && digit == 0) {
                    digits.push(digit);
                }
            }
            '.' if !seen_point => seen_point = true,
            '-' if at == 0 => return Err(DecimalError::Negative),
            'e' | 'E' if seen_digit => {
                exponent = exponent.saturating_add(scan_exponent(rest.as_str(), position)?);
                break;
            }
            _ => return Err(bad),
        }
    }
    if !seen_digit {
        return Err(DecimalError::NoDigits);
    }
    while digits.last() == Some(&0) {
        digits.pop();
        exponent = exponent.saturating_add(1);
    }
    Ok(Scanned { digits, exponent })
}

fn scan_exponent(text: &str, offset: usize) -> Result<i32, DecimalError> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some((at, character)) = unsigned.char_indices().find(|(_, character)| !character.is_ascii_digit())
    {
        let position = offset
            .saturating_add(text.len().saturating_sub(unsigned.len()))
            .saturating_add(at)
            .saturating_add(1);
        return Err(DecimalError::BadCharacter { character, position });
    }
    match text.parse::<i32>() {
        Ok(exponent) if (-MAX_EXPONENT..=MAX_EXPONENT).contains(&exponent) => Ok(exponent),
        Ok(_) | Err(_) => Err(DecimalError::Exponent),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX: u128 = 10u128.pow(30);

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_long_way_reads(text in "[0-9]{0,12}[.eE-]?[0-9]{0,12}", scale in 0u32..=18) {
            if let Some(units) = parse_plain(&text, scale) {
                prop_assert_eq!(parse_any(&text, scale, u128::MAX), Ok(units));
            }
        }

        #[test]
        fn whatever_is_written_reads_back(units in any::<u128>(), less in 0u32..128, scale in 0u32..=18) {
            let units = units >> less;
            let text = format_units(units, scale);
            prop_assert_eq!(parse_units(&text, scale, u128::MAX), Ok(units));
            prop_assert!(!text.starts_with('.'));
            prop_assert!(!text.contains('.') || !text.ends_with(['0', '.']));
            prop_assert!(is_written_as(&text, units, scale));
            let longer = format!("0{text}");
            prop_assert!(!is_written_as(&longer, units, scale));
            prop_assert!(units == u128::MAX || !is_written_as(&text, units + 1, scale));
        }
    }

    #[test]
    fn plain_and_exponent_notation_are_read_exactly() {
        for (text, units) in [
            ("0", 0),
            ("0.00000000", 0),
            ("0E-8", 0),
            ("1", 100_000_000),
            ("0.00000001", 1),
            ("1e-8", 1),
            ("1E-8", 1),
            ("1.50000000000", 150_000_000),
            (".5", 50_000_000),
            ("5.", 500_000_000),
            ("1e3", 100_000_000_000),
            ("0001.25e+1", 1_250_000_000),
        ] {
            assert_eq!(parse_units(text, 8, MAX), Ok(units), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_exact_number_is_refused_with_the_reason() {
        for text in [
            "",
            "-1",
            "+1",
            "1,5",
            "1.2.3",
            "NaN",
            "inf",
            "1e",
            "1e999999999999",
            "1e400",
            "e5",
            ".",
            "1 ",
            "1e5x",
            "٣",
        ] {
            assert!(parse_units(text, 8, MAX).is_err(), "{text}");
        }
        assert_eq!(parse_units("0.000000001", 8, MAX), Err(DecimalError::TooPrecise { scale: 8 }));
        assert_eq!(
            parse_units("12x4", 8, MAX),
            Err(DecimalError::BadCharacter { character: 'x', position: 3 })
        );
        assert_eq!(parse_units("2", 8, 100_000_000), Err(DecimalError::TooLarge { limit: "1".to_owned() }));
        assert_eq!(parse_units(&"9".repeat(MAX_TEXT + 1), 8, MAX), Err(DecimalError::TooLong(MAX_TEXT + 1)));
    }

    #[test]
    fn what_somebody_asks_at_least_is_rounded_up_and_never_down() {
        for (text, units) in [
            ("0", 0),
            ("0.00000001", 1),
            ("0.000000001", 1),
            ("1e-60", 1),
            ("0.000000011", 2),
            ("1.2345678949999", 123_456_790),
            ("0e-20", 0),
            ("3e-8", 3),
            ("2", 200_000_000),
        ] {
            assert_eq!(parse_units_up(text, 8, MAX), Ok(units), "{text}");
        }
        let too_large = Err(DecimalError::TooLarge { limit: "1".to_owned() });
        assert_eq!(parse_units_up("1.000000001", 8, 100_000_000), too_large);
        for text in ["", "-1", "nan", "inf", "1e99", "1e5x"] {
            assert_eq!(parse_units_up(text, 8, MAX), parse_units(text, 8, MAX), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        for units in [0, 1, 9, 10, 99_999_999, 100_000_000, 123_456_789_012_345] {
            assert_eq!(parse_units(&format_units(units, 8), 8, MAX), Ok(units));
        }
        assert_eq!(format_units(1, 8), "0.00000001");
        assert_eq!(format_units(250_000_000, 8), "2.5");
    }
}

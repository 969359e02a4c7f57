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
    let Scanned { digits, exponent } = scan(text)?;
    whole_units(&digits, exponent, scale, max_units)
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
    whole_units(&digits, exponent, scale, max_units)
}

/// Writes `units` of 10^-`scale` in plain notation, without trailing zeros.
#[must_use]
pub fn format_units(units: u128, scale: u32) -> String {
    let width = usize::try_from(scale).unwrap_or(0);
    let digits = format!("{units:0>width$}", width = width.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(width));
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

fn whole_units(digits: &[u8], exponent: i32, scale: u32, max_units: u128) -> Result<u128, DecimalError> {
    if digits.is_empty() {
        return Ok(0);
    }
    let too_large = || DecimalError::TooLarge { limit: format_units(max_units, scale) };
    let shift = i64::from(exponent).saturating_add(i64::from(scale));
    if shift < 0 {
        return Err(DecimalError::TooPrecise { scale });
    }
    let shift = u32::try_from(shift).map_err(|_| too_large())?;
    let mut units: u128 = 0;
    for digit in digits {
        units = units
            .checked_mul(10)
            .and_then(|units| units.checked_add(u128::from(*digit)))
            .ok_or_else(too_large)?;
    }
    let factor = 10u128.checked_pow(shift).ok_or_else(too_large)?;
    let units = units.checked_mul(factor).ok_or_else(too_large)?;
    if units > max_units { Err(too_large()) } else { Ok(units) }
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
    use super::*;

    const MAX: u128 = 10u128.pow(30);

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
    fn what_is_written_reads_back_the_same() {
        for units in [0, 1, 9, 10, 99_999_999, 100_000_000, 123_456_789_012_345] {
            assert_eq!(parse_units(&format_units(units, 8), 8, MAX), Ok(units));
        }
        assert_eq!(format_units(1, 8), "0.00000001");
        assert_eq!(format_units(250_000_000, 8), "2.5");
    }
}

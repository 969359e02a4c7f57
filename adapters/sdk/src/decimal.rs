//! Exact decimal numbers as exchanges write them. Never a binary float.

mod arithmetic;
mod written_out;

use std::fmt;

use serde::{Deserialize, Deserializer};

use self::written_out::WrittenOut;
use crate::{Fault, Text};

/// Longer texts are no price and no amount: the longest that exchanges write have eighteen decimals.
const MAX_CHARACTERS: usize = 64;
/// What fits a 128-bit integer whatever the digits are.
const MAX_DIGITS: u32 = 38;
/// So many digits fit 64 bits, with which WebAssembly is several times as fast. Nearly every number has fewer.
const SHORT: usize = 18;

/// A decimal number, kept exactly. It shows itself without an exponent; as the exchange wrote it, where the
/// exchange used none.
///
/// ```
/// use alp_adapter::Decimal;
/// let whole = Decimal::parse("10.00000000").unwrap();
/// let filled = Decimal::parse("35e-1").unwrap();
/// assert_eq!(whole.minus(&filled).unwrap().to_string(), "6.50000000");
/// assert_eq!(Decimal::parse("1E-8").unwrap().to_string(), "0.00000001");
/// assert!(Decimal::parse("NaN").is_err());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Decimal<'a> {
    /// The text itself, if it is a plain number.
    written: Option<&'a str>,
    /// The value is `units / 10^scale`.
    units: i128,
    scale: u32,
}

/// Why a text is no decimal number, or a result not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// The text is not a number in decimal notation.
    NotANumber,
    /// The number has more than 38 digits.
    TooLong,
    /// What should be divided by is not above zero.
    NoDivisor,
}

impl<'a> Decimal<'a> {
    /// Reads `12`, `-0.50` or `1E-8`. A plus sign in front, blanks, `NaN` and `.5` are no numbers here.
    ///
    /// # Errors
    /// If it is no number, or one of more than 38 digits.
    pub fn parse(text: &'a str) -> Result<Self, DecimalError> {
        match Self::parse_short(text) {
            Some(decimal) => Ok(decimal),
            None => Self::parse_any(text),
        }
    }

    /// The short way for what stands in nearly every reply. Nothing where it is anything else, right or wrong.
    fn parse_short(text: &'a str) -> Option<Self> {
        let magnitude = text.strip_prefix('-').unwrap_or(text);
        if magnitude.len() > SHORT {
            return None;
        }
        let (mut units, mut point) = (0_i64, None);
        for (place, byte) in magnitude.bytes().enumerate() {
            match byte {
                b'0'..=b'9' => units = units * 10 + i64::from(byte - b'0'),
                b'.' if point.is_none() => point = Some(place),
                _ => return None,
            }
        }
        let whole = point.unwrap_or(magnitude.len());
        let decimals = point.map_or(0, |point| magnitude.len() - point - 1);
        let ends_with_point = point.is_some() && decimals == 0;
        if whole == 0 || ends_with_point || (whole > 1 && magnitude.starts_with('0')) {
            return None;
        }
        let units = if magnitude.len() < text.len() { -units } else { units };
        Some(Decimal { written: Some(text), units: units.into(), scale: u32::try_from(decimals).ok()? })
    }

    fn parse_any(text: &'a str) -> Result<Self, DecimalError> {
        if text.len() > MAX_CHARACTERS {
            return Err(DecimalError::TooLong);
        }
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, Some(read_exponent(exponent)?)),
            None => (text, None),
        };
        let (negative, magnitude) = match number.strip_prefix('-') {
            Some(magnitude) => (true, magnitude),
            None => (false, number),
        };
        let (whole, fraction) = match magnitude.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(DecimalError::NotANumber),
            None => (magnitude, ""),
        };
        if whole.is_empty() {
            return Err(DecimalError::NotANumber);
        }
        let units = read_digits(whole, fraction)?;
        let units = if negative { -units } else { units };
        let decimals = i32::try_from(fraction.len()).map_err(|_| DecimalError::TooLong)?;
        let is_plain = exponent.is_none() && (whole.len() == 1 || !whole.starts_with('0'));
        let (units, scale) = shift(units, decimals - exponent.unwrap_or(0))?;
        Ok(Decimal { written: is_plain.then_some(text), units, scale })
    }

    /// Whether it is above zero.
    pub fn is_positive(&self) -> bool {
        self.units > 0
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.units < 0
    }

    /// The exact difference.
    ///
    /// # Errors
    /// If it has more digits than can be kept.
    pub fn minus(&self, other: &Decimal<'_>) -> Result<Decimal<'static>, DecimalError> {
        let scale = self.scale.max(other.scale);
        let difference = self.units_at(scale).zip(other.units_at(scale));
        let units = difference.and_then(|(one, two)| one.checked_sub(two)).ok_or(DecimalError::TooLong)?;
        Ok(Decimal { written: None, units, scale })
    }

    /// As the exchange wrote it, if it did so without an exponent, else written out.
    pub(crate) fn text(&self) -> String {
        match self.written {
            Some(written) => written.to_owned(),
            None => WrittenOut::new(self).as_str().to_owned(),
        }
    }

    fn units_at(&self, scale: u32) -> Option<i128> {
        if scale == self.scale {
            return Some(self.units);
        }
        let factor = 10_i128.checked_pow(scale.checked_sub(self.scale)?)?;
        self.units.checked_mul(factor)
    }
}

impl PartialEq for Decimal<'_> {
    /// Compares values: `1.50` equals `15e-1`.
    fn eq(&self, other: &Self) -> bool {
        self.minus(other).is_ok_and(|difference| difference.units == 0)
    }
}

impl fmt::Display for Decimal<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.written {
            Some(written) => formatter.write_str(written),
            None => formatter.write_str(WrittenOut::new(self).as_str()),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Decimal<'a> {
    /// From a JSON number or a string that holds one; never from null.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        let written = text.borrowed().ok_or(DecimalError::NotANumber).map_err(serde::de::Error::custom)?;
        Decimal::parse(written).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for DecimalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            DecimalError::NotANumber => "not a decimal number",
            DecimalError::TooLong => "a decimal number of too many digits",
            DecimalError::NoDivisor => "not above zero, but has to be divided by",
        })
    }
}

impl std::error::Error for DecimalError {}

impl From<DecimalError> for Fault {
    /// The reply's fault: only replies hold decimals.
    fn from(error: DecimalError) -> Self {
        Fault::Unreadable(format!("an amount or price is {error}"))
    }
}

fn read_exponent(text: &str) -> Result<i32, DecimalError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::NotANumber);
    }
    // The text is short, so only an exponent that is absurd anyway fails here.
    match text.parse::<i32>() {
        Ok(exponent) if exponent.abs() <= 1000 => Ok(exponent),
        Ok(_) | Err(_) => Err(DecimalError::TooLong),
    }
}

fn read_digits(whole: &str, fraction: &str) -> Result<i128, DecimalError> {
    let digits = || whole.bytes().chain(fraction.bytes());
    if !digits().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::NotANumber);
    }
    let mut units = 0_i128;
    for digit in digits() {
        let next = units.checked_mul(10).and_then(|tens| tens.checked_add(i128::from(digit - b'0')));
        units = next.ok_or(DecimalError::TooLong)?;
    }
    Ok(units)
}

/// Brings `units / 10^decimals` to a scale between 0 and 38.
fn shift(mut units: i128, mut decimals: i32) -> Result<(i128, u32), DecimalError> {
    if units == 0 {
        decimals = decimals.clamp(0, 18);
    }
    while decimals < 0 {
        units = units.checked_mul(10).ok_or(DecimalError::TooLong)?;
        decimals += 1;
    }
    match u32::try_from(decimals) {
        Ok(scale) if scale <= MAX_DIGITS => Ok((units, scale)),
        Ok(_) | Err(_) => Err(DecimalError::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Decimal::parse(text).unwrap().to_string()
    }

    #[test]
    fn a_plain_number_is_shown_as_it_was_written() {
        for text in ["0", "12", "-3.50", "0.00231000", "100000000000000000000.000000000000000001"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn the_short_way_reads_what_the_long_way_reads() {
        let parts = |decimal: &Decimal<'static>| (decimal.written, decimal.units, decimal.scale);
        let mut short = 0;
        for text in [
            "0",
            "0.0",
            "-0",
            "-0.00",
            "7",
            "-7",
            "12.50",
            "-0.00231",
            "123456789012345678",
            "-12345678901234567",
            "1234567.8901234567",
            "0.0000000000000001",
        ] {
            assert_eq!(
                Decimal::parse_any(text).as_ref().map(parts),
                Ok(parts(&Decimal::parse(text).unwrap()))
            );
            short += usize::from(Decimal::parse_short(text).is_some());
        }
        assert_eq!(short, 12);
        for text in ["", "-", ".", "-.", ".5", "5.", "05", "-00.5", "1e5", "1.2.3", "1234567890123456789"] {
            assert!(Decimal::parse_short(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_exponent_is_written_out() {
        assert_eq!(shown("1E-8"), "0.00000001");
        assert_eq!(shown("1.5e3"), "1500");
        assert_eq!(shown("-2.5E+0"), "-2.5");
        assert_eq!(shown("0e-999"), "0.000000000000000000");
        assert_eq!(shown("007.5"), "7.5");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "-", ".5", "5.", "+1", " 1", "1 ", "1,5", "NaN", "Infinity", "0x1", "1e", "1e+", "--1",
            "1.2.3", "٣",
        ] {
            assert_eq!(Decimal::parse(text).unwrap_err(), DecimalError::NotANumber, "{text}");
        }
        for text in ["1e39", "1e-39", "1e999999999999", "123456789012345678901234567890123456789012"] {
            assert_eq!(Decimal::parse(text).unwrap_err(), DecimalError::TooLong, "{text}");
        }
    }

    #[test]
    fn differences_are_exact_at_any_scale() {
        let minus = |one: &str, two: &str| {
            let difference = Decimal::parse(one).unwrap().minus(&Decimal::parse(two).unwrap());
            difference.map(|difference| difference.to_string())
        };
        assert_eq!(minus("0.3", "0.1").unwrap(), "0.2");
        assert_eq!(
            minus("9007199254740993", "0.000000000000000001").unwrap(),
            "9007199254740992.999999999999999999"
        );
        assert_eq!(minus("1", "1.5").unwrap(), "-0.5");
        assert_eq!(minus("99999999999999999999999999999999999999", "0.1"), Err(DecimalError::TooLong));
    }

    #[test]
    fn equality_is_that_of_values_and_zero_is_not_positive() {
        assert_eq!(Decimal::parse("1.50"), Decimal::parse("15e-1"));
        assert_ne!(Decimal::parse("1.50"), Decimal::parse("1.51"));
        assert!(!Decimal::parse("-0.0").unwrap().is_positive());
        assert!(Decimal::parse("0.00000001").unwrap().is_positive());
    }

    #[test]
    fn json_numbers_and_strings_are_read_and_null_is_not() {
        let read = |json: &'static str| {
            serde_json::from_str::<Decimal<'static>>(json).map(|decimal| decimal.to_string())
        };
        assert_eq!(read("9007199254740993.10").unwrap(), "9007199254740993.10");
        assert_eq!(read("\"0.10\"").unwrap(), "0.10");
        assert!(["null", "true", "\"\"", "[1]", "\"\\u0031\""].iter().all(|json| read(json).is_err()));
    }
}

//! A decimal number as text, made in place: WebAssembly divides 128 bits slowly, and most numbers fit 64.

use super::Decimal;

/// Room for what a number is written as: 39 digits, a point and a sign.
const LONGEST: usize = 41;

/// A number without an exponent. Digits come from the last to the first.
pub(super) struct WrittenOut {
    bytes: [u8; LONGEST],
    /// Where it begins.
    start: usize,
}

impl WrittenOut {
    pub(super) fn new(number: &Decimal<'_>) -> Self {
        let mut written = Self { bytes: [0; LONGEST], start: LONGEST };
        let mut rest = number.units.unsigned_abs();
        let mut place = 0;
        // The decimals, and at least one digit before them.
        while place <= number.scale || rest > 0 {
            if place > 0 && place == number.scale {
                written.put_before(b'.');
            }
            written.put_before(b'0' + take_last_digit(&mut rest));
            place += 1;
        }
        if number.units < 0 {
            written.put_before(b'-');
        }
        written
    }

    /// The scale is at most 38 and 128 bits have at most 39 digits, so there is always room.
    fn put_before(&mut self, byte: u8) {
        self.start = self.start.saturating_sub(1);
        if let Some(place) = self.bytes.get_mut(self.start) {
            *place = byte;
        }
    }

    pub(super) fn as_str(&self) -> &str {
        self.bytes.get(self.start..).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

fn take_last_digit(number: &mut u128) -> u8 {
    let last = match u64::try_from(*number) {
        Ok(short) => {
            *number = u128::from(short / 10);
            short % 10
        }
        Err(_) => {
            let last = *number % 10;
            *number /= 10;
            u64::try_from(last).unwrap_or(0)
        }
    };
    u8::try_from(last).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_numbers_are_written_out() {
        let largest = Decimal { written: None, units: i128::MAX, scale: 0 };
        assert_eq!(largest.to_string(), i128::MAX.to_string());
        let smallest = Decimal { written: None, units: i128::MIN, scale: 38 };
        assert_eq!(smallest.to_string(), "-1.70141183460469231731687303715884105728");
        let tiny = Decimal { written: None, units: -1, scale: 38 };
        assert_eq!(tiny.to_string(), format!("-0.{}1", "0".repeat(37)));
        assert_eq!(tiny.text(), tiny.to_string());
    }
}

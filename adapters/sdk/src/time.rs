//! Points in time as exchanges write them, to Unix milliseconds and back. Fractions of a millisecond are cut.
//!
//! Every reader answers `None` for what is not a time: an order without a usable time is still an order.

const MS_PER_DAY: u64 = 86_400_000;

/// `2015-06-01T10:20:30.1234567`, `2015-06-01 10:20:30` or `2014-04-18T02:02:33Z`, taken as UTC, in Unix
/// milliseconds. Another offset than `Z` or `+00:00` is not understood; nor are years before 1970.
pub fn iso_ms(text: &str) -> Option<u64> {
    let (date, clock) = text.split_once(['T', ' '])?;
    let clock = clock.strip_suffix('Z').or_else(|| clock.strip_suffix("+00:00")).unwrap_or(clock);
    let [year, month, day] = numbers(date, '-')?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hours, minutes, seconds] = numbers(clock, ':')?;
    let is_date =
        (1970..=9999).contains(&year) && (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
    // A leap second is written as second 60.
    if !is_date || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60 + seconds;
    Some(days_since_1970(year, month, day) * MS_PER_DAY + seconds * 1000 + fraction_ms(fraction)?)
}

/// Seconds since 1970 with or without a fraction, `1760000001.1234567`, in Unix milliseconds.
pub fn seconds_ms(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    digits(whole)?.checked_mul(1000)?.checked_add(fraction_ms(fraction)?)
}

/// Milliseconds since 1970 as a whole number.
pub fn whole_ms(text: &str) -> Option<u64> {
    digits(text)
}

/// Unix milliseconds as `2025-10-09T08:53:20.123`, in UTC, without a zone: cut it or add `Z` as the exchange
/// wants it.
pub fn iso_text(unix_ms: u64) -> String {
    let (day, clock) = (unix_ms / MS_PER_DAY, unix_ms % MS_PER_DAY);
    let (year, month, day) = date_of(day);
    let (seconds, ms) = (clock / 1000, clock % 1000);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Digits only: `u64::from_str` alone would take a plus sign.
fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let mut parts = text.split(separator).map(digits);
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    if parts.next().is_some() { None } else { Some(numbers) }
}

fn fraction_ms(fraction: &str) -> Option<u64> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(fraction.bytes().chain(*b"00").take(3).fold(0, |ms, digit| ms * 10 + u64::from(digit - b'0')))
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    // Leap days up to the end of a year.
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    years + (1..month).map(|month| days_in(year, month)).sum::<u64>() + day - 1
}

fn date_of(mut day: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    // 400 years always have the same number of days, which keeps the loop below short.
    year += day / 146_097 * 400;
    day %= 146_097;
    let mut length = if is_leap(year) { 366 } else { 365 };
    while day >= length {
        day -= length;
        year += 1;
        length = if is_leap(year) { 366 } else { 365 };
    }
    let mut month = 1;
    while day >= days_in(year, month) {
        day -= days_in(year, month);
        month += 1;
    }
    (year, month, day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_times_become_unix_milliseconds() {
        assert_eq!(iso_ms("2015-06-01T10:20:30.5"), Some(1_433_154_030_500));
        assert_eq!(iso_ms("2015-06-01 10:20:30"), Some(1_433_154_030_000));
        assert_eq!(iso_ms("2014-07-13T07:45:46.2799999Z"), Some(1_405_237_546_279));
        assert_eq!(iso_ms("1970-01-01T00:00:00+00:00"), Some(0));
        assert_eq!(iso_ms("2000-02-29 00:00:00"), Some(951_782_400_000));
        assert_eq!(seconds_ms("1760000001.1234567"), Some(1_760_000_001_123));
        assert_eq!(seconds_ms("1760000000"), Some(1_760_000_000_000));
    }

    #[test]
    fn what_is_not_a_time_is_none() {
        let wrong = ["", "2015-06-01", "2015-13-01T00:00:00", "2015-02-29T00:00:00", "1969-12-31T00:00:00"];
        assert!(wrong.iter().all(|text| iso_ms(text).is_none()));
        let wrong =
            ["2015-06-01T24:00:00", "2015-06-01T10:20", "2015-06-01T10:20:30+02:00", "2015-06-01T10:20:30."];
        assert!(wrong.iter().all(|text| iso_ms(text).is_none()));
        assert!(
            ["", ".5", "-1", "1e3", "18446744073709551615"].iter().all(|text| seconds_ms(text).is_none())
        );
        assert!(["", "+1", "1.5"].iter().all(|text| whole_ms(text).is_none()));
    }

    #[test]
    fn every_day_of_five_centuries_survives_there_and_back() {
        for day in 0..182_621 {
            let unix_ms = day * MS_PER_DAY + 32_000_123;
            assert_eq!(iso_ms(&iso_text(unix_ms)), Some(unix_ms));
        }
        assert_eq!(iso_text(1_760_000_000_123), "2025-10-09T08:53:20.123");
    }
}

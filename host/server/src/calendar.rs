//! Dates: moments as people write them, and the calendar of what the rules will be.
//! It knows no clock: the present is an argument.

use std::fmt::Write;

use toml::value::{Datetime, Offset};

use crate::config::Config;

const SECONDS_OF_A_DAY: u64 = 86_400;

/// The years that are read: the first of Unix time, and more than a pool's plans reach.
const YEARS: std::ops::RangeInclusive<u16> = 1970..=9999;

/// Reads Unix seconds, or a date with its time and zone such as `2026-12-01T00:00:00Z`, as Unix seconds. Parts of a
/// second are dropped.
#[must_use]
pub fn read_moment(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let Datetime { date: Some(date), time: Some(time), offset: Some(offset) } = text.parse().ok()? else {
        return None;
    };
    if !YEARS.contains(&date.year) {
        return None;
    }
    let days = days_before(u64::from(date.year), u64::from(date.month), u64::from(date.day));
    let seconds = u64::from(time.hour) * 3_600 + u64::from(time.minute) * 60;
    let local = (days * SECONDS_OF_A_DAY).checked_add(seconds + u64::from(time.second.unwrap_or(0)))?;
    match offset {
        Offset::Z => Some(local),
        Offset::Custom { minutes } => local.checked_add_signed(i64::from(minutes).checked_mul(-60)?),
    }
}

/// A moment as `2026-12-01T00:00:00Z`.
#[must_use]
pub fn show_moment(unix_seconds: u64) -> String {
    let (days, second) = (unix_seconds / SECONDS_OF_A_DAY, unix_seconds % SECONDS_OF_A_DAY);
    let (year, month, day) = date_of(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Every market with the rules that are in force and those that come, in order of time: what `alp check-config` prints.
#[must_use]
pub fn show_calendar(config: &Config, now_s: u64) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail; the results below are dropped for that reason.
    for (exchange, settings) in &config.exchanges {
        for (name, unit) in &settings.units {
            let _ = writeln!(text, "{exchange} {name}");
            let rules = unit.rules_at(now_s);
            let _ = writeln!(text, "  {:<20}  {}", "now", rules.summary());
            for (from, rules) in unit.changes_after(now_s) {
                let _ = writeln!(text, "  {:<20}  {}", show_moment(from), rules.summary());
            }
        }
    }
    text
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. The year is counted from March, so that the day that leap
/// years add is its last; before a month there are then 153 days for every five months.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months = (month + 9) % 12;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (months * 153 + 2) / 5 + day - 1;
    // The days from 0000-03-01 to 1970-01-01.
    days - 719_468
}

/// The date so many days after 1970-01-01.
fn date_of(days: u64) -> (u64, u64, u64) {
    let mut year = 1970 + days / 366;
    while days_before(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days_before(year, month + 1, 1) <= days {
        month += 1;
    }
    (year, month, days - days_before(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("0", 0),
            ("1760000040", 1_760_000_040),
            ("1970-01-01T00:00:00Z", 0),
            ("2024-02-29T12:00:00Z", 1_709_208_000),
            ("2026-12-01T00:00:00Z", 1_796_083_200),
            ("2026-12-01T01:30:00+01:30", 1_796_083_200),
            ("2026-11-30T19:00:00-05:00", 1_796_083_200),
            ("2000-03-01T00:00:01Z", 951_868_801),
        ] {
            assert_eq!(read_moment(text), Some(seconds), "{text}");
        }
        for text in ["", "soon", "2026-12-01", "2026-12-01T00:00:00", "2026-13-01T00:00:00Z", "-5"] {
            assert_eq!(read_moment(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_reads_back_as_it_is_shown() {
        for days in 0..146_097 {
            let moment = days * SECONDS_OF_A_DAY + 3_723;
            assert_eq!(read_moment(&show_moment(moment)), Some(moment));
        }
        assert_eq!(show_moment(1_709_208_000), "2024-02-29T12:00:00Z");
    }
}

//! `[retention]` of `pool.toml`: for how many days what is kept. Without the section everything is kept for ever.

use std::ops::RangeInclusive;

use alp_pool::round::RoundLength;
use alp_store::HISTORY_ROUNDS;

use super::section::Section;
use crate::retention::{DAY_MS, RetentionConfig};

/// Longest time that can be said, in days: a hundred years.
const LONGEST: u64 = 36_500;

/// Shortest time for the published record, in days: whoever verifies it once a week misses nothing.
const RECORD_AT_LEAST: u64 = 7;

/// How many rounds back lists of orders are read: by a round that is held against the one before, and for whose bot is
/// known at a start.
const ORDERS_OF_ROUNDS: u64 = 3;

pub(super) fn read(top: &Section<'_, '_>, round: Option<RoundLength>) -> Option<RetentionConfig> {
    let Some(section) = top.section("retention") else { return Some(RetentionConfig::default()) };
    let orders_days = optional_days(&section, "orders_days", 1..=LONGEST);
    let records_days = optional_days(&section, "records_days", RECORD_AT_LEAST..=LONGEST);
    let credits_days = optional_days(&section, "credits_days", 1..=LONGEST);
    section.finish();
    let config = RetentionConfig {
        orders_days: orders_days?,
        records_days: records_days?,
        credits_days: credits_days?,
    };
    let round_ms = round.map_or(0, |round| u64::from(round.seconds()).saturating_mul(1_000));
    let mut right = true;
    for (key, days, rounds) in [
        ("orders_days", config.orders_days, ORDERS_OF_ROUNDS),
        ("credits_days", config.credits_days, HISTORY_ROUNDS),
    ] {
        if days.is_some_and(|days| days.saturating_mul(DAY_MS) < rounds.saturating_mul(round_ms)) {
            section.fault(key, format!("must be at least as long as {rounds} rounds of round_seconds"));
            right = false;
        }
    }
    if let Some(credits) = config.credits_days
        && config.orders_days.is_none_or(|orders| orders > credits)
    {
        let message =
            format!("must be said and at most credits_days, {credits}: orders are shown with their credits");
        section.fault("orders_days", message);
        right = false;
    }
    right.then_some(config)
}

/// None within if the key is left out.
fn optional_days(section: &Section<'_, '_>, key: &str, bounds: RangeInclusive<u64>) -> Option<Option<u64>> {
    let days = section.whole(key, 0, bounds)?;
    Some((days > 0).then_some(days))
}

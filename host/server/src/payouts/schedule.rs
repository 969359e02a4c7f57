//! When payouts are due. Pure: the time is an argument.

use alp_store::PayoutSchedule;

/// A day in milliseconds.
pub const DAY_MS: u64 = 86_400_000;

/// When payouts are made: every so often, counted from a time of the day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    /// How often, in milliseconds.
    pub period_ms: u64,
    /// How long after midnight in UTC, in milliseconds.
    pub offset_ms: u64,
}

/// What the schedule says now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Payouts were never planned. The slot that has begun is noted and not paid, so that switching payouts on pays
    /// nobody before the next time.
    First {
        /// Its start, in Unix milliseconds.
        slot_ms: u64,
    },
    /// Payouts are planned now.
    Now {
        /// The start of the slot they are planned for, in Unix milliseconds.
        slot_ms: u64,
    },
    /// Not before this time, in Unix milliseconds.
    At(u64),
}

/// Whether payouts are due. Several slots that were missed are made up for by one.
#[must_use]
pub fn due(every: Every, last: Option<PayoutSchedule>, now_ms: u64) -> Due {
    let slot_ms = slot_at(every, now_ms);
    let Some(last) = last else { return Due::First { slot_ms } };
    if slot_ms > last.last_slot_ms {
        return Due::Now { slot_ms };
    }
    let next_ms = last.last_slot_ms.saturating_add(every.period_ms);
    match last.retry_at_ms {
        0 => Due::At(next_ms),
        // A retry belongs to the slot that was planned; a clock that was set back does not move it back.
        retry_ms if retry_ms <= now_ms => Due::Now { slot_ms: last.last_slot_ms },
        retry_ms => Due::At(retry_ms.min(next_ms)),
    }
}

/// The start of the slot that a time is in: floored.
fn slot_at(every: Every, now_ms: u64) -> u64 {
    let since = now_ms.saturating_sub(every.offset_ms);
    let into = since.checked_rem(every.period_ms).unwrap_or(0);
    since.saturating_sub(into).saturating_add(every.offset_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAILY: Every = Every { period_ms: DAY_MS, offset_ms: 3_600_000 };

    fn after(last_slot_ms: u64, retry_at_ms: u64) -> Option<PayoutSchedule> {
        Some(PayoutSchedule { last_slot_ms, retry_at_ms })
    }

    #[test]
    fn payouts_are_due_once_a_day_at_their_hour() {
        let slot = 10 * DAY_MS + 3_600_000;
        assert_eq!(due(DAILY, None, slot + 5), Due::First { slot_ms: slot });
        assert_eq!(due(DAILY, after(slot, 0), slot + 5), Due::At(slot + DAY_MS));
        assert_eq!(due(DAILY, after(slot, 0), slot + DAY_MS - 1), Due::At(slot + DAY_MS));
        assert_eq!(due(DAILY, after(slot, 0), slot + DAY_MS), Due::Now { slot_ms: slot + DAY_MS });
    }

    #[test]
    fn days_that_were_missed_are_made_up_for_by_one_payout() {
        let slot = 10 * DAY_MS + 3_600_000;
        assert_eq!(
            due(DAILY, after(slot, 0), slot + 5 * DAY_MS + 7),
            Due::Now { slot_ms: slot + 5 * DAY_MS }
        );
    }

    #[test]
    fn what_failed_is_tried_again_at_its_time_and_a_clock_set_back_plans_nothing() {
        let slot = 10 * DAY_MS + 3_600_000;
        assert_eq!(due(DAILY, after(slot, slot + 100), slot + 99), Due::At(slot + 100));
        assert_eq!(due(DAILY, after(slot, slot + 100), slot + 100), Due::Now { slot_ms: slot });
        assert_eq!(due(DAILY, after(slot, 0), slot - 5 * DAY_MS), Due::At(slot + DAY_MS));
    }
}

//! How many calls the pool makes to one exchange, most of them kept for LPs with standing.
//! It knows no LP; it is told whether one has standing, and how many have.

use super::bucket::Bucket;

/// The share of the calls that is kept for LPs with standing, in percent. The rest is what a crowd of new keys can
/// use up at most, once enough LPs have standing.
const RESERVED_PERCENT: u32 = 80;

/// How many calls are kept for each LP with standing: its submission of the next minute and one to spare. While few
/// have standing, as after a restart, new ones may use the reserve beyond that.
const KEPT_FOR_EACH: u32 = 2;

/// The budget of one exchange.
#[derive(Debug)]
pub struct Budget {
    reserve: Bucket,
    open: Bucket,
}

/// Which part of the budget a call is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The calls that are kept for LPs with standing.
    Reserve,
    /// Those for everybody.
    Open,
}

impl Budget {
    /// A budget of so many calls a minute.
    #[must_use]
    pub fn new(per_minute: u32, now_ms: u64) -> Self {
        let reserve = reserved(per_minute);
        Self {
            reserve: Bucket::full(reserve, now_ms),
            open: Bucket::full(per_minute.saturating_sub(reserve), now_ms),
        }
    }

    /// Follows a change of the configuration.
    pub fn set_rate(&mut self, per_minute: u32, now_ms: u64) {
        let reserve = reserved(per_minute);
        self.reserve.set_rate(reserve, now_ms);
        self.open.set_rate(per_minute.saturating_sub(reserve), now_ms);
    }

    /// From which part a call can be made now.
    ///
    /// # Errors
    /// How long until there is one, in milliseconds.
    pub fn find(&mut self, has_standing: bool, with_standing: usize, now_ms: u64) -> Result<Part, u64> {
        let kept = u32::try_from(with_standing).unwrap_or(u32::MAX).saturating_mul(KEPT_FOR_EACH);
        let reserve = self.reserve.wait_ms(if has_standing { 0 } else { kept }, now_ms);
        let open = self.open.wait_ms(0, now_ms);
        let order = if has_standing {
            [(Part::Reserve, reserve), (Part::Open, open)]
        } else {
            [(Part::Open, open), (Part::Reserve, reserve)]
        };
        if let Some((part, _)) = order.iter().find(|(_, wait_ms)| *wait_ms == Some(0)) {
            return Ok(*part);
        }
        Err(order.iter().filter_map(|(_, wait_ms)| *wait_ms).min().unwrap_or(u64::MAX))
    }

    /// Charges calls.
    pub fn charge(&mut self, part: Part, calls: u32, now_ms: u64) {
        match part {
            Part::Reserve => self.reserve.take(calls, now_ms),
            Part::Open => self.open.take(calls, now_ms),
        }
    }
}

/// Floored: the remainder is open to everybody, so that even a budget of one call has a part for new LPs.
fn reserved(per_minute: u32) -> u32 {
    let percent = u64::from(per_minute).saturating_mul(u64::from(RESERVED_PERCENT));
    u32::try_from(percent / 100).unwrap_or(per_minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How many calls can be made at this instant.
    fn drain(budget: &mut Budget, has_standing: bool, with_standing: usize, now_ms: u64) -> u32 {
        let mut calls = 0;
        while let Ok(part) = budget.find(has_standing, with_standing, now_ms) {
            budget.charge(part, 1, now_ms);
            calls += 1;
        }
        calls
    }

    #[test]
    fn a_crowd_of_new_keys_leaves_the_reserve_alone() {
        let mut budget = Budget::new(100, 0);
        assert_eq!(drain(&mut budget, false, 40, 0), 20);
        assert_eq!(budget.find(false, 40, 0), Err(3_000));
        assert_eq!(drain(&mut budget, true, 40, 0), 80);
        assert_eq!(budget.find(true, 40, 0), Err(750));
    }

    #[test]
    fn after_a_restart_new_keys_may_use_all_of_it() {
        assert_eq!(drain(&mut Budget::new(100, 0), false, 0, 0), 100);
        assert_eq!(drain(&mut Budget::new(100, 0), false, 10, 0), 80);
    }

    #[test]
    fn the_smallest_budget_has_a_part_for_everybody() {
        let mut budget = Budget::new(1, 0);
        assert_eq!(budget.find(false, 1_000, 0), Ok(Part::Open));
        budget.charge(Part::Open, 1, 0);
        assert_eq!(budget.find(true, 1_000, 0), Err(60_000));
    }

    #[test]
    fn pages_that_were_not_foreseen_are_charged_to_the_calls_to_come() {
        let mut budget = Budget::new(100, 0);
        budget.charge(Part::Open, 30, 0);
        assert_eq!(budget.find(false, 40, 0), Err(33_000));
    }

    proptest! {
        #[test]
        fn whatever_new_keys_do_those_with_standing_get_their_share(
            per_minute in 10_u32..5_000,
            with_standing in 1_usize..100,
            at in prop::collection::vec(0_u64..60_000, 0..200),
        ) {
            let (mut budget, mut now) = (Budget::new(per_minute, 0), 0);
            for step in at {
                now += step;
                drain(&mut budget, false, with_standing, now);
            }
            let kept = (u32::try_from(with_standing).unwrap() * KEPT_FOR_EACH).min(reserved(per_minute));
            prop_assert!(drain(&mut budget, true, with_standing, now) >= kept);
        }
    }
}

//! What is in force from when: a list of dates, each with what begins on it.
//!
//! It knows no clock and no calendar: instants are Unix seconds, and the one that is asked for is an argument.

use thiserror::Error;

/// Most changes that a schedule may hold: one a day for over ten years.
pub const MAX_CHANGES: usize = 4_000;

/// Things that take turns, each in force from its instant until the next one's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule<T> {
    changes: Vec<(u64, T)>,
}

impl<T> Schedule<T> {
    /// One thing, in force always.
    pub fn always(what: T) -> Self {
        Self { changes: vec![(0, what)] }
    }

    /// Takes pairs of an instant, in Unix seconds, and what is in force from it on, in order of time.
    ///
    /// # Errors
    /// [`ScheduleError`] says what is out of order.
    pub fn new(changes: Vec<(u64, T)>) -> Result<Self, ScheduleError> {
        if changes.is_empty() {
            return Err(ScheduleError::Empty);
        }
        if changes.len() > MAX_CHANGES {
            return Err(ScheduleError::TooMany(changes.len()));
        }
        let out_of_order =
            changes.iter().zip(changes.iter().skip(1)).find(|((earlier, _), (later, _))| earlier >= later);
        if let Some(((earlier, _), (later, _))) = out_of_order {
            return Err(ScheduleError::Order { earlier: *earlier, later: *later });
        }
        Ok(Self { changes })
    }

    /// What is in force at this instant: the latest change that is not after it. None before the first.
    #[must_use]
    pub fn in_force(&self, unix_seconds: u64) -> Option<&T> {
        let begun = self.changes.partition_point(|(from, _)| *from <= unix_seconds);
        begun.checked_sub(1).and_then(|latest| self.changes.get(latest)).map(|(_, what)| what)
    }

    /// Every change, in order of time.
    #[must_use]
    pub fn changes(&self) -> &[(u64, T)] {
        &self.changes
    }
}

/// Why a schedule cannot be used. For the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ScheduleError {
    /// Nothing would ever be in force.
    #[error("names no rules: at least one must be in force")]
    Empty,
    /// More than [`MAX_CHANGES`].
    #[error("has {0} changes: at most {MAX_CHANGES} are kept")]
    TooMany(usize),
    /// Two changes at one instant, or one out of order.
    #[error("has a change at {later} after the one at {earlier}: each must be later than the one before")]
    Order {
        /// The instant that stands first, in Unix seconds.
        earlier: u64,
        /// The one after it.
        later: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_in_force_from_its_instant_until_the_next() {
        let schedule = Schedule::new(vec![(100, "old"), (200, "new")]).unwrap();
        assert_eq!(schedule.in_force(99), None);
        assert_eq!(schedule.in_force(100), Some(&"old"));
        assert_eq!(schedule.in_force(199), Some(&"old"));
        assert_eq!(schedule.in_force(200), Some(&"new"));
        assert_eq!(Schedule::always("only").in_force(0), Some(&"only"));
    }

    #[test]
    fn a_schedule_out_of_order_is_refused() {
        assert_eq!(Schedule::<u8>::new(vec![]), Err(ScheduleError::Empty));
        for changes in [vec![(2, 'a'), (1, 'b')], vec![(2, 'a'), (2, 'b')]] {
            assert!(matches!(Schedule::new(changes), Err(ScheduleError::Order { .. })));
        }
    }
}

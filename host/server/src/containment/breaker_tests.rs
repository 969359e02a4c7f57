//! The breaker's rules, one sentence each, and what no order of calls can do.

use proptest::prelude::*;

use super::super::backoff::LONGEST_PAUSE_MS;
use super::*;

const ALLOWED: u32 = 3;

/// A breaker whose LPs `1..=standing` have standing.
struct Trial {
    breaker: Breaker,
    standing: i64,
    now_ms: u64,
}

impl Trial {
    fn new(standing: i64) -> Self {
        Self { breaker: Breaker::default(), standing, now_ms: 1_000_000 }
    }

    fn who(&self, lp: i64) -> Caller {
        Caller { lp, has_standing: (1..=self.standing).contains(&lp) }
    }

    fn look(&self, lp: i64) -> Result<Entry, Blocked> {
        self.breaker.look(self.who(lp), self.now_ms)
    }

    fn begin(&mut self, lp: i64) -> Result<Entry, Blocked> {
        let entry = self.look(lp)?;
        self.breaker.begin(self.who(lp), entry, self.now_ms);
        Ok(entry)
    }

    fn end(&mut self, lp: i64, entry: Entry, seen: Seen) {
        let (who, members) = (self.who(lp), (1..=self.standing).collect());
        self.breaker.note(who, entry, seen, ALLOWED, || members, self.now_ms);
    }

    fn call(&mut self, lp: i64, seen: Seen) -> Result<(), Blocked> {
        let entry = self.begin(lp)?;
        self.end(lp, entry, seen);
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.breaker.state(self.now_ms).open_until_ms.is_some()
    }

    /// Opens it for everybody.
    fn opened(standing: i64) -> Self {
        let mut trial = Self::new(standing);
        for lp in 1..=standing {
            if !trial.is_open() {
                trial.call(lp, Seen::Fault).unwrap();
            }
        }
        assert!(trial.is_open());
        trial
    }
}

#[test]
fn faults_in_a_row_pause_the_lp_that_caused_them_and_nobody_else() {
    let mut trial = Trial::new(5);
    for _ in 0..ALLOWED {
        trial.call(1, Seen::Fault).unwrap();
    }
    assert_eq!(trial.look(1), Err(Blocked::ForOne { faults: 3, wait_ms: FIRST_PAUSE_MS }));
    assert_eq!(trial.breaker.state(trial.now_ms).lps_paused, 1);
    for lp in [2, 3, 77] {
        trial.call(lp, Seen::Success).unwrap();
    }
    trial.now_ms += FIRST_PAUSE_MS;
    let only = trial.begin(1).unwrap();
    assert!(trial.look(1).is_err(), "one try after a pause, not two");
    trial.end(1, only, Seen::Fault);
    assert_eq!(trial.look(1), Err(Blocked::ForOne { faults: 4, wait_ms: 2 * FIRST_PAUSE_MS }));
    trial.now_ms += 2 * FIRST_PAUSE_MS;
    trial.call(1, Seen::Success).unwrap();
    trial.call(1, Seen::Fault).unwrap();
    assert!(trial.look(1).is_ok(), "a success is a fresh start");
}

#[test]
fn what_is_refused_counts_neither_way() {
    let mut trial = Trial::new(3);
    for _ in 0..100 {
        for lp in 1..=3 {
            trial.call(lp, Seen::Nothing).unwrap();
        }
    }
    trial.call(1, Seen::Fault).unwrap();
    trial.call(2, Seen::Fault).unwrap();
    trial.call(2, Seen::Nothing).unwrap();
    trial.call(3, Seen::Fault).unwrap();
    assert!(trial.is_open());
}

#[test]
fn several_lps_with_standing_open_it_for_everybody() {
    let trial = Trial::opened(5);
    let all = Blocked::ForAll { wait_ms: FIRST_PAUSE_MS };
    assert_eq!((trial.look(5), trial.look(99)), (Err(all), Err(all)));
}

#[test]
fn lps_without_standing_open_it_for_nobody_however_many_they_are() {
    let mut trial = Trial::new(2);
    for lp in 100..1_000 {
        trial.call(lp, Seen::Fault).unwrap();
    }
    trial.call(1, Seen::Fault).unwrap();
    trial.call(2, Seen::Fault).unwrap();
    assert!(!trial.is_open());
}

#[test]
fn a_minority_of_those_with_standing_does_not_open_it() {
    let mut trial = Trial::new(8);
    for lp in 1..=4 {
        trial.call(lp, Seen::Fault).unwrap();
    }
    assert!(!trial.is_open());
    trial.call(5, Seen::Fault).unwrap();
    assert!(trial.is_open());
}

#[test]
fn one_success_in_between_and_the_witnesses_are_counted_anew() {
    let mut trial = Trial::new(4);
    for _ in 0..20 {
        trial.call(1, Seen::Fault).ok();
        trial.call(2, Seen::Fault).ok();
        trial.call(4, Seen::Success).unwrap();
        trial.call(3, Seen::Fault).ok();
        trial.call(4, Seen::Success).unwrap();
        trial.now_ms += 60_000;
    }
    assert!(!trial.is_open());
}

#[test]
fn faults_that_are_far_apart_do_not_add_up() {
    let mut trial = Trial::new(3);
    for lp in 1..=3 {
        trial.call(lp, Seen::Fault).unwrap();
        trial.now_ms += WINDOW_MS;
    }
    assert!(!trial.is_open());
}

#[test]
fn after_the_pause_one_lp_tries_and_its_success_closes_it_for_everybody() {
    let mut trial = Trial::opened(5);
    trial.now_ms += FIRST_PAUSE_MS;
    let entry = trial.begin(4).unwrap();
    assert_eq!(trial.look(5), Err(Blocked::ForAll { wait_ms: 0 }));
    trial.end(4, entry, Seen::Success);
    assert!(!trial.is_open());
    for lp in [1, 2, 3, 5, 99] {
        trial.call(lp, Seen::Success).unwrap();
    }
}

#[test]
fn one_lp_that_fails_every_try_keeps_it_open_for_nobody() {
    let mut trial = Trial::opened(5);
    trial.now_ms += FIRST_PAUSE_MS;
    trial.call(1, Seen::Fault).unwrap();
    assert!(matches!(trial.look(1), Err(Blocked::ForOne { .. })), "it steps aside");
    trial.call(5, Seen::Success).unwrap();
    assert!(!trial.is_open());
}

#[test]
fn whoever_has_no_standing_cannot_take_the_place_of_those_who_have() {
    let mut trial = Trial::opened(3);
    trial.now_ms += FIRST_PAUSE_MS;
    let hanging = trial.begin(99).unwrap();
    trial.call(2, Seen::Nothing).unwrap();
    trial.end(99, hanging, Seen::Fault);
    for lp in 100..200 {
        trial.call(lp, Seen::Fault).unwrap();
    }
    trial.call(3, Seen::Success).unwrap();
    assert!(!trial.is_open());
}

#[test]
fn when_as_many_fail_again_the_pause_doubles_up_to_a_cap() {
    let mut trial = Trial::opened(3);
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let Err(Blocked::ForAll { wait_ms }) = trial.look(1) else { panic!("{:?}", trial.look(1)) };
        pauses.push(wait_ms / 1000);
        // The LPs' own pauses are over as well.
        trial.now_ms += wait_ms.max(LONGEST_PAUSE_MS);
        for lp in 1..=3 {
            trial.call(lp, Seen::Fault).unwrap();
        }
    }
    assert_eq!(pauses, [30, 60, 120, 240, 300, 300]);
}

#[test]
fn a_try_that_is_given_up_frees_its_place() {
    let mut trial = Trial::opened(3);
    trial.now_ms += FIRST_PAUSE_MS;
    let entry = trial.begin(1).unwrap();
    trial.end(1, entry, Seen::Nothing);
    assert!(trial.look(2).is_ok());
}

#[test]
fn what_is_remembered_of_lps_is_bounded() {
    let mut trial = Trial::new(0);
    for lp in 0..i64::try_from(MAX_LPS).unwrap() + 50 {
        trial.call(lp, Seen::Fault).unwrap();
    }
    assert_eq!(trial.breaker.lps.len(), MAX_LPS);
}

proptest! {
    /// Two attackers with standing and any number without, against eight honest LPs whose calls succeed.
    #[test]
    fn no_order_of_crafted_calls_turns_an_honest_lp_away(
        calls in prop::collection::vec((0_i64..40, 0_u64..20_000), 1..300),
    ) {
        let mut trial = Trial::new(10);
        for (lp, step_ms) in calls {
            trial.now_ms += step_ms;
            if (3..=10).contains(&lp) {
                prop_assert_eq!(trial.call(lp, Seen::Success), Ok(()));
            } else {
                let _ = trial.call(lp, Seen::Fault);
            }
        }
    }

    /// However an outage went, once it is over everybody is served again within the longest pause.
    #[test]
    fn when_the_outage_is_over_the_first_honest_try_closes_it(
        calls in prop::collection::vec((1_i64..=6, 0_u64..60_000), 1..300),
    ) {
        let mut trial = Trial::new(6);
        for (lp, step_ms) in calls {
            trial.now_ms += step_ms;
            let _ = trial.call(lp, Seen::Fault);
        }
        trial.now_ms += LONGEST_PAUSE_MS;
        prop_assert_eq!(trial.call(6, Seen::Success), Ok(()));
        for lp in 1..=5 {
            prop_assert!(trial.look(lp).is_ok());
        }
    }
}

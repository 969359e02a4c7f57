//! A circuit breaker that no single LP can open for the others.
//! It knows no exchange, no adapter and no clock: whether a call failed, who made it and when come in.
//!
//! For one LP it opens after some faults of its own in a row. For everybody it opens when several LPs with standing,
//! and more than half of all that have it, saw a fault while nobody saw a success. It is then tried again by one LP
//! at a time; a success closes it for everybody, and it opens again only when as many LPs failed as opened it. So
//! input that makes a call fail harms its sender alone, before, during and after an outage.

use std::collections::{BTreeMap, BTreeSet};

use super::backoff::{BackOff, FIRST_PAUSE_MS, next_pause_ms};

/// How many LPs with standing must have seen a fault: two may be one person, three seldom are.
pub const WITNESSES: usize = 3;

/// How long a fault is held against the exchange or adapter, in milliseconds: two minutes, so that the witnesses
/// need not post at the same moment, and old faults of some do not add up.
const WINDOW_MS: u64 = 2 * 60_000;

/// Most LPs whose own faults are remembered.
const MAX_LPS: usize = 10_000;

/// The breaker.
#[derive(Debug, Default)]
pub struct Breaker {
    /// Faults in a row of each LP that has any.
    lps: BTreeMap<i64, BackOff>,
    /// The LPs with standing that saw a fault since anybody saw a success, and when they last did.
    witnesses: BTreeMap<i64, u64>,
    open: Option<Open>,
    /// How often it was opened for everybody.
    openings: u64,
}

/// The breaker is open for everybody.
#[derive(Debug)]
struct Open {
    until_ms: u64,
    pause_ms: u64,
    /// The LPs that had standing when it opened: nobody can earn any while it is open.
    members: BTreeSet<i64>,
    /// The members whose try failed since the pause ended.
    failed: BTreeSet<i64>,
    /// Whether a member's try is under way, and whether anybody else's is.
    trying: [bool; 2],
}

/// Who asks to be let through.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The LP.
    pub lp: i64,
    /// Whether it has standing.
    pub has_standing: bool,
}

/// How somebody was let through. To be handed back with what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The opening, by its number, and the place among `Open::trying` that is taken.
    trial: Option<(u64, usize)>,
    /// Whether the LP had a pause of its own behind it.
    after_pause: bool,
}

/// Why somebody is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// Its own calls failed too often.
    ForOne {
        /// How often in a row.
        faults: u32,
        /// How long until the next try, in milliseconds.
        wait_ms: u64,
    },
    /// Those of several failed.
    ForAll {
        /// How long until the next try, in milliseconds. Zero while one is under way.
        wait_ms: u64,
    },
}

/// What came of a call, as far as a breaker is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It worked.
    Success,
    /// It failed.
    Fault,
    /// Neither: it was refused, or did not come so far.
    Nothing,
}

/// How the breaker is, for people. No LP is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Until when it is open for everybody, in Unix milliseconds; in the past while it is being tried.
    pub open_until_ms: Option<u64>,
    /// For how many LPs alone it is open now.
    pub lps_paused: usize,
    /// How often it was opened for everybody since the server started.
    pub openings: u64,
}

impl Breaker {
    /// Whether this LP may call now. Changes nothing.
    ///
    /// # Errors
    /// [`Blocked`] says for how long not.
    pub fn look(&self, who: Caller, now_ms: u64) -> Result<Entry, Blocked> {
        let own = self.lps.get(&who.lp);
        let wait_ms = own.map_or(0, |own| own.wait_ms(now_ms));
        let trial = match &self.open {
            Some(open) if open.wait_ms(now_ms) > 0 => {
                return Err(Blocked::ForAll { wait_ms: open.wait_ms(now_ms) });
            }
            Some(open) if open.is_trying(who.lp) => return Err(Blocked::ForAll { wait_ms: 0 }),
            Some(open) => Some((self.openings, open.place(who.lp))),
            None => None,
        };
        if wait_ms > 0 {
            let faults = own.map_or(0, BackOff::in_a_row);
            return Err(Blocked::ForOne { faults, wait_ms });
        }
        Ok(Entry { trial, after_pause: own.is_some_and(BackOff::pauses) })
    }

    /// Notes that the call begins.
    pub fn begin(&mut self, who: Caller, entry: Entry, now_ms: u64) {
        if let Some(own) = self.lps.get_mut(&who.lp) {
            own.begin(now_ms);
        }
        self.mark_trial(entry, true);
    }

    /// Notes what came of a call. `with_standing` are all LPs that have standing now.
    pub fn note(
        &mut self,
        who: Caller,
        entry: Entry,
        seen: Seen,
        allowed: u32,
        with_standing: impl FnOnce() -> BTreeSet<i64>,
        now_ms: u64,
    ) {
        self.mark_trial(entry, false);
        match seen {
            Seen::Success => self.succeeded(who.lp),
            Seen::Fault => self.failed(who, entry, allowed, with_standing, now_ms),
            Seen::Nothing => {
                if let Some(own) = self.lps.get_mut(&who.lp) {
                    own.said_nothing(entry.after_pause, now_ms);
                }
            }
        }
    }

    /// How it is.
    #[must_use]
    pub fn state(&self, now_ms: u64) -> State {
        State {
            open_until_ms: self.open.as_ref().map(|open| open.until_ms),
            lps_paused: self.lps.values().filter(|own| own.wait_ms(now_ms) > 0).count(),
            openings: self.openings,
        }
    }

    fn succeeded(&mut self, lp: i64) {
        self.witnesses.clear();
        self.lps.remove(&lp);
        if self.open.take().is_some() {
            // What the others saw, they saw of the outage that is over.
            self.lps.clear();
        }
    }

    fn failed(
        &mut self,
        who: Caller,
        entry: Entry,
        allowed: u32,
        with_standing: impl FnOnce() -> BTreeSet<i64>,
        now_ms: u64,
    ) {
        self.make_room(who.lp, now_ms);
        // Who fails on trial steps aside at once, so that the next one gets the place.
        let allowed = if entry.trial.is_some() { 1 } else { allowed };
        self.lps.entry(who.lp).or_default().went_wrong(allowed, entry.after_pause, now_ms);
        if let Some(open) = &mut self.open {
            if entry.trial.is_some_and(|(opening, _)| opening == self.openings) {
                open.trial_failed(who.lp, now_ms);
            }
            return;
        }
        if !who.has_standing {
            return;
        }
        self.witnesses.insert(who.lp, now_ms);
        self.witnesses.retain(|_, at_ms| now_ms.saturating_sub(*at_ms) < WINDOW_MS);
        if self.witnesses.len() < WITNESSES {
            return;
        }
        let members = with_standing();
        if self.witnesses.len().saturating_mul(2) > members.len() {
            self.open = Some(Open {
                until_ms: now_ms.saturating_add(FIRST_PAUSE_MS),
                pause_ms: FIRST_PAUSE_MS,
                members: members.into_iter().chain(self.witnesses.keys().copied()).collect(),
                failed: BTreeSet::new(),
                trying: [false; 2],
            });
            self.openings = self.openings.saturating_add(1);
            self.witnesses.clear();
        }
    }

    fn mark_trial(&mut self, entry: Entry, under_way: bool) {
        if let (Some(open), Some((opening, place))) = (&mut self.open, entry.trial)
            && opening == self.openings
            && let Some(trying) = open.trying.get_mut(place)
        {
            *trying = under_way;
        }
    }

    fn make_room(&mut self, lp: i64, now_ms: u64) {
        if self.lps.len() >= MAX_LPS && !self.lps.contains_key(&lp) {
            let next = self.lps.iter().min_by_key(|(_, own)| (own.wait_ms(now_ms), own.in_a_row()));
            next.map(|(lp, _)| *lp).and_then(|lp| self.lps.remove(&lp));
        }
    }
}

impl Open {
    fn wait_ms(&self, now_ms: u64) -> u64 {
        self.until_ms.saturating_sub(now_ms).min(self.pause_ms)
    }

    /// Members try in a place of their own, so that nobody else can keep them from it.
    fn place(&self, lp: i64) -> usize {
        usize::from(!self.members.contains(&lp))
    }

    fn is_trying(&self, lp: i64) -> bool {
        self.trying.get(self.place(lp)).copied().unwrap_or(false)
    }

    /// The pause doubles when as many members failed as it took to open; others have no say.
    fn trial_failed(&mut self, lp: i64, now_ms: u64) {
        if self.members.contains(&lp) {
            self.failed.insert(lp);
        }
        if self.failed.len() >= WITNESSES {
            self.pause_ms = next_pause_ms(self.pause_ms);
            self.until_ms = now_ms.saturating_add(self.pause_ms);
            self.failed.clear();
        }
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;

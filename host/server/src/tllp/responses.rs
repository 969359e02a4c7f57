//! What became of each LP's requests, slice by slice, for a round's worth of slices: accepted, rejected or missing.
//! It knows no protocol and no clock; in memory only, so that a restart begins anew and servers tell each of its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use alp_pool::round::RoundLength;
use alp_sandbox::clean_text;

/// Most LPs and markets in memory, two kilobytes each at most. Beyond it the memory starts afresh.
const MAX_MARKETS: usize = 20_000;

/// For how many rounds a market without requests is still told of, so that its bot can see that they are missing.
const TOLD_ROUNDS: u64 = 2;

/// Longest sentence that is kept, in characters.
const MAX_SENTENCE: usize = 300;

/// How a round is cut: a slice is numbered by how many there were since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slicing {
    /// How long a round is.
    pub(crate) round: RoundLength,
    /// Into how many slices it is cut.
    pub(crate) slices: u32,
}

impl Slicing {
    /// The number of the slice of a moment in Unix milliseconds, floored: the rule by which samples are placed.
    pub(crate) fn slice_of(self, at_ms: u64) -> u64 {
        let round_ms = u64::from(self.round.seconds()).saturating_mul(1_000);
        let rounds = at_ms.checked_div(round_ms).unwrap_or(0);
        let into = u128::from(at_ms.checked_rem(round_ms).unwrap_or(0));
        let slice = into.saturating_mul(u128::from(self.slices)).checked_div(u128::from(round_ms));
        let slice = u64::try_from(slice.unwrap_or(0)).unwrap_or(0);
        rounds.saturating_mul(u64::from(self.slices)).saturating_add(slice)
    }
}

/// What came of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard<'a> {
    /// Whether it counts as accepted.
    pub(crate) accepted: bool,
    /// What is to be told of it, if anything is wrong.
    pub(crate) error: Option<&'a str>,
}

/// The last round's worth of slices of an LP and unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Told {
    /// How many slices are looked at.
    pub(crate) slices: u64,
    /// In how many of them there were requests and none was accepted.
    pub(crate) rejected: u64,
    /// In how many of them there was no request, since the first there ever was.
    pub(crate) missing: u64,
    /// The newest error of these slices; empty if there is none.
    pub(crate) last_error: String,
}

#[derive(Debug)]
struct OfMarket {
    slicing: Slicing,
    since: u64,
    /// Whether a request was accepted, by slice.
    heard: BTreeMap<u64, bool>,
    error: Option<(u64, String)>,
}

/// What became of everybody's requests.
#[derive(Debug, Default)]
pub(crate) struct Responses(Mutex<BTreeMap<(i64, String), OfMarket>>);

impl Responses {
    /// Notes what came of a request of a registered LP. One that was accepted makes its slice accepted.
    pub(crate) fn note(&self, of: (i64, &str), slicing: Slicing, at_ms: u64, heard: Heard<'_>) {
        let slice = slicing.slice_of(at_ms);
        let fresh = || OfMarket { slicing, since: slice, heard: BTreeMap::new(), error: None };
        let mut markets = self.locked();
        if markets.len() >= MAX_MARKETS {
            markets.clear();
        }
        let market = markets.entry((of.0, of.1.to_owned())).or_insert_with(fresh);
        if market.slicing != slicing {
            *market = fresh();
        }
        *market.heard.entry(slice).or_default() |= heard.accepted;
        if let Some(error) = heard.error {
            market.error = Some((slice, clean_text(error, MAX_SENTENCE)));
        }
        let oldest = slice.saturating_sub(u64::from(slicing.slices).saturating_mul(TOLD_ROUNDS));
        market.heard = market.heard.split_off(&oldest);
    }

    /// What became of an LP's requests for a unit. None if there were none lately.
    ///
    /// The slice that runs counts as soon as something came in it; before that its end has to be waited for.
    pub(crate) fn of(&self, lp_id: i64, unit: &str, now_ms: u64) -> Option<Told> {
        let markets = self.locked();
        let market = markets.get(&(lp_id, unit.to_owned()))?;
        let (slices, now) = (u64::from(market.slicing.slices), market.slicing.slice_of(now_ms));
        let newest = market.heard.last_key_value().map_or(0, |(slice, _)| *slice);
        if newest.saturating_add(slices.saturating_mul(TOLD_ROUNDS)) < now {
            return None;
        }
        let last = if market.heard.contains_key(&now) { now } else { now.saturating_sub(1) };
        let first = last.saturating_add(1).saturating_sub(slices);
        let window = || market.heard.range(first..=last);
        let due = last.saturating_add(1).saturating_sub(first.max(market.since));
        let heard = u64::try_from(window().count()).unwrap_or(u64::MAX);
        let rejected =
            u64::try_from(window().filter(|(_, accepted)| !**accepted).count()).unwrap_or(u64::MAX);
        let error = market.error.as_ref().filter(|(slice, _)| (first..=last).contains(slice));
        let last_error = error.map(|(_, error)| error.clone()).unwrap_or_default();
        Some(Told { slices, rejected, missing: due.saturating_sub(heard), last_error })
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<(i64, String), OfMarket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: Slicing = Slicing { round: RoundLength::MINUTE, slices: 6 };
    const ACCEPTED: Heard<'static> = Heard { accepted: true, error: None };
    const REJECTED: Heard<'static> = Heard { accepted: false, error: Some("no\u{7} good") };

    fn told(responses: &Responses, now_ms: u64) -> (u64, u64, String) {
        let told = responses.of(1, "btc", now_ms).unwrap();
        (told.rejected, told.missing, told.last_error)
    }

    #[test]
    fn a_slice_is_accepted_rejected_or_missing_and_only_a_round_of_them_counts() {
        let responses = Responses::default();
        let note = |at_ms, heard| responses.note((1, "btc"), SIX, at_ms, heard);
        assert_eq!(responses.of(1, "btc", 600_000), None);
        note(600_000, ACCEPTED);
        assert_eq!(told(&responses, 600_000), (0, 0, String::new()), "nothing was due before the first");
        note(610_000, REJECTED);
        assert_eq!(told(&responses, 612_000), (1, 0, "no good".to_owned()));
        note(619_999, ACCEPTED);
        assert_eq!(told(&responses, 619_999).0, 0, "one of the slice was accepted");
        assert_eq!(told(&responses, 625_000).1, 0, "the slice that runs is not over");
        assert_eq!(told(&responses, 630_000).1, 1);
        assert_eq!(told(&responses, 669_999), (0, 4, "no good".to_owned()));
        assert_eq!(told(&responses, 690_000), (0, 6, String::new()));
        assert!(responses.of(1, "btc", 739_999).is_some());
        assert_eq!(responses.of(1, "btc", 740_000), None, "its bot is gone");
        assert_eq!(responses.of(1, "ppc", 669_999), None);
    }

    #[test]
    fn another_number_of_slices_begins_anew() {
        let responses = Responses::default();
        responses.note((1, "btc"), SIX, 600_000, REJECTED);
        responses.note((1, "btc"), Slicing { slices: 2, ..SIX }, 600_000, ACCEPTED);
        assert_eq!(told(&responses, 600_000), (0, 0, String::new()));
        assert_eq!(responses.of(1, "btc", 600_000).unwrap().slices, 2);
    }

    #[test]
    fn slices_are_counted_without_holes_where_they_do_not_divide_a_round() {
        let seven = Slicing { slices: 7, ..SIX };
        let numbers: Vec<u64> = (0..120_000).step_by(100).map(|at_ms| seven.slice_of(at_ms)).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1));
        assert_eq!(numbers.last(), Some(&13));
    }
}

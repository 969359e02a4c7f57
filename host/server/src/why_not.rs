//! Why not: what became of each LP's submissions, market by market, and the last refusals with who must act.
//! It knows LPs that are registered, and nothing of what a submission was about.
//!
//! In memory only. After a start what was accepted comes back from the samples that the database has: of each slice one,
//! however many submissions it took, whichever server took them, and with it which rounds are missing. What was refused
//! begins anew, since refusals are nowhere kept; and on several servers each tells of those it gave itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use alp_sandbox::clean_text;
use alp_store::ShownInRound;

use crate::exchange::{Refusal, WhoActs};

/// How many rounds are told of: the last hour of usual rounds.
pub const ROUNDS: u64 = 60;

/// How many refusals are kept of each LP and market.
pub const REFUSALS: usize = 20;

/// Longest sentence that is kept, in characters.
const MAX_SENTENCE: usize = 300;

/// Signatures that are shorter are none, and could be any word of a sentence.
const MIN_SIGN: usize = 8;

/// Most LPs and markets in memory, some kilobytes each at most. Beyond it the memory starts afresh.
const MAX_MARKETS: usize = 20_000;

/// A submission that ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// The LP.
    pub lp_id: i64,
    /// The unit.
    pub unit: &'a str,
    /// The bot's signature, which is taken out of whatever is kept.
    pub sign: &'a str,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
    /// The round of that moment, in Unix seconds.
    pub round_start: u64,
}

/// A refusal, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// When, in Unix milliseconds.
    pub at_ms: u64,
    /// The sentence the bot was told.
    pub message: String,
    /// Who can do something about it.
    pub who: WhoActs,
}

/// What became of an LP's submissions on a market in the last rounds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// Over how many rounds, the one under way among them.
    pub rounds: u64,
    /// Submissions that were stored.
    pub accepted: u64,
    /// Submissions that were refused.
    pub rejected: u64,
    /// Rounds that ended without a submission that was stored.
    pub missing: u64,
    /// The last refusals, newest first.
    pub refusals: Vec<Refused>,
}

impl Told {
    /// accepted / (accepted + rejected + missing), in 1e-4, floored. One if nothing was due yet.
    #[must_use]
    pub fn efficiency_e4(&self) -> u64 {
        let all = self.accepted.saturating_add(self.rejected).saturating_add(self.missing);
        self.accepted.saturating_mul(10_000).checked_div(all).unwrap_or(10_000)
    }
}

#[derive(Debug, Default)]
struct OfMarket {
    /// The first round with a submission, in Unix seconds.
    since: u64,
    /// Accepted and rejected, by the start of the round.
    rounds: BTreeMap<u64, (u64, u64)>,
    refusals: VecDeque<Refused>,
}

/// What became of everybody's submissions.
#[derive(Debug, Default)]
pub struct WhyNot(Mutex<BTreeMap<(i64, String), OfMarket>>);

impl WhyNot {
    /// Notes what became of a submission of a registered LP.
    pub fn note<T>(&self, ended: Ended<'_>, outcome: &Result<T, Refusal>) {
        let mut markets = self.locked();
        if markets.len() >= MAX_MARKETS {
            markets.clear();
        }
        let market = markets
            .entry((ended.lp_id, ended.unit.to_owned()))
            .or_insert_with(|| OfMarket { since: ended.round_start, ..OfMarket::default() });
        let (accepted, rejected) = market.rounds.entry(ended.round_start).or_default();
        match outcome {
            Ok(_) => *accepted = accepted.saturating_add(1),
            Err(refusal) => {
                *rejected = rejected.saturating_add(1);
                let message = without_signature(&refusal.message, ended.sign);
                market.refusals.push_front(Refused { at_ms: ended.at_ms, message, who: refusal.who });
                market.refusals.truncate(REFUSALS);
            }
        }
        while market.rounds.len() > usize::try_from(ROUNDS).unwrap_or(usize::MAX) {
            market.rounds.pop_first();
        }
    }

    /// Remembers what the database has of the last rounds, as of a start.
    pub fn remember(&self, shown: &[ShownInRound]) {
        let mut markets = self.locked();
        for ShownInRound { round_start, lp_id, unit, samples } in shown {
            if markets.len() >= MAX_MARKETS {
                return;
            }
            let market = markets
                .entry((*lp_id, unit.clone()))
                .or_insert_with(|| OfMarket { since: *round_start, ..OfMarket::default() });
            market.since = market.since.min(*round_start);
            let (accepted, _) = market.rounds.entry(*round_start).or_default();
            // What was counted since the start is in the database, too.
            *accepted = (*accepted).max(*samples);
        }
    }

    /// What became of an LP's submissions on a market, as of a round.
    #[must_use]
    pub fn of(&self, lp_id: i64, unit: &str, round_start: u64, round_seconds: u64) -> Told {
        let markets = self.locked();
        let Some(market) = markets.get(&(lp_id, unit.to_owned())) else { return Told::default() };
        let oldest = round_start.saturating_sub(round_seconds.saturating_mul(ROUNDS.saturating_sub(1)));
        let first = market.since.max(oldest);
        let ended = round_start.saturating_sub(first).checked_div(round_seconds).unwrap_or(0);
        let told = |(_, (accepted, rejected)): (&u64, &(u64, u64))| (*accepted, *rejected);
        let counts: Vec<(u64, u64)> = market.rounds.range(first..=round_start).map(told).collect();
        let served =
            market.rounds.range(first..round_start).filter(|(_, (accepted, _))| *accepted > 0).count();
        Told {
            rounds: ended.saturating_add(1),
            accepted: counts.iter().map(|(accepted, _)| accepted).sum(),
            rejected: counts.iter().map(|(_, rejected)| rejected).sum(),
            missing: ended.saturating_sub(u64::try_from(served).unwrap_or(u64::MAX)),
            refusals: market.refusals.iter().cloned().collect(),
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<(i64, String), OfMarket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some exchanges repeat the signature that they refuse.
pub(crate) fn without_signature(message: &str, sign: &str) -> String {
    let hidden =
        if sign.len() < MIN_SIGN { message.to_owned() } else { message.replace(sign, "(signature)") };
    clean_text(&hidden, MAX_SENTENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(round_start: u64) -> Ended<'static> {
        let (lp_id, unit, sign) = (1, "btc", "0123456789abcdef");
        Ended { lp_id, unit, sign, at_ms: round_start * 1000, round_start }
    }

    #[test]
    fn rounds_without_an_accepted_submission_are_missing_and_only_the_last_hour_counts() {
        let why = WhyNot::default();
        assert_eq!(why.of(1, "btc", 600, 60), Told::default());
        why.note(ended(600), &Ok(()));
        why.note(ended(660), &Err::<(), _>(Refusal::new(WhoActs::Bot, "no 0123456789abcdef \u{7}here")));
        let told = why.of(1, "btc", 780, 60);
        assert_eq!((told.rounds, told.accepted, told.rejected, told.missing), (4, 1, 1, 2));
        assert_eq!(told.efficiency_e4(), 2_500);
        assert_eq!(told.refusals[0].message, "no (signature) here");
        let later = why.of(1, "btc", 600 + 60 * 60, 60);
        assert_eq!((later.rounds, later.accepted, later.rejected, later.missing), (60, 0, 1, 59));
    }

    #[test]
    fn what_is_remembered_counts_as_if_it_had_been_noted() {
        let why = WhyNot::default();
        let shown =
            |round_start, samples| ShownInRound { round_start, lp_id: 1, unit: "btc".to_owned(), samples };
        why.note(ended(780), &Ok(()));
        why.remember(&[shown(780, 1), shown(660, 2), shown(600, 1)]);
        let told = why.of(1, "btc", 780, 60);
        assert_eq!((told.rounds, told.accepted, told.rejected, told.missing), (4, 4, 0, 1));
        assert_eq!(why.of(2, "btc", 780, 60), Told::default());
    }

    #[test]
    fn twenty_refusals_are_kept_newest_first() {
        let why = WhyNot::default();
        for number in 0..50_u64 {
            why.note(ended(600), &Err::<(), _>(Refusal::new(WhoActs::Bot, number.to_string())));
        }
        let refusals = why.of(1, "btc", 600, 60).refusals;
        assert_eq!(
            (refusals.len(), refusals[0].message.as_str(), refusals[19].message.as_str()),
            (20, "49", "30")
        );
    }
}

//! Why not: what became of each LP's submissions, market by market, and the last refusals with who must act.
//! It knows LPs that are registered, and nothing of what a submission was about.
//!
//! What was accepted is told from the samples that the database has, of each slice one, and this server also knows how many
//! submissions it took. What was refused is counted in memory and written down every few seconds, so that it outlives a
//! restart and every server of a pool tells of it; what a server refused in the seconds before it was killed is lost.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use alp_sandbox::clean_text;
use alp_store::{Became, MAX_REFUSALS, MAX_REFUSED_AT_ONCE, Refused, Store, StoreError};
use tokio::sync::RwLock;

use crate::exchange::Refusal;

/// How many rounds are told of: the last hour of usual rounds.
pub const ROUNDS: u64 = 60;

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
    pub refusals: Vec<alp_store::Refusal>,
}

impl Told {
    /// accepted / (accepted + rejected + missing), in 1e-4, floored. One if nothing was due yet.
    #[must_use]
    pub fn efficiency_e4(&self) -> u64 {
        let all = self.accepted.saturating_add(self.rejected).saturating_add(self.missing);
        self.accepted.saturating_mul(10_000).checked_div(all).unwrap_or(10_000)
    }
}

/// The rounds of a market that an LP is told of.
#[derive(Debug, Clone, Copy)]
pub struct LastRounds {
    /// The start of the round under way, in Unix seconds.
    pub current: u64,
    /// Their length, in seconds.
    pub seconds: u64,
}

impl LastRounds {
    fn oldest(self) -> u64 {
        self.current.saturating_sub(self.seconds.saturating_mul(ROUNDS.saturating_sub(1)))
    }
}

#[derive(Debug, Default)]
struct OfMarket {
    /// The first round with a submission, in Unix seconds.
    since: u64,
    /// Submissions that this server took, by the start of the round.
    accepted: BTreeMap<u64, u64>,
    /// Those that it refused and that are not written down yet.
    rejected: BTreeMap<u64, u64>,
    /// The last of them, newest first.
    refusals: VecDeque<alp_store::Refusal>,
}

/// What became of everybody's submissions.
#[derive(Debug, Default)]
pub struct WhyNot {
    markets: Mutex<BTreeMap<(i64, String), OfMarket>>,
    /// Whoever writes down has it alone: nobody is told of a refusal twice meanwhile, or not at all.
    turn: RwLock<()>,
}

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
        let counts = match outcome {
            Ok(_) => &mut market.accepted,
            Err(refusal) => {
                let sentence = without_signature(&refusal.message, ended.sign);
                let who_acts = refusal.who.word().to_owned();
                market.refusals.push_front(alp_store::Refusal { at_ms: ended.at_ms, who_acts, sentence });
                market.refusals.truncate(usize::try_from(MAX_REFUSALS).unwrap_or(usize::MAX));
                &mut market.rejected
            }
        };
        let count = counts.entry(ended.round_start).or_default();
        *count = count.saturating_add(1);
        while counts.len() > usize::try_from(ROUNDS).unwrap_or(usize::MAX) {
            counts.pop_first();
        }
    }

    /// Writes down what was refused since the last time.
    ///
    /// # Errors
    /// [`StoreError`]. What was not written down is kept for the next time.
    pub async fn write_down(&self, store: &Store) -> Result<(), StoreError> {
        loop {
            let _turn = self.turn.write().await;
            let unwritten = self.unwritten();
            if unwritten.is_empty() {
                return Ok(());
            }
            store.add_refused(&unwritten).await?;
            self.forget_written(&unwritten);
        }
    }

    /// What became of an LP's submissions for each of these units.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn told(
        &self,
        store: &Store,
        lp_id: i64,
        units: &[String],
        rounds: LastRounds,
    ) -> Result<Vec<Told>, StoreError> {
        let _turn = self.turn.read().await;
        let became = store.became(lp_id, rounds.oldest()).await?;
        let nothing = Became::default();
        let of = |unit: &String| became.iter().find(|of_unit| of_unit.unit == *unit).unwrap_or(&nothing);
        Ok(units.iter().map(|unit| self.of(lp_id, unit, of(unit), rounds)).collect())
    }

    /// What became of an LP's submissions on a market, with what the database knows of it.
    fn of(&self, lp_id: i64, unit: &str, became: &Became, rounds: LastRounds) -> Told {
        let markets = self.locked();
        let nothing = OfMarket { since: u64::MAX, ..OfMarket::default() };
        let market = markets.get(&(lp_id, unit.to_owned())).unwrap_or(&nothing);
        let known = became.accepted.iter().chain(&became.rejected).map(|(round, _)| *round);
        let since = known.chain([market.since]).min().unwrap_or(u64::MAX);
        if since > rounds.current {
            return Told::default();
        }
        let first = rounds.oldest().max(since);
        let within = |counts: &BTreeMap<u64, u64>| -> BTreeMap<u64, u64> {
            counts.range(first..=rounds.current).map(|(round, count)| (*round, *count)).collect()
        };
        let mut accepted = within(&market.accepted);
        for (round, slices) in &became.accepted {
            // What this server took is in the database, too.
            let count = accepted.entry(*round).or_default();
            *count = (*count).max(*slices);
        }
        let rejected =
            within(&market.rejected).into_values().chain(became.rejected.iter().map(|(_, count)| *count));
        let ended = rounds.current.saturating_sub(first).checked_div(rounds.seconds).unwrap_or(0);
        let served = u64::try_from(accepted.range(first..rounds.current).count()).unwrap_or(u64::MAX);
        let mut refusals: Vec<_> = market.refusals.iter().chain(&became.refusals).cloned().collect();
        refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.at_ms));
        refusals.truncate(usize::try_from(MAX_REFUSALS).unwrap_or(usize::MAX));
        Told {
            rounds: ended.saturating_add(1),
            accepted: accepted.values().sum(),
            rejected: rejected.sum(),
            missing: ended.saturating_sub(served),
            refusals,
        }
    }

    /// The refusals of some LPs and units that are not written down yet.
    fn unwritten(&self) -> Vec<Refused> {
        let markets = self.locked();
        let refused = markets.iter().filter(|(_, market)| !market.rejected.is_empty());
        let refused = refused.map(|((lp_id, unit), market)| Refused {
            lp_id: *lp_id,
            unit: unit.clone(),
            rejected: market.rejected.iter().map(|(round, count)| (*round, *count)).collect(),
            refusals: market.refusals.iter().cloned().collect(),
        });
        refused.take(MAX_REFUSED_AT_ONCE).collect()
    }

    /// Takes off what is written down; what came meanwhile stays.
    fn forget_written(&self, written: &[Refused]) {
        let mut markets = self.locked();
        for Refused { lp_id, unit, rejected, refusals } in written {
            let Some(market) = markets.get_mut(&(*lp_id, unit.clone())) else { continue };
            for (round, count) in rejected {
                if let Some(left) = market.rejected.get_mut(round) {
                    *left = left.saturating_sub(*count);
                }
            }
            market.rejected.retain(|_, left| *left > 0);
            market.refusals.retain(|refusal| !refusals.contains(refusal));
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<(i64, String), OfMarket>> {
        self.markets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some exchanges repeat the signature that they refuse, as it stood in the message or in an address.
pub(crate) fn without_signature(message: &str, sign: &str) -> String {
    let mut hidden = message.to_owned();
    if sign.len() >= MIN_SIGN {
        hidden = hide(&hidden, sign);
        hidden = hide(&hidden, &escaped(sign));
    }
    clean_text(&hidden, MAX_SENTENCE)
}

/// The text without this word, in whichever case its letters are.
fn hide(text: &str, word: &str) -> String {
    // Lower case has the same length, so places are the same in both.
    let (lower, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    let (mut hidden, mut from) = (String::with_capacity(text.len()), 0);
    for (at, found) in lower.match_indices(&word) {
        hidden.push_str(text.get(from..at).unwrap_or_default());
        hidden.push_str("(signature)");
        from = at.saturating_add(found.len());
    }
    hidden.push_str(text.get(from..).unwrap_or_default());
    hidden
}

/// As it is written in the query of an address.
fn escaped(sign: &str) -> String {
    let mut escaped = String::with_capacity(sign.len());
    for byte in sign.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::WhoActs;

    fn ended(round_start: u64) -> Ended<'static> {
        let (lp_id, unit, sign) = (1, "btc", "0123456789abcdef");
        Ended { lp_id, unit, sign, at_ms: round_start * 1000, round_start }
    }

    fn at(current: u64) -> LastRounds {
        LastRounds { current, seconds: 60 }
    }

    #[test]
    fn rounds_without_an_accepted_submission_are_missing_and_only_the_last_hour_counts() {
        let (why, nothing) = (WhyNot::default(), Became::default());
        assert_eq!(why.of(1, "btc", &nothing, at(600)), Told::default());
        why.note(ended(600), &Ok(()));
        why.note(ended(660), &Err::<(), _>(Refusal::new(WhoActs::Bot, "no 0123456789abcdef \u{7}here")));
        let told = why.of(1, "btc", &nothing, at(780));
        assert_eq!((told.rounds, told.accepted, told.rejected, told.missing), (4, 1, 1, 2));
        assert_eq!(told.efficiency_e4(), 2_500);
        assert_eq!(told.refusals[0].sentence, "no (signature) here");
        let later = why.of(1, "btc", &nothing, at(600 + 60 * 60));
        assert_eq!((later.rounds, later.accepted, later.rejected, later.missing), (60, 0, 1, 59));
    }

    #[test]
    fn what_the_database_knows_counts_and_nothing_counts_twice() {
        let why = WhyNot::default();
        why.note(ended(780), &Ok(()));
        why.note(ended(780), &Err::<(), _>(Refusal::new(WhoActs::Bot, "again")));
        let became = Became {
            accepted: vec![(780, 1), (660, 2), (600, 1)],
            rejected: vec![(660, 3)],
            refusals: vec![alp_store::Refusal {
                at_ms: 1,
                who_acts: "bot".to_owned(),
                sentence: "once".to_owned(),
            }],
            ..Became::default()
        };
        let told = why.of(1, "btc", &became, at(780));
        assert_eq!((told.rounds, told.accepted, told.rejected, told.missing), (4, 4, 4, 1));
        let sentences: Vec<&str> = told.refusals.iter().map(|refusal| refusal.sentence.as_str()).collect();
        assert_eq!(sentences, ["again", "once"]);
        assert_eq!(why.of(2, "btc", &Became::default(), at(780)), Told::default());
    }

    #[test]
    fn what_is_refused_while_others_are_written_down_stays_for_the_next_time() {
        let why = WhyNot::default();
        let refuse =
            |sentence: &str| why.note(ended(600), &Err::<(), _>(Refusal::new(WhoActs::Bot, sentence)));
        refuse("one");
        let written = why.unwritten();
        refuse("two");
        why.forget_written(&written);
        let left = why.unwritten();
        assert_eq!(left[0].rejected, [(600, 1)]);
        assert_eq!((left[0].refusals.len(), left[0].refusals[0].sentence.as_str()), (1, "two"));
        why.forget_written(&left);
        assert_eq!(why.unwritten(), []);
    }

    #[test]
    fn a_signature_is_hidden_however_an_exchange_repeats_it() {
        let sign = "aB+/0123456789==";
        for repeated in [sign, "aB%2B%2F0123456789%3D%3D", "aB%2b%2f0123456789%3d%3d", "AB+/0123456789=="] {
            let sentence = without_signature(&format!("bad /path?sign={repeated}&x=1"), sign);
            assert_eq!(sentence, "bad /path?sign=(signature)&x=1");
        }
        assert_eq!(without_signature("no order", "no"), "no order");
    }

    #[test]
    fn twenty_refusals_are_kept_newest_first() {
        let why = WhyNot::default();
        for number in 0..50_u64 {
            let ended = Ended { at_ms: 600_000 + number, ..ended(600) };
            why.note(ended, &Err::<(), _>(Refusal::new(WhoActs::Bot, number.to_string())));
        }
        let refusals = why.of(1, "btc", &Became::default(), at(600)).refusals;
        assert_eq!(
            (refusals.len(), refusals[0].sentence.as_str(), refusals[19].sentence.as_str()),
            (20, "49", "30")
        );
    }
}

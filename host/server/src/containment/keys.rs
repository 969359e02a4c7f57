//! How often one API key may be used, and how long it stays away after refusals, without locking out its owner.
//! It knows no exchange and no network address beyond whether two of them are the same.
//!
//! Anybody may post junk under a key that he has seen somewhere, and before the exchange is asked nobody can tell his
//! messages from the owner's. So whoever had a sample accepted from an address is counted by himself from there on;
//! everybody else shares what is left of the key.

use std::collections::BTreeMap;

use super::backoff::BackOff;
use super::bucket::Bucket;
use super::peers::Peer;
use super::standing::STANDING_MS;

/// How many messages a minute a key with standing may get from addresses that are new to it: enough for a bot that
/// moves to be heard within its minute, and few enough that junk in its name harms nobody.
const STRANGERS_PER_MINUTE: u32 = 6;

/// From how many addresses one key may be known: a bot and its spare, at home and away.
const MAX_KNOWN: usize = 4;

/// Most keys that are remembered for one exchange.
const MAX_KEYS: usize = 10_000;

/// The keys of one exchange.
#[derive(Debug, Default)]
pub struct Keys(BTreeMap<i64, Key>);

#[derive(Debug)]
struct Key {
    known: Vec<Known>,
    /// What addresses share that are not known.
    strangers: Account,
    /// The same while the key has standing.
    visitors: Bucket,
    seen_ms: u64,
}

/// An address from which a sample was accepted.
#[derive(Debug)]
struct Known {
    peer: Peer,
    accepted_ms: u64,
    account: Account,
}

#[derive(Debug)]
struct Account {
    submissions: Bucket,
    refusals: BackOff,
}

/// How often a key may be used.
#[derive(Debug, Clone, Copy)]
pub struct KeyLimits {
    /// Messages a minute.
    pub per_minute: u32,
    /// Refusals in a row after which it is paused.
    pub refusals: u32,
}

/// As what a message was let through. To be handed back with what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEntry {
    role: Role,
    after_pause: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Known,
    Visitor,
    Stranger,
}

/// Why a message has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyWait {
    /// The exchange refused it too often.
    Refused {
        /// How often in a row.
        times: u32,
        /// How long, in milliseconds.
        wait_ms: u64,
    },
    /// It comes too often.
    TooMany {
        /// How many a minute are taken.
        per_minute: u32,
        /// How long, in milliseconds.
        wait_ms: u64,
    },
}

/// What the exchange made of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It showed the account.
    Accepted,
    /// It refused the request.
    Refused,
    /// It was not asked, or said neither.
    None,
}

impl Keys {
    /// Whether a message of this key can be taken from there now.
    ///
    /// # Errors
    /// [`KeyWait`].
    pub fn look(
        &mut self,
        lp: i64,
        peer: Peer,
        has_standing: bool,
        limits: KeyLimits,
        now_ms: u64,
    ) -> Result<KeyEntry, KeyWait> {
        let key = self.key(lp, limits, now_ms);
        key.known.retain(|known| now_ms.saturating_sub(known.accepted_ms) < STANDING_MS);
        let (role, account) = match key.known.iter_mut().find(|known| known.peer == peer) {
            Some(known) => (Role::Known, &mut known.account),
            None if has_standing => {
                return match key.visitors.wait_ms(0, now_ms) {
                    Some(0) => Ok(KeyEntry { role: Role::Visitor, after_pause: false }),
                    wait_ms => Err(too_many(STRANGERS_PER_MINUTE, wait_ms)),
                };
            }
            None => (Role::Stranger, &mut key.strangers),
        };
        let pause_ms = account.refusals.wait_ms(now_ms);
        if pause_ms > 0 {
            return Err(KeyWait::Refused { times: account.refusals.in_a_row(), wait_ms: pause_ms });
        }
        account.submissions.set_rate(limits.per_minute, now_ms);
        match account.submissions.wait_ms(0, now_ms) {
            Some(0) => Ok(KeyEntry { role, after_pause: account.refusals.pauses() }),
            wait_ms => Err(too_many(limits.per_minute, wait_ms)),
        }
    }

    /// Whether a sample of this key was accepted from there not long ago.
    #[must_use]
    pub fn knows(&self, lp: i64, peer: Peer, now_ms: u64) -> bool {
        let fresh =
            |known: &Known| known.peer == peer && now_ms.saturating_sub(known.accepted_ms) < STANDING_MS;
        self.0.get(&lp).is_some_and(|key| key.known.iter().any(fresh))
    }

    /// Notes that the message is taken.
    pub fn begin(&mut self, lp: i64, peer: Peer, entry: KeyEntry, now_ms: u64) {
        let Some(key) = self.0.get_mut(&lp) else { return };
        match key.account(peer, entry.role) {
            Some(account) => {
                account.submissions.take(1, now_ms);
                account.refusals.begin(now_ms);
            }
            None => key.visitors.take(1, now_ms),
        }
    }

    /// Notes what came of it.
    pub fn note(
        &mut self,
        lp: i64,
        peer: Peer,
        entry: KeyEntry,
        verdict: Verdict,
        limits: KeyLimits,
        now_ms: u64,
    ) {
        let Some(key) = self.0.get_mut(&lp) else { return };
        match verdict {
            Verdict::Accepted => key.accepted(peer, limits, now_ms),
            Verdict::Refused => {
                if let Some(account) = key.account(peer, entry.role) {
                    account.refusals.went_wrong(limits.refusals, entry.after_pause, now_ms);
                }
            }
            Verdict::None => {
                if let Some(account) = key.account(peer, entry.role) {
                    account.refusals.said_nothing(entry.after_pause, now_ms);
                }
            }
        }
    }

    fn key(&mut self, lp: i64, limits: KeyLimits, now_ms: u64) -> &mut Key {
        if self.0.len() >= MAX_KEYS && !self.0.contains_key(&lp) {
            self.forget_some();
        }
        let key = self.0.entry(lp).or_insert_with(|| Key {
            known: Vec::new(),
            strangers: Account::new(limits, now_ms),
            visitors: Bucket::full(STRANGERS_PER_MINUTE, now_ms),
            seen_ms: now_ms,
        });
        key.seen_ms = now_ms;
        key
    }

    /// Forgets the quarter that was seen longest ago, those first that no address is known of.
    fn forget_some(&mut self) {
        let mut order: Vec<(bool, u64, i64)> =
            self.0.iter().map(|(lp, key)| (!key.known.is_empty(), key.seen_ms, *lp)).collect();
        order.sort_unstable();
        for (_, _, lp) in order.into_iter().take(MAX_KEYS / 4) {
            self.0.remove(&lp);
        }
    }
}

impl Key {
    fn account(&mut self, peer: Peer, role: Role) -> Option<&mut Account> {
        match role {
            Role::Known => {
                self.known.iter_mut().find(|known| known.peer == peer).map(|known| &mut known.account)
            }
            Role::Stranger => Some(&mut self.strangers),
            Role::Visitor => None,
        }
    }

    fn accepted(&mut self, peer: Peer, limits: KeyLimits, now_ms: u64) {
        self.strangers.refusals = BackOff::default();
        if let Some(known) = self.known.iter_mut().find(|known| known.peer == peer) {
            known.accepted_ms = now_ms;
            known.account.refusals = BackOff::default();
            return;
        }
        if self.known.len() >= MAX_KNOWN {
            let oldest = (0..).zip(&self.known).min_by_key(|(_, known)| known.accepted_ms);
            if let Some((place, _)) = oldest {
                self.known.remove(place);
            }
        }
        self.known.push(Known { peer, accepted_ms: now_ms, account: Account::new(limits, now_ms) });
    }
}

impl Account {
    fn new(limits: KeyLimits, now_ms: u64) -> Self {
        Self { submissions: Bucket::full(limits.per_minute, now_ms), refusals: BackOff::default() }
    }
}

fn too_many(per_minute: u32, wait_ms: Option<u64>) -> KeyWait {
    KeyWait::TooMany { per_minute, wait_ms: wait_ms.unwrap_or(60_000) }
}

#[cfg(test)]
mod tests {
    use super::super::backoff::FIRST_PAUSE_MS;
    use super::*;

    const LIMITS: KeyLimits = KeyLimits { per_minute: 30, refusals: 5 };
    const HOME: Peer = Peer::V4(1);
    const ELSEWHERE: Peer = Peer::V4(2);

    fn post(
        keys: &mut Keys,
        peer: Peer,
        standing: bool,
        verdict: Verdict,
        now_ms: u64,
    ) -> Result<(), KeyWait> {
        let entry = keys.look(7, peer, standing, LIMITS, now_ms)?;
        keys.begin(7, peer, entry, now_ms);
        keys.note(7, peer, entry, verdict, LIMITS, now_ms);
        Ok(())
    }

    #[test]
    fn a_key_that_is_refused_again_and_again_stays_away_longer_and_longer() {
        let mut keys = Keys::default();
        let mut calls = 0;
        for second in 0..600 {
            calls += u32::from(post(&mut keys, HOME, false, Verdict::Refused, second * 1000).is_ok());
        }
        // Five at first, and then after 30, 60, 120 and 240 seconds.
        assert_eq!(calls, 9);
    }

    #[test]
    fn an_accepted_message_ends_the_pauses() {
        let mut keys = Keys::default();
        for _ in 0..5 {
            post(&mut keys, HOME, false, Verdict::Refused, 0).unwrap();
        }
        let waits = KeyWait::Refused { times: 5, wait_ms: FIRST_PAUSE_MS };
        assert_eq!(post(&mut keys, HOME, false, Verdict::Accepted, 0), Err(waits));
        post(&mut keys, HOME, false, Verdict::Accepted, FIRST_PAUSE_MS).unwrap();
        for _ in 0..4 {
            post(&mut keys, HOME, true, Verdict::Refused, FIRST_PAUSE_MS).unwrap();
        }
        post(&mut keys, HOME, true, Verdict::Accepted, FIRST_PAUSE_MS).unwrap();
    }

    #[test]
    fn junk_under_a_key_from_elsewhere_does_not_lock_its_owner_out() {
        let mut keys = Keys::default();
        post(&mut keys, HOME, false, Verdict::Accepted, 0).unwrap();
        let (mut junk, mut turned_away) = (0, 0);
        for second in 1..600_u64 {
            for _ in 0..10 {
                junk += u32::from(post(&mut keys, ELSEWHERE, true, Verdict::Refused, second * 1000).is_ok());
            }
            let honest = second % 10 == 0;
            turned_away +=
                u32::from(honest && post(&mut keys, HOME, true, Verdict::Accepted, second * 1000).is_err());
        }
        assert_eq!(turned_away, 0);
        assert!(junk <= STRANGERS_PER_MINUTE * 11, "{junk}");
    }

    #[test]
    fn posting_flat_out_is_bounded() {
        let mut keys = Keys::default();
        let taken = |keys: &mut Keys| {
            (0..1_000).filter(|_| post(keys, HOME, true, Verdict::Accepted, 9).is_ok()).count()
        };
        post(&mut keys, HOME, false, Verdict::Accepted, 0).unwrap();
        assert_eq!(taken(&mut keys), 30);
        let waits = KeyWait::TooMany { per_minute: 30, wait_ms: 2_000 };
        assert_eq!(post(&mut keys, HOME, true, Verdict::Accepted, 9), Err(waits));
    }

    #[test]
    fn what_is_remembered_of_keys_is_bounded() {
        let mut keys = Keys::default();
        for lp in 0..i64::try_from(MAX_KEYS * 2).unwrap() {
            keys.look(lp, HOME, false, LIMITS, 5).unwrap();
        }
        assert!(keys.0.len() <= MAX_KEYS);
    }
}

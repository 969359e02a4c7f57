//! What contains one exchange, its adapter and its LPs in time: one question before a submission, one note after it.
//! It knows no I/O and no clock; an LP is the number of its registration.

use std::collections::BTreeMap;

use super::breaker::{Breaker, Caller, Entry, Seen, State};
use super::budget::{Budget, Part};
use super::keys::{KeyEntry, KeyLimits, Keys, Verdict};
use super::peers::Peer;
use super::standing::Standing;
use super::turned_away::TurnedAway;

/// How long an exchange is left alone that wants fewer requests and does not say for how long, in milliseconds.
const THROTTLED_MS: u64 = 30_000;

/// The longest time for which it is left alone, in milliseconds, whatever it says: a header must not switch it off.
const LONGEST_THROTTLE_MS: u64 = 5 * 60_000;

/// How many LPs with standing must have been throttled before everybody waits: exchanges throttle single keys too.
const THROTTLE_WITNESSES: usize = 2;

/// Most LPs that are remembered as throttled.
const MAX_THROTTLED: usize = 10_000;

/// The operator's limits for one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeLimits {
    /// Calls to the exchange a minute.
    pub calls_per_minute: u32,
    /// Submissions a minute of one key.
    pub submissions_per_minute: u32,
    /// Faults in a row of one LP after which it is paused.
    pub faults_before_pause: u32,
    /// Refusals in a row of one key after which it is paused.
    pub refusals_before_pause: u32,
}

/// Whose submission it is.
#[derive(Debug, Clone, Copy)]
pub struct Submitter {
    /// The LP, by the number of its registration at this exchange.
    pub lp: i64,
    /// Where the message came from.
    pub peer: Peer,
}

/// How a submission was let through. To be handed back with what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Admitted {
    adapter: Entry,
    exchange: Entry,
    key: KeyEntry,
    part: Part,
    /// Which component it was let through to, counted from the first.
    component: u64,
}

/// What came of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A sample was stored.
    Accepted {
        /// Whether it has at least one order.
        with_orders: bool,
    },
    /// The exchange refused the request: the bot's to mend, and nobody's failure.
    Refused,
    /// The adapter trapped, used too much, or asked for what is not granted.
    AdapterBroke,
    /// The exchange was not there, or what it said was of no use.
    ExchangeFailed,
    /// The exchange wants fewer requests.
    Throttled {
        /// For how long, in milliseconds, if it said so.
        retry_after_ms: Option<u64>,
    },
    /// Something else ended it, of which neither adapter nor exchange is to blame.
    Nothing,
}

/// How often what happened, since the server started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Samples that were stored.
    pub accepted: u64,
    /// Requests that the exchange refused.
    pub refused: u64,
    /// Failures of the adapter.
    pub adapter_faults: u64,
    /// Failures of the exchange.
    pub exchange_faults: u64,
    /// Replies that wanted fewer requests.
    pub throttled: u64,
    /// Submissions that were turned away before any call.
    pub turned_away: u64,
}

/// How an exchange is, for people. No LP is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overview {
    /// The adapter's breaker.
    pub adapter: State,
    /// The exchange's.
    pub exchange: State,
    /// Until when the exchange is left alone because it wants fewer requests, in Unix milliseconds.
    pub throttled_until_ms: Option<u64>,
    /// How many LPs have standing.
    pub with_standing: usize,
    /// What happened.
    pub counts: Counts,
}

/// One exchange.
#[derive(Debug)]
pub struct Exchange {
    standing: Standing,
    adapter: Breaker,
    /// The component that `adapter` is about: another one starts with a clean sheet.
    adapter_sha256: String,
    components: u64,
    exchange: Breaker,
    throttled: BTreeMap<i64, u64>,
    throttled_all: Option<(u64, u64)>,
    keys: Keys,
    budget: Budget,
    counts: Counts,
}

impl Exchange {
    /// An exchange of which nothing is known yet.
    #[must_use]
    pub fn new(limits: ExchangeLimits, now_ms: u64) -> Self {
        Self {
            standing: Standing::default(),
            adapter: Breaker::default(),
            adapter_sha256: String::new(),
            components: 0,
            exchange: Breaker::default(),
            throttled: BTreeMap::new(),
            throttled_all: None,
            keys: Keys::default(),
            budget: Budget::new(limits.calls_per_minute, now_ms),
            counts: Counts::default(),
        }
    }

    /// Gives standing to an LP whose sample was accepted before the server started.
    pub fn remember(&mut self, lp: i64, accepted_ms: u64) {
        self.standing.accepted(lp, accepted_ms);
    }

    /// Whether a submission may go on, and if so, notes that it does.
    ///
    /// # Errors
    /// [`TurnedAway`]; then nothing was used up.
    pub fn admit(
        &mut self,
        from: Submitter,
        adapter_sha256: &str,
        limits: ExchangeLimits,
        now_ms: u64,
    ) -> Result<Admitted, TurnedAway> {
        let admitted = self.look(from, adapter_sha256, limits, now_ms);
        match &admitted {
            Ok(admitted) => self.begin(from, admitted, now_ms),
            Err(_) => self.counts.turned_away = self.counts.turned_away.saturating_add(1),
        }
        admitted
    }

    /// Notes what came of it, and how many calls it took.
    pub fn note(
        &mut self,
        from: Submitter,
        admitted: Admitted,
        outcome: Outcome,
        calls: u32,
        limits: ExchangeLimits,
        now_ms: u64,
    ) {
        self.count(outcome);
        // One call was charged when it was let through.
        self.budget.charge(admitted.part, calls.saturating_sub(1), now_ms);
        if outcome == (Outcome::Accepted { with_orders: true }) {
            self.standing.accepted(from.lp, now_ms);
        }
        let (verdict, of_adapter, of_exchange) = sorted(outcome);
        // What a component did that is gone is not held against the one that came after it.
        let of_adapter = if admitted.component == self.components { of_adapter } else { Seen::Nothing };
        let caller = Caller { lp: from.lp, has_standing: self.standing.has(from.lp, now_ms) };
        let (allowed, standing) = (limits.faults_before_pause, &mut self.standing);
        self.adapter.note(caller, admitted.adapter, of_adapter, allowed, || standing.members(now_ms), now_ms);
        let standing = &mut self.standing;
        self.exchange.note(
            caller,
            admitted.exchange,
            of_exchange,
            allowed,
            || standing.members(now_ms),
            now_ms,
        );
        self.keys.note(from.lp, from.peer, admitted.key, verdict, key_limits(limits), now_ms);
        match outcome {
            Outcome::Throttled { retry_after_ms } => self.throttle(caller, retry_after_ms, now_ms),
            Outcome::Accepted { .. } => {
                self.throttled.remove(&from.lp);
            }
            Outcome::Refused | Outcome::AdapterBroke | Outcome::ExchangeFailed | Outcome::Nothing => {}
        }
    }

    /// How it is.
    #[must_use]
    pub fn overview(&mut self, now_ms: u64) -> Overview {
        Overview {
            adapter: self.adapter.state(now_ms),
            exchange: self.exchange.state(now_ms),
            throttled_until_ms: self
                .throttled_all
                .map(|(until_ms, _)| until_ms)
                .filter(|until| *until > now_ms),
            with_standing: self.standing.count(now_ms),
            counts: self.counts,
        }
    }

    /// Whether this LP has standing.
    #[must_use]
    pub fn has_standing(&self, lp: i64, now_ms: u64) -> bool {
        self.standing.has(lp, now_ms)
    }

    /// Whether submissions of an LP were accepted from there not long ago.
    #[must_use]
    pub fn knows(&self, lp: i64, peer: Peer, now_ms: u64) -> bool {
        self.keys.knows(lp, peer, now_ms)
    }

    fn look(
        &mut self,
        from: Submitter,
        adapter_sha256: &str,
        limits: ExchangeLimits,
        now_ms: u64,
    ) -> Result<Admitted, TurnedAway> {
        if self.adapter_sha256 != adapter_sha256 {
            adapter_sha256.clone_into(&mut self.adapter_sha256);
            self.components = self.components.saturating_add(1);
            self.adapter = Breaker::default();
        }
        let has_standing = self.standing.has(from.lp, now_ms);
        let caller = Caller { lp: from.lp, has_standing };
        let adapter = self.adapter.look(caller, now_ms).map_err(TurnedAway::Adapter)?;
        let exchange = self.exchange.look(caller, now_ms).map_err(TurnedAway::Exchange)?;
        self.throttled_for(from.lp, now_ms)?;
        let key = self.keys.look(from.lp, from.peer, has_standing, key_limits(limits), now_ms);
        let key = key.map_err(TurnedAway::Key)?;
        self.budget.set_rate(limits.calls_per_minute, now_ms);
        let with_standing = self.standing.count(now_ms);
        let part = self.budget.find(has_standing, with_standing, now_ms);
        let part = part.map_err(|wait_ms| TurnedAway::Budget { wait_ms })?;
        Ok(Admitted { adapter, exchange, key, part, component: self.components })
    }

    fn begin(&mut self, from: Submitter, admitted: &Admitted, now_ms: u64) {
        let caller = Caller { lp: from.lp, has_standing: self.standing.has(from.lp, now_ms) };
        self.adapter.begin(caller, admitted.adapter, now_ms);
        self.exchange.begin(caller, admitted.exchange, now_ms);
        self.keys.begin(from.lp, from.peer, admitted.key, now_ms);
        self.budget.charge(admitted.part, 1, now_ms);
    }

    fn throttled_for(&self, lp: i64, now_ms: u64) -> Result<(), TurnedAway> {
        if let Some((until_ms, for_ms)) = self.throttled_all {
            let wait_ms = until_ms.saturating_sub(now_ms).min(for_ms);
            if wait_ms > 0 {
                return Err(TurnedAway::Throttled { everybody: true, wait_ms });
            }
        }
        let until_ms = self.throttled.get(&lp).copied().unwrap_or(0);
        let wait_ms = until_ms.saturating_sub(now_ms).min(LONGEST_THROTTLE_MS);
        if wait_ms > 0 {
            return Err(TurnedAway::Throttled { everybody: false, wait_ms });
        }
        Ok(())
    }

    fn throttle(&mut self, who: Caller, retry_after_ms: Option<u64>, now_ms: u64) {
        let for_ms = retry_after_ms.unwrap_or(THROTTLED_MS).min(LONGEST_THROTTLE_MS);
        let until_ms = now_ms.saturating_add(for_ms);
        self.throttled.retain(|_, until_ms| *until_ms > now_ms);
        if self.throttled.len() < MAX_THROTTLED {
            self.throttled.insert(who.lp, until_ms);
        }
        let standing = &self.standing;
        let witnesses = self.throttled.keys().filter(|lp| standing.has(**lp, now_ms)).count();
        if who.has_standing && witnesses >= THROTTLE_WITNESSES {
            self.throttled_all = Some((until_ms, for_ms));
        }
    }

    fn count(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Accepted { .. } => &mut self.counts.accepted,
            Outcome::Refused => &mut self.counts.refused,
            Outcome::AdapterBroke => &mut self.counts.adapter_faults,
            Outcome::ExchangeFailed => &mut self.counts.exchange_faults,
            Outcome::Throttled { .. } => &mut self.counts.throttled,
            Outcome::Nothing => return,
        };
        *count = count.saturating_add(1);
    }
}

/// What an outcome says about the key, the adapter and the exchange. A refusal says nothing about the latter two,
/// neither good nor bad; a reply of no use was at least read by an adapter that did not break.
fn sorted(outcome: Outcome) -> (Verdict, Seen, Seen) {
    match outcome {
        Outcome::Accepted { .. } => (Verdict::Accepted, Seen::Success, Seen::Success),
        Outcome::Refused => (Verdict::Refused, Seen::Nothing, Seen::Nothing),
        Outcome::AdapterBroke => (Verdict::None, Seen::Fault, Seen::Nothing),
        Outcome::ExchangeFailed => (Verdict::None, Seen::Nothing, Seen::Fault),
        Outcome::Throttled { .. } | Outcome::Nothing => (Verdict::None, Seen::Nothing, Seen::Nothing),
    }
}

fn key_limits(limits: ExchangeLimits) -> KeyLimits {
    KeyLimits { per_minute: limits.submissions_per_minute, refusals: limits.refusals_before_pause }
}

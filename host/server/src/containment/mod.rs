//! Containment in time: nobody's bad adapter, bad exchange, bad key or flood holds up anybody else.
//! The rules are pure and know no I/O; this file is the thin shell that puts a lock around them and a clock to them.

pub mod backoff;
pub mod breaker;
pub mod bucket;
pub mod budget;
pub mod exchange;
pub mod keys;
pub mod peers;
pub mod standing;
pub mod turned_away;
mod warm;
pub mod words;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use breaker::{Blocked, State};
pub use exchange::{Admitted, Counts, Exchange, ExchangeLimits, Outcome, Overview, Submitter};
pub use peers::{Peer, Peers};
pub use turned_away::{TurnedAway, again};
pub(crate) use warm::warm;
pub use words::{counts, sentences};

use crate::app::HostClock;
use crate::exchange::Refusal;

/// What contains all exchanges.
pub struct Containment {
    clock: HostClock,
    exchanges: Mutex<BTreeMap<String, Arc<Mutex<Exchange>>>>,
    peers: Mutex<Peers>,
}

/// Whose submission it is, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The exchange's id. It is a configured one, so there are never more than those.
    pub exchange: &'a str,
    /// The LP and where its message came from.
    pub from: Submitter,
    /// The component that will be called.
    pub adapter_sha256: &'a str,
    /// The operator's limits.
    pub limits: ExchangeLimits,
}

impl Containment {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(clock: HostClock) -> Self {
        Self { clock, exchanges: Mutex::default(), peers: Mutex::default() }
    }

    /// Takes a message, before anything of it is read.
    ///
    /// # Errors
    /// The sentence for whoever sent it.
    pub fn post(&self, peer: Peer, per_minute: u32) -> Result<(), String> {
        let taken = locked(&self.peers).post(peer, per_minute, (self.clock)());
        taken.map_err(|wait_ms| {
            format!(
                "too many messages from this address: {per_minute} a minute are taken; {}",
                again(wait_ms)
            )
        })
    }

    /// Lets a submission go on, or says why not. Nothing was sent by then.
    ///
    /// # Errors
    /// [`Refusal`] with the sentence for the bot.
    pub fn admit(&self, arrival: Arrival<'_>) -> Result<Pass<'_>, Refusal> {
        let Arrival { exchange: id, from, adapter_sha256, limits } = arrival;
        let now_ms = (self.clock)();
        let exchange = self.exchange(id, limits, now_ms);
        let mut contained = locked(&exchange);
        // An LP with standing has shown that it means well; its neighbours behind one address are not its fault.
        if !contained.has_standing(from.lp, now_ms) {
            let wait_ms = locked(&self.peers).refused_wait_ms(from.peer, now_ms);
            if wait_ms > 0 {
                return Err(TurnedAway::Place { wait_ms }.refusal(id));
            }
        }
        let admitted = contained.admit(from, adapter_sha256, limits, now_ms);
        let admitted = admitted.map_err(|turned_away| turned_away.refusal(id))?;
        drop(contained);
        let calls = AtomicU32::new(0);
        Ok(Pass { containment: self, exchange, from, admitted, limits, calls, outcome: Outcome::Nothing })
    }

    /// Gives standing to an LP whose sample was accepted before the server started.
    pub fn remember(&self, exchange: &str, lp: i64, accepted_ms: u64, limits: ExchangeLimits) {
        let contained = self.exchange(exchange, limits, (self.clock)());
        locked(&contained).remember(lp, accepted_ms);
    }

    /// Whether submissions of an LP were accepted from there within the time in which it has standing.
    #[must_use]
    pub fn knows(&self, exchange: &str, lp: i64, peer: Peer) -> bool {
        let contained = locked(&self.exchanges).get(exchange).map(Arc::clone);
        contained.is_some_and(|contained| locked(&contained).knows(lp, peer, (self.clock)()))
    }

    /// How an exchange is. None if nobody submitted to it yet.
    #[must_use]
    pub fn overview(&self, exchange: &str) -> Option<Overview> {
        let contained = locked(&self.exchanges).get(exchange).map(Arc::clone)?;
        Some(locked(&contained).overview((self.clock)()))
    }

    fn exchange(&self, id: &str, limits: ExchangeLimits, now_ms: u64) -> Arc<Mutex<Exchange>> {
        let mut exchanges = locked(&self.exchanges);
        if let Some(exchange) = exchanges.get(id) {
            return Arc::clone(exchange);
        }
        let exchange = Arc::new(Mutex::new(Exchange::new(limits, now_ms)));
        exchanges.insert(id.to_owned(), Arc::clone(&exchange));
        exchange
    }
}

/// A submission that was let through. What came of it is noted when this goes, also if the bot hung up meanwhile.
pub struct Pass<'c> {
    containment: &'c Containment,
    exchange: Arc<Mutex<Exchange>>,
    from: Submitter,
    admitted: Admitted,
    limits: ExchangeLimits,
    calls: AtomicU32,
    outcome: Outcome,
}

impl Pass<'_> {
    /// Counts the calls that it takes.
    #[must_use]
    pub fn calls(&self) -> &AtomicU32 {
        &self.calls
    }

    /// Says what came of it.
    pub fn ended(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let now_ms = (self.containment.clock)();
        let calls = self.calls.load(Ordering::Relaxed);
        locked(&self.exchange).note(self.from, self.admitted, self.outcome, calls, self.limits, now_ms);
        if self.outcome == Outcome::Refused {
            locked(&self.containment.peers).refused(self.from.peer, now_ms);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

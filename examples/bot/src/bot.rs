//! The bot's rounds: look at the orders, submit, listen, and take the orders back if nothing is accepted.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::error_chain::chain;
use crate::events::{Counts, Event};
use crate::nonce::{Clock, Nonces};
use crate::pool::{Confirmation, PoolAnswer, PoolClient};
use crate::receipts::ReceiptFolder;
use crate::signer::Signer;
use crate::trader::Trader;

/// After how long without an accepted submission the orders are taken back, in milliseconds. The bots of older
/// pools waited two minutes; users expect it.
pub const DEFAULT_SILENCE_MS: u64 = 120_000;
/// How long a bot that is told to stop may spend on taking its orders back, in milliseconds. Stopping
/// altogether takes at most a second.
pub const MAX_STOP_MS: u64 = 700;

/// The bot's rhythm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From one submission to the next.
    pub submit_interval: Duration,
    /// From one look at the market to the next.
    pub look_interval: Duration,
    /// After how long without an accepted submission the orders are taken back. A submission under way is
    /// waited for first, so it can be later by the time a pool may take to answer.
    pub silence: Duration,
}

/// A bot, put together.
///
/// Everything it does happens one after the other: an order that is moved while the pool holds a signed request
/// would use a larger nonce of the same key, and the exchange would refuse the pool's request.
pub struct Bot<S, T> {
    /// The rhythm.
    pub settings: Settings,
    /// The pool, in the bot's name.
    pub pool: PoolClient,
    /// Who signs.
    pub signer: S,
    /// Who keeps the orders.
    pub trader: T,
    /// Who keeps what the pool signs, if anybody does.
    pub receipts: Option<ReceiptFolder>,
    /// Whether the heads of the pool's record are kept with the receipts.
    pub heads: bool,
    /// The nonces of the key, of the signer's kind.
    pub nonces: Arc<Nonces>,
    /// The time for signatures.
    pub clock: Clock,
    /// Where events go. If it is full or closed, they are dropped.
    pub events: mpsc::Sender<Event>,
    /// Where the counts can be seen.
    pub counts: watch::Sender<Counts>,
}

impl<S: Signer, T: Trader> Bot<S, T> {
    /// Runs until `stop` is true or its sender is gone; then takes the orders back and returns within a second.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Counts {
        let now = Instant::now();
        let mut round = Round::starting(now);
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.rounds(&mut round) => {}
        }
        let limit = Duration::from_millis(MAX_STOP_MS);
        match timeout(limit, self.trader.cancel_all()).await {
            Ok(result) => self.report(result),
            Err(_) => self.tell(Event::NotTraded { reason: "cancelling took too long".to_owned() }),
        }
        *self.counts.borrow()
    }

    async fn rounds(&mut self, round: &mut Round) {
        loop {
            sleep_until(round.wake_at(self.settings.silence)).await;
            if let Some(for_ms) = round.silent_for_ms(self.settings.silence) {
                self.tell(Event::Silent { for_ms });
                round.orders = Orders::Leaving;
                round.look_at = Instant::now();
            }
            if round.look_at <= Instant::now() {
                self.look(round).await;
                round.look_at = Instant::now() + self.settings.look_interval;
            }
            if round.submit_at <= Instant::now() {
                round.submit_at = Instant::now() + self.settings.submit_interval;
                self.turn(round).await;
            }
        }
    }

    async fn look(&mut self, round: &mut Round) {
        let result = match round.orders {
            Orders::Kept => self.trader.look().await,
            Orders::Leaving => {
                let result = self.trader.cancel_all().await;
                if result.is_ok() {
                    round.orders = Orders::Gone;
                }
                result
            }
            Orders::Gone => Ok(()),
        };
        self.report(result);
    }

    /// Registers if need be, and submits once.
    async fn turn(&mut self, round: &mut Round) {
        if !round.registered {
            match self.pool.register().await {
                Ok(answer) if answer.means_registered() => {
                    round.registered = true;
                    self.tell(Event::Registered);
                }
                Ok(PoolAnswer { message, .. }) => {
                    return self.tell(Event::RegistrationRefused { message });
                }
                Err(error) => return self.tell(Event::Unreachable { reason: chain(&error) }),
            }
        }
        self.submit(round).await;
    }

    async fn submit(&mut self, round: &mut Round) {
        let now_ms = (self.clock)();
        let signed = self.signer.sign(now_ms, self.nonces.next(now_ms)).await;
        let submission = match signed.and_then(|signed| self.pool.submission(&signed)) {
            Ok(submission) => submission,
            Err(error) => return self.tell(Event::NotSigned { reason: chain(&error) }),
        };
        self.count(|counts| &mut counts.sent);
        let sent = self.receipts.is_some().then(|| submission.bytes().to_vec());
        match self.pool.submit(submission).await {
            Ok((PoolAnswer { success: true, message, .. }, confirmation)) => {
                self.count(|counts| &mut counts.accepted);
                round.accepted();
                self.keep(&confirmation, &sent.unwrap_or_default(), now_ms).await;
                self.tell(Event::Accepted { message });
            }
            Ok((answer, _)) => {
                self.count(|counts| &mut counts.refused);
                round.registered = !answer.means_unregistered(&self.pool.identity().user);
                self.tell(Event::Refused { message: answer.message });
            }
            Err(error) => {
                self.count(|counts| &mut counts.unanswered);
                self.tell(Event::Unreachable { reason: chain(&error) });
            }
        }
    }

    /// Keeps the receipt of an accepted submission, and the head of the record.
    async fn keep(&mut self, confirmation: &Confirmation, sent: &[u8], now_ms: u64) {
        let Some(receipts) = &mut self.receipts else { return };
        match receipts.keep(confirmation, self.pool.identity(), sent, now_ms) {
            Ok(()) => self.count(|counts| &mut counts.receipts),
            Err(error) => self.tell(Event::NotKept { reason: chain(&error) }),
        }
        if !self.heads {
            return;
        }
        let head = self.pool.head().await.map_err(|error| chain(&error));
        let Some(receipts) = &mut self.receipts else { return };
        let kept = head.and_then(|head| receipts.keep_head(&head, now_ms).map_err(|error| chain(&error)));
        if let Err(reason) = kept {
            self.tell(Event::NotKept { reason });
        }
    }

    fn report(&self, result: Result<(), T::Error>) {
        if let Err(error) = result {
            self.tell(Event::NotTraded { reason: chain(&error) });
        }
    }

    fn tell(&self, event: Event) {
        if self.events.try_send(event).is_err() {
            self.count(|counts| &mut counts.events_dropped);
        }
    }

    fn count(&self, which: impl Fn(&mut Counts) -> &mut u64) {
        self.counts.send_modify(|counts| {
            let count = which(counts);
            *count = count.saturating_add(1);
        });
    }
}

/// Where the bot stands.
struct Round {
    submit_at: Instant,
    look_at: Instant,
    last_accepted: Instant,
    registered: bool,
    orders: Orders,
}

/// What is to become of the orders.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Orders {
    /// They are kept where they belong.
    Kept,
    /// They are to be taken back, and may still stand.
    Leaving,
    /// They are taken back, until a submission is accepted.
    Gone,
}

impl Round {
    fn starting(now: Instant) -> Self {
        Self { submit_at: now, look_at: now, last_accepted: now, registered: false, orders: Orders::Kept }
    }

    fn wake_at(&self, silence: Duration) -> Instant {
        let next = self.submit_at.min(self.look_at);
        match self.orders {
            Orders::Kept => next.min(self.last_accepted + silence),
            Orders::Leaving | Orders::Gone => next,
        }
    }

    /// For how long nothing was accepted, if that is too long and the orders still stand.
    fn silent_for_ms(&self, silence: Duration) -> Option<u64> {
        let elapsed = self.last_accepted.elapsed();
        let too_long = self.orders == Orders::Kept && elapsed >= silence;
        too_long.then(|| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }

    fn accepted(&mut self) {
        let now = Instant::now();
        self.last_accepted = now;
        if self.orders != Orders::Kept {
            self.orders = Orders::Kept;
            self.look_at = now;
        }
    }
}

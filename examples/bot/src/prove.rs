//! Proving the payout address: asking the pool which order to show, showing it, submitting until the pool has seen it,
//! and taking it back.
//!
//! The digits are made by both sides. The bot seals some random bytes, learns the pool's, and tells its own only then;
//! so it can work out itself that the digits stand for its own address, and a pool that passes on what another pool
//! asked somebody else for cannot have them come out so.

use std::fmt::Write;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use alp_pool::proof::{Demand, ProofClaim, ShownBy};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::error_chain::chain;
use crate::http::AnswerError;
use crate::nonce::{Clock, Nonces};
use crate::pool::{AskedChallenge, PoolClient};
use crate::signer::{SignError, Signer};

/// The decimals of amounts at the simulated exchange.
const DECIMALS: u32 = 8;

/// The longest time that is spent on a proof, whatever the pool says of how long its challenge is open.
const MAX_OPEN: Duration = Duration::from_secs(3_600);

/// Places the one order that a challenge asks for, and takes it back.
pub trait ProofOrders: Send {
    /// What can go wrong.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Places an order over this amount, so far from the price that nobody hits it. Its id.
    fn show(&mut self, amount: &str) -> impl Future<Output = Result<String, Self::Error>> + Send;

    /// Takes it back.
    fn take_back(&mut self, id: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What a proof is made with.
pub struct Prover<'a, S, O> {
    /// The pool, in the bot's name.
    pub pool: &'a PoolClient,
    /// Who signs.
    pub signer: &'a S,
    /// Who places the order.
    pub orders: O,
    /// The nonces of the key, of the signer's kind.
    pub nonces: Arc<Nonces>,
    /// The time for signatures.
    pub clock: Clock,
    /// From one submission to the next.
    pub submit_interval: Duration,
    /// Random bytes that nobody knows.
    pub salt: [u8; 16],
}

/// Why the address is not proven.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The pool gives no challenge: its words.
    #[error("the pool gives no challenge: {0}")]
    Refused(String),
    /// The pool does not answer.
    #[error("the pool")]
    Unreachable(#[from] AnswerError),
    /// The digits are not those of this address. The bot's owner must ask who runs the pool.
    #[error(
        "the pool wants an order that stands for something else than this address: it would prove somebody else's claim"
    )]
    OtherDigits,
    /// The order could not be placed.
    #[error("the order could not be placed: {0}")]
    NotPlaced(String),
    /// Nothing could be signed.
    #[error("nothing to submit")]
    NotSigned(#[from] SignError),
    /// The bot was told to stop.
    #[error("stopped before the pool had seen the order")]
    Stopped,
    /// The pool did not see the order in time: its last words.
    #[error("the pool did not see the order in time; it last said: {0}")]
    Lapsed(String),
}

impl<S: Signer, O: ProofOrders> Prover<'_, S, O> {
    /// Proves the address, and returns what the pool says of it. The order is taken back whatever comes of it, also if
    /// `stop` is true or its sender is gone.
    ///
    /// # Errors
    /// [`ProveError`].
    pub async fn prove(mut self, stop: watch::Receiver<bool>) -> Result<String, ProveError> {
        // Somebody may have registered the key with another address; that is what a proof is for.
        self.pool.register().await?;
        let (amount, open_for) = self.ask().await?;
        let placed = self.orders.show(&amount).await;
        let id = placed.map_err(|error| ProveError::NotPlaced(chain(&error)))?;
        let proven = self.submit_until_seen(open_for, stop).await;
        if let Err(error) = self.orders.take_back(&id).await {
            tracing::warn!("the order {id} that proved the address still stands: {}", chain(&error));
        }
        proven
    }

    /// The amount that has to be shown, and for how long there is time.
    async fn ask(&self) -> Result<(String, Duration), ProveError> {
        let salt = hex(&self.salt);
        let seal = hex(&Sha256::digest(salt.as_bytes()));
        let sealed = self.pool.ask_challenge(ShownBy::Amount.name(), DECIMALS, &seal).await?;
        let sealed = asked(sealed)?;
        let own = self.demand(&sealed, &salt).ok_or(ProveError::OtherDigits)?;
        let told = asked(self.pool.open_challenge(sealed.challenge, &salt).await?)?;
        if told.digits.as_deref() != Some(own.digits().as_str()) {
            return Err(ProveError::OtherDigits);
        }
        let open_for = told.lapses_at.saturating_sub((self.clock)() / 1_000);
        // The digits take all places behind the point: one coin in front makes it an amount that exchanges take.
        let amount = format!("1{}", own.smallest().strip_prefix('0').unwrap_or_default());
        Ok((amount, Duration::from_secs(open_for).min(MAX_OPEN)))
    }

    /// What the pool has to ask for, worked out from what it said before it knew what was sealed.
    fn demand(&self, sealed: &AskedChallenge, salt: &str) -> Option<Demand> {
        let identity = self.pool.identity();
        let claim = ProofClaim {
            pool: &sealed.pool,
            exchange: &identity.exchange,
            unit: &identity.unit,
            api_key: &identity.user,
            address: &identity.address,
            by: ShownBy::Amount,
            decimals: DECIMALS,
            salt,
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(&bytes_of(&sealed.nonce)?).ok()?;
        mac.update(&claim.message());
        Demand::new(ShownBy::Amount, DECIMALS, &mac.finalize().into_bytes().into()).ok()
    }

    async fn submit_until_seen(
        &self,
        open_for: Duration,
        mut stop: watch::Receiver<bool>,
    ) -> Result<String, ProveError> {
        let end = Instant::now() + open_for;
        let mut words = String::new();
        while Instant::now() < end {
            let now_ms = (self.clock)();
            let signed = self.signer.sign(now_ms, self.nonces.next(now_ms)).await?;
            let submission = self.pool.submission(&signed)?;
            match self.pool.submit_for_proof(submission).await {
                Ok((_, Some(proven))) => return Ok(proven),
                Ok((answer, None)) => words = answer.message,
                Err(error) => words = chain(&error),
            }
            if timeout(self.submit_interval, stop.wait_for(|stop| *stop)).await.is_ok() {
                return Err(ProveError::Stopped);
            }
        }
        Err(ProveError::Lapsed(words))
    }
}

fn asked(answer: AskedChallenge) -> Result<AskedChallenge, ProveError> {
    if answer.success { Ok(answer) } else { Err(ProveError::Refused(answer.message)) }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let byte = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    digits?.chunks(2).map(byte).collect()
}

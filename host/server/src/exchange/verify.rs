//! From a submission to the orders that the exchange shows: the adapter says what to send, the host sends it.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use alp_sandbox::types::{Fault, OrderList, Reply, Request, Started, Step, Submission};
use alp_sandbox::{CallError, clean_text};
use sha2::{Digest, Sha256};

use super::{ClientError, ExchangeClient, Gate, prepare_granted};
use crate::config::GrantConfig;
use crate::containment::Outcome;
use crate::look_ups::LookUps;
use crate::shadow::Recording;

/// Most requests that one submission may cause: a look-up, and pages of orders.
const MAX_REQUESTS: usize = 12;

/// Longest text of an exchange or adapter that is passed on, in characters.
const MAX_WORDS: usize = 300;

/// What the exchange showed.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The orders as the adapter read them.
    pub list: OrderList,
    /// SHA-256, in hex, over the bodies of all signed replies in order.
    pub reply_sha256: String,
    /// The signed replies in order.
    pub replies: Vec<SignedReply>,
}

/// A reply to a signed request, with the notes that the adapter had when it read it.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedReply {
    /// The adapter's notes.
    pub state: Vec<u8>,
    /// The reply.
    pub reply: Reply,
}

impl fmt::Debug for SignedReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedReply")
            .field("state_bytes", &self.state.len())
            .field("reply", &self.reply)
            .finish()
    }
}

impl AsRef<[u8]> for SignedReply {
    fn as_ref(&self) -> &[u8] {
        &self.reply.body
    }
}

/// Who can do something about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhoActs {
    /// The bot, or its owner.
    Bot,
    /// The exchange; the bot just comes again.
    Exchange,
    /// The operator of the pool.
    Operator,
}

impl WhoActs {
    /// In a word, as it is told and kept.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Exchange => "exchange",
            Self::Operator => "operator",
        }
    }
}

/// Why there are no orders: a sentence for the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Who can do something about it.
    pub who: WhoActs,
    /// The sentence.
    pub message: String,
    /// What it says about the adapter, the exchange and the key.
    pub outcome: Outcome,
}

impl Refusal {
    /// A refusal for which neither the adapter nor the exchange is to blame.
    #[must_use]
    pub fn new(who: WhoActs, message: impl Into<String>) -> Self {
        Self { who, message: message.into(), outcome: Outcome::Nothing }
    }

    /// The same, which says this about the adapter, the exchange and the key.
    #[must_use]
    pub fn because(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Everything that verifying one submission needs.
pub struct Verification<'a> {
    /// The exchange's id.
    pub exchange: &'a str,
    /// Its adapter, as it was when the submission came; a newer one serves later submissions.
    pub adapter: &'a Recording,
    /// What the operator grants it.
    pub grant: &'a GrantConfig,
    /// Where signed requests go out.
    pub client: &'a ExchangeClient,
    /// The exchange's entrance.
    pub gate: &'a Gate,
    /// Public replies that are kept for a while.
    pub look_ups: &'a LookUps,
    /// How long the whole may take.
    pub patience: Duration,
    /// Where the calls are counted.
    pub calls: &'a AtomicU32,
}

/// Has the adapter say what to send first, and what makes it fresh. Nothing is sent by then.
///
/// # Errors
/// [`Refusal`] says in a sentence what happened, and who can do something about it.
pub async fn begin(with: &Verification<'_>, submission: &Submission) -> Result<Started, Refusal> {
    let started = with.adapter.start(submission).await.map_err(|error| broken(with, &error))?;
    started.map_err(|fault| refusal(with.exchange, fault))
}

/// Asks the exchange for the LP's open orders, by way of the adapter. No request is sent twice.
///
/// # Errors
/// [`Refusal`] says in a sentence what happened, and who can do something about it.
pub async fn verify(
    with: &Verification<'_>,
    submission: &Submission,
    first: Step,
) -> Result<Verified, Refusal> {
    let within = tokio::time::timeout(with.patience, run(with, submission, first));
    within.await.unwrap_or_else(|_| {
        let message = format!("{} did not answer within {:?}", with.exchange, with.patience);
        Err(Refusal::new(WhoActs::Exchange, message))
    })
}

async fn run(with: &Verification<'_>, submission: &Submission, mut step: Step) -> Result<Verified, Refusal> {
    let mut digest = Sha256::new();
    let mut replies = Vec::new();
    for sent in 0..=MAX_REQUESTS {
        if sent == MAX_REQUESTS && !matches!(step, Step::Orders(_)) {
            break;
        }
        let (state, reply, signed) = match step {
            Step::Orders(list) => {
                let reply_sha256 = alp_record::chain::Digest(digest.finalize().into()).to_string();
                return Ok(Verified { list, reply_sha256, replies });
            }
            Step::Send(pending) => {
                let reply = send(with, submission, &pending.request).await?;
                let signed =
                    with.grant.calls.iter().any(|call| call.name == pending.request.call && call.signed);
                if signed {
                    digest.update(&reply.body);
                }
                (pending.state, reply, signed)
            }
            Step::LookUp(look_up) => {
                let kept_for = Duration::from_millis(look_up.cache_ms);
                (look_up.state, look_up_once(with, submission, &look_up.request, kept_for).await?, false)
            }
        };
        let resumed = with.adapter.resume(submission, &state, &reply).await;
        if signed {
            replies.push(SignedReply { state, reply });
        }
        step =
            resumed.map_err(|error| broken(with, &error))?.map_err(|fault| refusal(with.exchange, fault))?;
    }
    Err(overreaching(with, &format!("wants more than {MAX_REQUESTS} requests")))
}

async fn send(with: &Verification<'_>, submission: &Submission, request: &Request) -> Result<Reply, Refusal> {
    let description = with.adapter.description();
    let endpoint = submission.endpoint.as_deref();
    let prepared = prepare_granted(with.grant, description, endpoint, request).map_err(|breach| {
        tracing::error!(
            exchange = with.exchange,
            version = %description.version,
            sha256 = with.adapter.sha256(),
            breach = %clean_text(&breach.to_string(), MAX_WORDS),
            "an adapter asked for a request that is not granted"
        );
        let message = format!("the adapter of {} asked for a request that is not granted", with.exchange);
        Refusal::new(WhoActs::Operator, message).because(Outcome::AdapterBroke)
    })?;
    let _turn = with.gate.enter(with.patience).await.map_err(|closed| {
        Refusal::new(WhoActs::Exchange, format!("{} cannot be asked now: {closed}", with.exchange))
    })?;
    with.calls.fetch_add(1, Ordering::Relaxed);
    with.client.send(&prepared).await.map_err(|error| unreachable(with.exchange, &error))
}

/// A public look-up: the same for every LP, so one answer serves them all for a while.
async fn look_up_once(
    with: &Verification<'_>,
    submission: &Submission,
    request: &Request,
    kept_for: Duration,
) -> Result<Reply, Refusal> {
    let calls = &with.grant.calls;
    if calls.iter().any(|call| call.name == request.call && call.signed) {
        return Err(overreaching(with, "would keep a signed reply"));
    }
    let key = format!("{} {:?} {}", with.adapter.sha256(), submission.endpoint, look_up_key(request));
    if let Some(reply) = with.look_ups.get(&key, submission.now_ms) {
        return Ok(reply);
    }
    let reply = send(with, submission, request).await?;
    with.look_ups.keep(key, reply.clone(), submission.now_ms, kept_for);
    Ok(reply)
}

fn look_up_key(request: &Request) -> String {
    let query: Vec<String> =
        request.query.iter().map(|field| format!("{}={}", field.name, field.value)).collect();
    format!("{}?{}", request.path, query.join("&"))
}

/// An adapter that works but wants what no adapter gets.
fn overreaching(with: &Verification<'_>, what: &str) -> Refusal {
    let version = &with.adapter.description().version;
    tracing::error!(exchange = with.exchange, %version, sha256 = with.adapter.sha256(), "an adapter {what}");
    let message = format!("the adapter of {} {what}", with.exchange);
    Refusal::new(WhoActs::Operator, message).because(Outcome::AdapterBroke)
}

fn broken(with: &Verification<'_>, error: &CallError) -> Refusal {
    tracing::error!(exchange = with.exchange, sha256 = with.adapter.sha256(), %error, "an adapter failed");
    let message = format!("the adapter of {} failed; the pool's operator can see why", with.exchange);
    Refusal::new(WhoActs::Operator, message).because(Outcome::AdapterBroke)
}

fn unreachable(exchange: &str, error: &ClientError) -> Refusal {
    if error.is_operators() {
        tracing::error!(exchange, error = error as &dyn std::error::Error, "a request was not sent");
        let message = format!("a request to {exchange} was not sent; the pool's operator can see why");
        return Refusal::new(WhoActs::Operator, message);
    }
    Refusal::new(WhoActs::Exchange, format!("{exchange} {}", clean_text(&error.to_string(), MAX_WORDS)))
        .because(Outcome::ExchangeFailed)
}

fn refusal(exchange: &str, fault: Fault) -> Refusal {
    let words = |text: &str| clean_text(text, MAX_WORDS);
    let outcome = outcome_of(&fault);
    let refusal = match fault {
        Fault::Unusable(text) => Refusal::new(WhoActs::Bot, words(&text)),
        Fault::Refused(text) => Refusal::new(WhoActs::Bot, format!("error returned: {}", words(&text))),
        Fault::Throttled(throttle) => {
            let again = throttle.retry_after_ms.map(|ms| format!("; try again in {} s", ms.div_ceil(1000)));
            let message = format!(
                "{exchange} wants fewer requests: {}{}",
                words(&throttle.message),
                again.unwrap_or_default()
            );
            Refusal::new(WhoActs::Exchange, message)
        }
        Fault::Unavailable(text) => {
            Refusal::new(WhoActs::Exchange, format!("{exchange} is unavailable: {}", words(&text)))
        }
        Fault::Unreadable(text) => {
            Refusal::new(WhoActs::Exchange, format!("invalid response from {exchange}: {}", words(&text)))
        }
        Fault::Misconfigured(text) => {
            Refusal::new(WhoActs::Operator, format!("the pool's operator must act: {}", words(&text)))
        }
        Fault::Other(other) => Refusal::new(
            WhoActs::Exchange,
            format!("{exchange}: {}: {}", words(&other.name), words(&other.message)),
        ),
    };
    refusal.because(outcome)
}

/// What the adapter's answer says about the exchange and the key. A fault without a name of its own blames nobody.
fn outcome_of(fault: &Fault) -> Outcome {
    match fault {
        Fault::Refused(_) => Outcome::Refused,
        Fault::Throttled(throttle) => Outcome::Throttled { retry_after_ms: throttle.retry_after_ms },
        Fault::Unavailable(_) | Fault::Unreadable(_) => Outcome::ExchangeFailed,
        Fault::Unusable(_) | Fault::Misconfigured(_) | Fault::Other(_) => Outcome::Nothing,
    }
}

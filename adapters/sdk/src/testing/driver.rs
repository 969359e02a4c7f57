//! What is driven, and what it deals in: plain types, the same for a linked adapter and for a component.

use std::collections::BTreeMap;

use super::{Http, SeenOrder, Value};
use crate::NonceKind;

/// Something that behaves as one adapter.
pub trait Driver {
    /// What `describe` says that signing needs.
    fn nonce_kind(&self) -> NonceKind;

    /// The origin in `describe`; may be empty.
    fn origin(&self) -> String;

    /// Runs `sign`.
    ///
    /// # Errors
    /// The adapter's fault.
    fn sign(&self, ask: &SigningAsk) -> Result<Message, Failure>;

    /// Runs `start`, with `explain`, and puts the HTTP request together as the host does.
    ///
    /// # Errors
    /// The adapter's fault.
    fn start(&self, ask: &Ask, message: &Message) -> Result<Begun, Failure>;

    /// Runs `resume`.
    ///
    /// # Errors
    /// The adapter's fault.
    fn resume(&self, ask: &Ask, message: &Message, state: &[u8], answer: &Answer) -> Result<Next, Failure>;
}

/// What every function is told.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The API key.
    pub user: String,
    /// The market's base currency.
    pub base: String,
    /// The market's quote currency.
    pub quote: String,
    /// What the operator configured for the market.
    pub market_parameters: BTreeMap<String, String>,
    /// The origin in place of the adapter's own, if the operator configured one.
    pub endpoint: Option<String>,
    /// The time, in Unix milliseconds.
    pub now_ms: u64,
}

/// What signing is told beside.
#[derive(Clone)]
pub struct SigningAsk {
    /// The rest.
    pub ask: Ask,
    /// The API secret.
    pub secret: String,
    /// What else the exchange handed out.
    pub credential_parameters: BTreeMap<String, String>,
    /// Of the adapter's kind.
    pub nonce: String,
}

/// What a client posts.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The members of `req`, in order.
    pub members: Vec<(String, Value)>,
    /// The signature.
    pub sign: String,
}

/// What `start` said.
#[derive(Debug)]
pub struct Begun {
    /// The first step.
    pub next: Next,
    /// What was signed.
    pub signed: Vec<String>,
    /// How many signed requests it found.
    pub freshness: usize,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// Send this, and resume with these notes.
    Send(Http, Vec<u8>),
    /// Look this up, and resume with these notes.
    LookUp(Http, Vec<u8>),
    /// Done.
    Orders(Vec<SeenOrder>),
}

/// What the exchange replied.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// A fault, by the name of its case.
#[derive(Clone, Debug)]
pub struct Failure {
    /// `unusable`, `refused`, `throttled`, `unavailable`, `unreadable`, `misconfigured` or `other`.
    pub kind: String,
    /// What it says.
    pub message: String,
}

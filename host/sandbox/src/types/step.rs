//! Requests, replies, steps, orders and faults.

use wasmtime::component::{ComponentType, Lift, Lower};

use super::Field;

/// The HTTP method of a call. Others than these are not to be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum Method {
    /// GET, which has no body.
    #[component(name = "get")]
    Get,
    /// POST.
    #[component(name = "post")]
    Post,
}

/// The body of a request. Which header `Content-Type` goes with it is for the adapter to say in
/// `request.headers`: some exchanges sign it, one refuses it on an empty body.
#[derive(Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum Body {
    /// No body at all.
    #[component(name = "none")]
    None,
    /// `name=value` pairs joined with `&`, in this order, encoded as `request.query` is.
    #[component(name = "form")]
    Form(Vec<Field>),
    /// The bytes of this text.
    #[component(name = "text")]
    Text(String),
}

/// One HTTP request, as its parts, so that the host can hold each part against what was granted.
/// The origin is the host's to add.
#[derive(Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Request {
    /// Which of `description.calls` this is, by its name.
    pub call: String,
    /// The method, equal to the call's.
    pub method: Method,
    /// The path, starting with a slash, without query; it matches the call's path template.
    pub path: String,
    /// The query as it goes onto the wire, in this order: names and values already percent-encoded where
    /// that is needed. A character that would end the value (`&`, `#`, `=` within a name, blanks,
    /// control characters, anything beyond ASCII) makes the host refuse the request.
    pub query: Vec<Field>,
    /// Headers to set, each declared by the call. Host, Content-Length, Transfer-Encoding, Connection,
    /// Cookie, Expect and Proxy-* are refused, and so are values with control characters.
    pub headers: Vec<Field>,
    /// The body.
    pub body: Body,
}

/// The exchange's answer.
#[derive(Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Those headers that the call declares in `reply_headers` and that the answer had; names in
    /// lower case.
    pub headers: Vec<Field>,
    /// The body, decompressed. Not necessarily UTF-8.
    pub body: Vec<u8>,
}

/// A request and what to hand back with the reply.
#[derive(Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Pending {
    /// What to send.
    pub request: Request,
    /// The adapter's own notes, handed back to `resume` unchanged. The host bounds its length.
    pub state: Vec<u8>,
}

/// A request for something public that is the same for every LP.
#[derive(Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct LookUp {
    /// What to send. It carries nothing of the submission.
    pub request: Request,
    /// As `pending.state`.
    pub state: Vec<u8>,
    /// For how many milliseconds the host may answer the same request from memory.
    #[component(name = "cache-ms")]
    pub cache_ms: u64,
}

/// Buy or sell, seen from the base currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum Side {
    /// An offer to buy the base currency.
    #[component(name = "bid")]
    Bid,
    /// An offer to sell the base currency.
    #[component(name = "ask")]
    Ask,
}

/// One open limit order on the spot book.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Order {
    /// The exchange's id of the order, as text. It occurs in the reply's bytes.
    pub id: String,
    /// The side, in terms of the market that was asked for.
    pub side: Side,
    /// The limit price, quote per one base: a decimal as the exchange wrote it.
    pub price: String,
    /// What is left of the order, in the base currency: a decimal. Where it is a difference it is exact;
    /// where it must be divided out of a quote amount it is floored to eight decimals.
    pub amount: String,
    /// When it was opened, in Unix milliseconds, where the exchange says so.
    #[component(name = "opened-ms")]
    pub opened_ms: Option<u64>,
    /// When it was closed, in Unix milliseconds, for exchanges that also report orders just closed.
    #[component(name = "closed-ms")]
    pub closed_ms: Option<u64>,
    /// Room for what version 1 does not name.
    pub extras: Vec<Field>,
}

/// What the exchange showed.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct OrderList {
    /// The open limit orders of the market asked for, with a price and a rest above zero.
    pub orders: Vec<Order>,
    /// The account's own id, if the reply states it.
    pub account: Option<String>,
    /// Whether the reply may have been cut off: a full page of an exchange that pages.
    #[component(name = "maybe-truncated")]
    pub maybe_truncated: bool,
}

/// What is to happen next.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum Step {
    /// Send this request, with the LP's signature in it, and call `resume` with the reply. Never retried.
    #[component(name = "send")]
    Send(Pending),
    /// Get something public, from memory or from the exchange, and call `resume` with the reply.
    #[component(name = "look-up")]
    LookUp(LookUp),
    /// Done: these are the open orders.
    #[component(name = "orders")]
    Orders(OrderList),
}

/// What makes one signed request fresh, as far as the submission shows it.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Freshness {
    /// What the request carries so that it cannot be used twice, as text: a nonce, a time, an id.
    pub nonce: Option<String>,
    /// The whole number that rises from request to request of one key: the nonce where it is a number,
    /// else the time of signing, in the unit the exchange uses. The pool requires it to rise.
    pub rising: Option<u64>,
    /// When the exchange stops accepting the request, in Unix milliseconds, where it ever does.
    #[component(name = "expires-ms")]
    pub expires_ms: Option<u64>,
}

/// What `start` answers.
#[derive(Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Started {
    /// What to do first.
    pub step: Step,
    /// One entry for each signed request in the submission, in the order of sending.
    pub freshness: Vec<Freshness>,
    /// If `submission.explain` was set: what was signed, one text for each signed request, with parts
    /// that are not text written the way the exchange's documentation writes them.
    pub signed: Vec<String>,
}

/// A throttling exchange.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Throttle {
    /// The exchange's words.
    pub message: String,
    /// For how many milliseconds to stay away, where the exchange says so.
    #[component(name = "retry-after-ms")]
    pub retry_after_ms: Option<u64>,
}

/// A failure that version 1 does not name.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct OtherFault {
    /// A short name in lower case.
    pub name: String,
    /// A sentence.
    pub message: String,
}

/// Why there are no orders, by who must act. Texts are sentences for people; the host escapes and cuts
/// them.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum Fault {
    /// The bot: the submission cannot be used. Says what is wrong and what would be right.
    #[component(name = "unusable")]
    Unusable(String),
    /// The bot, as a rule: the exchange refused the request; in the exchange's words.
    #[component(name = "refused")]
    Refused(String),
    /// Nobody: the exchange wants fewer requests.
    #[component(name = "throttled")]
    Throttled(Throttle),
    /// The exchange: out of service, in its words.
    #[component(name = "unavailable")]
    Unavailable(String),
    /// The adapter's author: the reply is not what the exchange documents. Says what was missing.
    #[component(name = "unreadable")]
    Unreadable(String),
    /// The operator: a market parameter is missing or wrong.
    #[component(name = "misconfigured")]
    Misconfigured(String),
    /// Anything else.
    #[component(name = "other")]
    Other(OtherFault),
}

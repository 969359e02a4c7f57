//! The seam between the exchange and the language it speaks: one file for each exchange that is simulated.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};

use crate::books::{NewOrder, Order};
use crate::decimal::Decimal;
use crate::refusal::Refusal;

/// How one exchange is spoken to: where its calls are, what is signed, how answers are written. It decides
/// nothing about accounts, nonces and orders; the exchange does that, for every protocol alike.
pub trait Protocol: Send + Sync + 'static {
    /// The query as it may be kept in the log of requests: with keys and signatures taken out, should this
    /// exchange carry them there.
    fn loggable_query(&self, query: &str) -> String;

    /// What is asked for, and by whom.
    ///
    /// # Errors
    /// If there is no such call, or its parameters cannot be read.
    fn read(&self, request: &RawRequest) -> Result<Call, Refusal>;

    /// Whether the request bears the signature that this secret makes for it.
    fn is_signed_with(&self, request: &RawRequest, secret: &str) -> bool;

    /// How far a timestamp may be from the exchange's time, to either side, in milliseconds.
    fn window_ms(&self) -> u64;

    /// The answer on the wire.
    fn write(&self, answer: Result<&Outcome, &Refusal>) -> Reply;

    /// An answer to "list open orders" whose members have the wrong types and impossible values.
    fn wrong_types(&self, request: &RawRequest) -> Reply;
}

/// A request as it came. It is not printable: its headers carry the signature.
pub struct RawRequest {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// The query, without the question mark, exactly as it came.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// A request, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// The reference price of a market, for anybody.
    Ticker {
        /// The market, `BASE_QUOTE`.
        market: String,
    },
    /// Something that only an account's owner may ask for.
    Signed(Proof, Operation),
}

/// What a signed request says of itself, apart from the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The API key.
    pub key: String,
    /// Has to rise from request to request of one key.
    pub nonce: u64,
    /// When it was signed, Unix milliseconds.
    pub timestamp_ms: u64,
}

/// What an account's owner may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The account's open orders of a market.
    OpenOrders {
        /// The market, `BASE_QUOTE`.
        market: String,
    },
    /// A new order.
    Place(NewOrder),
    /// The end of one order.
    Cancel {
        /// The order's id.
        id: u64,
    },
    /// The end of all the account's orders of a market.
    CancelMarket {
        /// The market, `BASE_QUOTE`.
        market: String,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A market's reference price.
    Ticker {
        /// The market, `BASE_QUOTE`.
        market: String,
        /// Quote per one base.
        price: Decimal,
    },
    /// Open orders, oldest first.
    Orders(Vec<Order>),
    /// The order is in the book.
    Placed(Order),
    /// So many orders are out of the book.
    Cancelled(usize),
}

/// An answer on the wire; the body is JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The value of `Retry-After`, in seconds.
    pub retry_after_s: Option<u64>,
    /// The body.
    pub body: String,
}

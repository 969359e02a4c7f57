//! The seam between the exchange and the language it speaks: one file for each exchange that is simulated.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use serde_json::Value;

use crate::books::{Market, NewOrder, Order};
use crate::decimal::Decimal;
use crate::refusal::Refusal;

/// How one exchange is spoken to: where its calls are, what is signed, how answers are written. It decides
/// nothing about accounts, nonces and orders; the exchange does that, for every protocol alike.
pub trait Protocol: Send + Sync + 'static {
    /// What a request calls this market: `BTC-NBT`, `nbtbtc`, `442`.
    fn symbol(&self, market: &Market) -> String;

    /// The query as it may be kept in the log of requests: with keys and signatures taken out, should this
    /// exchange carry them there.
    fn loggable_query(&self, query: &str) -> String;

    /// What is asked for, and by whom. The signature is not looked at yet.
    ///
    /// # Errors
    /// If there is no such call, or its parameters cannot be read.
    fn read(&self, request: &RawRequest) -> Result<Call, Refusal>;

    /// Whether the request bears the signature, and what else is secret, of this account.
    ///
    /// # Errors
    /// If it does not.
    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal>;

    /// What else than open orders this exchange shows in a list of open orders. The list gets one of each, and
    /// whoever reads it has to tell them apart.
    fn decoys(&self) -> &'static [Kind] {
        &[]
    }

    /// The answer on the wire to this request.
    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply;

    /// An answer to "list open orders" whose members have the wrong types and impossible values; made of
    /// `sample`, a list of open orders, by spoiling every number in an order unless the protocol knows better.
    fn wrong_types(&self, request: &RawRequest, sample: &Outcome) -> Reply {
        let right = self.write(request, Ok(sample));
        let mut body: Value = serde_json::from_str(&right.body).unwrap_or_default();
        spoil(&mut body, 0);
        Reply { body: body.to_string(), ..right }
    }
}

/// A request as it came. It is not printable: its headers carry the signature.
pub struct RawRequest {
    /// When it came, by the exchange's clock, Unix milliseconds.
    pub received_ms: u64,
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

/// What an account's owner knows besides the API key. It is not printable.
#[derive(Clone)]
pub struct Credentials {
    /// The secret, as the exchange hands it out: in base64 or as PEM, where it does so.
    pub secret: String,
    /// The passphrase that was chosen with the key, in plain text.
    pub passphrase: Option<String>,
    /// The number of the account, where requests have to name it.
    pub account_id: Option<String>,
}

impl Credentials {
    /// A secret alone.
    pub fn of_secret(secret: &str) -> Self {
        Self { secret: secret.to_owned(), passphrase: None, account_id: None }
    }
}

/// A request, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// The reference price of a market, for anybody.
    Ticker {
        /// The market, as `Protocol::symbol` has it.
        symbol: String,
    },
    /// The markets there are, for anybody.
    Markets,
    /// Something that only an account's owner may ask for.
    Signed(Proof, Operation),
}

/// What a signed request says of itself, apart from the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The API key.
    pub key: String,
    /// When it is good.
    pub validity: Validity,
    /// What keeps it from being used again.
    pub nonce: Nonce,
}

/// The exchange's times at which a request is accepted, Unix milliseconds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// From when on.
    pub from_ms: u64,
    /// Until when.
    pub until_ms: u64,
}

impl Validity {
    /// For ever: the exchange looks at no clock.
    pub const ALWAYS: Self = Self { from_ms: 0, until_ms: u64::MAX };

    /// Signed at `at_ms`, good for so long before and after, in milliseconds.
    pub fn around(at_ms: u64, ahead_ms: u64, behind_ms: u64) -> Self {
        Self { from_ms: at_ms.saturating_sub(ahead_ms), until_ms: at_ms.saturating_add(behind_ms) }
    }

    /// Whether it is good at this time.
    pub fn holds(self, now_ms: u64) -> bool {
        (self.from_ms..=self.until_ms).contains(&now_ms)
    }
}

/// What keeps a request from being used twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nonce {
    /// Nothing: inside its validity it works any number of times.
    Unchecked,
    /// It has to be above every nonce of this key before it.
    Rising(u64),
    /// It may be any text that this key has not used lately.
    Once {
        /// The text.
        text: String,
        /// For how long it is remembered, in milliseconds.
        kept_ms: u64,
    },
}

/// What an account's owner may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The account's open orders.
    OpenOrders {
        /// The market, as `Protocol::symbol` has it; `None` for all.
        symbol: Option<String>,
    },
    /// One open order.
    Order {
        /// The order's id in the book.
        id: u64,
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
        /// The market.
        market: Market,
        /// Quote per one base.
        price: Decimal,
    },
    /// All markets, in the order in which they were opened.
    Markets(Vec<Market>),
    /// Open orders, oldest first, and after them what the protocol wants among them. Pages are cut by the
    /// protocol.
    Orders(Vec<Listed>),
    /// One order.
    Order(Listed),
    /// The order is in the book.
    Placed(Order),
    /// So many orders are out of the book.
    Cancelled(usize),
}

/// A line of a list of open orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its market.
    pub market: Market,
    /// The order.
    pub order: Order,
    /// What it is.
    pub kind: Kind,
}

/// What a line of a list of open orders is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An order in the book.
    Open,
    /// An order that waits for a price before it enters the book, or that is otherwise of no use there (on
    /// margin, say, at an exchange without waiting orders).
    Stop,
    /// An open order of another market than the one that was asked for.
    Elsewhere,
    /// An order that is filled: nothing is left of it.
    Filled,
}

/// An answer on the wire; the body is JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers besides `Content-Type: application/json`, or instead of it.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Reply {
    /// A reply without headers of its own.
    pub fn new(status: u16, body: impl ToString) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string() }
    }
}

/// Nesting at which an order's own members begin in every protocol: above are the list and what it is wrapped
/// in, which stay right, so that only the orders are wrong.
const ORDER_DEPTH: usize = 2;

fn spoil(value: &mut Value, depth: usize) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|item| spoil(item, depth.saturating_add(1))),
        Value::Object(map) => map.values_mut().for_each(|item| spoil(item, depth.saturating_add(1))),
        Value::String(text) if depth >= ORDER_DEPTH && text.parse::<Decimal>().is_ok() => {
            *text = "NaN".to_owned();
        }
        Value::Number(_) if depth >= ORDER_DEPTH => *value = Value::Array(vec![value.take()]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

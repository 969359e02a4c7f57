//! Why the exchange does not do what it was asked.

use crate::books::{MAX_ACCOUNTS, MAX_MARKETS, MAX_NAME_LENGTH, MAX_ORDERS_PER_ACCOUNT};
use crate::protocol::Validity;

/// A refusal. Every one but the last three, which concern the operator of the simulation, can be the answer to
/// a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No account has this API key.
    #[error("there is no such key")]
    UnknownKey,
    /// The signature is missing, malformed or of another secret or text.
    #[error("the signature does not match the request")]
    BadSignature,
    /// The nonce is not above the last one that was accepted from this key.
    #[error("the nonce has to be above {last}")]
    NonceTooSmall {
        /// The last nonce accepted.
        last: u64,
    },
    /// The nonce was used before.
    #[error("the nonce was used before")]
    NonceUsed,
    /// The request's time is too far from the exchange's.
    #[error("the request is good from {} to {}, and it is {now_ms}", .validity.from_ms, .validity.until_ms)]
    TimestampOutsideWindow {
        /// The exchange's time, Unix milliseconds.
        now_ms: u64,
        /// When the request would have been good.
        validity: Validity,
    },
    /// The passphrase is missing or another.
    #[error("the passphrase is not the one of the key")]
    BadPassphrase,
    /// The number of the account is missing or another's.
    #[error("the key is none of this account")]
    WrongAccount,
    /// No such market.
    #[error("there is no such market")]
    UnknownMarket,
    /// The path or the method is none the exchange knows.
    #[error("there is no such call")]
    UnknownCall,
    /// The parameters cannot be read.
    #[error("malformed request: {0}")]
    Malformed(&'static str),
    /// The account has no such open order.
    #[error("there is no such open order")]
    UnknownOrder,
    /// The order's price or amount is not above zero.
    #[error("price and amount have to be decimals above zero")]
    BadOrder,
    /// The account has as many orders as it may have.
    #[error("an account has at most {MAX_ORDERS_PER_ACCOUNT} open orders")]
    TooManyOrders,
    /// More requests than the exchange wants.
    #[error("too many requests; come back in {retry_after_s} s")]
    Throttled {
        /// For how many seconds to stay away.
        retry_after_s: u64,
    },
    /// Out of service.
    #[error("the exchange is down for maintenance")]
    Down,
    /// The simulation holds as many accounts as it may.
    #[error("there are at most {MAX_ACCOUNTS} accounts, each key once")]
    TooManyAccounts,
    /// The simulation holds as many markets as it may.
    #[error("there are at most {MAX_MARKETS} markets")]
    TooManyMarkets,
    /// A currency is empty, too long, or has other characters than letters, digits, `-` and `_`; or a key or a
    /// secret is empty, too long or not plain ASCII.
    #[error(
        "a name has 1 to {MAX_NAME_LENGTH} letters, digits, '-' or '_'; a key or secret may be any ASCII"
    )]
    BadName,
}

/// What a refusal is about: exchanges have words for these, and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The API key.
    Key,
    /// The signature.
    Signature,
    /// The passphrase.
    Passphrase,
    /// The number of the account.
    Account,
    /// The nonce.
    Nonce,
    /// The time of the request.
    Time,
    /// The market.
    Market,
    /// The path, the method or the name of the call.
    Call,
    /// The parameters.
    Request,
    /// The order that was asked for.
    Order,
    /// Too many requests.
    Busy,
    /// The exchange itself.
    Down,
}

impl Refusal {
    /// What it is about.
    pub fn fault(&self) -> Fault {
        match self {
            Self::UnknownKey => Fault::Key,
            Self::BadSignature => Fault::Signature,
            Self::BadPassphrase => Fault::Passphrase,
            Self::WrongAccount => Fault::Account,
            Self::NonceTooSmall { .. } | Self::NonceUsed => Fault::Nonce,
            Self::TimestampOutsideWindow { .. } => Fault::Time,
            Self::UnknownMarket => Fault::Market,
            Self::UnknownCall => Fault::Call,
            Self::Malformed(_) | Self::BadOrder | Self::TooManyOrders => Fault::Request,
            Self::UnknownOrder => Fault::Order,
            Self::Throttled { .. } => Fault::Busy,
            Self::Down | Self::TooManyAccounts | Self::TooManyMarkets | Self::BadName => Fault::Down,
        }
    }
}

//! One call of a wallet's JSON-RPC: what is sent, and what an answer may be.
//! Knows no payout, and decides nothing: what an error means for a payout is decided elsewhere.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use thiserror::Error;

use alp_pool::payout::RefusalCode;
use alp_sandbox::clean_text;

use crate::exchange::{ClientError, ExchangeClient, Timeouts};
use crate::network::OutboundGrant;

/// Largest answer: the history of a wallet since the last payout. A hundred thousand entries have about 50 MB.
const MAX_REPLY_BYTES: usize = 64 * 1024 * 1024;

/// Longest reason of a wallet that is passed on, in characters.
const MAX_REASON: usize = 300;

/// What stands in every call and has to stand in its answer.
const CALL_ID: &str = "alp";

/// A wallet daemon, reached over HTTP with a name and a password.
#[derive(Debug, Clone)]
pub struct Rpc {
    client: ExchangeClient,
    grant: OutboundGrant,
}

#[derive(Serialize)]
struct Call<'a> {
    jsonrpc: &'static str,
    id: &'static str,
    method: &'a str,
    params: &'a [Box<RawValue>],
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<AnsweredError>,
    id: String,
}

#[derive(Deserialize)]
struct AnsweredError {
    code: i64,
    #[serde(default)]
    message: String,
}

impl Rpc {
    /// Calls go to this address, each within these times.
    ///
    /// # Errors
    /// [`ClientError::Setup`].
    pub fn new(grant: OutboundGrant, timeouts: Timeouts) -> Result<Self, ClientError> {
        Ok(Self { client: ExchangeClient::new(timeouts, MAX_REPLY_BYTES)?, grant })
    }

    /// Calls once.
    ///
    /// # Errors
    /// [`WalletError`]. Only [`WalletError::Refused`] and [`WalletError::Http`] are the wallet's own word.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &[Box<RawValue>],
    ) -> Result<T, WalletError> {
        let call = Call { jsonrpc: "1.0", id: CALL_ID, method, params };
        let body = serde_json::to_vec(&call).map_err(|_| WalletError::Malformed("a call"))?;
        let reply = self.client.ask(&self.grant, Some(body)).await?;
        if matches!(reply.status, 401 | 403) {
            return Err(WalletError::Http(reply.status));
        }
        let Ok(answer) = serde_json::from_slice::<Answer<'_>>(&reply.body) else {
            return Err(if reply.status == 200 {
                WalletError::Malformed("an answer that is no JSON-RPC")
            } else {
                WalletError::Http(reply.status)
            });
        };
        if answer.id != CALL_ID {
            return Err(WalletError::Malformed("an answer to another call"));
        }
        if let Some(error) = answer.error {
            let message = clean_text(&error.message, MAX_REASON);
            return Err(WalletError::Refused { code: error.code, message });
        }
        if reply.status != 200 {
            return Err(WalletError::Http(reply.status));
        }
        let result = answer.result.map_or("null", RawValue::get);
        serde_json::from_str(result).map_err(|_| WalletError::Malformed("a result of another form"))
    }
}

/// A parameter of a call. Texts, numbers, lists and maps by text have no way to fail to be written.
pub(crate) fn parameter<T: Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_default()
}

/// Why the wallet did not do what was asked, as far as that is known. The operator's.
#[derive(Debug, Clone, Error)]
pub enum WalletError {
    /// It says so itself, with a code.
    #[error("{}", refused(*code, message))]
    Refused {
        /// The code.
        code: i64,
        /// Its own words, made one line.
        message: String,
    },
    /// It answered with this status and no JSON.
    #[error("{}", http(*.0))]
    Http(u16),
    /// Nobody knows whether the wallet got the call, or what came of it.
    #[error("the wallet {0}")]
    Client(#[from] ClientError),
    /// An answer that makes no sense.
    #[error("the wallet sent {0}: is this the wallet's address?")]
    Malformed(&'static str),
}

impl WalletError {
    /// The code, where there is a well-formed one.
    #[must_use]
    pub fn refusal(&self) -> Option<RefusalCode> {
        match self {
            Self::Refused { code, .. } => Some(RefusalCode::Rpc(*code)),
            Self::Http(status) => Some(RefusalCode::Http(*status)),
            Self::Client(_) | Self::Malformed(_) => None,
        }
    }

    /// Whether it is a refusal with this code.
    #[must_use]
    pub fn is_code(&self, wanted: i64) -> bool {
        matches!(self, Self::Refused { code, .. } if *code == wanted)
    }
}

fn refused(code: i64, message: &str) -> String {
    let what = match code {
        -13 => "the wallet is locked: unlock it with walletpassphrase",
        -6 => "the wallet does not hold enough: send coins to it",
        -5 => "the wallet refuses an address",
        -28 => "the wallet is still starting; it is asked again",
        -18 => "the daemon has no wallet loaded: load it, or name it in wallet_url",
        _ => "the wallet refuses",
    };
    format!("{what} (error {code}: {message})")
}

fn http(status: u16) -> String {
    match status {
        401 | 403 => format!("the wallet does not know the name or the password (HTTP {status})"),
        _ => format!("the wallet answers HTTP {status} without saying why"),
    }
}

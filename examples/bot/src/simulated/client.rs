//! The trading calls of the simulated exchange: ticker, place, cancel.

use std::fmt::Write;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use sha2::Sha256;

use super::plan::{PlanError, PlannedOrder};
use crate::http::{AnswerError, client, fetch};
use crate::nonce::{Clock, Nonces};
use crate::secret::Secret;

/// How long the exchange may take to answer, in milliseconds: the bot does nothing else meanwhile.
pub const TRADE_TIMEOUT_MS: u64 = 5_000;

/// The calls.
const TICKER: &str = "/api/v1/ticker";
const PLACE: &str = "/api/v1/orders";
const CANCEL: &str = "/api/v1/orders/cancel";

/// Where an account is, and what opens it.
#[derive(Clone, Debug)]
pub struct ExchangeAccess {
    /// The exchange's origin: `http://127.0.0.1:3334`.
    pub origin: String,
    /// The API key.
    pub key: String,
    /// The API secret.
    pub secret: Secret,
    /// The market, `BASE_QUOTE`.
    pub market: String,
}

/// Why orders are not where they belong.
#[derive(Debug, thiserror::Error)]
pub enum TradeError {
    /// The exchange did not answer as an exchange does.
    #[error("the exchange")]
    Answer(#[from] AnswerError),
    /// The exchange refused. The bot's owner must act, if it is not for load.
    #[error("the exchange refused ({code}): {message}")]
    Refused {
        /// The exchange's code.
        code: String,
        /// Its words.
        message: String,
    },
    /// The plan does not fit the price.
    #[error("the plan")]
    Plan(#[from] PlanError),
    /// The secret cannot key a signature.
    #[error("the secret cannot be used")]
    Secret,
}

pub(super) struct ExchangeClient {
    http: Client,
    access: ExchangeAccess,
    nonces: Arc<Nonces>,
    clock: Clock,
}

#[derive(Deserialize)]
struct Ticker {
    price: String,
}

#[derive(Deserialize)]
struct Done {
    success: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    message: String,
    order: Option<PlacedOrder>,
}

#[derive(Deserialize)]
struct PlacedOrder {
    id: String,
}

impl ExchangeClient {
    pub(super) fn new(access: ExchangeAccess, nonces: Arc<Nonces>, clock: Clock) -> Result<Self, TradeError> {
        let http = client(TRADE_TIMEOUT_MS).map_err(AnswerError::Network)?;
        Ok(Self { http, access, nonces, clock })
    }

    /// The market's price, as the exchange writes it.
    pub(super) async fn price(&self) -> Result<String, TradeError> {
        let ExchangeAccess { origin, market, .. } = &self.access;
        let url = format!("{origin}{TICKER}?market={market}");
        let ticker: Ticker = fetch(self.http.get(url)).await?;
        Ok(ticker.price)
    }

    /// Places an order, and tells its id.
    pub(super) async fn place(&self, order: &PlannedOrder) -> Result<String, TradeError> {
        let PlannedOrder { side, price, amount } = order;
        let market = &self.access.market;
        let form = format!("market={market}&side={side}&price={price}&amount={amount}");
        let placed = self.post(PLACE, &form).await?;
        Ok(placed.order.map(|order| order.id).unwrap_or_default())
    }

    /// Cancels one order.
    pub(super) async fn cancel(&self, id: &str) -> Result<(), TradeError> {
        self.post(CANCEL, &format!("id={id}")).await.map(|_| ())
    }

    pub(super) async fn cancel_all(&self) -> Result<(), TradeError> {
        self.post(CANCEL, &format!("market={}", self.access.market)).await.map(|_| ())
    }

    async fn post(&self, path: &str, form: &str) -> Result<Done, TradeError> {
        let now_ms = (self.clock)();
        let nonce = self.nonces.next(now_ms);
        let body = format!("{form}&nonce={nonce}&timestamp={now_ms}");
        let sign = self.sign(&format!("POST\n{path}\n{body}"))?;
        let request = self
            .http
            .post(format!("{}{path}", self.access.origin))
            .header("X-Key", &self.access.key)
            .header("X-Sign", sign)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        accepted(fetch(request).await?)
    }

    fn sign(&self, text: &str) -> Result<String, TradeError> {
        let key = self.access.secret.expose().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| TradeError::Secret)?;
        mac.update(text.as_bytes());
        let mut hex = String::new();
        for byte in mac.finalize().into_bytes() {
            // Writing into a text cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Ok(hex)
    }
}

fn accepted(done: Done) -> Result<Done, TradeError> {
    if done.success {
        return Ok(done);
    }
    Err(TradeError::Refused { code: done.error, message: done.message })
}

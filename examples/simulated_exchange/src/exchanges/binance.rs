//! Binance, spot, v3.
//!
//! The query is signed, in hexadecimal digits of HMAC-SHA256, and neither method nor path are. A request is good
//! from a second before its timestamp until `recvWindow` after it, any number of times.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{
    Parameters, header, hex, hmac_sha256, same_signature_in_any_case, with_retry_after, without,
};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// How far a timestamp may be ahead, in milliseconds: less than a second.
const AHEAD_MS: u64 = 999;
/// How old a request may be that does not say, in milliseconds.
const DEFAULT_WINDOW_MS: u64 = 5_000;
/// The longest `recvWindow`, in milliseconds.
const MAX_WINDOW_MS: u64 = 60_000;
/// Order ids are above what a double holds exactly, as those of a busy market are.
const ID_OFFSET: u64 = 9_007_199_254_740_993;

/// The protocol of Binance.
pub(super) struct Binance;

impl Protocol for Binance {
    fn symbol(&self, market: &Market) -> String {
        format!("{}{}", market.base, market.quote)
    }

    fn loggable_query(&self, query: &str) -> String {
        without(query, &["signature"])
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        if (&request.method, request.path.as_str()) != (&Method::GET, "/api/v3/openOrders") {
            return Err(Refusal::UnknownCall);
        }
        let key = header(request, "x-mbx-apikey").ok_or(Refusal::UnknownKey)?.to_owned();
        let parameters = Parameters::read(&request.query)?;
        let window_ms = match parameters.get("recvWindow") {
            Some(_) => parameters.number("recvWindow")?,
            None => DEFAULT_WINDOW_MS,
        };
        if window_ms > MAX_WINDOW_MS {
            return Err(Refusal::Malformed("recvWindow"));
        }
        let validity = Validity::around(parameters.number("timestamp")?, AHEAD_MS, window_ms);
        let symbol = parameters.get("symbol").map(str::to_owned);
        let proof = Proof { key, validity, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let text = without(&request.query, &["signature"]);
        let due = hex(&hmac_sha256(credentials.secret.as_bytes(), text.as_bytes()));
        same_signature_in_any_case(Parameters::read(&request.query)?.get("signature"), &due)
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, _: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let orders: Vec<Value> = lines.iter().map(|line| self.order(line)).collect();
                Reply::new(200, json!(orders))
            }
            Ok(_) => self.refusal(&Refusal::UnknownCall),
            Err(refusal) => self.refusal(refusal),
        }
    }
}

impl Binance {
    fn order(&self, line: &Listed) -> Value {
        let order = &line.order;
        let is_waiting = line.kind == Kind::Stop;
        let status = match line.kind {
            Kind::Filled => "FILLED",
            Kind::Open | Kind::Stop | Kind::Elsewhere if order.filled.is_zero() => "NEW",
            Kind::Open | Kind::Stop | Kind::Elsewhere => "PARTIALLY_FILLED",
        };
        let stop_price = if is_waiting { order.price.with_eight_digits() } else { "0.00000000".to_owned() };
        json!({
            "symbol": self.symbol(&line.market), "orderId": ID_OFFSET.saturating_add(order.id),
            "orderListId": -1, "clientOrderId": format!("web_{}", order.id),
            "price": order.price.with_eight_digits(),
            "origQty": order.amount.with_eight_digits(),
            "executedQty": order.filled.with_eight_digits(),
            "origQuoteOrderQty": "0.000000",
            "cummulativeQuoteQty": order.filled.times(order.price).with_eight_digits(),
            "status": status, "timeInForce": "GTC",
            "type": if is_waiting { "STOP_LOSS_LIMIT" } else { "LIMIT" },
            "side": match order.side { Side::Buy => "BUY", Side::Sell => "SELL" },
            "stopPrice": stop_price, "icebergQty": "0.00000000",
            "time": order.opened_ms, "updateTime": order.opened_ms,
            "isWorking": !is_waiting, "workingTime": order.opened_ms, "selfTradePreventionMode": "NONE",
        })
    }

    fn refusal(&self, refusal: &Refusal) -> Reply {
        let (status, code, message) = match refusal.fault() {
            Fault::Key | Fault::Passphrase | Fault::Account => {
                (401, -2015, "Invalid API-key, IP, or permissions for action.")
            }
            Fault::Signature | Fault::Nonce => (400, -1022, "Signature for this request is not valid."),
            Fault::Time => (400, -1021, "Timestamp for this request is outside of the recvWindow."),
            Fault::Market => (400, -1121, "Invalid symbol."),
            Fault::Request | Fault::Order => (400, -1102, "A mandatory parameter was not sent or malformed."),
            Fault::Call => (404, -1020, "This operation is not supported."),
            Fault::Busy => (429, -1003, "Too many requests."),
            Fault::Down => (503, -1001, "Internal error; unable to process your request. Please try again."),
        };
        with_retry_after(Reply::new(status, json!({ "code": code, "msg": message })), refusal)
    }
}

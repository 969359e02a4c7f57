//! MEXC, spot, v3.
//!
//! The query is signed, in small hexadecimal digits of HMAC-SHA256, and neither method nor path are. A request is
//! good from a second before its timestamp until `recvWindow` after it, any number of times.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{Parameters, header, hex, hmac_sha256, same_signature, with_retry_after, without};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// How far a timestamp may be ahead, in milliseconds: less than a second.
const AHEAD_MS: u64 = 999;
/// How old a request may be that does not say, in milliseconds.
const DEFAULT_WINDOW_MS: u64 = 5_000;
/// What `recvWindow` has to be below, in milliseconds.
const WINDOW_END_MS: u64 = 60_000;

/// The protocol of MEXC.
pub(super) struct Mexc;

impl Protocol for Mexc {
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
        let key = header(request, "x-mexc-apikey").ok_or(Refusal::UnknownKey)?.to_owned();
        let parameters = Parameters::read(&request.query)?;
        let window_ms = parameters.get("recvWindow").map(|_| parameters.number("recvWindow")).transpose()?;
        let window_ms = window_ms.unwrap_or(DEFAULT_WINDOW_MS);
        if window_ms >= WINDOW_END_MS {
            return Err(Refusal::Malformed("recvWindow"));
        }
        let validity = Validity::around(parameters.number("timestamp")?, AHEAD_MS, window_ms);
        let symbol = Some(parameters.text("symbol")?);
        let proof = Proof { key, validity, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let text = without(&request.query, &["signature"]);
        let due = hex(&hmac_sha256(credentials.secret.as_bytes(), text.as_bytes()));
        same_signature(Parameters::read(&request.query)?.get("signature"), &due)
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, _: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                Reply::new(200, json!(lines.iter().map(|line| self.order(line)).collect::<Vec<_>>()))
            }
            Ok(_) => refused(&Refusal::UnknownCall),
            Err(refusal) => refused(refusal),
        }
    }
}

impl Mexc {
    /// What is of no use in a book here is an order that takes what it gets at once.
    fn order(&self, line: &Listed) -> Value {
        let order = &line.order;
        let status = match line.kind {
            Kind::Filled => "FILLED",
            Kind::Open | Kind::Stop | Kind::Elsewhere if order.filled.is_zero() => "NEW",
            Kind::Open | Kind::Stop | Kind::Elsewhere => "PARTIALLY_FILLED",
        };
        json!({
            "symbol": self.symbol(&line.market),
            "orderId": format!("C02__{:021}", 512_345_678_901_234_567_u64.saturating_add(order.id)),
            "orderListId": -1, "clientOrderId": null,
            "price": order.price.to_string(),
            "origQty": order.amount.to_string(),
            "executedQty": order.filled.to_string(),
            "cummulativeQuoteQty": order.filled.times(order.price).to_string(),
            "status": status, "timeInForce": null,
            "type": if line.kind == Kind::Stop { "IMMEDIATE_OR_CANCEL" } else { "LIMIT" },
            "side": match order.side { Side::Buy => "BUY", Side::Sell => "SELL" },
            "stopPrice": null, "icebergQty": null, "time": order.opened_ms, "updateTime": null,
            "isWorking": true, "origQuoteOrderQty": order.amount.times(order.price).to_string(),
        })
    }
}

fn refused(refusal: &Refusal) -> Reply {
    if *refusal == Refusal::Malformed("recvWindow") {
        return Reply::new(400, json!({ "code": 700_005, "msg": "recvWindow must be less than 60000" }));
    }
    let (status, code, message) = match refusal.fault() {
        Fault::Key => (400, 10_072, "Api key info invalid"),
        Fault::Passphrase | Fault::Account => (400, 700_007, "No permission to access the endpoint."),
        Fault::Signature | Fault::Nonce => (400, 700_002, "Signature for this request is not valid."),
        Fault::Time => (400, 700_003, "Timestamp for this request is outside of the recvWindow."),
        Fault::Market => (400, 10_007, "bad symbol"),
        Fault::Request | Fault::Order => (400, 700_004, "Mandatory parameter was not sent or malformed."),
        Fault::Call => (404, 404, "Not Found"),
        Fault::Busy => (429, 429, "Too Many Requests"),
        Fault::Down => (503, 503, "Service not available, please try again"),
    };
    with_retry_after(Reply::new(status, json!({ "code": code, "msg": message })), refusal)
}

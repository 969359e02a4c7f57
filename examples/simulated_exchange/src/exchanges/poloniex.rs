//! Poloniex, spot, the interface of 2022.
//!
//! Method, path and the sorted parameters with `signTimestamp` among them are signed, in base64 of HMAC-SHA256. A
//! request may be a second ahead; it grows old only if the header `recvWindow` is there, and that is not signed.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{
    Parameters, base64, digits, header, hmac_sha256, limit, page, same_signature, sorted, with_retry_after,
};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

const PATH: &str = "/orders";
/// How far a timestamp may be ahead, in milliseconds.
const AHEAD_MS: u64 = 1_000;
/// Orders of an answer if the request does not say, and at most.
const LIMITS: (u64, u64) = (500, 2_000);
/// Order ids have eighteen digits.
const ID_OFFSET: u64 = 490_000_000_000_000_000;

/// The protocol of Poloniex.
pub(super) struct Poloniex;

impl Protocol for Poloniex {
    fn symbol(&self, market: &Market) -> String {
        market.name()
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        if (&request.method, request.path.as_str()) != (&Method::GET, PATH) {
            return Err(Refusal::UnknownCall);
        }
        let given = |name, only: &str| header(request, name).is_none_or(|value| value == only);
        if !given("signaturemethod", "hmacSHA256") || !given("signatureversion", "1") {
            return Err(Refusal::BadSignature);
        }
        let key = header(request, "key").ok_or(Refusal::UnknownKey)?.to_owned();
        let signed_ms = header(request, "signtimestamp").and_then(digits);
        let signed_ms = signed_ms.ok_or(Refusal::Malformed("signTimestamp"))?;
        let window_ms = match header(request, "recvwindow") {
            None => u64::MAX,
            Some(window) => digits(window).ok_or(Refusal::Malformed("recvWindow"))?,
        };
        limit(request, "limit", LIMITS.0, LIMITS.1)?;
        let symbol = Parameters::read(&request.query)?.get("symbol").map(str::to_owned);
        let validity = Validity::around(signed_ms, AHEAD_MS, window_ms);
        let proof = Proof { key, validity, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let time = header(request, "signtimestamp").unwrap_or_default();
        let parameters = sorted(&request.query, Some(("signTimestamp", time)))?;
        let text = format!("{}\n{}\n{parameters}", request.method, request.path);
        let due = base64(&hmac_sha256(credentials.secret.as_bytes(), text.as_bytes()));
        same_signature(header(request, "signature"), &due)
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let lines = page(lines, 1, limit(request, "limit", LIMITS.0, LIMITS.1).unwrap_or(LIMITS.0));
                let orders: Vec<Value> = lines.iter().map(|line| self.order(line)).collect();
                Reply::new(200, json!(orders))
            }
            Ok(_) => refusal_reply(&Refusal::UnknownCall),
            Err(refusal) => refusal_reply(refusal),
        }
    }
}

impl Poloniex {
    /// Waiting orders are in another list; what is of no use in this one is an order on borrowed money. `amount`
    /// is one of the quote currency, and only market orders have it.
    fn order(&self, line: &Listed) -> Value {
        let order = &line.order;
        let state = match line.kind {
            Kind::Filled => "FILLED",
            Kind::Open | Kind::Stop | Kind::Elsewhere if order.filled.is_zero() => "NEW",
            Kind::Open | Kind::Stop | Kind::Elsewhere => "PARTIALLY_FILLED",
        };
        json!({
            "id": ID_OFFSET.saturating_add(order.id).to_string(), "clientOrderId": "",
            "symbol": self.symbol(&line.market), "state": state, "accountType": "SPOT",
            "side": match order.side { Side::Buy => "BUY", Side::Sell => "SELL" },
            "type": "LIMIT", "timeInForce": "GTC", "quantity": order.amount.to_string(),
            "price": order.price.to_string(), "avgPrice": "0.00", "amount": "0.00",
            "filledQuantity": order.filled.to_string(),
            "filledAmount": order.filled.times(order.price).to_string(),
            "createTime": order.opened_ms, "updateTime": order.opened_ms, "orderSource": "API",
            "loan": line.kind == Kind::Stop,
        })
    }
}

fn refusal_reply(refusal: &Refusal) -> Reply {
    let (status, code, message) = match refusal.fault() {
        Fault::Key | Fault::Passphrase | Fault::Account => (401, 401, "Invalid API key"),
        Fault::Signature | Fault::Nonce => (401, 401, "Signature is invalid"),
        Fault::Time if is_ahead(refusal) => {
            (400, 400, "signTimestamp is more than 1 second from poloniex system time")
        }
        Fault::Time => (408, 408, "Request timeout: recvWindow has passed since signTimestamp"),
        Fault::Market => (400, 21_709, "Symbol does not exist"),
        Fault::Request | Fault::Order => (400, 400, "Bad request"),
        Fault::Call => (404, 404, "Not found"),
        Fault::Busy => (429, 429, "Too many requests"),
        Fault::Down => (503, 503, "Service unavailable"),
    };
    with_retry_after(Reply::new(status, json!({ "code": code, "message": message })), refusal)
}

fn is_ahead(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::TimestampOutsideWindow { now_ms, validity } if *now_ms < validity.from_ms)
}

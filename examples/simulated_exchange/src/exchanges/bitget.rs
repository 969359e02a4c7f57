//! Bitget, version 2, spot.
//!
//! Time, method, path with the sorted query, and body are signed, in base64 of HMAC-SHA256; the passphrase comes in
//! plain text. A request is good for thirty seconds to either side, any number of times. In the list of open
//! orders `priceAvg` is the order's price, and `basePrice` what it was filled at.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{
    Parameters, base64, body, digits, header, hmac_sha256, limit, page, same_signature, sorted, spoilt_data,
    with_retry_after,
};
use crate::books::{Market, Side};
use crate::decimal::Decimal;
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

const PATH: &str = "/api/v2/spot/trade/unfilled-orders";
/// How far a timestamp may be off, to either side, in milliseconds.
const WINDOW_MS: u64 = 30_000;
/// The most orders of an answer, and how many there are if none is asked for.
const MAX_LIMIT: u64 = 100;
/// Order ids have nineteen digits.
const ID_OFFSET: u64 = 1_360_000_000_000_000_000;

/// The protocol of Bitget.
pub(super) struct Bitget;

impl Protocol for Bitget {
    fn symbol(&self, market: &Market) -> String {
        format!("{}{}", market.base, market.quote)
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        if (&request.method, request.path.as_str()) != (&Method::GET, PATH) {
            return Err(Refusal::UnknownCall);
        }
        let key = header(request, "access-key").ok_or(Refusal::UnknownKey)?.to_owned();
        let signed_ms = header(request, "access-timestamp").and_then(digits);
        let signed_ms = signed_ms.ok_or(Refusal::Malformed("ACCESS-TIMESTAMP"))?;
        limit(request, "limit", MAX_LIMIT, MAX_LIMIT)?;
        let symbol = Parameters::read(&request.query)?.get("symbol").map(str::to_owned);
        let validity = Validity::around(signed_ms, WINDOW_MS, WINDOW_MS);
        let proof = Proof { key, validity, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let passphrase = header(request, "access-passphrase");
        if passphrase.is_none() || passphrase != credentials.passphrase.as_deref() {
            return Err(Refusal::BadPassphrase);
        }
        let mark = if request.query.is_empty() { "" } else { "?" };
        let time = header(request, "access-timestamp").unwrap_or_default();
        let (parameters, body) = (sorted(&request.query, None)?, body(request)?);
        let text = format!("{time}{}{}{mark}{parameters}{body}", request.method, request.path);
        let due = base64(&hmac_sha256(credentials.secret.as_bytes(), text.as_bytes()));
        same_signature(header(request, "access-sign"), &due)
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        let now_ms = request.received_ms;
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let lines =
                    page(lines, 1, limit(request, "limit", MAX_LIMIT, MAX_LIMIT).unwrap_or(MAX_LIMIT));
                let orders: Vec<Value> = lines.iter().map(|line| self.order(line)).collect();
                let body =
                    json!({ "code": "00000", "msg": "success", "requestTime": now_ms, "data": orders });
                Reply::new(200, body)
            }
            Ok(_) => refusal_reply(&Refusal::UnknownCall, now_ms),
            Err(refusal) => refusal_reply(refusal, now_ms),
        }
    }

    fn wrong_types(&self, request: &RawRequest, sample: &Outcome) -> Reply {
        spoilt_data(self.write(request, Ok(sample)))
    }
}

impl Bitget {
    fn order(&self, line: &Listed) -> Value {
        let order = &line.order;
        let is_waiting = line.kind == Kind::Stop;
        let status = match line.kind {
            Kind::Filled => "filled",
            Kind::Open | Kind::Stop | Kind::Elsewhere if order.filled.is_zero() => "live",
            Kind::Open | Kind::Stop | Kind::Elsewhere => "partially_filled",
        };
        let long = |decimal: Decimal| format!("{}00000000", decimal.with_eight_digits());
        let fill_price = if order.filled.is_zero() { Decimal::default() } else { near(order.price) };
        json!({
            "userId": "1", "symbol": self.symbol(&line.market),
            "orderId": ID_OFFSET.saturating_add(order.id).to_string(),
            "clientOid": format!("c{}", order.id), "priceAvg": long(order.price),
            "size": long(order.amount), "orderType": "limit",
            "side": match order.side { Side::Buy => "buy", Side::Sell => "sell" },
            "status": status, "basePrice": fill_price.to_string(), "baseVolume": long(order.filled),
            "quoteVolume": order.filled.times(fill_price).to_string(), "enterPointSource": "API",
            "orderSource": "normal", "presetTakeProfitPrice": "", "executeTakeProfitPrice": "",
            "presetStopLossPrice": "", "executeStopLossPrice": "",
            "tpslType": if is_waiting { "tpsl" } else { "normal" },
            "triggerPrice": is_waiting.then(|| order.price.to_string()),
            "cTime": order.opened_ms.to_string(), "uTime": order.opened_ms.to_string(),
        })
    }
}

/// A little off the price, as fills happen to be: whoever takes this for the order's price is wrong.
fn near(price: Decimal) -> Decimal {
    "1.0001".parse().map_or(price, |factor| price.times(factor))
}

fn refusal_reply(refusal: &Refusal, now_ms: u64) -> Reply {
    let (status, code, message) = match refusal.fault() {
        Fault::Key | Fault::Account => (400, "40006", "Invalid ACCESS_KEY"),
        Fault::Passphrase => (400, "40012", "apikey/password is incorrect"),
        Fault::Signature | Fault::Nonce => (400, "40009", "sign signature error"),
        Fault::Time => (400, "40008", "Request timestamp expired"),
        Fault::Market => (400, "40034", "Parameter does not exist"),
        Fault::Request | Fault::Order => (400, "40017", "Parameter verification failed"),
        Fault::Call => (404, "40404", "Request URL NOT FOUND"),
        Fault::Busy => (429, "429", "Too Many Requests"),
        Fault::Down => (503, "40725", "service return an error"),
    };
    let body = json!({ "code": code, "msg": message, "requestTime": now_ms, "data": null });
    with_retry_after(Reply::new(status, body), refusal)
}

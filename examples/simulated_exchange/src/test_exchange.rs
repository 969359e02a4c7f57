//! The protocol `test_exchange`, written from its description.
//!
//! A signed request carries `nonce` and `timestamp` (both Unix milliseconds) among its parameters, the key in
//! `X-Key`, and in `X-Sign` the lower-case hex of
//! `HMAC-SHA256(secret, METHOD + "\n" + path + "\n" + parameters)`, where the parameters are the raw query of
//! a GET and the raw form body of a POST.

use axum::http::Method;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::json;
use sha2::Sha256;

use crate::books::{Market, NewOrder, Order, Side};
use crate::decimal::Decimal;
use crate::protocol::{
    Call, Credentials, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::Refusal;

/// How far a timestamp may be from the exchange's time: enough for a clock nobody looks after and for a
/// request that is forwarded, in milliseconds.
pub const WINDOW_MS: u64 = 60_000;

/// Parameters in a request; the call with the most has six.
const MAX_PARAMETERS: usize = 16;

/// The protocol `test_exchange`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TestExchange;

impl Protocol for TestExchange {
    fn symbol(&self, market: &Market) -> String {
        market.name()
    }

    fn loggable_query(&self, query: &str) -> String {
        // Key and signature travel in headers, so nothing in a query is secret.
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        let parameters = Parameters::read(signed_parameters(request)?)?;
        let operation = match (&request.method, request.path.as_str()) {
            (&Method::GET, "/api/v1/ticker") => {
                return Ok(Call::Ticker { symbol: parameters.text("market")? });
            }
            (&Method::GET, "/api/v1/open-orders") => {
                Operation::OpenOrders { symbol: Some(parameters.text("market")?) }
            }
            (&Method::POST, "/api/v1/orders") => Operation::Place(parameters.order()?),
            (&Method::POST, "/api/v1/orders/cancel") if parameters.has("id") => {
                Operation::Cancel { id: parameters.number("id")? }
            }
            (&Method::POST, "/api/v1/orders/cancel") => {
                Operation::CancelMarket { market: parameters.text("market")? }
            }
            _ => return Err(Refusal::UnknownCall),
        };
        let proof = Proof {
            key: header(request, "x-key").ok_or(Refusal::UnknownKey)?.to_owned(),
            validity: Validity::around(parameters.number("timestamp")?, WINDOW_MS, WINDOW_MS),
            nonce: Nonce::Rising(parameters.number("nonce")?),
        };
        Ok(Call::Signed(proof, operation))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let (Some(sign), Ok(mut mac)) = (
            header(request, "x-sign").and_then(bytes_of_hex),
            Hmac::<Sha256>::new_from_slice(credentials.secret.as_bytes()),
        ) else {
            return Err(Refusal::BadSignature);
        };
        let text = format!("{}\n{}\n{}", request.method, request.path, signed_parameters(request)?);
        mac.update(text.as_bytes());
        mac.verify_slice(&sign).map_err(|_| Refusal::BadSignature)
    }

    fn write(&self, _: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        let refusal = match answer {
            Ok(outcome) => return reply(200, success(outcome)),
            Err(refusal) => refusal,
        };
        let (status, code) = status_and_code(refusal);
        let message = refusal.to_string();
        let body = json!({ "success": false, "error": code, "message": message });
        let mut reply = reply(status, body);
        if let Refusal::Throttled { retry_after_s } = refusal {
            reply.headers.push(("retry-after", retry_after_s.to_string()));
        }
        reply
    }

    fn wrong_types(&self, request: &RawRequest, _: &Outcome) -> Reply {
        let asked = Parameters::read(&request.query).and_then(|asked| asked.text("market"));
        let market = asked.unwrap_or_default();
        let order = |price, amount, filled| {
            json!({
                "id": 1001, "market": market, "side": "buy", "type": "limit",
                "price": price, "amount": amount, "filled": filled, "opened_ms": "yesterday",
            })
        };
        let orders = [
            order(json!("NaN"), json!("NaN"), json!("NaN")),
            order(json!("0.0025"), json!("-100"), json!("0")),
            order(json!(["0.0025"]), json!(null), json!(true)),
        ];
        reply(200, json!({ "success": true, "orders": orders }))
    }
}

/// The raw text of the parameters: what is read and what is signed are the same bytes.
fn signed_parameters(request: &RawRequest) -> Result<&str, Refusal> {
    if request.method == Method::POST {
        return std::str::from_utf8(&request.body).map_err(|_| Refusal::Malformed("body"));
    }
    Ok(&request.query)
}

fn header<'a>(request: &'a RawRequest, name: &str) -> Option<&'a str> {
    request.headers.get(name)?.to_str().ok()
}

/// Lower-case hex only: that is what the description says.
fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .bytes()
        .map(|byte| match byte {
            b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
            b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
            _ => None,
        })
        .collect::<Option<_>>()?;
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some((high << 4) | low),
            _ => None,
        })
        .collect()
}

/// The parameters of a request. Values of this protocol never need percent-encoding, so none is understood.
struct Parameters<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parameters<'a> {
    fn read(text: &'a str) -> Result<Self, Refusal> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(Refusal::Malformed("parameter"))?;
            if !is_plain(name) || !is_plain(value) {
                return Err(Refusal::Malformed("character in a parameter"));
            }
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(Refusal::Malformed("parameter given twice"));
            }
            if pairs.len() >= MAX_PARAMETERS {
                return Err(Refusal::Malformed("too many parameters"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_ok()
    }

    fn text(&self, name: &'static str) -> Result<String, Refusal> {
        self.get(name).map(str::to_owned)
    }

    fn number(&self, name: &'static str) -> Result<u64, Refusal> {
        let text = self.get(name)?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::Malformed(name));
        }
        text.parse().map_err(|_| Refusal::Malformed(name))
    }

    fn order(&self) -> Result<NewOrder, Refusal> {
        let decimal =
            |name| -> Result<Decimal, Refusal> { self.get(name)?.parse().map_err(|_| Refusal::BadOrder) };
        Ok(NewOrder {
            market: self.text("market")?,
            side: match self.get("side")? {
                "buy" => Side::Buy,
                "sell" => Side::Sell,
                _ => return Err(Refusal::Malformed("side")),
            },
            price: decimal("price")?,
            amount: decimal("amount")?,
        })
    }

    fn get(&self, name: &str) -> Result<&'a str, Refusal> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value).ok_or(Refusal::Malformed("parameter missing"))
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

fn success(outcome: &Outcome) -> serde_json::Value {
    match outcome {
        Outcome::Ticker { market, price } => {
            json!({ "market": market.name(), "price": price.to_string() })
        }
        Outcome::Orders(orders) => {
            let orders: Vec<WireOrder<'_>> = orders.iter().map(|line| WireOrder::from(&line.order)).collect();
            json!({ "success": true, "orders": orders })
        }
        Outcome::Order(line) => json!({ "success": true, "order": WireOrder::from(&line.order) }),
        Outcome::Markets(markets) => {
            let names: Vec<String> = markets.iter().map(Market::name).collect();
            json!({ "markets": names })
        }
        Outcome::Placed(order) => json!({ "success": true, "order": WireOrder::from(order) }),
        Outcome::Cancelled(count) => json!({ "success": true, "cancelled": count }),
    }
}

#[derive(Serialize)]
struct WireOrder<'a> {
    id: String,
    market: &'a str,
    side: &'static str,
    r#type: &'static str,
    price: String,
    amount: String,
    filled: String,
    opened_ms: u64,
}

impl<'a> From<&'a Order> for WireOrder<'a> {
    fn from(order: &'a Order) -> Self {
        Self {
            id: order.id.to_string(),
            market: &order.market,
            side: match order.side {
                Side::Buy => "buy",
                Side::Sell => "sell",
            },
            r#type: "limit",
            price: order.price.to_string(),
            amount: order.amount.to_string(),
            filled: order.filled.to_string(),
            opened_ms: order.opened_ms,
        }
    }
}

fn reply(status: u16, body: serde_json::Value) -> Reply {
    Reply::new(status, body)
}

fn status_and_code(refusal: &Refusal) -> (u16, &'static str) {
    match refusal {
        Refusal::UnknownKey => (401, "unknown-key"),
        Refusal::BadSignature | Refusal::BadPassphrase | Refusal::WrongAccount => (401, "bad-signature"),
        Refusal::NonceTooSmall { .. } | Refusal::NonceUsed => (400, "nonce-too-small"),
        Refusal::TimestampOutsideWindow { .. } => (400, "timestamp-outside-window"),
        Refusal::UnknownMarket => (400, "unknown-market"),
        Refusal::UnknownCall => (404, "unknown-call"),
        Refusal::Malformed(_) => (400, "malformed"),
        Refusal::UnknownOrder => (400, "unknown-order"),
        Refusal::BadOrder => (400, "bad-order"),
        Refusal::TooManyOrders => (400, "too-many-orders"),
        Refusal::Throttled { .. } => (429, "throttled"),
        Refusal::Down | Refusal::TooManyAccounts | Refusal::TooManyMarkets | Refusal::BadName => {
            (503, "down")
        }
    }
}

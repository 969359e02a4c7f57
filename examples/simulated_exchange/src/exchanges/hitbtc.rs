//! HitBTC, version 3, spot.
//!
//! Method, path with query, body, time and window are signed, in hexadecimal digits of HMAC-SHA256; key, signature,
//! time and window come together in base64. A request is good for its window to either side, any number of times.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{
    Parameters, body, digits, from_base64, header, hex, hmac_sha256, iso_ms, same_signature, target,
    with_retry_after,
};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

const PATH: &str = "/api/3/spot/order";
/// How old a request may be that does not say, in milliseconds.
const DEFAULT_WINDOW_MS: u64 = 10_000;
/// The longest window, in milliseconds.
const MAX_WINDOW_MS: u64 = 60_000;
/// Order ids have thirteen digits.
const ID_OFFSET: u64 = 1_700_000_000_000;

/// The protocol of HitBTC.
pub(super) struct Hitbtc;

impl Protocol for Hitbtc {
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
        let Token { key, time, window, .. } = Token::of(request).ok_or(Refusal::BadSignature)?;
        let signed_ms = digits(&time).ok_or(Refusal::BadSignature)?;
        let window_ms = if window.is_empty() { Some(DEFAULT_WINDOW_MS) } else { digits(&window) };
        let window_ms = window_ms.filter(|window| *window <= MAX_WINDOW_MS).ok_or(Refusal::BadSignature)?;
        let symbol = Parameters::read(&request.query)?.get("symbol").map(str::to_owned);
        let validity = Validity::around(signed_ms, window_ms, window_ms);
        let proof = Proof { key, validity, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let Token { signature, time, window, .. } = Token::of(request).ok_or(Refusal::BadSignature)?;
        let text = format!("{}{}{}{time}{window}", request.method, target(request), body(request)?);
        let due = hex(&hmac_sha256(credentials.secret.as_bytes(), text.as_bytes()));
        same_signature(Some(&signature), &due)
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
            Ok(_) => refusal_reply(&Refusal::UnknownCall),
            Err(refusal) => refusal_reply(refusal),
        }
    }
}

impl Hitbtc {
    fn order(&self, line: &Listed) -> Value {
        let order = &line.order;
        let (kind, status) = match line.kind {
            Kind::Stop => ("stopLimit", "suspended"),
            Kind::Filled => ("limit", "filled"),
            Kind::Open | Kind::Elsewhere if order.filled.is_zero() => ("limit", "new"),
            Kind::Open | Kind::Elsewhere => ("limit", "partiallyFilled"),
        };
        let mut shown = json!({
            "id": ID_OFFSET.saturating_add(order.id), "client_order_id": format!("c-{}", order.id),
            "symbol": self.symbol(&line.market),
            "side": match order.side { Side::Buy => "buy", Side::Sell => "sell" },
            "status": status, "type": kind, "time_in_force": "GTC",
            "quantity": order.amount.to_string(), "quantity_cumulative": order.filled.to_string(),
            "price": order.price.to_string(), "post_only": false,
            "created_at": iso_ms(order.opened_ms), "updated_at": iso_ms(order.opened_ms),
        });
        if let (Kind::Stop, Some(shown)) = (line.kind, shown.as_object_mut()) {
            shown.insert("stop_price".to_owned(), order.price.to_string().into());
        }
        shown
    }
}

/// What the one header says; the window is empty if it is not given.
struct Token {
    key: String,
    signature: String,
    time: String,
    window: String,
}

impl Token {
    fn of(request: &RawRequest) -> Option<Self> {
        let bytes = from_base64(header(request, "authorization")?.strip_prefix("HS256 ")?)?;
        let text = String::from_utf8(bytes).ok()?;
        let parts: Vec<String> = text.split(':').map(str::to_owned).collect();
        let (key, signature, time, window) = match parts.as_slice() {
            [key, signature, time] => (key, signature, time, ""),
            [key, signature, time, window] if !window.is_empty() => (key, signature, time, window.as_str()),
            _ => return None,
        };
        let (key, signature, time) = (key.clone(), signature.clone(), time.clone());
        Some(Self { key, signature, time, window: window.to_owned() })
    }
}

fn refusal_reply(refusal: &Refusal) -> Reply {
    const FAILED: &str = "Authorization is required or has been failed";
    let (status, code, message, description) = match refusal.fault() {
        Fault::Key | Fault::Passphrase | Fault::Account => (401, 1_002, FAILED, "invalid key"),
        Fault::Signature | Fault::Nonce => (401, 1_002, FAILED, "invalid signature"),
        Fault::Time => (401, 1_002, FAILED, "invalid timestamp"),
        Fault::Market => (400, 2_001, "Symbol not found", "No symbol with that name"),
        Fault::Request | Fault::Order => (400, 10_001, "Validation error", "a parameter is malformed"),
        Fault::Call => (404, 404, "Not found", ""),
        Fault::Busy => (429, 429, "Too many requests", "Action is being rate limited for account"),
        Fault::Down => (503, 503, "Service temporarily unavailable", "The service is under maintenance"),
    };
    let error = json!({ "code": code, "message": message, "description": description });
    with_retry_after(Reply::new(status, json!({ "error": error })), refusal)
}

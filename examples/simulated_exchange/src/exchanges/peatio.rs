//! Peatio, v2: software that exchanges are run with.
//!
//! Method, path and the parameters by name are signed, in hexadecimal digits of HMAC-SHA256. Key, time and
//! signature are parameters. A request is good for 30 seconds around its `tonce`, once.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{
    Parameters, hex, hmac_sha256, iso_s, page, remaining, same_signature, with_retry_after, without,
};
use crate::books::{Market, Side};
use crate::decimal::Decimal;
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// How far a tonce may be from the exchange's time, in milliseconds.
const WINDOW_MS: u64 = 30_000;
/// For how long a tonce is remembered, in milliseconds.
const TONCE_KEPT_MS: u64 = 61_000;
/// Orders on a page when the request does not say.
const DEFAULT_LIMIT: u64 = 100;
/// Orders on a page at most.
const MAX_LIMIT: u64 = 1_000;

/// The protocol of Peatio.
pub(super) struct Peatio;

impl Protocol for Peatio {
    fn symbol(&self, market: &Market) -> String {
        format!("{}{}", market.base, market.quote).to_lowercase()
    }

    fn loggable_query(&self, query: &str) -> String {
        without(query, &["access_key", "signature"])
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        if (&request.method, request.path.as_str()) != (&Method::GET, "/api/v2/orders.json") {
            return Err(Refusal::UnknownCall);
        }
        let parameters = Parameters::read(&request.query)?;
        let limit = parameters.get("limit").map(|_| parameters.number("limit")).transpose()?;
        if limit.is_some_and(|limit| !(1..=MAX_LIMIT).contains(&limit)) {
            return Err(Refusal::Malformed("limit"));
        }
        let key = parameters.get("access_key").ok_or(Refusal::UnknownKey)?.to_owned();
        let tonce = parameters.number("tonce")?;
        let validity = Validity::around(tonce, WINDOW_MS, WINDOW_MS);
        let nonce = Nonce::Once { text: tonce.to_string(), kept_ms: TONCE_KEPT_MS };
        let symbol = Some(parameters.text("market")?);
        Ok(Call::Signed(Proof { key, validity, nonce }, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let parameters = Parameters::read(&request.query)?;
        let mut signed: Vec<_> = parameters.pairs().to_vec();
        signed.retain(|(name, _)| *name != "signature");
        signed.sort_unstable();
        let signed: Vec<String> = signed.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let text = format!("{}|{}|{}", request.method, request.path, signed.join("&"));
        let due = hex(&hmac_sha256(credentials.secret.as_bytes(), text.as_bytes()));
        same_signature(parameters.get("signature"), &due)
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let number = asked(request, "page").and_then(|text| text.parse().ok()).unwrap_or(1);
                let limit = asked(request, "limit").and_then(|text| text.parse().ok());
                let lines = page(lines, number, limit.unwrap_or(DEFAULT_LIMIT));
                Reply::new(200, json!(lines.iter().map(|line| self.order(line)).collect::<Vec<_>>()))
            }
            Ok(_) => refused(request, &Refusal::UnknownCall),
            Err(refusal) => refused(request, refusal),
        }
    }
}

impl Peatio {
    /// What is no order of a book here is one without a limit.
    fn order(&self, line: &Listed) -> Value {
        let order = &line.order;
        let has_limit = line.kind != Kind::Stop;
        json!({
            "id": order.id,
            "side": match order.side { Side::Buy => "buy", Side::Sell => "sell" },
            "ord_type": if has_limit { "limit" } else { "market" },
            "price": has_limit.then(|| ruby_text(order.price)),
            "avg_price": "0.0",
            "state": if line.kind == Kind::Filled { "done" } else { "wait" },
            "market": self.symbol(&line.market),
            "created_at": format!("{}Z", iso_s(order.opened_ms)),
            "volume": ruby_text(order.amount),
            "remaining_volume": ruby_text(remaining(line)),
            "executed_volume": ruby_text(order.filled),
            "trades_count": u8::from(!order.filled.is_zero()),
        })
    }
}

/// A decimal as Ruby writes it: at least one digit after the point.
fn ruby_text(decimal: Decimal) -> String {
    let text = decimal.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

fn asked(request: &RawRequest, name: &str) -> Option<String> {
    Parameters::read(&request.query).ok()?.get(name).map(str::to_owned)
}

fn refused(request: &RawRequest, refusal: &Refusal) -> Reply {
    let given = |name| asked(request, name).unwrap_or_default();
    let (key, tonce) = (given("access_key"), given("tonce"));
    let (status, code, message) = match refusal.fault() {
        Fault::Key if key.is_empty() => (401, 2001, "Authorization failed".to_owned()),
        Fault::Key => (401, 2008, format!("The access key {key} does not exist.")),
        Fault::Signature => (401, 2005, format!("Signature {} is incorrect.", given("signature"))),
        Fault::Passphrase | Fault::Account => (401, 2001, "Authorization failed".to_owned()),
        Fault::Nonce => (401, 2006, format!("The tonce {tonce} has already been used by access key {key}.")),
        Fault::Time => {
            let now_ms = request.received_ms;
            (401, 2007, format!("The tonce {tonce} is invalid, current timestamp is {now_ms}."))
        }
        Fault::Market => (400, 1001, "market does not have a valid value".to_owned()),
        Fault::Order => (404, 2004, "Order doesn't exist.".to_owned()),
        Fault::Request => (400, 1001, "a parameter is missing or does not have a valid value".to_owned()),
        Fault::Call => (404, 1000, "Not found".to_owned()),
        Fault::Busy => (429, 2010, "Too many requests.".to_owned()),
        Fault::Down => (503, 1000, "Service unavailable".to_owned()),
    };
    let body = json!({ "error": { "code": code, "message": message } });
    with_retry_after(Reply::new(status, body), refusal)
}

//! Indodax, the private interface of today.
//!
//! The posted form is signed as it is, in hexadecimal digits of HMAC-SHA512. A request has either a rising nonce, and
//! works once, or a timestamp, and is good from a second before it until `recvWindow` after it, any number of
//! times. Members of an order are named after currencies: what is left of a purchase may be one of the quote
//! currency.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::encoding::{
    Parameters, body, header, hex, hmac_sha512, remaining, same_signature_in_any_case, with_retry_after,
};
use crate::books::{Market, Side};
use crate::decimal::Decimal;
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// How far a timestamp may be ahead, in milliseconds: less than a second.
const AHEAD_MS: u64 = 999;
/// How old a request may be that does not say, in milliseconds.
const DEFAULT_WINDOW_MS: u64 = 5_000;
/// Order ids have six digits or more.
const ID_OFFSET: u64 = 200_000;

/// The protocol of Indodax.
pub(super) struct Indodax;

impl Protocol for Indodax {
    fn symbol(&self, market: &Market) -> String {
        market.name().to_ascii_lowercase()
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        let form = Parameters::read(body(request)?)?;
        let is_tapi = (&request.method, request.path.as_str()) == (&Method::POST, "/tapi");
        if !is_tapi || form.get("method") != Some("openOrders") {
            return Err(Refusal::UnknownCall);
        }
        let key = header(request, "key").ok_or(Refusal::UnknownKey)?.to_owned();
        let (validity, nonce) = if form.get("nonce").is_some() {
            (Validity::ALWAYS, Nonce::Rising(form.number("nonce")?))
        } else {
            let window_ms =
                form.get("recvWindow").map_or(Ok(DEFAULT_WINDOW_MS), |_| form.number("recvWindow"))?;
            (Validity::around(form.number("timestamp")?, AHEAD_MS, window_ms), Nonce::Unchecked)
        };
        let symbol = form.get("pair").map(str::to_owned);
        Ok(Call::Signed(Proof { key, validity, nonce }, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let due = hex(&hmac_sha512(credentials.secret.as_bytes(), &request.body));
        same_signature_in_any_case(header(request, "sign"), &due)
    }

    /// Orders do not say of which market they are, so none of another one can be among them.
    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let form = body(request).and_then(Parameters::read);
                let is_of_one_pair = form.is_ok_and(|form| form.get("pair").is_some());
                let orders = if is_of_one_pair { list(lines) } else { self.by_pair(lines) };
                Reply::new(200, json!({ "success": 1, "return": { "orders": orders } }))
            }
            Ok(_) => refusal_reply(&Refusal::UnknownCall),
            Err(refusal) => refusal_reply(refusal),
        }
    }
}

impl Indodax {
    fn by_pair(&self, lines: &[Listed]) -> Value {
        let mut pairs: Map<String, Value> = Map::new();
        for line in lines {
            let pair = pairs.entry(self.symbol(&line.market)).or_insert_with(|| json!([]));
            if let Some(orders) = pair.as_array_mut() {
                orders.push(order(line));
            }
        }
        Value::Object(pairs)
    }
}

/// No orders are `null`.
fn list(lines: &[Listed]) -> Value {
    if lines.is_empty() { Value::Null } else { lines.iter().map(order).collect() }
}

/// Purchases with an even id were entered in the quote currency, the others, as has been possible since 2022, in
/// the base currency. The eight digits of the quote currency are cut, as the exchange cuts them.
fn order(line: &Listed) -> Value {
    let order = &line.order;
    let is_in_quote = order.side == Side::Buy && order.id.is_multiple_of(2);
    let currency = if is_in_quote { &line.market.quote } else { &line.market.base };
    let shown = |amount: Decimal| {
        let amount = if is_in_quote { amount.times(order.price) } else { amount };
        Value::from(amount.with_eight_digits())
    };
    let currency = currency.to_ascii_lowercase();
    let mut members = Map::new();
    members.insert("order_id".to_owned(), ID_OFFSET.saturating_add(order.id).to_string().into());
    members.insert("client_order_id".to_owned(), format!("c{}", order.id).into());
    members.insert("submit_time".to_owned(), (order.opened_ms / 1_000).to_string().into());
    members.insert("price".to_owned(), order.price.to_string().into());
    let side = match order.side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    };
    members.insert("type".to_owned(), side.into());
    let kind = if line.kind == Kind::Stop { "stoplimit" } else { "limit" };
    members.insert("order_type".to_owned(), kind.into());
    members.insert(format!("order_{currency}"), shown(order.amount));
    members.insert(format!("remain_{currency}"), shown(remaining(line)));
    Value::Object(members)
}

fn refusal_reply(refusal: &Refusal) -> Reply {
    let (status, code, message) = match refusal.fault() {
        Fault::Key | Fault::Passphrase | Fault::Account => {
            (200, "invalid_credentials", "Invalid credentials. API not found or session has expired.")
        }
        Fault::Signature => (200, "invalid_credentials", "Invalid credentials. Bad sign."),
        Fault::Nonce => (200, "invalid_nonce", "Invalid nonce. Nonce must be greater than the last one."),
        Fault::Time => (200, "invalid_timestamp", "Invalid timestamp."),
        Fault::Market => (200, "invalid_pair", "Invalid pair"),
        Fault::Request | Fault::Order => (200, "invalid_request", "Invalid request"),
        Fault::Call => (200, "invalid_method", "Invalid method"),
        Fault::Busy => (429, "too_many_requests", "Too Many Requests."),
        Fault::Down => (503, "maintenance", "Under maintenance"),
    };
    let body = json!({ "success": 0, "error": message, "error_code": code });
    with_retry_after(Reply::new(status, body), refusal)
}

//! Bitcoin.co.id, the trade API, later Indodax.
//!
//! One address for all calls; the call's name is in the form, which is signed, in hexadecimal digits of
//! HMAC-SHA512. Nonces rise, and no clock is looked at. Orders do not say of which market they are; what is left
//! of a purchase is in the quote currency, under a name made of it.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{Parameters, body, header, remaining, verify_body, with_retry_after};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// The protocol of Bitcoin.co.id.
pub(super) struct BitcoinCoId;

impl Protocol for BitcoinCoId {
    fn symbol(&self, market: &Market) -> String {
        market.name().to_lowercase()
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        let form = Parameters::read(body(request)?)?;
        let is_call = request.method == Method::POST && request.path == "/tapi";
        if !is_call || form.get("method") != Some("openOrders") {
            return Err(Refusal::UnknownCall);
        }
        let key = header(request, "key").ok_or(Refusal::UnknownKey)?.to_owned();
        let nonce = Nonce::Rising(form.number("nonce")?);
        let symbol = form.get("pair").map(str::to_owned);
        Ok(Call::Signed(Proof { key, validity: Validity::ALWAYS, nonce }, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        verify_body(request, credentials, "sign")
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) if has_pair(request) => {
                let lines = lines.iter().filter(|line| line.kind != Kind::Elsewhere);
                let orders: Vec<Value> = lines.map(order).collect();
                success(if orders.is_empty() { Value::Null } else { json!(orders) })
            }
            Ok(Outcome::Orders(lines)) => {
                let mut pairs: BTreeMap<String, Vec<Value>> = BTreeMap::new();
                for line in lines {
                    pairs.entry(self.symbol(&line.market)).or_default().push(order(line));
                }
                success(json!(pairs))
            }
            Ok(_) => refused(&Refusal::UnknownCall),
            Err(refusal) => refused(refusal),
        }
    }
}

fn order(line: &Listed) -> Value {
    let (order, left) = (&line.order, remaining(line));
    let (side, currency, amount, left) = match order.side {
        Side::Sell => ("sell", &line.market.base, order.amount, left),
        Side::Buy => ("buy", &line.market.quote, order.amount.times(order.price), left.times(order.price)),
    };
    let currency = key_name(currency);
    json!({
        "order_id": order.id.to_string(),
        "submit_time": (order.opened_ms / 1_000).to_string(),
        "price": order.price.with_eight_digits(),
        "type": side,
        format!("order_{currency}"): amount.with_eight_digits(),
        format!("remain_{currency}"): left.with_eight_digits(),
    })
}

/// Rupiah have another name here than in the pair.
fn key_name(currency: &str) -> String {
    let lower = currency.to_lowercase();
    if lower == "idr" { "rp".to_owned() } else { lower }
}

fn has_pair(request: &RawRequest) -> bool {
    body(request).and_then(Parameters::read).is_ok_and(|form| form.get("pair").is_some())
}

fn success(orders: Value) -> Reply {
    Reply::new(200, json!({ "success": 1, "return": { "orders": orders } }))
}

fn refused(refusal: &Refusal) -> Reply {
    let (status, message) = match refusal.fault() {
        Fault::Key => (200, "Invalid credentials. API not found or session has expired.".to_owned()),
        Fault::Signature => (200, "Invalid credentials. Bad sign.".to_owned()),
        Fault::Passphrase | Fault::Account => (200, "No permission.".to_owned()),
        Fault::Nonce | Fault::Time => {
            let last = if let Refusal::NonceTooSmall { last } = refusal { *last } else { 0 };
            (200, format!("Invalid nonce. Nonce must be greater than {last}. Please try again."))
        }
        Fault::Market => (200, "Invalid pair.".to_owned()),
        Fault::Order => (200, "Order not found.".to_owned()),
        Fault::Request => (200, "Invalid parameter.".to_owned()),
        Fault::Call => (200, "Invalid method.".to_owned()),
        Fault::Busy => (429, "Too many requests.".to_owned()),
        Fault::Down => (503, "Service temporarily unavailable.".to_owned()),
    };
    with_retry_after(Reply::new(status, json!({ "success": 0, "error": message })), refusal)
}

//! Cryptsy, closed.
//!
//! One address for all calls; the call's name is in the form, which is signed, in hexadecimal digits of
//! HMAC-SHA512. Nonces rise. A market is a number; the orders of one market do not say which. Whether a call
//! succeeded is a text, and times are of New York's winter.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{Parameters, body, header, iso_s, remaining, verify_body, with_retry_after};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// The number of the first market, less one.
const MARKET_OFFSET: u64 = 441;
/// How far the exchange's times are behind UTC, in milliseconds.
const EASTERN_MS: u64 = 5 * 3_600_000;

/// The protocol of Cryptsy.
pub(super) struct Cryptsy;

impl Protocol for Cryptsy {
    fn symbol(&self, market: &Market) -> String {
        MARKET_OFFSET.saturating_add(market.number).to_string()
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        if request.method != Method::POST || request.path != "/api" {
            return Err(Refusal::UnknownCall);
        }
        let form = Parameters::read(body(request)?)?;
        let symbol = match form.get("method") {
            Some("myorders") => Some(form.text("marketid")?),
            Some("allmyorders") => None,
            Some(_) | None => return Err(Refusal::UnknownCall),
        };
        let key = header(request, "key").ok_or(Refusal::UnknownKey)?.to_owned();
        let nonce = Nonce::Rising(form.number("nonce")?);
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
            Ok(Outcome::Orders(lines)) if is_of_one_market(request) => {
                let lines = lines.iter().filter(|line| line.kind != Kind::Elsewhere);
                success(lines.map(order).collect())
            }
            Ok(Outcome::Orders(lines)) => {
                success(lines.iter().map(|line| self.order_anywhere(line)).collect())
            }
            Ok(_) => refused(&Refusal::UnknownCall),
            Err(refusal) => refused(refusal),
        }
    }
}

impl Cryptsy {
    fn order_anywhere(&self, line: &Listed) -> Value {
        let mut order = order(line);
        if let Some(members) = order.as_object_mut() {
            members.insert("marketid".to_owned(), json!(self.symbol(&line.market)));
        }
        order
    }
}

/// `quantity` is what is left.
fn order(line: &Listed) -> Value {
    let left = remaining(line);
    json!({
        "orderid": line.order.id.to_string(),
        "created": iso_s(line.order.opened_ms.saturating_sub(EASTERN_MS)).replace('T', " "),
        "ordertype": match line.order.side { Side::Buy => "Buy", Side::Sell => "Sell" },
        "price": line.order.price.with_eight_digits(),
        "quantity": left.with_eight_digits(),
        "orig_quantity": line.order.amount.with_eight_digits(),
        "total": left.times(line.order.price).with_eight_digits(),
    })
}

fn is_of_one_market(request: &RawRequest) -> bool {
    body(request).and_then(Parameters::read).is_ok_and(|form| form.get("method") == Some("myorders"))
}

fn success(orders: Vec<Value>) -> Reply {
    Reply::new(200, json!({ "success": "1", "return": orders }))
}

fn refused(refusal: &Refusal) -> Reply {
    let (status, message) = match refusal.fault() {
        Fault::Key | Fault::Signature | Fault::Passphrase | Fault::Account => {
            (200, "Unable to Authorize Request - Check Your Post Data")
        }
        Fault::Nonce | Fault::Time => (200, "Unable to Authorize Request - Invalid Nonce"),
        Fault::Market => (200, "Invalid Market ID"),
        Fault::Order | Fault::Request => (200, "Check Your Post Data"),
        Fault::Call => (200, "Invalid Method"),
        Fault::Busy => (429, "Too Many Requests"),
        Fault::Down => (503, "Service Unavailable"),
    };
    with_retry_after(Reply::new(status, json!({ "success": "0", "error": message })), refusal)
}

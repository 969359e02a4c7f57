//! Poloniex, the trading API before 2022.
//!
//! One address for all calls; the call's name is in the form, which is signed, in hexadecimal digits of
//! HMAC-SHA512. Nonces rise, and no clock is looked at. Orders do not say of which market they are.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{Parameters, body, header, iso_s, remaining, verify_body, with_retry_after};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// In place of a market: all of them.
const ALL: &str = "all";

/// The protocol of Poloniex before 2022.
pub(super) struct PoloniexLegacy;

impl Protocol for PoloniexLegacy {
    fn symbol(&self, market: &Market) -> String {
        format!("{}_{}", market.quote, market.base)
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        let form = Parameters::read(body(request)?)?;
        let is_call = request.method == Method::POST && request.path == "/tradingApi";
        if !is_call || form.get("command") != Some("returnOpenOrders") {
            return Err(Refusal::UnknownCall);
        }
        let key = header(request, "key").ok_or(Refusal::UnknownKey)?.to_owned();
        let symbol = form.text("currencyPair")?;
        let symbol = (symbol != ALL).then_some(symbol);
        let nonce = Nonce::Rising(form.number("nonce")?);
        Ok(Call::Signed(Proof { key, validity: Validity::ALWAYS, nonce }, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        verify_body(request, credentials, "sign")
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) if asked(request, "currencyPair").as_deref() == Some(ALL) => {
                let mut markets: BTreeMap<String, Vec<Value>> = BTreeMap::new();
                for line in lines {
                    markets.entry(self.symbol(&line.market)).or_default().push(order(line));
                }
                Reply::new(200, json!(markets))
            }
            Ok(Outcome::Orders(lines)) => {
                let lines = lines.iter().filter(|line| line.kind != Kind::Elsewhere);
                Reply::new(200, json!(lines.map(order).collect::<Vec<_>>()))
            }
            Ok(_) => refused(request, &Refusal::UnknownCall),
            Err(refusal) => refused(request, refusal),
        }
    }
}

/// `amount` is what is left. The exchange has no waiting orders; what is of no use in a book is an order on
/// margin.
fn order(line: &Listed) -> Value {
    let left = remaining(line);
    json!({
        "orderNumber": line.order.id.to_string(),
        "type": match line.order.side { Side::Buy => "buy", Side::Sell => "sell" },
        "rate": line.order.price.with_eight_digits(),
        "startingAmount": line.order.amount.with_eight_digits(),
        "amount": left.with_eight_digits(),
        "total": left.times(line.order.price).with_eight_digits(),
        "date": iso_s(line.order.opened_ms).replace('T', " "),
        "margin": u8::from(line.kind == Kind::Stop),
    })
}

fn asked(request: &RawRequest, name: &'static str) -> Option<String> {
    Parameters::read(body(request).ok()?).ok()?.text(name).ok()
}

fn refused(request: &RawRequest, refusal: &Refusal) -> Reply {
    let (status, message) = match refusal.fault() {
        Fault::Key | Fault::Signature => (403, "Invalid API key/secret pair.".to_owned()),
        Fault::Passphrase | Fault::Account => (403, "Permission denied.".to_owned()),
        Fault::Nonce | Fault::Time => (422, nonce_message(request, refusal)),
        Fault::Market => (422, "Invalid currencyPair parameter.".to_owned()),
        Fault::Order => {
            (422, "Invalid order number, or you are not the person who placed the order.".to_owned())
        }
        Fault::Request => (422, "Required parameter missing.".to_owned()),
        Fault::Call => (422, "Invalid command.".to_owned()),
        Fault::Busy => (429, "Please do not make more than 8 API calls per second.".to_owned()),
        Fault::Down => (503, "Connection timed out. Please try again.".to_owned()),
    };
    with_retry_after(Reply::new(status, json!({ "error": message })), refusal)
}

fn nonce_message(request: &RawRequest, refusal: &Refusal) -> String {
    let last = if let Refusal::NonceTooSmall { last } = refusal { *last } else { 0 };
    let given = asked(request, "nonce").unwrap_or_default();
    format!("Nonce must be greater than {last}. You provided {given}.")
}

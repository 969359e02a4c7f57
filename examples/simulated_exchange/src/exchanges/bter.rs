//! BTER, API 1, closed.
//!
//! The body is signed, in hexadecimal digits of HMAC-SHA512, and it is empty: one signature for each secret,
//! good for ever and for every call without parameters. Amounts of purchases are in the quote currency.

use axum::http::Method;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::encoding::{header, number, remaining, scientific, verify_body, with_retry_after};
use crate::books::{Market, Side};
use crate::decimal::Decimal;
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// The protocol of BTER.
pub(super) struct Bter;

impl Protocol for Bter {
    fn symbol(&self, market: &Market) -> String {
        market.name().to_lowercase()
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        if request.method != Method::POST || request.path != "/api/1/private/orderlist" {
            return Err(Refusal::UnknownCall);
        }
        let key = header(request, "key").ok_or(Refusal::UnknownKey)?.to_owned();
        let proof = Proof { key, validity: Validity::ALWAYS, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol: None }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        verify_body(request, credentials, "sign")
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, _: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let orders: Vec<WireOrder> = lines.iter().map(|line| self.order(line)).collect();
                let orders = serde_json::to_string(&orders).unwrap_or_default();
                Reply::new(200, format!(r#"{{"result":true,"orders":{orders},"msg":"Success"}}"#))
            }
            Ok(_) => refused(&Refusal::UnknownCall),
            Err(refusal) => refused(refusal),
        }
    }
}

#[derive(Serialize)]
struct WireOrder {
    oid: String,
    sell_type: String,
    buy_type: String,
    sell_amount: String,
    buy_amount: String,
    pair: String,
    r#type: &'static str,
    rate: Box<RawValue>,
    amount: String,
    initial_rate: Box<RawValue>,
    initial_amount: String,
    status: &'static str,
}

impl Bter {
    fn order(&self, line: &Listed) -> WireOrder {
        let Market { base, quote, .. } = line.market.clone();
        let price = line.order.price;
        let (left, all) = (remaining(line), line.order.amount);
        let (left_in_quote, all_in_quote) = (left.times(price), all.times(price));
        // What is given and what is got, and how much was given up at first.
        let (sold, bought, initial) = match line.order.side {
            Side::Sell => ((base, left), (quote, left_in_quote), all),
            Side::Buy => ((quote, left_in_quote), (base, left), all_in_quote),
        };
        WireOrder {
            oid: line.order.id.to_string(),
            sell_type: sold.0,
            buy_type: bought.0,
            amount: sold.1.to_string(),
            sell_amount: sold.1.to_string(),
            buy_amount: bought.1.to_string(),
            pair: self.symbol(&line.market),
            r#type: match line.order.side {
                Side::Buy => "buy",
                Side::Sell => "sell",
            },
            rate: php_number(price),
            initial_rate: php_number(price),
            initial_amount: initial.to_string(),
            status: if line.kind == Kind::Filled { "closed" } else { "open" },
        }
    }
}

/// A JSON number as PHP writes it: `0.0025`, `1.0e-8`.
fn php_number(decimal: Decimal) -> Box<RawValue> {
    number(match scientific(decimal) {
        Some((mantissa, exponent)) if mantissa.contains('.') => format!("{mantissa}e-{exponent}"),
        Some((mantissa, exponent)) => format!("{mantissa}.0e-{exponent}"),
        None => decimal.to_string(),
    })
}

fn refused(refusal: &Refusal) -> Reply {
    let (status, message) = match refusal.fault() {
        Fault::Key | Fault::Signature | Fault::Passphrase | Fault::Account | Fault::Nonce | Fault::Time => {
            (200, "Error: invalid key or sign, please re-generate it from your account.")
        }
        Fault::Market | Fault::Order | Fault::Request => (200, "Error: invalid data"),
        Fault::Call => (404, "Error: invalid call"),
        Fault::Busy => (429, "Error: too many attempts"),
        Fault::Down => (503, "Error: service unavailable"),
    };
    with_retry_after(Reply::new(status, json!({ "result": false, "msg": message })), refusal)
}

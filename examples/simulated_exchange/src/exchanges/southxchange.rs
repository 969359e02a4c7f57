//! SouthXchange, closed.
//!
//! The JSON body, with the nonce and the key in it, is signed byte for byte, in hexadecimal digits of
//! HMAC-SHA512. Nonces rise. The call has no market, and some markets are listed the other way round: amounts
//! and prices are in terms of what is listed.

use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::encoding::{body, digits, dot_net_number, remaining, verify_body, with_retry_after};
use crate::books::{Market, Side};
use crate::decimal::Decimal;
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// The currency that others are priced in here, against whatever it is traded.
const REFERENCE: &str = "NBT";

/// The protocol of SouthXchange.
pub(super) struct SouthXchange;

impl Protocol for SouthXchange {
    fn symbol(&self, market: &Market) -> String {
        let (listing, reference) = listing_and_reference(market);
        format!("{listing}/{reference}")
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        let path = request.path.trim_end_matches('/');
        if request.method != Method::POST || path != "/api/listOrders" {
            return Err(Refusal::UnknownCall);
        }
        let asked: Asked = serde_json::from_str(body(request)?).map_err(|_| Refusal::Malformed("body"))?;
        let nonce = match &asked.nonce {
            Value::Number(nonce) => nonce.as_u64(),
            Value::String(nonce) => digits(nonce),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let nonce = Nonce::Rising(nonce.ok_or(Refusal::Malformed("nonce"))?);
        let proof = Proof { key: asked.key, validity: Validity::ALWAYS, nonce };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol: None }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        verify_body(request, credentials, "hash")
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, _: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let orders: Vec<WireOrder> = lines.iter().map(WireOrder::of).collect();
                Reply::new(200, serde_json::to_string(&orders).unwrap_or_default())
            }
            Ok(_) => refused(&Refusal::UnknownCall),
            Err(refusal) => refused(refusal),
        }
    }
}

#[derive(Deserialize)]
struct Asked {
    nonce: Value,
    key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireOrder {
    code: String,
    r#type: &'static str,
    amount: Box<RawValue>,
    original_amount: Box<RawValue>,
    limit_price: Box<RawValue>,
    listing_currency: String,
    reference_currency: String,
}

impl WireOrder {
    fn of(line: &Listed) -> Self {
        let (listing, reference) = listing_and_reference(&line.market);
        let is_turned = is_turned(&line.market);
        // Selling one currency is buying the other.
        let is_buy = (line.order.side == Side::Buy) != is_turned;
        let price = line.order.price;
        let listed = |amount: Decimal| dot_net_number(if is_turned { amount.times(price) } else { amount });
        Self {
            code: line.order.id.to_string(),
            r#type: if is_buy { "buy" } else { "sell" },
            amount: listed(remaining(line)),
            original_amount: listed(line.order.amount),
            limit_price: dot_net_number(if is_turned { price.inverse() } else { price }),
            listing_currency: listing.to_owned(),
            reference_currency: reference.to_owned(),
        }
    }
}

fn is_turned(market: &Market) -> bool {
    market.base == REFERENCE
}

fn listing_and_reference(market: &Market) -> (&str, &str) {
    if is_turned(market) { (&market.quote, &market.base) } else { (&market.base, &market.quote) }
}

fn refused(refusal: &Refusal) -> Reply {
    let (status, message) = match refusal.fault() {
        Fault::Key => (400, "Invalid key"),
        Fault::Signature | Fault::Passphrase | Fault::Account => (400, "Invalid hash"),
        Fault::Nonce | Fault::Time => (400, "Invalid nonce"),
        Fault::Market | Fault::Order | Fault::Request => (400, "The request is invalid."),
        Fault::Call => (404, "No HTTP resource was found that matches the request."),
        Fault::Busy => (429, "Too many requests"),
        Fault::Down => (503, "An error has occurred."),
    };
    with_retry_after(Reply::new(status, json!({ "Message": message })), refusal)
}

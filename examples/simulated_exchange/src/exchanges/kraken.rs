//! Kraken, spot.
//!
//! Signed are the path and the SHA-256 of nonce and body, with a secret in base64: base64 of HMAC-SHA512. Nonces
//! rise, and no clock is looked at. The call has no market. Errors come with status 200.

use std::collections::BTreeMap;

use axum::http::Method;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::encoding::{
    Parameters, base64, body, from_base64, header, hmac_sha512, number, same_signature, with_retry_after,
};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// Order ids are letters and digits in three groups; here the last ones are the order's number.
const ID_HEAD: &str = "OQCLML";

/// The protocol of Kraken.
pub(super) struct Kraken;

impl Protocol for Kraken {
    /// Two currencies have names of their own.
    fn symbol(&self, market: &Market) -> String {
        let name = |currency: &str| match currency {
            "BTC" => "XBT".to_owned(),
            "DOGE" => "XDG".to_owned(),
            other => other.to_owned(),
        };
        format!("{}{}", name(&market.base), name(&market.quote))
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        if request.method != Method::POST || request.path != "/0/private/OpenOrders" {
            return Err(Refusal::UnknownCall);
        }
        let form = Parameters::read(body(request)?)?;
        let key = header(request, "api-key").ok_or(Refusal::UnknownKey)?.to_owned();
        let nonce = Nonce::Rising(form.number("nonce")?);
        let proof = Proof { key, validity: Validity::ALWAYS, nonce };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol: None }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let form = body(request)?;
        let nonce = Parameters::read(form)?.text("nonce")?;
        let digest = Sha256::digest(format!("{nonce}{form}"));
        let text = [request.path.as_bytes(), &digest].concat();
        let secret = from_base64(&credentials.secret).ok_or(Refusal::BadSignature)?;
        same_signature(header(request, "api-sign"), &base64(&hmac_sha512(&secret, &text)))
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, _: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let open: BTreeMap<String, WireOrder> =
                    lines.iter().map(|line| (id(line.order.id), self.order(line))).collect();
                let open = serde_json::to_string(&open).unwrap_or_default();
                Reply::new(200, format!(r#"{{"error":[],"result":{{"open":{open}}}}}"#))
            }
            Ok(_) => refused(&Refusal::UnknownCall),
            Err(refusal) => refused(refusal),
        }
    }
}

/// An order on the wire. Its `price` is what was paid on average; the limit is in `descr`.
#[derive(Serialize)]
struct WireOrder {
    refid: Option<String>,
    userref: u8,
    status: &'static str,
    opentm: Box<RawValue>,
    starttm: u8,
    expiretm: u8,
    descr: Value,
    vol: String,
    vol_exec: String,
    cost: String,
    fee: &'static str,
    price: String,
    stopprice: &'static str,
    limitprice: &'static str,
    misc: &'static str,
    oflags: &'static str,
}

impl Kraken {
    fn order(&self, line: &Listed) -> WireOrder {
        let order = &line.order;
        let seconds = format!("{}.{:03}7", order.opened_ms / 1_000, order.opened_ms % 1_000);
        WireOrder {
            refid: None,
            userref: 0,
            status: if line.kind == Kind::Filled { "closed" } else { "open" },
            opentm: number(seconds),
            starttm: 0,
            expiretm: 0,
            descr: self.terms(line),
            vol: order.amount.with_eight_digits(),
            vol_exec: order.filled.with_eight_digits(),
            cost: order.filled.times(order.price).to_string(),
            fee: "0.00000",
            price: if order.filled.is_zero() { "0.00000".to_owned() } else { order.price.to_string() },
            stopprice: "0.00000",
            limitprice: "0.00000",
            misc: if order.filled.is_zero() { "" } else { "partial" },
            oflags: "fciq",
        }
    }

    fn terms(&self, line: &Listed) -> Value {
        let (order, pair) = (&line.order, self.symbol(&line.market));
        let side = match order.side {
            Side::Buy => "buy",
            Side::Sell => "sell",
        };
        let is_waiting = line.kind == Kind::Stop;
        json!({
            "pair": pair, "type": side,
            "ordertype": if is_waiting { "stop-loss-limit" } else { "limit" },
            "price": order.price.to_string(),
            "price2": if is_waiting { order.price.to_string() } else { "0".to_owned() },
            "leverage": "none",
            "order": format!("{side} {} {pair} @ limit {}", order.amount.with_eight_digits(), order.price),
            "close": "",
        })
    }
}

fn id(number: u64) -> String {
    format!("{ID_HEAD}-{:05}-{:06}", number / 1_000_000, number % 1_000_000)
}

fn refused(refusal: &Refusal) -> Reply {
    let (status, message) = match refusal.fault() {
        Fault::Key => (200, "EAPI:Invalid key"),
        Fault::Signature => (200, "EAPI:Invalid signature"),
        Fault::Passphrase | Fault::Account => (200, "EGeneral:Permission denied"),
        Fault::Nonce | Fault::Time => (200, "EAPI:Invalid nonce"),
        Fault::Market => (200, "EQuery:Unknown asset pair"),
        Fault::Order => (200, "EOrder:Unknown order"),
        Fault::Request => (200, "EGeneral:Invalid arguments"),
        Fault::Call => (200, "EGeneral:Unknown method"),
        Fault::Busy => (200, "EAPI:Rate limit exceeded"),
        Fault::Down => (503, "EService:Unavailable"),
    };
    with_retry_after(Reply::new(status, json!({ "error": [message] })), refusal)
}

//! Bittrex, v1.1, closed.
//!
//! The whole address is signed, from the scheme to the end of the query, in hexadecimal digits of HMAC-SHA512;
//! the method is not. There has to be a nonce and nobody looks at it, so a request works for ever. Errors come
//! with status 200.

use axum::http::Method;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::encoding::{
    Parameters, dot_net_number, header, hex, hmac_sha512, hosts, iso_ms, remaining, same_signature,
    with_retry_after, without,
};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

const ORDERS: &str = "/api/v1.1/market/getopenorders";
const ORDER: &str = "/api/v1.1/account/getorder";
/// Order ids are UUIDs; here the last group is the order's number.
const UUID_HEAD: &str = "5b1cbd4f-9f0e-4d0b-8f3a-";
/// Letters in that last group.
const UUID_TAIL: usize = 12;

/// The protocol of Bittrex.
pub(super) struct Bittrex;

impl Protocol for Bittrex {
    fn symbol(&self, market: &Market) -> String {
        format!("{}-{}", market.quote, market.base)
    }

    fn loggable_query(&self, query: &str) -> String {
        without(query, &["apikey"])
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        let parameters = Parameters::read(&request.query)?;
        let operation = match (&request.method, request.path.as_str()) {
            (&Method::GET, ORDERS) => {
                Operation::OpenOrders { symbol: parameters.get("market").map(str::to_owned) }
            }
            (&Method::GET, ORDER) => Operation::Order { id: number_of_uuid(&parameters.text("uuid")?) },
            _ => return Err(Refusal::UnknownCall),
        };
        parameters.text("nonce")?;
        let key = parameters.get("apikey").ok_or(Refusal::UnknownKey)?.to_owned();
        Ok(Call::Signed(Proof { key, validity: Validity::ALWAYS, nonce: Nonce::Unchecked }, operation))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let given = header(request, "apisign");
        let schemes = ["https", "http"];
        let origins = hosts(request, "bittrex.com").into_iter();
        let origins = origins.flat_map(|host| schemes.map(|scheme| format!("{scheme}://{host}")));
        let mut verdicts = origins.map(|origin| {
            let url = format!("{origin}{}?{}", request.path, request.query);
            let due = hex(&hmac_sha512(credentials.secret.as_bytes(), url.as_bytes()));
            same_signature(given, &due)
        });
        if verdicts.any(|verdict| verdict.is_ok()) { Ok(()) } else { Err(Refusal::BadSignature) }
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                success(&lines.iter().map(|line| self.order(line)).collect::<Vec<_>>())
            }
            Ok(Outcome::Order(line)) => {
                let order_type = self.order(line).order_type;
                success(&WireOrder {
                    order_type: None,
                    r#type: order_type,
                    is_open: Some(true),
                    ..self.order(line)
                })
            }
            Ok(_) => refused(request, &Refusal::UnknownCall),
            Err(refusal) => refused(request, refusal),
        }
    }
}

/// An order on the wire. The limit is `Limit`; `Price` is what was paid so far.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireOrder {
    order_uuid: String,
    exchange: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_type: Option<&'static str>,
    /// What a single order has in place of `OrderType`.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    quantity: Box<RawValue>,
    quantity_remaining: Box<RawValue>,
    limit: Box<RawValue>,
    commission_paid: Box<RawValue>,
    price: Box<RawValue>,
    opened: String,
    closed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_open: Option<bool>,
    cancel_initiated: bool,
    immediate_or_cancel: bool,
    is_conditional: bool,
    condition: &'static str,
    condition_target: Option<Box<RawValue>>,
}

impl Bittrex {
    fn order(&self, line: &Listed) -> WireOrder {
        let order = &line.order;
        let is_conditional = line.kind == Kind::Stop;
        let opened = iso_ms(order.opened_ms).trim_end_matches('Z').to_owned();
        WireOrder {
            order_uuid: format!("{UUID_HEAD}{:0UUID_TAIL$x}", order.id),
            exchange: self.symbol(&line.market),
            order_type: Some(match order.side {
                Side::Buy => "LIMIT_BUY",
                Side::Sell => "LIMIT_SELL",
            }),
            r#type: None,
            quantity: dot_net_number(order.amount),
            quantity_remaining: dot_net_number(remaining(line)),
            limit: dot_net_number(order.price),
            commission_paid: dot_net_number(Default::default()),
            price: dot_net_number(order.filled.times(order.price)),
            closed: (line.kind == Kind::Filled).then(|| opened.clone()),
            opened,
            is_open: None,
            cancel_initiated: false,
            immediate_or_cancel: false,
            is_conditional,
            condition: if is_conditional { "LESS_THAN" } else { "NONE" },
            condition_target: is_conditional.then(|| dot_net_number(order.price)),
        }
    }
}

/// The number of the order with this id; one that no order has, for an id that none has.
fn number_of_uuid(uuid: &str) -> u64 {
    let tail = uuid.strip_prefix(UUID_HEAD).filter(|tail| tail.len() == UUID_TAIL);
    tail.and_then(|tail| u64::from_str_radix(tail, 16).ok()).unwrap_or(u64::MAX)
}

fn success<T: Serialize>(result: &T) -> Reply {
    let result = serde_json::to_string(result).unwrap_or_default();
    Reply::new(200, format!(r#"{{"success":true,"message":"","result":{result}}}"#))
}

fn refused(request: &RawRequest, refusal: &Refusal) -> Reply {
    let (status, message) = match refusal.fault() {
        Fault::Key => (200, "APIKEY_INVALID"),
        Fault::Signature if header(request, "apisign").is_none() => (200, "APISIGN_NOT_PROVIDED"),
        Fault::Signature | Fault::Nonce | Fault::Time => (200, "INVALID_SIGNATURE"),
        Fault::Passphrase | Fault::Account => (200, "INVALID_PERMISSION"),
        Fault::Market => (200, "INVALID_MARKET"),
        Fault::Order => (200, "UUID_INVALID"),
        Fault::Request => (200, "NONCE_NOT_PROVIDED"),
        Fault::Call => (404, "INVALID_CALL"),
        Fault::Busy => (200, "Request has been throttled. Try again in 60 seconds."),
        Fault::Down => (503, "SERVICE_UNAVAILABLE"),
    };
    let body = json!({ "success": false, "message": message, "result": null });
    with_retry_after(Reply::new(status, body), refusal)
}

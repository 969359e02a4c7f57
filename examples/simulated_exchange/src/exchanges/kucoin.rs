//! KuCoin, spot, keys of versions 1 to 3.
//!
//! Time, method, path with query, and body are signed, in base64 of HMAC-SHA256. From version 2 of the key on, the
//! passphrase comes as a keyed hash of its own. A request is good for five seconds to either side, any number of
//! times.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{
    Parameters, base64, body, digits, header, hmac_sha256, remaining, same_signature, target,
    with_retry_after,
};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

const PATH: &str = "/api/v1/hf/orders/active";
/// How far a timestamp may be off, to either side, in milliseconds.
const WINDOW_MS: u64 = 5_000;

/// The protocol of KuCoin.
pub(super) struct Kucoin;

impl Protocol for Kucoin {
    fn symbol(&self, market: &Market) -> String {
        format!("{}-{}", market.base, market.quote)
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        if (&request.method, request.path.as_str()) != (&Method::GET, PATH) {
            return Err(Refusal::UnknownCall);
        }
        let key = header(request, "kc-api-key").ok_or(Refusal::Malformed("KC-API-KEY"))?.to_owned();
        let signed_ms = header(request, "kc-api-timestamp").and_then(digits);
        let signed_ms = signed_ms.ok_or(Refusal::Malformed("KC-API-TIMESTAMP"))?;
        let symbol = Some(Parameters::read(&request.query)?.text("symbol")?);
        let validity = Validity::around(signed_ms, WINDOW_MS, WINDOW_MS);
        let proof = Proof { key, validity, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let hash = |text: &str| base64(&hmac_sha256(credentials.secret.as_bytes(), text.as_bytes()));
        let known = credentials.passphrase.as_deref().unwrap_or_default();
        let due = match header(request, "kc-api-key-version") {
            None | Some("1") => known.to_owned(),
            Some(_) => hash(known),
        };
        if header(request, "kc-api-passphrase") != Some(due.as_str()) {
            return Err(Refusal::BadPassphrase);
        }
        let time = header(request, "kc-api-timestamp").unwrap_or_default();
        let text = format!("{time}{}{}{}", request.method, target(request), body(request)?);
        same_signature(header(request, "kc-api-sign"), &hash(&text))
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, _: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let orders: Vec<Value> = lines.iter().map(|line| self.order(line)).collect();
                Reply::new(200, json!({ "code": "200000", "data": orders }))
            }
            Ok(_) => refusal_reply(&Refusal::UnknownCall),
            Err(refusal) => refusal_reply(refusal),
        }
    }
}

impl Kucoin {
    /// Waiting orders are in another list; what is of no use in this one is an order on margin.
    fn order(&self, line: &Listed) -> Value {
        let order = &line.order;
        let left = remaining(line);
        let is_open = line.kind != Kind::Filled;
        json!({
            "id": format!("68e000000000{:012x}", order.id), "clientOid": format!("c{}", order.id),
            "symbol": self.symbol(&line.market), "opType": "DEAL", "type": "limit",
            "side": match order.side { Side::Buy => "buy", Side::Sell => "sell" },
            "price": order.price.to_string(), "size": order.amount.to_string(),
            "funds": order.amount.times(order.price).to_string(),
            "dealSize": order.filled.to_string(), "dealFunds": order.filled.times(order.price).to_string(),
            "remainSize": left.to_string(), "remainFunds": left.times(order.price).to_string(),
            "cancelledSize": "0", "cancelledFunds": "0", "fee": "0", "feeCurrency": line.market.quote,
            "stp": null, "timeInForce": "GTC", "postOnly": false, "hidden": false, "iceberg": false,
            "visibleSize": "0", "cancelAfter": 0, "channel": "API", "remark": null, "tags": null,
            "cancelExist": false,
            "tradeType": if line.kind == Kind::Stop { "MARGIN_TRADE" } else { "TRADE" },
            "inOrderBook": is_open, "tax": "0", "active": is_open,
            "createdAt": order.opened_ms, "lastUpdatedAt": order.opened_ms,
        })
    }
}

fn refusal_reply(refusal: &Refusal) -> Reply {
    let (status, code, message) = match refusal.fault() {
        Fault::Key | Fault::Account => (401, "400003", "KC-API-KEY not exists"),
        Fault::Passphrase => (401, "400004", "KC-API-PASSPHRASE error"),
        Fault::Signature | Fault::Nonce => (401, "400005", "Invalid KC-API-SIGN"),
        Fault::Time => (
            400,
            "400002",
            "KC-API-TIMESTAMP Invalid -- Time differs from server time by more than 5 seconds",
        ),
        Fault::Request | Fault::Order => {
            (400, "400001", "Please check the header of your request: something is missing or malformed")
        }
        Fault::Market => (200, "900001", "symbol not exists"),
        Fault::Call => (404, "404000", "Url Not Found"),
        Fault::Busy => (429, "429000", "Too Many Requests"),
        Fault::Down => (503, "503000", "Service unavailable"),
    };
    with_retry_after(Reply::new(status, json!({ "code": code, "msg": message })), refusal)
}

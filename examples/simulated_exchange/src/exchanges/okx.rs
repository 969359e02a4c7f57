//! OKX, version 5.
//!
//! Time as ISO 8601 with milliseconds, method, path with query, and body are signed, in base64 of HMAC-SHA256; the
//! passphrase comes in plain text. A request is good for thirty seconds, any number of times.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{
    Parameters, base64, body, header, hmac_sha256, iso_ms, limit, ms_of_iso, page, same_signature, target,
    with_retry_after,
};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

const PATH: &str = "/api/v5/trade/orders-pending";
/// How far a timestamp may be off, to either side, in milliseconds.
const WINDOW_MS: u64 = 30_000;
/// The most orders of one answer, and how many there are if none is asked for.
const MAX_LIMIT: u64 = 100;
/// Order ids have nineteen digits.
const ID_OFFSET: u64 = 2_900_000_000_000_000_000;

/// The protocol of OKX.
pub(super) struct Okx;

impl Protocol for Okx {
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
        let key = header(request, "ok-access-key").ok_or(Refusal::Malformed("OK-ACCESS-KEY"))?.to_owned();
        let parameters = Parameters::read(&request.query)?;
        if parameters.get("instType").is_some_and(|kind| kind != "SPOT") {
            return Err(Refusal::Malformed("instType"));
        }
        limit(request, "limit", MAX_LIMIT, MAX_LIMIT)?;
        let symbol = parameters.get("instId").map(str::to_owned);
        let proof = Proof { key, validity: validity(request)?, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let passphrase = header(request, "ok-access-passphrase");
        if passphrase.is_none() || passphrase != credentials.passphrase.as_deref() {
            return Err(Refusal::BadPassphrase);
        }
        let time = header(request, "ok-access-timestamp").unwrap_or_default();
        let text = format!("{time}{}{}{}", request.method, target(request), body(request)?);
        let due = base64(&hmac_sha256(credentials.secret.as_bytes(), text.as_bytes()));
        same_signature(header(request, "ok-access-sign"), &due)
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let lines =
                    page(lines, 1, limit(request, "limit", MAX_LIMIT, MAX_LIMIT).unwrap_or(MAX_LIMIT));
                let orders: Vec<Value> = lines.iter().map(|line| self.order(line)).collect();
                Reply::new(200, json!({ "code": "0", "msg": "", "data": orders }))
            }
            Ok(_) => refusal_reply(&Refusal::UnknownCall),
            Err(refusal) => refusal_reply(refusal),
        }
    }
}

impl Okx {
    /// Waiting orders are in another list; what is of no use in this one is an order on margin.
    fn order(&self, line: &Listed) -> Value {
        let order = &line.order;
        let is_margin = line.kind == Kind::Stop;
        let state = match line.kind {
            Kind::Filled => "filled",
            Kind::Open | Kind::Stop | Kind::Elsewhere if order.filled.is_zero() => "live",
            Kind::Open | Kind::Stop | Kind::Elsewhere => "partially_filled",
        };
        json!({
            "instType": if is_margin { "MARGIN" } else { "SPOT" }, "instId": self.symbol(&line.market),
            "ordId": ID_OFFSET.saturating_add(order.id).to_string(), "ordType": "limit",
            "tdMode": if is_margin { "cross" } else { "cash" },
            "side": match order.side { Side::Buy => "buy", Side::Sell => "sell" },
            "px": order.price.to_string(), "sz": order.amount.to_string(),
            "accFillSz": order.filled.to_string(), "avgPx": "", "fillPx": "", "fillSz": "0",
            "state": state, "cTime": order.opened_ms.to_string(), "uTime": order.opened_ms.to_string(),

            "category": "normal", "ccy": "", "clOrdId": "",
            "fee": "0", "feeCcy": line.market.base, "fillTime": "", "isTpLimit": "false", "lever": "",
            "pnl": "0", "posSide": "net",
            "rebate": "0", "rebateCcy": line.market.quote, "reduceOnly": "false", "slOrdPx": "",
            "slTriggerPx": "", "source": "", "stpMode": "cancel_maker", "tag": "", "tgtCcy": "",
            "tradeQuoteCcy": line.market.quote,
        })
    }
}

/// The time in exactly the one form that is understood.
fn validity(request: &RawRequest) -> Result<Validity, Refusal> {
    let text = header(request, "ok-access-timestamp").unwrap_or_default();
    let signed_ms = ms_of_iso(text).filter(|ms| iso_ms(*ms) == text);
    let signed_ms = signed_ms.ok_or(Refusal::Malformed("OK-ACCESS-TIMESTAMP"))?;
    Ok(Validity::around(signed_ms, WINDOW_MS, WINDOW_MS))
}

fn refusal_reply(refusal: &Refusal) -> Reply {
    let (status, code, message) = match refusal.fault() {
        Fault::Key | Fault::Account => (401, "50111", "Invalid OK-ACCESS-KEY"),
        Fault::Passphrase => (401, "50105", "Invalid OK-ACCESS-PASSPHRASE"),
        Fault::Signature | Fault::Nonce => (401, "50113", "Invalid Sign"),
        Fault::Time => (401, "50102", "Timestamp request expired"),
        Fault::Request | Fault::Order => (400, "51000", "Parameter error"),
        Fault::Market => (200, "51001", "Instrument ID does not exist"),
        Fault::Call => (404, "404", "Not Found"),
        Fault::Busy => (429, "50011", "Too Many Requests"),
        Fault::Down => (503, "50001", "Service temporarily unavailable. Try again later"),
    };
    with_retry_after(Reply::new(status, json!({ "msg": message, "code": code })), refusal)
}

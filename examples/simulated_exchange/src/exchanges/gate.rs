//! Gate, v4, spot.
//!
//! Signed are method, path, query, the SHA-512 of the body and the time in seconds, one to a line, in small
//! hexadecimal digits of HMAC-SHA512. A request is good for a minute around its time, any number of times; the
//! time is looked at before the key.

use axum::http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use super::encoding::{
    Parameters, digits, header, hex, hmac_sha512, page, remaining, same_signature, with_retry_after,
};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// How far a timestamp may be from the exchange's time, both in whole seconds.
const WINDOW_S: u64 = 60;
/// Orders on a page, when the request does not say and at most.
const MAX_LIMIT: u64 = 100;

/// The protocol of Gate.
pub(super) struct Gate;

impl Protocol for Gate {
    fn symbol(&self, market: &Market) -> String {
        market.name()
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        if (&request.method, request.path.as_str()) != (&Method::GET, "/api/v4/spot/orders") {
            return Err(Refusal::UnknownCall);
        }
        let validity = validity(header(request, "timestamp").and_then(digits).unwrap_or_default());
        if !validity.holds(request.received_ms) {
            return Err(Refusal::TimestampOutsideWindow { now_ms: request.received_ms, validity });
        }
        let key = header(request, "key").ok_or(Refusal::UnknownKey)?.to_owned();
        let parameters = Parameters::read(&request.query)?;
        page_asked(&parameters)?;
        if parameters.get("status") != Some("open") {
            return Err(Refusal::Malformed("status"));
        }
        let symbol = Some(parameters.text("currency_pair")?);
        let proof = Proof { key, validity, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let lines = [
            request.method.as_str(),
            &request.path,
            &request.query,
            &hex(&Sha512::digest(&request.body)),
            header(request, "timestamp").unwrap_or_default(),
        ];
        let due = hex(&hmac_sha512(credentials.secret.as_bytes(), lines.join("\n").as_bytes()));
        same_signature(header(request, "sign"), &due)
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let asked = Parameters::read(&request.query).and_then(|parameters| page_asked(&parameters));
                let (number, limit) = asked.unwrap_or((1, MAX_LIMIT));
                let lines = page(lines, number, limit).iter();
                Reply::new(200, json!(lines.map(|line| self.order(line)).collect::<Vec<_>>()))
            }
            Ok(_) => refused(&Refusal::UnknownCall),
            Err(refusal) => refused(refusal),
        }
    }
}

impl Gate {
    /// Waiting orders are elsewhere; what is of no use in a book is an order on margin.
    fn order(&self, line: &Listed) -> Value {
        let order = &line.order;
        let is_filled = line.kind == Kind::Filled;
        let opened_s = (order.opened_ms / 1_000).to_string();
        let filled_total = order.filled.times(order.price).to_string();
        json!({
            "id": (200_000_000_000_u64.saturating_add(order.id)).to_string(),
            "create_time": opened_s, "update_time": opened_s,
            "create_time_ms": order.opened_ms, "update_time_ms": order.opened_ms,
            "status": if is_filled { "closed" } else { "open" },
            "currency_pair": self.symbol(&line.market), "type": "limit",
            "account": if line.kind == Kind::Stop { "margin" } else { "spot" },
            "side": match order.side { Side::Buy => "buy", Side::Sell => "sell" },
            "amount": order.amount.to_string(), "price": order.price.to_string(),
            "left": remaining(line).to_string(),
            "finish_as": if is_filled { "filled" } else { "open" },
            "amend_text": "-", "text": "apiv4", "time_in_force": "gtc", "iceberg": "0",
            "fill_price": filled_total, "filled_total": filled_total,
            "fee": "0", "fee_currency": line.market.base, "point_fee": "0", "gt_fee": "0",
            "gt_discount": false, "rebated_fee": "0", "rebated_fee_currency": line.market.quote,
        })
    }
}

/// The number of the page, from 1, and its size.
fn page_asked(parameters: &Parameters<'_>) -> Result<(u64, u64), Refusal> {
    let number = parameters.get("page").map(|_| parameters.number("page")).transpose()?.unwrap_or(1);
    let limit = parameters.get("limit").map(|_| parameters.number("limit")).transpose()?;
    let limit = limit.unwrap_or(MAX_LIMIT);
    if number == 0 || !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::Malformed("limit"));
    }
    Ok((number, limit))
}

/// The exchange's times whose whole seconds are near enough.
fn validity(signed_s: u64) -> Validity {
    let from_s = signed_s.saturating_sub(WINDOW_S);
    let until_s = signed_s.saturating_add(WINDOW_S);
    Validity {
        from_ms: from_s.saturating_mul(1_000),
        until_ms: until_s.saturating_mul(1_000).saturating_add(999),
    }
}

fn refused(refusal: &Refusal) -> Reply {
    let (status, label, message) = match refusal.fault() {
        Fault::Key => (401, "INVALID_KEY", "Invalid key provided"),
        Fault::Signature | Fault::Nonce => (401, "INVALID_SIGNATURE", "Signature mismatch"),
        Fault::Passphrase | Fault::Account => (403, "FORBIDDEN", "No permission"),
        Fault::Time => (403, "REQUEST_EXPIRED", "gap between request Timestamp and server time exceeds 60"),
        Fault::Market => (400, "INVALID_CURRENCY_PAIR", "Invalid currency pair"),
        Fault::Order => (404, "ORDER_NOT_FOUND", "Order not found"),
        Fault::Request => (400, "INVALID_PARAM_VALUE", "Invalid parameter"),
        Fault::Call => (404, "NOT_FOUND", "Not found"),
        Fault::Busy => (429, "TOO_MANY_REQUESTS", "Request Rate limit exceeded"),
        Fault::Down => (503, "SERVER_ERROR", "Service unavailable"),
    };
    with_retry_after(Reply::new(status, json!({ "label": label, "message": message })), refusal)
}

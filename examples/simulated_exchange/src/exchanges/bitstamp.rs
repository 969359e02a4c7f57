//! Bitstamp, version 2.
//!
//! Key, method, host, path, query, content type, nonce, time, version and body are signed, in hexadecimal digits of
//! HMAC-SHA256. A request is good for 150 seconds to either side, and its nonce, a UUID, works once in that time.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{
    body, digits, header, hex, hmac_sha256, hosts, iso_ms, remaining, same_signature_in_any_case, target,
    with_retry_after,
};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

const HOST: &str = "www.bitstamp.net";
/// The call; a market or `all`, and a slash, follow.
const PATH: &str = "/api/v2/open_orders/";
/// How far a timestamp may be off, to either side, and how long a nonce is remembered, in milliseconds.
const WINDOW_MS: u64 = 150_000;
/// Letters of a UUID with its dashes.
const NONCE_LENGTH: usize = 36;
/// Order ids have sixteen digits.
const ID_OFFSET: u64 = 1_990_000_000_000_000;

/// The protocol of Bitstamp.
pub(super) struct Bitstamp;

impl Protocol for Bitstamp {
    fn symbol(&self, market: &Market) -> String {
        format!("{}{}", market.base, market.quote).to_ascii_lowercase()
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        let rest = request.path.strip_prefix(PATH).filter(|_| request.method == Method::POST);
        let symbol = rest.and_then(|rest| rest.strip_suffix('/')).ok_or(Refusal::UnknownCall)?;
        if request.body.is_empty() == header(request, "content-type").is_some() {
            return Err(Refusal::Malformed("Content-Type"));
        }
        let key = key(request).ok_or(Refusal::UnknownKey)?.to_owned();
        let text = header(request, "x-auth-nonce").filter(|nonce| is_uuid(nonce));
        let text = text.ok_or(Refusal::NonceUsed)?.to_owned();
        let signed_ms = header(request, "x-auth-timestamp").and_then(digits);
        let signed_ms = signed_ms.ok_or(Refusal::Malformed("X-Auth-Timestamp"))?;
        let validity = Validity::around(signed_ms, WINDOW_MS, WINDOW_MS);
        let nonce = Nonce::Once { text, kept_ms: WINDOW_MS };
        let symbol = Some(symbol).filter(|symbol| *symbol != "all").map(str::to_owned);
        Ok(Call::Signed(Proof { key, validity, nonce }, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let part = |name| header(request, name).unwrap_or_default();
        let (method, target) = (&request.method, target(request));
        let (nonce, time) = (part("x-auth-nonce"), part("x-auth-timestamp"));
        let (auth, kind, version) = (part("x-auth"), part("content-type"), part("x-auth-version"));
        let body = body(request)?;
        let is_of_host = |host: &String| {
            let text = format!("{auth}{method}{host}{target}{kind}{nonce}{time}{version}{body}");
            let due = hex(&hmac_sha256(credentials.secret.as_bytes(), text.as_bytes()));
            same_signature_in_any_case(header(request, "x-auth-signature"), &due).is_ok()
        };
        let is_signed = version == "v2" && hosts(request, HOST).iter().any(is_of_host);
        if is_signed { Ok(()) } else { Err(Refusal::BadSignature) }
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, _: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => Reply::new(200, json!(lines.iter().map(order).collect::<Vec<_>>())),
            Ok(_) => refusal_reply(&Refusal::UnknownCall),
            Err(refusal) => refusal_reply(refusal),
        }
    }
}

/// `amount` is what is left. The side is a digit in a text.
fn order(line: &Listed) -> Value {
    let order = &line.order;
    let pair = format!("{}/{}", line.market.base, line.market.quote);
    let opened = iso_ms(order.opened_ms).replace('T', " ");
    let mut shown = json!({
        "id": ID_OFFSET.saturating_add(order.id).to_string(),
        "datetime": format!("{}000", opened.trim_end_matches('Z')),
        "type": match order.side { Side::Buy => "0", Side::Sell => "1" },
        "price": order.price.with_eight_digits(), "amount": remaining(line).with_eight_digits(),
        "amount_at_create": order.amount.with_eight_digits(),
        "currency_pair": pair, "market": pair, "client_order_id": "",
    });
    if let (Kind::Stop, Some(shown)) = (line.kind, shown.as_object_mut()) {
        shown.insert("stop_price".to_owned(), order.price.with_eight_digits().into());
    }
    shown
}

fn key(request: &RawRequest) -> Option<&str> {
    header(request, "x-auth")?.strip_prefix("BITSTAMP ")
}

/// 32 small hexadecimal digits with four dashes.
fn is_uuid(text: &str) -> bool {
    let is_right = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    text.len() == NONCE_LENGTH && text.bytes().enumerate().all(is_right)
}

fn refusal_reply(refusal: &Refusal) -> Reply {
    let (status, code, reason) = match refusal.fault() {
        Fault::Key | Fault::Passphrase | Fault::Account => (403, "API0001", "API key not found"),
        Fault::Signature => (403, "API0005", "Invalid signature"),
        Fault::Nonce => (403, "API0004", "Invalid nonce"),
        Fault::Time => (403, "API0017", "X-Auth-Timestamp header is outside of the timeframe"),
        Fault::Request | Fault::Order => (403, "API0020", "Content-Type or another header is wrong"),
        Fault::Market => return Reply::new(404, json!({ "error": "Invalid currency pair" })),
        Fault::Call => return Reply::new(404, json!({ "error": "Not Found" })),
        Fault::Busy => {
            let body =
                json!({ "response_code": "400.002", "response_explanation": "Request rate limit exceeded." });
            return with_retry_after(Reply::new(429, body), refusal);
        }
        Fault::Down => return Reply::new(503, json!({ "error": "Service unavailable" })),
    };
    Reply::new(status, json!({ "status": "error", "reason": reason, "code": code }))
}

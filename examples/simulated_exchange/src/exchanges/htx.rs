//! HTX, once Huobi, version 1, spot.
//!
//! Method, host, path and the sorted, percent-encoded query are signed, in base64 of HMAC-SHA256 that is appended to
//! the query. A request is good for five minutes, any number of times. Refusals come with status 200.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{
    Parameters, base64, digits, hmac_sha256, hosts, iso_s, limit, ms_of_iso, page, same_signature,
    spoilt_data, with_retry_after, without,
};
use crate::books::{Market, Side};
use crate::decimal::Decimal;
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

const HOST: &str = "api.huobi.pro";
const PATH: &str = "/v1/order/openOrders";
/// How far a timestamp may be off, to either side, in milliseconds.
const WINDOW_MS: u64 = 300_000;
/// Orders of an answer if the request does not say, and at most.
const SIZES: (u64, u64) = (100, 500);
/// Order ids have sixteen digits.
const ID_OFFSET: u64 = 1_357_630_527_000_000;

/// The protocol of HTX.
pub(super) struct Htx;

impl Protocol for Htx {
    fn symbol(&self, market: &Market) -> String {
        format!("{}{}", market.base, market.quote).to_ascii_lowercase()
    }

    fn loggable_query(&self, query: &str) -> String {
        without(query, &["AccessKeyId", "Signature"])
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        if (&request.method, request.path.as_str()) != (&Method::GET, PATH) {
            return Err(Refusal::UnknownCall);
        }
        let parameters = Parameters::read(&request.query)?;
        let methods = (parameters.get("SignatureMethod"), parameters.get("SignatureVersion"));
        if methods != (Some("HmacSHA256"), Some("2")) {
            return Err(Refusal::BadSignature);
        }
        let key = decoded(parameters.get("AccessKeyId").ok_or(Refusal::UnknownKey)?);
        let time = decoded(parameters.get("Timestamp").unwrap_or_default());
        let signed_ms = ms_of_iso(&time).filter(|ms| iso_s(*ms) == time).ok_or(Refusal::BadSignature)?;
        limit(request, "size", SIZES.0, SIZES.1)?;
        let symbol = parameters.get("symbol").map(str::to_owned);
        let account = parameters.get("account-id");
        // The one without the other is refused; without both, orders of all markets come.
        if symbol.is_some() != account.is_some() {
            return Err(Refusal::Malformed("account-id and symbol"));
        }
        let validity = Validity::around(signed_ms, WINDOW_MS, WINDOW_MS);
        let proof = Proof { key, validity, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let parameters = Parameters::read(&request.query)?;
        let mut pairs: Vec<(&str, String)> =
            parameters.pairs().iter().map(|(k, v)| (*k, decoded(v))).collect();
        pairs.sort();
        let signed = pairs.iter().filter(|(name, _)| *name != "Signature");
        let signed: Vec<String> = signed.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let given = parameters.get("Signature").map(decoded);
        let is_of_host = |host: &String| {
            let text = format!("{}\n{host}\n{}\n{}", request.method, request.path, signed.join("&"));
            let due = base64(&hmac_sha256(credentials.secret.as_bytes(), text.as_bytes()));
            same_signature(given.as_deref(), &due).is_ok()
        };
        if !hosts(request, HOST).iter().any(is_of_host) {
            return Err(Refusal::BadSignature);
        }
        let asked = parameters.get("account-id");
        if asked.is_some() && asked != credentials.account_id.as_deref() {
            return Err(Refusal::WrongAccount);
        }
        Ok(())
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let account = Parameters::read(&request.query).ok().and_then(|all| all.get("account-id"));
                let account = account.and_then(digits).unwrap_or_default();
                let lines = page(lines, 1, limit(request, "size", SIZES.0, SIZES.1).unwrap_or(SIZES.0));
                let orders: Vec<Value> = lines.iter().map(|line| self.order(line, account)).collect();
                Reply::new(200, json!({ "status": "ok", "data": orders }))
            }
            Ok(_) => refusal_reply(&Refusal::UnknownCall),
            Err(refusal) => refusal_reply(refusal),
        }
    }

    fn wrong_types(&self, request: &RawRequest, sample: &Outcome) -> Reply {
        spoilt_data(self.write(request, Ok(sample)))
    }
}

impl Htx {
    fn order(&self, line: &Listed, account: u64) -> Value {
        let order = &line.order;
        let side = match order.side {
            Side::Buy => "buy",
            Side::Sell => "sell",
        };
        let (kind, state) = match line.kind {
            Kind::Stop => ("stop-limit", "created"),
            Kind::Filled => ("limit", "filled"),
            Kind::Open | Kind::Elsewhere if order.filled.is_zero() => ("limit", "submitted"),
            Kind::Open | Kind::Elsewhere => ("limit", "partial-filled"),
        };
        let long = |decimal: Decimal| format!("{}0000000000", decimal.with_eight_digits());
        let mut shown = json!({
            "symbol": self.symbol(&line.market), "source": "spot-api", "price": long(order.price),
            "created-at": order.opened_ms, "amount": long(order.amount), "account-id": account,
            "filled-cash-amount": long(order.filled.times(order.price)), "client-order-id": "",
            "filled-amount": long(order.filled), "filled-fees": "0.0",
            "id": ID_OFFSET.saturating_add(order.id), "state": state, "type": format!("{side}-{kind}"),
        });
        if let (Kind::Stop, Some(shown)) = (line.kind, shown.as_object_mut()) {
            shown.insert("stop-price".to_owned(), long(order.price).into());
        }
        shown
    }
}

/// Percent-encoding undone; what is no percent-encoding stays, and the signature will not match.
fn decoded(text: &str) -> String {
    let (plain, rest) = text.split_once('%').map_or((text, None), |(plain, rest)| (plain, Some(rest)));
    let Some(rest) = rest else { return plain.to_owned() };
    let byte = rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii);
    match (byte, rest.get(2..)) {
        (Some(byte), Some(after)) => format!("{plain}{}{}", char::from(byte), decoded(after)),
        _ => text.to_owned(),
    }
}

/// Everything but letters, digits and `-_.~` in capital hexadecimal digits.
fn encoded(text: &str) -> String {
    let letters = text.bytes().map(|byte| match byte {
        b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    letters.collect()
}

fn refusal_reply(refusal: &Refusal) -> Reply {
    const INVALID: &str = "api-signature-not-valid";
    let (status, code, message) = match refusal.fault() {
        Fault::Key | Fault::Passphrase => {
            (200, INVALID, "Signature not valid: Incorrect Access key [Access key错误]")
        }
        Fault::Signature | Fault::Nonce => {
            (200, INVALID, "Signature not valid: Verification failure [校验失败]")
        }
        Fault::Time => (200, INVALID, "Signature not valid: Invalid Timestamp [Timestamp错误]"),
        Fault::Account => (200, "account-get-accounts-inexistent-error", "account for id does not exist"),
        Fault::Market => (200, "base-symbol-error", "The symbol is invalid"),
        Fault::Request | Fault::Order => (200, "invalid-parameter", "invalid parameter"),
        Fault::Call => (404, "base-not-found", "not found"),
        Fault::Busy => (429, "too-many-requests", "Too many requests"),
        Fault::Down => (503, "system-maintenance", "System is in maintenance"),
    };
    let body = json!({ "status": "error", "err-code": code, "err-msg": message, "data": null });
    with_retry_after(Reply::new(status, body), refusal)
}

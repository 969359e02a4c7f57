//! Coinbase Exchange, for institutions.
//!
//! Time in seconds, method, path with query, and body are signed, in base64 of HMAC-SHA256 with a secret that is
//! base64 itself; the passphrase comes in plain text. A request is good for thirty seconds to either side, any
//! number of times.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{
    Parameters, base64, body, digits, from_base64, header, hmac_sha256, iso_ms, limit, lines_after, page,
    same_signature, target, with_retry_after,
};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

const PATH: &str = "/orders";
/// How far a timestamp may be off, to either side, in milliseconds.
const WINDOW_MS: u64 = 30_000;
/// Orders of a page if the request does not say, and at most.
const LIMITS: (u64, u64) = (100, 1_000);

/// The protocol of Coinbase Exchange.
pub(super) struct CoinbaseExchange;

impl Protocol for CoinbaseExchange {
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
        if header(request, "user-agent").is_none_or(str::is_empty) {
            return Err(Refusal::Malformed("User-Agent"));
        }
        let key = header(request, "cb-access-key").ok_or(Refusal::UnknownKey)?.to_owned();
        let time = header(request, "cb-access-timestamp").and_then(ms_of_seconds);
        let time = time.ok_or(Refusal::Malformed("CB-ACCESS-TIMESTAMP"))?;
        limit(request, "limit", LIMITS.0, LIMITS.1)?;
        let symbol = Parameters::read(&request.query)?.get("product_id").map(str::to_owned);
        let validity = Validity::around(time, WINDOW_MS, WINDOW_MS);
        let proof = Proof { key, validity, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let passphrase = header(request, "cb-access-passphrase");
        if passphrase.is_none() || passphrase != credentials.passphrase.as_deref() {
            return Err(Refusal::BadPassphrase);
        }
        let secret = from_base64(&credentials.secret).ok_or(Refusal::BadSignature)?;
        let time = header(request, "cb-access-timestamp").unwrap_or_default();
        let text = format!("{time}{}{}{}", request.method, target(request), body(request)?);
        same_signature(header(request, "cb-access-sign"), &base64(&hmac_sha256(&secret, text.as_bytes())))
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => self.page(request, lines),
            Ok(_) => refusal_reply(&Refusal::UnknownCall),
            Err(refusal) => refusal_reply(refusal),
        }
    }
}

impl CoinbaseExchange {
    /// The page behind the cursor, which is the id of the last order of the page before and stands in a header.
    fn page(&self, request: &RawRequest, lines: &[Listed]) -> Reply {
        let parameters = Parameters::read(&request.query);
        let after = parameters.as_ref().ok().and_then(|parameters| parameters.get("after"));
        let rest = after.map_or(lines, |after| lines_after(lines, |line| order_id(line) == after));
        let lines = page(rest, 1, limit(request, "limit", LIMITS.0, LIMITS.1).unwrap_or(LIMITS.0));
        let orders: Vec<Value> = lines.iter().map(|line| self.order(line)).collect();
        let mut reply = Reply::new(200, json!(orders));
        if let Some(last) = lines.last().filter(|_| lines.len() < rest.len()) {
            reply.headers.push(("cb-after", order_id(last)));
        }
        reply
    }

    /// A waiting order is a limit order like any other but for three members.
    fn order(&self, line: &Listed) -> Value {
        let order = &line.order;
        let status = match line.kind {
            Kind::Stop => "active",
            Kind::Filled => "done",
            Kind::Open | Kind::Elsewhere => "open",
        };
        let mut shown = json!({
            "id": order_id(line), "price": order.price.with_eight_digits(),
            "size": order.amount.with_eight_digits(), "product_id": self.symbol(&line.market),
            "profile_id": "p1", "side": match order.side { Side::Buy => "buy", Side::Sell => "sell" },
            "type": "limit", "time_in_force": "GTC", "post_only": false,
            "created_at": format!("{}000Z", iso_ms(order.opened_ms).trim_end_matches('Z')),
            "fill_fees": "0.0000000000000000", "filled_size": order.filled.with_eight_digits(),
            "executed_value": format!("{}00000000", order.filled.times(order.price).with_eight_digits()),
            "status": status, "settled": line.kind == Kind::Filled,
        });
        if let (Kind::Stop, Some(shown)) = (line.kind, shown.as_object_mut()) {
            shown.insert("stop".to_owned(), "loss".into());
            shown.insert("stop_price".to_owned(), order.price.with_eight_digits().into());
        }
        shown
    }
}

fn order_id(line: &Listed) -> String {
    format!("0c000000-0000-4000-8000-{:012x}", line.order.id)
}

/// The milliseconds of `1760000000` or `1760000000.123`.
fn ms_of_seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let thousandths = digits(&format!("{fraction:0<3}").chars().take(3).collect::<String>())?;
    digits(whole)?.checked_mul(1_000)?.checked_add(thousandths)
}

fn refusal_reply(refusal: &Refusal) -> Reply {
    let (status, message) = match refusal.fault() {
        Fault::Key | Fault::Account => (401, "Invalid API Key"),
        Fault::Passphrase => (401, "Invalid Passphrase"),
        Fault::Signature | Fault::Nonce => (401, "invalid signature"),
        Fault::Time => (400, "request timestamp expired"),
        Fault::Market => (404, "NotFound"),
        Fault::Request | Fault::Order if *refusal == Refusal::Malformed("User-Agent") => {
            (400, "User-Agent header is required.")
        }
        Fault::Request | Fault::Order => (400, "invalid request"),
        Fault::Call => (404, "Route not found"),
        Fault::Busy => (429, "Private rate limit exceeded"),
        Fault::Down => (503, "Service unavailable"),
    };
    with_retry_after(Reply::new(status, json!({ "message": message })), refusal)
}

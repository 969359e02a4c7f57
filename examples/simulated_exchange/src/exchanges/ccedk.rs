//! CCEDK, v1, closed.
//!
//! The form is signed, in hexadecimal digits of HMAC-SHA512. Its nonce is the time in seconds: it has to be in a
//! range around the exchange's clock and works once. Markets are numbers, which a public call tells.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{Parameters, body, digits, header, remaining, verify_body, with_retry_after};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// How far behind the exchange's clock a nonce may be, in seconds. The width of the range is not documented:
/// this is a minute, with the clock at two thirds.
const BEHIND_S: u64 = 40;
/// How far ahead, in seconds.
const AHEAD_S: u64 = 20;
/// The number of the first market, less one.
const PAIR_OFFSET: u64 = 46;

/// The protocol of CCEDK.
pub(super) struct Ccedk;

impl Protocol for Ccedk {
    fn symbol(&self, market: &Market) -> String {
        PAIR_OFFSET.saturating_add(market.number).to_string()
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        match (&request.method, request.path.as_str()) {
            (&Method::GET, "/api/v1/stats/marketdepthfull") => return Ok(Call::Markets),
            (&Method::POST, "/api/v1/order/list") => {}
            _ => return Err(Refusal::UnknownCall),
        }
        let form = Parameters::read(body(request)?)?;
        let key = header(request, "key").ok_or(Refusal::UnknownKey)?.to_owned();
        let nonce = form.number("nonce")?;
        let validity = Validity::around(
            nonce.saturating_mul(1_000),
            AHEAD_S.saturating_mul(1_000),
            BEHIND_S.saturating_mul(1_000).saturating_add(999),
        );
        let kept_ms = AHEAD_S.saturating_add(BEHIND_S).saturating_add(1).saturating_mul(1_000);
        let nonce = Nonce::Once { text: nonce.to_string(), kept_ms };
        let symbol = form.get("pair_id").map(str::to_owned);
        Ok(Call::Signed(Proof { key, validity, nonce }, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        verify_body(request, credentials, "sign")
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => entities(lines.iter().map(|line| self.order(line)).collect()),
            Ok(Outcome::Markets(markets)) => {
                entities(markets.iter().map(|market| self.pair(market)).collect())
            }
            Ok(_) => refused(request, &Refusal::UnknownCall),
            Err(refusal) => refused(request, refusal),
        }
    }
}

impl Ccedk {
    /// An inactive order keeps its volume, so `active` is all that tells.
    fn order(&self, line: &Listed) -> Value {
        let is_active = line.kind != Kind::Filled;
        let volume = if is_active { remaining(line) } else { line.order.amount };
        json!({
            "order_id": line.order.id.to_string(),
            "pair_id": self.pair_id(&line.market),
            "type": match line.order.side { Side::Buy => "buy", Side::Sell => "sell" },
            "volume": volume.with_eight_digits(),
            "price": line.order.price.with_eight_digits(),
            "fee": "0.00000000",
            "active": u8::from(is_active).to_string(),
            "created": (line.order.opened_ms / 1_000).to_string(),
        })
    }

    fn pair(&self, market: &Market) -> Value {
        let name = format!("{}/{}", market.base, market.quote).to_lowercase();
        json!({ "pair_id": self.pair_id(market), "pair_name": name })
    }

    /// A text for some and a number for others, as the exchange had both.
    fn pair_id(&self, market: &Market) -> Value {
        let text = self.symbol(market);
        match digits(&text) {
            Some(number) if number % 2 == 0 => json!(number),
            Some(_) | None => json!(text),
        }
    }
}

fn entities(entities: Vec<Value>) -> Reply {
    Reply::new(200, json!({ "errors": false, "response": { "entities": entities } }))
}

fn refused(request: &RawRequest, refusal: &Refusal) -> Reply {
    let (status, field, message) = match refusal.fault() {
        Fault::Key => (200, "Key", "Key: not found".to_owned()),
        Fault::Signature => (200, "Sign", "Sign: incorrect".to_owned()),
        Fault::Passphrase | Fault::Account => (200, "Key", "Key: no permission".to_owned()),
        Fault::Time => (200, "nonce", range_message(request)),
        Fault::Nonce => (200, "nonce", "Nonce: has already been used".to_owned()),
        Fault::Market => (200, "pair_id", "Pair: not found".to_owned()),
        Fault::Order | Fault::Request => (200, "nonce", "Nonce: is required".to_owned()),
        Fault::Call => (404, "method", "Method: not found".to_owned()),
        Fault::Busy => (429, "limit", "Limit: too many requests".to_owned()),
        Fault::Down => (503, "service", "Service: unavailable".to_owned()),
    };
    let body = json!({ "errors": { field: message }, "response": null });
    with_retry_after(Reply::new(status, body), refusal)
}

fn range_message(request: &RawRequest) -> String {
    let form = body(request).and_then(Parameters::read);
    let nonce = form.and_then(|form| form.number("nonce")).unwrap_or_default();
    let now_s = request.received_ms / 1_000;
    let (from, till) = (now_s.saturating_sub(BEHIND_S), now_s.saturating_add(AHEAD_S));
    format!("Nonce: incorrect range `nonce`=`{nonce}`, must be from `{from}` till `{till}`")
}

//! Coinbase Advanced Trade, version 3.
//!
//! A JSON Web Token (ES256) says who asks and for which method, host and path; the query is not signed, so one token
//! serves for several pages. It is good for at most two minutes, any number of times.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::SecretKey;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::pkcs8::DecodePublicKey;
use serde::Deserialize;
use serde_json::{Value, json};

use super::encoding::{Parameters, header, hosts, iso_ms, limit, lines_after, page, with_retry_after};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

const HOST: &str = "api.coinbase.com";
const PATH: &str = "/api/v3/brokerage/orders/historical/batch";
/// The longest time between a token's `nbf` and its `exp`, in seconds.
const MAX_LIFETIME_S: u64 = 120;
/// Who a token may say that it is from.
const ISSUERS: [&str; 2] = ["cdp", "coinbase-cloud"];
/// Orders of a page if the request does not say, and at most.
const LIMITS: (u64, u64) = (250, 1_000);

/// The protocol of Coinbase Advanced Trade.
pub(super) struct CoinbaseAdvanced;

impl Protocol for CoinbaseAdvanced {
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
        let Token { header, claims, .. } = Token::of(request).ok_or(Refusal::BadSignature)?;
        let is_for_this = hosts(request, HOST).iter().any(|host| claims.uri == format!("GET {host}{PATH}"));
        let is_short = claims.exp.saturating_sub(claims.nbf) <= MAX_LIFETIME_S;
        let is_known_issuer = ISSUERS.contains(&claims.iss.as_str());
        if header.kid != claims.sub || !is_for_this || !is_short || !is_known_issuer {
            return Err(Refusal::BadSignature);
        }
        let parameters = Parameters::read(&request.query)?;
        if parameters.get("order_status") != Some("OPEN") {
            return Err(Refusal::Malformed("order_status"));
        }
        limit(request, "limit", LIMITS.0, LIMITS.1)?;
        let symbol = parameters.get("product_ids").or(parameters.get("product_id")).map(str::to_owned);
        let [from_ms, until_ms] = [claims.nbf, claims.exp].map(|seconds| seconds.saturating_mul(1_000));
        let validity = Validity { from_ms, until_ms };
        let proof = Proof { key: claims.sub, validity, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let token =
            Token::of(request).filter(|token| token.header.alg == "ES256" && token.header.typ == "JWT");
        let token = token.ok_or(Refusal::BadSignature)?;
        let key = public_key(&credentials.secret).ok_or(Refusal::BadSignature)?;
        key.verify(token.signed.as_bytes(), &token.signature).map_err(|_| Refusal::BadSignature)
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => Reply::new(200, self.page(request, lines)),
            Ok(_) => refusal_reply(&Refusal::UnknownCall),
            Err(refusal) => refusal_reply(refusal),
        }
    }
}

impl CoinbaseAdvanced {
    /// The page behind the cursor, which is the id of the last order of the page before.
    fn page(&self, request: &RawRequest, lines: &[Listed]) -> Value {
        let parameters = Parameters::read(&request.query);
        let after = parameters.as_ref().ok().and_then(|parameters| parameters.get("cursor"));
        let rest = after.map_or(lines, |after| lines_after(lines, |line| order_id(line) == after));
        let lines = page(rest, 1, limit(request, "limit", LIMITS.0, LIMITS.1).unwrap_or(LIMITS.0));
        let orders: Vec<Value> = lines.iter().map(|line| self.order(line)).collect();
        let has_next = lines.len() < rest.len();
        let cursor = lines.last().filter(|_| has_next).map(order_id).unwrap_or_default();
        json!({ "orders": orders, "sequence": "0", "has_next": has_next, "cursor": cursor })
    }

    fn order(&self, line: &Listed) -> Value {
        let order = &line.order;
        let (size, price) = (order.amount.to_string(), order.price.to_string());
        let (configuration, kind, trigger) = match line.kind {
            Kind::Stop => {
                let stop = json!({ "base_size": size, "limit_price": price, "stop_price": price,
                    "stop_direction": "STOP_DIRECTION_STOP_DOWN" });
                (json!({ "stop_limit_stop_limit_gtc": stop }), "STOP_LIMIT", "STOP_PENDING")
            }
            Kind::Open | Kind::Elsewhere | Kind::Filled => {
                let limit = json!({ "base_size": size, "limit_price": price, "post_only": false });
                (json!({ "limit_limit_gtc": limit }), "LIMIT", "INVALID_ORDER_TYPE")
            }
        };
        json!({
            "order_id": order_id(line), "product_id": self.symbol(&line.market),
            "user_id": "11111111-1111-1111-1111-111111111111", "order_configuration": configuration,
            "side": match order.side { Side::Buy => "BUY", Side::Sell => "SELL" },
            "client_order_id": format!("c-{}", order.id), "order_type": kind, "trigger_status": trigger,
            "status": if line.kind == Kind::Filled { "FILLED" } else { "OPEN" },
            "time_in_force": "GOOD_UNTIL_CANCELLED",
            "created_time": format!("{}000Z", iso_ms(order.opened_ms).trim_end_matches('Z')),
            "completion_percentage": "0", "filled_size": order.filled.to_string(),
            "filled_value": order.filled.times(order.price).to_string(), "average_filled_price": "0",
            "number_of_fills": "0", "fee": "", "total_fees": "0", "total_value_after_fees": "0",
            "pending_cancel": false, "size_in_quote": false, "size_inclusive_of_fees": false,
            "reject_reason": "REJECT_REASON_UNSPECIFIED", "reject_message": "", "cancel_message": "",
            "settled": line.kind == Kind::Filled, "product_type": "SPOT", "is_liquidation": false,
            "order_placement_source": "RETAIL_ADVANCED", "outstanding_hold_amount": "0",
            "last_fill_time": null, "edit_history": [], "leverage": "", "margin_type": "UNKNOWN_MARGIN_TYPE",
        })
    }
}

/// A token, taken apart.
struct Token<'a> {
    signed: &'a str,
    header: Header,
    claims: Claims,
    signature: Signature,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    iss: String,
    nbf: u64,
    exp: u64,
    uri: String,
}

impl<'a> Token<'a> {
    fn of(request: &'a RawRequest) -> Option<Self> {
        let token = header(request, "authorization")?.strip_prefix("Bearer ")?;
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let [header, claims, signature] =
            [header, claims, signature].map(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let header = serde_json::from_slice(&header?).ok()?;
        let claims = serde_json::from_slice(&claims?).ok()?;
        Some(Self { signed, header, claims, signature: Signature::from_slice(&signature?).ok()? })
    }
}

/// The exchange has the public key only. An account may also be opened with the private one, as its owner got it.
fn public_key(pem: &str) -> Option<VerifyingKey> {
    let private = || SecretKey::from_pem(pem).ok().map(|key| *SigningKey::from(key).verifying_key());
    VerifyingKey::from_public_key_pem(pem).ok().or_else(private)
}

fn order_id(line: &Listed) -> String {
    format!("0a000000-0000-4000-8000-{:012x}", line.order.id)
}

fn refusal_reply(refusal: &Refusal) -> Reply {
    let (status, error, message) = match refusal.fault() {
        Fault::Key | Fault::Passphrase | Fault::Account | Fault::Signature | Fault::Nonce | Fault::Time => {
            return Reply::new(401, "Unauthorized");
        }
        Fault::Market => (400, "INVALID_ARGUMENT", "Invalid product_id"),
        Fault::Request | Fault::Order => (400, "INVALID_ARGUMENT", "Invalid request"),
        Fault::Call => (404, "NOT_FOUND", "Not Found"),
        Fault::Busy => (429, "RESOURCE_EXHAUSTED", "Too many requests"),
        Fault::Down => (503, "UNAVAILABLE", "Service unavailable"),
    };
    let body = json!({ "error": error, "error_details": message, "message": message });
    with_retry_after(Reply::new(status, body), refusal)
}

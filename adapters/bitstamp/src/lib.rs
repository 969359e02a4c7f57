//! The adapter of Bitstamp, spot market, interface version 2.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `X-Auth-Signature = hex(HMAC-SHA256(secret, text))`, the text being, without anything in between,
//! `BITSTAMP <key>`, `POST`, the host, `/api/v2/open_orders/btcusd/`, the nonce, the time in ms, `v2`. There is no
//! query and no body, and so no `Content-Type`: it would be part of the text. The nonce is a UUID, which the
//! exchange accepts once within the 150 seconds that a request lives.
//!
//! Sources: bitstamp.net/api, "Authentication" and "Open orders"; ccxt, `bitstamp.py`; hummingbot,
//! `bitstamp_auth.py`.

mod open_orders;

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

const ORIGIN: &str = "https://www.bitstamp.net";
const TEMPLATE: &str = "/api/v2/open_orders/{}/";
const CALL: &str = "open-orders";
/// The exchange allows its clock and the time that was signed to be this far apart.
const LIFETIME_MS: u64 = 150_000;
/// A UUID as text.
const UUID: usize = 36;
const REQ: [Declared; 3] = [
    fields::text("path", Chars::Visible),
    fields::text("nonce", Chars::Token).at_most(UUID),
    fields::digits("timestamp"),
];
const WORDING: Wording = Wording {
    throttled: &["400.002", "rate limit", "too many requests"],
    unavailable: &["maintenance"],
    misconfigured: &["invalid currency pair"],
};
const NOTES: [&str; 3] = [
    "The key needs \"Open orders\" for reading and must have nothing else.",
    "Each signed request needs a UUID of its own, and lives for two and a half minutes.",
    "A key bound to IP addresses works only if the pool's address is among them.",
];

/// Bitstamp, spot market.
pub struct Bitstamp;
alp_adapter::export!(Bitstamp);

impl Adapter for Bitstamp {
    fn describe() -> Description {
        let headers = ["X-Auth", "X-Auth-Signature", "X-Auth-Nonce", "X-Auth-Timestamp", "X-Auth-Version"];
        let call = Call { method: Method::Post, ..Call::get(CALL, TEMPLATE).headers(&headers) };
        Description {
            lifetime: Lifetime::Milliseconds(LIFETIME_MS),
            nonce: NonceKind::Uuid,
            single_use: true,
            binds: Binding::METHOD | Binding::HOST | Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("bitstamp", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, vec![call])
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let path = path(&query.market);
        let nonce = expect_uuid(&query.nonce)?;
        let text = signed_text(&query.user, query.host(ORIGIN), &path, nonce, &query.now_ms.to_string());
        let sign = sign::hex(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::text("path", path),
            Member::text("nonce", nonce),
            Member::number("timestamp", query.now_ms),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [signed_path, nonce, timestamp] = fields::take(&submission, REQ)?;
        fields::expect_market("path", signed_path, &path(&submission.market))?;
        let freshness = Freshness {
            nonce: Some(expect_uuid(nonce)?.to_owned()),
            ..Freshness::of_nonce("timestamp", timestamp)?
        };
        let user = fields::user(&submission, Chars::Visible)?;
        let request = Request::get(CALL, signed_path, Form::new())
            .header("X-Auth", &format!("BITSTAMP {user}"))
            .header("X-Auth-Signature", sign::expect_hex(&submission.sign, 32)?)
            .header("X-Auth-Nonce", nonce)
            .header("X-Auth-Timestamp", timestamp)
            .header("X-Auth-Version", "v2");
        let request = Request { method: Method::Post, ..request };
        let freshness = freshness.expiring(fields::whole("timestamp", timestamp)?, LIFETIME_MS);
        let signed = || signed_text(user, submission.host(ORIGIN), signed_path, nonce, timestamp);
        Ok(Started::send(&submission, request, freshness, signed))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let entries: Vec<&RawValue> = reply::decode::<_, ErrorReply>(&reply, &WORDING)?;
        let asked = symbol(&submission.market);
        Step::collect(entries.iter().map(|entry| open_orders::read(entry.get(), &asked)))
    }
}

/// The exchange words errors in three ways. A reason may be an object, with a list for each parameter.
#[derive(Deserialize)]
struct ErrorReply<'a> {
    #[serde(borrow, alias = "response_code", default)]
    code: Text<'a>,
    #[serde(borrow, alias = "error", alias = "response_explanation")]
    reason: &'a RawValue,
}

impl<'a> ErrorBody<'a> for ErrorReply<'a> {
    fn words(&self) -> Option<String> {
        let reason = self.reason.get();
        let reason =
            serde_json::from_str::<Text>(reason).map_or(reason.to_owned(), |text| text.as_str().to_owned());
        Some(if self.code.is_empty() { reason } else { format!("{}: {reason}", self.code.as_str()) })
    }
}

/// A UUID in lower case. The exchange takes nothing else, and keeps it to refuse a repetition.
fn expect_uuid(nonce: &str) -> Result<&str, Fault> {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    if nonce.len() == UUID && nonce.bytes().enumerate().all(fits) {
        return Ok(nonce);
    }
    Err(Fault::Unusable("the nonce should be a UUID in lower case, with hyphens".to_owned()))
}

fn symbol(market: &Market) -> String {
    format!("{}{}", market.base, market.quote).to_ascii_lowercase()
}

fn path(market: &Market) -> String {
    TEMPLATE.replace("{}", &symbol(market))
}

fn signed_text(user: &str, host: &str, path: &str, nonce: &str, timestamp: &str) -> String {
    format!("BITSTAMP {user}POST{host}{path}{nonce}{timestamp}v2")
}

//! The adapter of Indodax, the trade API at `/tapi`.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `Sign = hex(HMAC-SHA512(secret, body))`, the body being
//! `method=openOrders&pair=btc_idr&timestamp=<ms>&recvWindow=60000`, or `method=openOrders&pair=btc_idr&nonce=<n>`,
//! in this order. With a time, a request can be used again until `timestamp + recvWindow`; with a nonce, once.
//!
//! Sources: btcid, official API documentation, `Private-RestAPI.md`; ccxt, `indodax.py`.

mod open_order;

use alp_adapter::*;

use crate::open_order::Found;

const ORIGIN: &str = "https://indodax.com";
const PATH: &str = "/tapi";
const CALL: &str = "open-orders";
const COMMAND: &str = "openOrders";
/// The exchange knows no longest window: its own documentation has an example of fifty years. A request that
/// can be used again for longer than it takes to send it serves only who steals it, so a minute has to do.
const MAX_WINDOW_MS: u64 = 60_000;
const DEFAULT_WINDOW_MS: u64 = 5_000;
const REQ: [Declared; 5] = [
    fields::exactly("method", COMMAND),
    fields::text("pair", Chars::Symbol),
    fields::digits("timestamp").optional(),
    fields::digits("recvWindow").optional(),
    fields::digits("nonce").optional(),
];
const WORDING: Wording = Wording {
    throttled: &["too_many_requests", "Too many requests"],
    unavailable: &["maintenance"],
    misconfigured: &["Invalid pair", "invalid_pair"],
};
const NOTES: [&str; 3] = [
    "The key needs the permission \"view\" and must have nothing else.",
    "`recvWindow` can be 60000 at most: the exchange would take any, and the request could then be used again for \
     as long.",
    "With `nonce` in place of `timestamp`, use the key for the pool alone: a larger nonce from elsewhere makes a \
     waiting request worthless.",
];

/// Indodax.
pub struct Indodax;
alp_adapter::export!(Indodax);

impl Adapter for Indodax {
    fn describe() -> Description {
        let parameters = ["pair", "timestamp", "recvWindow", "nonce"];
        let call = Call::post_form(CALL, PATH).with_fixed("method", COMMAND).with(&parameters);
        let calls = vec![call.headers(&["Key", "Sign", "Content-Type"])];
        Description {
            lifetime: Lifetime::Milliseconds(MAX_WINDOW_MS),
            binds: Binding::PARAMETERS | Binding::MARKET,
            // Counted per pair, over all accounts; a request sees one pair only.
            order_ids: OrderIdScope::Exchange,
            ..Description::new("indodax", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let pair = pair(&query.market);
        let text = form(&pair, &query.now_ms.to_string(), &MAX_WINDOW_MS.to_string(), "").text();
        let sign = sign::hex(&sign::hmac_sha512(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::text("method", COMMAND),
            Member::text("pair", pair),
            Member::number("timestamp", query.now_ms),
            Member::number("recvWindow", MAX_WINDOW_MS),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [_method, signed_pair, timestamp, window, nonce] = fields::take(&submission, REQ)?;
        fields::expect_market("pair", signed_pair, &pair(&submission.market))?;
        let freshness = freshness(timestamp, window, nonce)?;
        let form = form(signed_pair, timestamp, window, nonce);
        let request = Request::post_form(CALL, PATH, form.clone())
            .header("Key", fields::user(&submission, Chars::Visible)?)
            .header("Sign", sign::expect_hex(&submission.sign, 64)?)
            .header("Content-Type", "application/x-www-form-urlencoded");
        Ok(Started::send(&submission, request, freshness, || form.text()))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let found = reply::decode_envelope::<Envelope>(&reply, &WORDING)?.found;
        let found = found.ok_or_else(|| Fault::Unreadable("the reply lacks `return`".to_owned()))?;
        let open = found.of_pair(&pair(&submission.market))?;
        let read = open.iter().map(|order| order.read_if_limit(&submission.market));
        Step::collect(read)
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    success: Text<'a>,
    #[serde(rename = "return")]
    found: Option<Found<'a>>,
    #[serde(default)]
    error: Text<'a>,
    #[serde(default)]
    error_code: Text<'a>,
}

impl<'a> ErrorBody<'a> for Envelope<'a> {
    fn words(&self) -> Option<String> {
        match (self.success.as_str(), self.error_code.as_str()) {
            ("1", _) => None,
            (_, "") => Some(self.error.as_str().to_owned()),
            (_, code) => Some(format!("{code}: {}", self.error.as_str())),
        }
    }
}

/// A request is made fresh by a time, with or without a window, or else by a nonce.
fn freshness(timestamp: &str, window: &str, nonce: &str) -> Result<Freshness, Fault> {
    if !nonce.is_empty() && timestamp.is_empty() && window.is_empty() {
        return Freshness::of_nonce("nonce", nonce);
    }
    if timestamp.is_empty() || !nonce.is_empty() {
        let right = "`req` should have either `timestamp`, with or without `recvWindow`, or else `nonce`";
        return Err(Fault::Unusable(right.to_owned()));
    }
    let signed_ms = fields::whole("timestamp", timestamp)?;
    let window_ms = if window.is_empty() { DEFAULT_WINDOW_MS } else { fields::whole("recvWindow", window)? };
    if window_ms > MAX_WINDOW_MS {
        return Err(Fault::Unusable(format!("`req.recvWindow` should be at most {MAX_WINDOW_MS}")));
    }
    Ok(Freshness::of_nonce("timestamp", timestamp)?.expiring(signed_ms, window_ms))
}

fn pair(market: &Market) -> String {
    format!("{}_{}", market.base, market.quote).to_ascii_lowercase()
}

fn form(pair: &str, timestamp: &str, window: &str, nonce: &str) -> Form {
    let form = Form::new().with("method", COMMAND).with("pair", pair);
    form.with_some("timestamp", timestamp).with_some("recvWindow", window).with_some("nonce", nonce)
}

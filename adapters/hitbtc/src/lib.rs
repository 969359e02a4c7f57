//! The adapter of HitBTC, spot market, interface version 3.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `signature = hex(HMAC-SHA256(secret, text))`, the text being
//! `GET/api/3/spot/order?symbol=BTCUSDT<ms><window>`. What is sent is
//! `Authorization: HS256 base64(key:signature:<ms>:<window>)`. No nonce: a request can be used again within its
//! window. (The exchange also takes the key and the secret themselves in this header; this adapter never does.)
//!
//! Sources: api.hitbtc.com, "Authentication" and "Get all active spot orders"; ccxt, `hitbtc.py`.

mod open_orders;

use alp_adapter::*;

use crate::open_orders::OpenOrder;

const ORIGIN: &str = "https://api.hitbtc.com";
const PATH: &str = "/api/3/spot/order";
const CALL: &str = "open-orders";
/// The longest window that the exchange accepts, and the one it takes if none is given.
const MAX_WINDOW_MS: u64 = 60_000;
const DEFAULT_WINDOW_MS: u64 = 10_000;
const REQ: [Declared; 3] = [
    fields::text("symbol", Chars::Capitals),
    fields::digits("timestamp"),
    fields::digits("window").optional(),
];
const WORDING: Wording = Wording {
    throttled: &["code 429:"],
    unavailable: &["code 500:", "code 503:", "code 504:", "code 20010:"],
    misconfigured: &["code 2001:"],
};
const NOTES: [&str; 3] = [
    "The key needs the right to read orders and must not have the right to place or cancel them.",
    "A signed request lives for its window, a minute at most.",
    "A key bound to IP addresses works only if the pool's address is among them.",
];

/// HitBTC, spot market.
pub struct Hitbtc;
alp_adapter::export!(Hitbtc);

impl Adapter for Hitbtc {
    fn describe() -> Description {
        let calls = vec![Call::get(CALL, PATH).with(&["symbol"]).headers(&["Authorization"])];
        Description {
            lifetime: Lifetime::Milliseconds(MAX_WINDOW_MS),
            binds: Binding::METHOD | Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("hitbtc", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let symbol = symbol(&query.market);
        let text = signed_text(&form(&symbol), &query.now_ms.to_string(), &MAX_WINDOW_MS.to_string());
        let sign = sign::hex(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::text("symbol", symbol),
            Member::number("timestamp", query.now_ms),
            Member::number("window", MAX_WINDOW_MS),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [signed_symbol, timestamp, window] = fields::take(&submission, REQ)?;
        fields::expect_market("symbol", signed_symbol, &symbol(&submission.market))?;
        let signed_ms = fields::whole("timestamp", timestamp)?;
        let window_ms = if window.is_empty() { DEFAULT_WINDOW_MS } else { fields::whole("window", window)? };
        if window_ms > MAX_WINDOW_MS {
            return Err(Fault::Unusable(format!("`req.window` should be at most {MAX_WINDOW_MS}")));
        }
        let freshness = Freshness::of_nonce("timestamp", timestamp)?.expiring(signed_ms, window_ms);
        let form = form(signed_symbol);
        // No character of these can be a colon, which is what tells the parts apart.
        let user = fields::user(&submission, Chars::Token)?;
        let mut parts = vec![user, sign::expect_hex(&submission.sign, 32)?, timestamp];
        parts.extend(Some(window).filter(|window| !window.is_empty()));
        let token = sign::base64(parts.join(":").as_bytes());
        let request =
            Request::get(CALL, PATH, form.clone()).header("Authorization", &format!("HS256 {token}"));
        Ok(Started::send(&submission, request, freshness, || signed_text(&form, timestamp, window)))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let asked = symbol(&submission.market);
        let open: Vec<OpenOrder> = reply::decode::<_, ErrorReply>(&reply, &WORDING)?;
        let counted = open.iter().filter(|order| order.is_counted(&asked));
        Step::collect(counted.map(OpenOrder::read))
    }
}

#[derive(Deserialize)]
struct ErrorReply<'a> {
    #[serde(borrow)]
    error: Reason<'a>,
}

#[derive(Deserialize)]
struct Reason<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(default)]
    message: Text<'a>,
    #[serde(default)]
    description: Text<'a>,
}

impl<'a> ErrorBody<'a> for ErrorReply<'a> {
    fn words(&self) -> Option<String> {
        let Reason { code, message, description } = &self.error;
        let words = format!("code {}: {}. {}", code.as_str(), message.as_str(), description.as_str());
        Some(words.trim_end_matches([' ', '.']).to_owned())
    }
}

fn symbol(market: &Market) -> String {
    format!("{}{}", market.base, market.quote)
}

fn form(symbol: &str) -> Form {
    Form::new().with("symbol", symbol)
}

fn signed_text(form: &Form, timestamp: &str, window: &str) -> String {
    format!("{}{timestamp}{window}", form.url("GET", PATH))
}

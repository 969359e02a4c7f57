//! The adapter of Poloniex, spot market, the interface since 2022.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `signature = base64(HMAC-SHA256(secret, text))`, the text being three lines: `GET`, `/orders`, and the
//! query together with the time, sorted by name: `limit=2000&signTimestamp=<ms>&symbol=BTC_USDT`. The time itself
//! goes into a header. The exchange's `recvWindow` is a header that is not signed; it is left out, and then nothing
//! expires and nothing is used up.
//!
//! Sources: api-docs.poloniex.com/spot, "Authentication" and "Open orders"; polo-sdk-python, `request.py`; ccxt,
//! `poloniex.py`.

mod open_orders;

use alp_adapter::*;

use crate::open_orders::OpenOrder;

const ORIGIN: &str = "https://api.poloniex.com";
const PATH: &str = "/orders";
const CALL: &str = "open-orders";
/// The largest page that the exchange sends, as it stands in the query.
const PAGE: &str = "2000";
const PAGE_ORDERS: usize = 2000;
const REQ: [Declared; 3] =
    [fields::exactly("limit", PAGE), fields::text("symbol", Chars::Symbol), fields::digits("signTimestamp")];
const WORDING: Wording = Wording {
    throttled: &["code 429:", "too many requests"],
    unavailable: &["code 500:", "code 603:"],
    misconfigured: &["code 24101:"],
};
const NOTES: [&str; 4] = [
    "The key needs \"Read\" and must have nothing else.",
    "A signed request has no documented expiry: who sees it can read these orders for as long as the key lives.",
    "A key bound to IP addresses works only if the pool's address is among them.",
    "The first 2000 open orders of the market are seen.",
];

/// Poloniex, spot market.
pub struct Poloniex;
alp_adapter::export!(Poloniex);

impl Adapter for Poloniex {
    fn describe() -> Description {
        let call = Call::get(CALL, PATH).with_fixed("limit", PAGE).with(&["symbol"]);
        let calls = vec![call.headers(&["key", "signTimestamp", "signature"])];
        Description {
            binds: Binding::METHOD | Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("poloniex", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let symbol = symbol(&query.market);
        let text = signed_text(&form(&symbol), &query.now_ms.to_string());
        let sign = sign::base64(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::text("limit", PAGE),
            Member::text("symbol", symbol),
            Member::number("signTimestamp", query.now_ms),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [_limit, signed_symbol, timestamp] = fields::take(&submission, REQ)?;
        fields::expect_market("symbol", signed_symbol, &symbol(&submission.market))?;
        let freshness = Freshness::of_nonce("signTimestamp", timestamp)?;
        let form = form(signed_symbol);
        let request = Request::get(CALL, PATH, form.clone())
            .header("key", fields::user(&submission, Chars::Visible)?)
            .header("signTimestamp", timestamp)
            .header("signature", sign::expect_base64(&submission.sign, 32)?);
        Ok(Started::send(&submission, request, freshness, || signed_text(&form, timestamp)))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let asked = symbol(&submission.market);
        let open: Vec<OpenOrder> = reply::decode::<_, ErrorReply>(&reply, &WORDING)?;
        let counted = open.iter().filter(|order| order.is_counted(&asked));
        Ok(Step::collect(counted.map(OpenOrder::read))?.of_page(open.len(), PAGE_ORDERS))
    }
}

#[derive(Deserialize)]
struct ErrorReply<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(default)]
    message: Text<'a>,
}

impl<'a> ErrorBody<'a> for ErrorReply<'a> {
    fn words(&self) -> Option<String> {
        Some(format!("code {}: {}", self.code.as_str(), self.message.as_str()))
    }
}

/// The base currency comes first, other than in the legacy interface.
fn symbol(market: &Market) -> String {
    format!("{}_{}", market.base, market.quote)
}

fn form(symbol: &str) -> Form {
    Form::new().with("limit", PAGE).with("symbol", symbol)
}

fn signed_text(form: &Form, timestamp: &str) -> String {
    format!("GET\n{PATH}\n{}", form.clone().with("signTimestamp", timestamp).sorted().text())
}

//! The adapter of Coinbase Advanced Trade, interface version 3.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `sign` is a JSON Web Token, ES256, with the key's name in `kid` and `sub` and with the claim
//! `uri = "GET api.coinbase.com/api/v3/brokerage/orders/historical/batch"`. The query is not signed, so one token
//! serves for several pages, and `req` says nothing that the adapter does not say itself. A token lives for two
//! minutes at most. It is not verified here, since only the exchange has the public key.
//!
//! Sources: docs.cdp.coinbase.com, "API key authentication" and "List orders"; ccxt, `coinbase.py`; hummingbot,
//! `coinbase_advanced_trade_auth.py`.

mod open_orders;
mod pages;
mod token;

use alp_adapter::*;

use crate::open_orders::Page;
use crate::pages::Pages;

const ORIGIN: &str = "https://api.coinbase.com";
const PATH: &str = "/api/v3/brokerage/orders/historical/batch";
const CALL: &str = "open-orders";
/// Orders of one page.
const PAGE: &str = "250";
const REQ: [Declared; 3] = [
    fields::exactly("order_status", "OPEN"),
    fields::text("product_ids", Chars::Symbol),
    fields::exactly("limit", PAGE),
];
const WORDING: Wording = Wording {
    throttled: &["RESOURCE_EXHAUSTED", "rate limit"],
    unavailable: &["UNAVAILABLE:", "INTERNAL:"],
    misconfigured: &["product_id"],
};
const NOTES: [&str; 5] = [
    "The key needs \"View\" and must have nothing else. It is a CDP key for ES256 (ECDSA); its secret is the private \
                 key in PEM. A token that was made elsewhere with an Ed25519 key is accepted, too.",
    "The token does not fix what is asked about orders: the pool could read the account's history of orders with it \
                 for two minutes. It asks for the open orders of one market.",
    "A key bound to IP addresses works only if the pool's address is among them.",
    "The first 750 open orders of the market are seen, in up to three requests with the same token.",
    "Only orders of the very market count: those of BTC-USDC do not count for BTC-USD.",
];

/// Coinbase Advanced Trade.
pub struct CoinbaseAdvanced;
alp_adapter::export!(CoinbaseAdvanced);

impl Adapter for CoinbaseAdvanced {
    fn describe() -> Description {
        let call = Call::get(CALL, PATH).with_fixed("order_status", "OPEN").with_fixed("limit", PAGE);
        let calls = vec![call.with(&["product_ids", "cursor"]).headers(&["Authorization", "Content-Type"])];
        Description {
            lifetime: Lifetime::Milliseconds(token::LIFETIME_S * 1000),
            nonce: NonceKind::Hex,
            binds: Binding::METHOD | Binding::HOST | Binding::PATH,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("coinbase_advanced", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let sign = token::sign(&query, &uri(query.host(ORIGIN)))?;
        let members = [
            Member::text("order_status", "OPEN"),
            Member::text("product_ids", product(&query.market)),
            Member::number("limit", 250),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [_status, stated_product, _limit] = fields::take(&submission, REQ)?;
        fields::expect_market("product_ids", stated_product, &product(&submission.market))?;
        fields::user(&submission, Chars::Visible)?;
        let (freshness, signed) = token::check(&submission, &uri(submission.host(ORIGIN)))?;
        Ok(Started::send(&submission, request(&submission, ""), freshness, || signed.to_owned()))
    }

    fn resume(submission: Submission, state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let mut pages = Pages::of_notes(&state)?;
        let page: Page = match reply::decode::<_, ErrorReply>(&reply, &WORDING) {
            Ok(page) => page,
            // Should the exchange take a token only once, the first page is still worth something.
            Err(Fault::Refused(_)) if pages.is_begun() => return Ok(pages.done(true)),
            Err(fault) => return Err(fault),
        };
        let asked = product(&submission.market);
        for order in page.orders.iter().filter(|order| order.is_counted(&asked)) {
            pages.add(order.read()?);
        }
        if !page.has_next() {
            return Ok(pages.done(false));
        }
        let Some(state) = pages.notes_for(page.cursor.as_str()) else { return Ok(pages.done(true)) };
        Ok(Step::Send(Pending { request: request(&submission, page.cursor.as_str()), state }))
    }
}

#[derive(Deserialize)]
struct ErrorReply<'a> {
    #[serde(borrow)]
    error: Text<'a>,
    #[serde(default)]
    message: Text<'a>,
}

impl<'a> ErrorBody<'a> for ErrorReply<'a> {
    fn words(&self) -> Option<String> {
        Some(format!("{}: {}", self.error.as_str(), self.message.as_str()))
    }
}

fn product(market: &Market) -> String {
    format!("{}-{}", market.base, market.quote)
}

/// What the token has to be for.
fn uri(host: &str) -> String {
    format!("GET {host}{PATH}")
}

/// The request for the page that begins at this cursor.
fn request(submission: &Submission, cursor: &str) -> Request {
    let query = Form::new().with("order_status", "OPEN").with("product_ids", &product(&submission.market));
    Request::get(CALL, PATH, query.with("limit", PAGE).with_some("cursor", cursor))
        .header("Authorization", &format!("Bearer {}", submission.sign))
        .header("Content-Type", "application/json")
}

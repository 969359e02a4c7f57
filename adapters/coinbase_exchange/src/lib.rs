//! The adapter of Coinbase Exchange (before: Pro, GDAX).
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `CB-ACCESS-SIGN = base64(HMAC-SHA256(base64_decode(secret), text))`, the text being
//! `<seconds>GET/orders?product_id=BTC-USD&status=open&limit=1000`, the query in this order. The passphrase is sent
//! as it is. No nonce: a request can be used again for half a minute.
//!
//! Sources: docs.cdp.coinbase.com, Exchange, "REST API authentication" and "Get all orders"; ccxt,
//! `coinbaseexchange.py`; XChange, `xchange-coinbasepro`.

mod open_orders;

use alp_adapter::*;

use crate::open_orders::OpenOrder;

const ORIGIN: &str = "https://api.exchange.coinbase.com";
const PATH: &str = "/orders";
const CALL: &str = "open-orders";
/// The exchange's entrance turns away who does not say what it is.
const USER_AGENT: &str = "pool";
/// The exchange allows its clock and the time that was signed to be this far apart.
const LIFETIME_MS: u64 = 30_000;
/// The largest page that the exchange sends, as it stands in the query.
const PAGE: &str = "1000";
const PAGE_ORDERS: usize = 1000;
const REQ: [Declared; 5] = [
    fields::text("product_id", Chars::Symbol),
    fields::exactly("status", "open"),
    fields::exactly("limit", PAGE),
    fields::text("timestamp", Chars::Token),
    fields::text("passphrase", Chars::Visible),
];
const WORDING: Wording = Wording {
    throttled: &["rate limit exceeded"],
    unavailable: &["under maintenance"],
    misconfigured: &["Product not found", "Trading pair not available"],
};
const NOTES: [&str; 5] = [
    "The key must have \"View\" and nothing else. This is a matter of safety: the pool sees the passphrase, which \
                 together with the secret is full access.",
    "A signed request lives for half a minute: sign anew for each submission, with a clock that is right.",
    "A key bound to IP addresses works only if the pool's address is among them.",
    "Only the orders of the key's own profile are seen, and the first 1000 open orders of the market.",
    "Orders that show a part of themselves only (`max_floor`) do not count.",
];

/// Coinbase Exchange.
pub struct CoinbaseExchange;
alp_adapter::export!(CoinbaseExchange);

impl Adapter for CoinbaseExchange {
    fn describe() -> Description {
        let headers =
            ["CB-ACCESS-KEY", "CB-ACCESS-SIGN", "CB-ACCESS-TIMESTAMP", "CB-ACCESS-PASSPHRASE", "User-Agent"];
        let call = Call::get(CALL, PATH).with(&["product_id"]).with_fixed("status", "open");
        let calls = vec![call.with_fixed("limit", PAGE).headers(&headers)];
        let passphrase = "The passphrase that was chosen when the key was made.";
        Description {
            lifetime: Lifetime::Milliseconds(LIFETIME_MS),
            binds: Binding::METHOD | Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            credential_parameters: vec![ParameterNeed::required("passphrase", passphrase)],
            ..Description::new("coinbase_exchange", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (product, timestamp) = (product(&query.market), (query.now_ms / 1000).to_string());
        let text = signed_text(&form(&product), &timestamp);
        let key = sign::base64_secret(&query.secret)?;
        let sign = sign::base64(&sign::hmac_sha256(&key, text.as_bytes()));
        let members = [
            Member::text("product_id", product),
            Member::text("status", "open"),
            Member::number("limit", 1000),
            Member::text("timestamp", timestamp),
            Member::text("passphrase", query.required("passphrase")?),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [signed_product, _status, _limit, timestamp, passphrase] = fields::take(&submission, REQ)?;
        fields::expect_market("product_id", signed_product, &product(&submission.market))?;
        let signed_ms = time::seconds_ms(timestamp).ok_or_else(|| {
            Fault::Unusable("`req.timestamp` should be the Unix time in seconds, as a text".to_owned())
        })?;
        let freshness =
            Freshness { nonce: Some(timestamp.to_owned()), rising: Some(signed_ms), expires_ms: None };
        let form = form(signed_product);
        let request = Request::get(CALL, PATH, form.clone())
            .header("CB-ACCESS-KEY", fields::user(&submission, Chars::Visible)?)
            .header("CB-ACCESS-SIGN", sign::expect_base64(&submission.sign, 32)?)
            .header("CB-ACCESS-TIMESTAMP", timestamp)
            .header("CB-ACCESS-PASSPHRASE", passphrase)
            .header("User-Agent", USER_AGENT);
        let freshness = freshness.expiring(signed_ms, LIFETIME_MS);
        Ok(Started::send(&submission, request, freshness, || signed_text(&form, timestamp)))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let asked = product(&submission.market);
        let open: Vec<OpenOrder> = reply::decode::<_, ErrorReply>(&reply, &WORDING)?;
        let counted = open.iter().filter(|order| order.is_counted(&asked));
        Ok(Step::collect(counted.map(OpenOrder::read))?.of_page(open.len(), PAGE_ORDERS))
    }
}

#[derive(Deserialize)]
struct ErrorReply {
    message: String,
}

impl ErrorBody<'_> for ErrorReply {
    fn words(&self) -> Option<String> {
        Some(self.message.clone())
    }
}

fn product(market: &Market) -> String {
    format!("{}-{}", market.base, market.quote)
}

fn form(product: &str) -> Form {
    Form::new().with("product_id", product).with("status", "open").with("limit", PAGE)
}

fn signed_text(form: &Form, timestamp: &str) -> String {
    form.url(&format!("{timestamp}GET"), PATH)
}

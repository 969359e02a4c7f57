//! The adapter of the test exchange, an exchange that exists only for demonstrations and tests.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `X-Sign = hex(HMAC-SHA256(secret, "GET\n/api/v1/open-orders\n" + query))`, where the query is
//! `market=NBT_BTC&nonce=<ms>&timestamp=<ms>`, in this order. Nonces rise per key, the time is checked to 60 s.
//!
//! Source: `README.md` in this folder, which defines the protocol.

use alp_adapter::*;

const ORIGIN: &str = "http://127.0.0.1:3334";
const PATH: &str = "/api/v1/open-orders";
const CALL: &str = "open-orders";
/// How far the timestamp can be from the exchange's clock.
const WINDOW_MS: u64 = 60_000;
const REQ: [Declared; 3] =
    [fields::text("market", Chars::Symbol), fields::digits("nonce"), fields::digits("timestamp")];
const WORDING: Wording =
    Wording { throttled: &["throttled"], unavailable: &["down"], misconfigured: &["unknown-market"] };
const NOTES: [&str; 2] = [
    "This exchange exists only for demonstrations and tests; nothing on it is worth anything.",
    "Use a key for the pool alone: a larger nonce from elsewhere makes a waiting request worthless.",
];

/// The test exchange.
pub struct TestExchange;
alp_adapter::export!(TestExchange);

impl Adapter for TestExchange {
    fn describe() -> Description {
        let call =
            Call::get(CALL, PATH).with(&["market", "nonce", "timestamp"]).headers(&["X-Key", "X-Sign"]);
        let calls = vec![call];
        Description {
            lifetime: Lifetime::Milliseconds(WINDOW_MS),
            nonce: NonceKind::Milliseconds,
            single_use: true,
            binds: Binding::METHOD | Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("test_exchange", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (market, nonce) = (market(&query.market), fields::whole_nonce(&query)?);
        let text = signed_text(&form(&market, &nonce.to_string(), &query.now_ms.to_string()));
        let sign = sign::hex(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::text("market", market),
            Member::number("nonce", nonce),
            Member::number("timestamp", query.now_ms),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [signed_market, nonce, timestamp] = fields::take(&submission, REQ)?;
        fields::expect_market("market", signed_market, &market(&submission.market))?;
        let signed_ms = fields::whole("timestamp", timestamp)?;
        let freshness = Freshness::of_nonce("nonce", nonce)?.expiring(signed_ms, WINDOW_MS);
        let form = form(signed_market, nonce, timestamp);
        let request = Request::get(CALL, PATH, form.clone())
            .header("X-Key", fields::user(&submission, Chars::Visible)?)
            .header("X-Sign", sign::expect_hex(&submission.sign, 32)?);
        Ok(Started::send(&submission, request, freshness, || signed_text(&form)))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let asked = market(&submission.market);
        let list: OpenOrders = reply::decode::<_, ErrorReply>(&reply, &WORDING)?;
        let counted =
            list.orders.iter().filter(|order| order.market == asked.as_str() && order.kind == "limit");
        Step::collect(counted.map(OpenOrder::read))
    }
}

#[derive(Deserialize)]
struct OpenOrders<'a> {
    #[serde(borrow)]
    orders: Vec<OpenOrder<'a>>,
}

#[derive(Deserialize)]
struct OpenOrder<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    market: Text<'a>,
    side: Text<'a>,
    #[serde(rename = "type")]
    kind: Text<'a>,
    price: Text<'a>,
    amount: Text<'a>,
    filled: Text<'a>,
    opened_ms: Text<'a>,
}

impl OpenOrder<'_> {
    fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "buy", "sell")?;
        let left = self.amount.decimal("amount")?.minus(&self.filled.decimal("filled")?)?;
        let opened_ms = time::whole_ms(self.opened_ms.as_str());
        order::open(self.id.as_str(), side, &self.price.decimal("price")?, &left, opened_ms)
    }
}

#[derive(Deserialize)]
struct ErrorReply {
    error: String,
    message: String,
}

impl ErrorBody<'_> for ErrorReply {
    fn words(&self) -> Option<String> {
        Some(format!("{}: {}", self.error, self.message))
    }
}

fn market(market: &Market) -> String {
    format!("{}_{}", market.base, market.quote)
}

fn form(market: &str, nonce: &str, timestamp: &str) -> Form {
    Form::new().with("market", market).with("nonce", nonce).with("timestamp", timestamp)
}

fn signed_text(form: &Form) -> String {
    format!("GET\n{PATH}\n{}", form.text())
}

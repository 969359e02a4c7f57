//! The adapter of ExampleExchange, spot market.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `Api-Sign = hex(HMAC-SHA256(secret, "GET/v1/open-orders?market=BTC-USD&timestamp=<ms>"))`. No nonce: a
//! request can be used again until `timestamp` is half a minute old.
//!
//! Sources: write here which pages of the exchange's documentation you read, and when.
//!
//! What is here is the adapter of an exchange that does not exist. It works as it stands: go through it from top to
//! bottom, and replace each part by what your exchange does. The comments that begin with "1." to "7." say what to
//! look for. Keep `fixtures/` in step: every change of what is sent or read begins with a fixture that fails.

use alp_adapter::*;

// 1. Where requests go. The pool sends a request only if it is one of the calls that `describe` declares below.
const ORIGIN: &str = "https://api.example.com";
const PATH: &str = "/v1/open-orders";
const CALL: &str = "open-orders";
/// For how long the exchange accepts a request after `timestamp`, as its documentation says.
const LIFETIME_MS: u64 = 30_000;

// 2. What an LP's client posts in `req`: every parameter that is signed, each with the characters it can have. A
//    member that is not declared here is refused by `fields::take`, so a stranger cannot have the pool send anything
//    else. `fields::digits` is a whole number, `fields::text` a text, `fields::exactly` a value that can only be one.
const REQ: [Declared; 2] = [fields::text("market", Chars::Symbol), fields::digits("timestamp")];

// 3. How the exchange words its failures: parts of its error texts. What matches none is a refusal, which is the
//    bot's to mend; so a throttle, an outage and an unknown market have to be named here.
const WORDING: Wording = Wording {
    throttled: &["rate_limit"],
    unavailable: &["maintenance"],
    misconfigured: &["unknown_market"],
};

// 4. What an LP must know, a sentence each: which permissions the key needs and which it must not have, whether it can
//    be used for anything else, how many orders are seen.
const NOTES: [&str; 1] = ["The key needs the permission to read orders and must have no other."];

/// ExampleExchange, spot market.
pub struct ExampleExchange;
alp_adapter::export!(ExampleExchange);

impl Adapter for ExampleExchange {
    // 5. Who this is. `binds` says what a signature fixes: leave out what the exchange does not sign. With a nonce,
    //    add `nonce: NonceKind::Milliseconds` and `single_use: true`, and take it from `fields::whole_nonce(&query)`.
    fn describe() -> Description {
        let calls =
            vec![Call::get(CALL, PATH).with(&["market", "timestamp"]).headers(&["Api-Key", "Api-Sign"])];
        Description {
            lifetime: Lifetime::Milliseconds(LIFETIME_MS),
            binds: Binding::METHOD | Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            // `Exchange` if no two orders of the exchange have the same id; this is the careful answer.
            order_ids: OrderIdScope::Account,
            ..Description::new("example_exchange", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    // 6. The three functions. `sign` runs on the LP's machine, where the secret is: it makes `req` and `sign`.
    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let market = name(&query.market);
        let text = signed_text(&form(&market, &query.now_ms.to_string()));
        let sign = sign::hex(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
        let members = [Member::text("market", market), Member::number("timestamp", query.now_ms)];
        Ok(Signed::new(members, sign))
    }

    //    `start` runs in the pool: it takes what was declared, checks that the market that was signed is the one that
    //    the LP is to be credited for, and says which request to send. It builds the request from its own constants.
    fn start(submission: Submission) -> Result<Started, Fault> {
        let [signed_market, timestamp] = fields::take(&submission, REQ)?;
        fields::expect_market("market", signed_market, &name(&submission.market))?;
        let signed_ms = fields::whole("timestamp", timestamp)?;
        let freshness = Freshness::of_nonce("timestamp", timestamp)?.expiring(signed_ms, LIFETIME_MS);
        let form = form(signed_market, timestamp);
        let request = Request::get(CALL, PATH, form.clone())
            .header("Api-Key", fields::user(&submission, Chars::Visible)?)
            .header("Api-Sign", sign::expect_hex(&submission.sign, 32)?);
        Ok(Started::send(&submission, request, freshness, || signed_text(&form)))
    }

    //    `resume` reads the reply. `reply::decode` sorts outages, throttles, web pages and error texts into the right
    //    fault. What is left are orders: only open limit orders of the market that was asked for count.
    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let asked = name(&submission.market);
        let list: OpenOrders = reply::decode::<_, ErrorReply>(&reply, &WORDING)?;
        let counted =
            list.orders.iter().filter(|order| order.market == asked.as_str() && order.kind == "limit");
        Step::collect(counted.map(OpenOrder::read))
    }
}

// 7. The reply, as the exchange documents it. `Text` takes strings and numbers alike and keeps every digit; prices and
//    amounts are never binary floats. An amount is what is *left* of the order, in the base currency.
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
    created_at: Text<'a>,
}

impl OpenOrder<'_> {
    fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "buy", "sell")?;
        let left = self.amount.decimal("amount")?.minus(&self.filled.decimal("filled")?)?;
        let opened_ms = time::iso_ms(self.created_at.as_str());
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

/// The exchange's name of a market: `BTC-USD`.
fn name(market: &Market) -> String {
    format!("{}-{}", market.base, market.quote)
}

/// What is sent and signed, in this order.
fn form(market: &str, timestamp: &str) -> Form {
    Form::new().with("market", market).with("timestamp", timestamp)
}

fn signed_text(form: &Form) -> String {
    format!("GET{PATH}?{}", form.text())
}

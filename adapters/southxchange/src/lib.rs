//! The adapter of SouthXchange.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `Hash = hex(HMAC-SHA512(secret, body))`, the body being JSON, `{"nonce": <ms>, "key": "<user>"}`, which
//! is sent as it was signed, blanks and all: `req` has it as a text. Nonces rise per key; there is no clock. The
//! call has no market: every order is filtered. A market that is listed the other way round is turned.
//!
//! Sources: nu-pool, `exchanges.py`; ccxt 1.18, `southxchange.py`; hummingbot.

use alp_adapter::*;

const ORIGIN: &str = "https://www.southxchange.com";
const PATH: &str = "/api/listOrders";
const CALL: &str = "open-orders";
/// The longest key with its name, a nonce with its own, and blanks.
const MAX_BODY_BYTES: usize = 512;
const REQ: [Declared; 1] = [fields::text("data", Chars::Printable).at_most(MAX_BODY_BYTES)];
/// No error texts of this exchange are on record.
const WORDING: Wording = Wording { throttled: &[], unavailable: &[], misconfigured: &[] };
const NOTES: [&str; 3] = [
    "The key needs the permission to list orders and must have nothing else: the signature does not fix the call, \
     so who sees it in time can make one other call that needs no parameter.",
    "Use the key for the pool alone: a larger nonce from elsewhere makes a waiting request worthless.",
    "Where the exchange lists the market the other way round, prices are inverted and rounded to eight decimals.",
];

/// SouthXchange.
pub struct SouthXchange;
alp_adapter::export!(SouthXchange);

impl Adapter for SouthXchange {
    fn describe() -> Description {
        let calls = vec![Call::post_text(CALL, PATH).headers(&["Hash", "Content-Type"])];
        Description {
            lifetime: Lifetime::UntilNextNonce,
            nonce: NonceKind::Milliseconds,
            single_use: true,
            binds: Binding::PARAMETERS,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("southxchange", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (key, nonce) = (serde_json::Value::from(query.user.as_str()), fields::whole_nonce(&query)?);
        let body = format!("{{\"nonce\": {nonce}, \"key\": {key}}}");
        let sign = sign::hex(&sign::hmac_sha512(query.secret.as_bytes(), body.as_bytes()));
        Ok(Signed::new([Member::text("data", body)], sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [body] = fields::take(&submission, REQ)?;
        let nonce = read_nonce(body, fields::user(&submission, Chars::Visible)?)?;
        let freshness = Freshness::of_nonce("data", &nonce)?;
        let request = Request::post_text(CALL, PATH, body)
            .header("Hash", sign::expect_hex(&submission.sign, 64)?)
            .header("Content-Type", "application/json");
        Ok(Started::send(&submission, request, freshness, || body.to_owned()))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let open: Vec<OpenOrder> = reply::decode::<_, ErrorReply>(&reply, &WORDING)?;
        Step::collect(open.iter().map(|order| order.read_if_counted(&submission.market)))
    }
}

/// What was signed. A body with anything else in it is refused: it could ask for more than the open orders.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    nonce: Text<'a>,
    key: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OpenOrder<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(rename = "Type")]
    side: Text<'a>,
    amount: Text<'a>,
    limit_price: Text<'a>,
    listing_currency: Text<'a>,
    reference_currency: Text<'a>,
}

impl OpenOrder<'_> {
    /// The amount is in the listing currency, the price in the reference currency for one of the listing currency.
    fn read_if_counted(&self, market: &Market) -> Result<Option<Order>, Fault> {
        let listed = (self.listing_currency.as_str(), self.reference_currency.as_str());
        let (base, quote) = (market.base.as_str(), market.quote.as_str());
        let id = self.code.as_str();
        let (price, amount) = (self.limit_price.decimal("LimitPrice")?, self.amount.decimal("Amount")?);
        if listed == (base, quote) {
            return order::open(id, order::side(self.side.as_str(), "buy", "sell")?, &price, &amount, None);
        }
        if listed != (quote, base) {
            return Ok(None);
        }
        // Who sells the quote currency buys the base currency.
        let side = order::side(self.side.as_str(), "sell", "buy")?;
        order::open(id, side, &price.inverse()?, &amount.times(&price)?, None)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorReply {
    message: String,
}

impl ErrorBody<'_> for ErrorReply {
    fn words(&self) -> Option<String> {
        Some(self.message.clone())
    }
}

fn read_nonce(body: &str, user: &str) -> Result<String, Fault> {
    let is_object = body.starts_with('{');
    let body = serde_json::from_str::<Body>(body).ok().filter(|body| is_object && body.key == user);
    let nonce = body.map(|body| body.nonce.as_str().to_owned());
    nonce.filter(|nonce| nonce.bytes().all(|byte| byte.is_ascii_digit())).ok_or_else(|| {
        let right = "`req.data` should be the JSON text that was signed: `nonce`, a whole number, and `key`, the \
                     same as `user`, and nothing else";
        Fault::Unusable(right.to_owned())
    })
}

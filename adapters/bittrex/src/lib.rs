//! The adapter of Bittrex, interface version 1.1.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `apisign = hex(HMAC-SHA512(secret, url))`, the URL being whole, host and query included:
//! `https://bittrex.com/api/v1.1/market/getopenorders?apikey=K&nonce=<ms>&market=BTC-NBT`, in this order. Nothing
//! expires and nothing is used up. The older form of a submission, one signed URL per order, is in `single`.
//!
//! Sources: bittrex.github.io, API v1.1; ccxt 1.18, `bittrex.py`; NuBot, `BittrexWrapper.java`; creon, nu-pool.

mod single;

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

const ORIGIN: &str = "https://bittrex.com";
const PATH: &str = "/api/v1.1/market/getopenorders";
const CALL: &str = "open-orders";
const REQ: [Declared; 2] = [fields::text("market", Chars::Symbol), fields::digits("nonce")];
const WORDING: Wording =
    Wording { throttled: &["throttled"], misconfigured: &["INVALID_MARKET"], unavailable: &[] };
const NOTES: [&str; 3] = [
    "The key needs \"read info\" and must have nothing else.",
    "A signed request never expires: who sees it can read these orders for ever.",
    "With `uuids`, only these orders are seen, two at most.",
];

/// Bittrex, interface version 1.1.
pub struct Bittrex;
alp_adapter::export!(Bittrex);

impl Adapter for Bittrex {
    fn describe() -> Description {
        let list = Call::get(CALL, PATH).with(&["apikey", "nonce", "market"]).headers(&["apisign"]);
        Description {
            nonce: NonceKind::Milliseconds,
            // The market is signed in the list form only.
            binds: Binding::HOST | Binding::PATH | Binding::PARAMETERS,
            order_ids: OrderIdScope::Exchange,
            credential_parameters: vec![ParameterNeed::optional("uuids", single::UUIDS_PURPOSE)],
            ..Description::new(
                "bittrex",
                env!("CARGO_PKG_VERSION"),
                ORIGIN,
                &NOTES,
                vec![list, single::call()],
            )
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (market, nonce) = (market(&query.market), fields::whole_nonce(&query)?);
        if let Some(uuids) = query.parameter("uuids") {
            return single::sign(&query, uuids, nonce);
        }
        let form = form(&query.user, &nonce.to_string(), &market);
        let url = form.url(query.origin(ORIGIN), PATH);
        let sign = sign::hex(&sign::hmac_sha512(query.secret.as_bytes(), url.as_bytes()));
        Ok(Signed::new([Member::text("market", market), Member::number("nonce", nonce)], sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        if fields::has(&submission, "requests") {
            return single::start(&submission);
        }
        let [signed_market, nonce] = fields::take(&submission, REQ)?;
        fields::expect_market("market", signed_market, &market(&submission.market))?;
        let freshness = Freshness::of_nonce("nonce", nonce)?;
        let form = form(fields::user(&submission, Chars::Token)?, nonce, signed_market);
        let sign = sign::expect_hex(&submission.sign, 64)?;
        let request = Request::get(CALL, PATH, form.clone()).header("apisign", sign);
        Ok(Started::send(&submission, request, freshness, || form.url(submission.origin(ORIGIN), PATH)))
    }

    fn resume(submission: Submission, state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let envelope: Envelope = reply::decode_envelope(&reply, &WORDING)?;
        let result = envelope.result.map_or("null", RawValue::get);
        if fields::has(&submission, "requests") {
            return single::resume(&submission, &state, result);
        }
        // One order in place of a list is what the call for a single order replies.
        let open: Vec<OpenOrder> = match result {
            "null" => Vec::new(),
            one if one.starts_with('{') => vec![reply::parse(one)?],
            list => reply::parse(list)?,
        };
        count(&open, &submission.market)
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    success: bool,
    #[serde(borrow, default)]
    message: Text<'a>,
    result: Option<&'a RawValue>,
}

impl<'a> ErrorBody<'a> for Envelope<'a> {
    fn words(&self) -> Option<String> {
        if self.success { None } else { Some(self.message.as_str().to_owned()) }
    }
}

/// `Price` is what was paid so far; the limit is `Limit`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OpenOrder<'a> {
    #[serde(borrow)]
    order_uuid: Text<'a>,
    exchange: Text<'a>,
    #[serde(alias = "Type")]
    order_type: Text<'a>,
    quantity_remaining: Text<'a>,
    limit: Text<'a>,
    opened: Text<'a>,
    closed: Text<'a>,
    cancel_initiated: bool,
    is_conditional: bool,
    is_open: Option<bool>,
}

impl OpenOrder<'_> {
    fn is_counted(&self, market: &str) -> bool {
        let is_limit = self.order_type.is_one_of(&["LIMIT_BUY", "LIMIT_SELL"]) && !self.is_conditional;
        let is_open = self.closed.is_empty() && self.is_open != Some(false) && !self.cancel_initiated;
        self.exchange == market && is_limit && is_open
    }

    fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.order_type.as_str(), "LIMIT_BUY", "LIMIT_SELL")?;
        let left = self.quantity_remaining.decimal("QuantityRemaining")?;
        let price = self.limit.decimal("Limit")?;
        order::open(self.order_uuid.as_str(), side, &price, &left, time::iso_ms(self.opened.as_str()))
    }
}

fn count(open: &[OpenOrder<'_>], asked: &Market) -> Result<Step, Fault> {
    let asked = market(asked);
    Step::collect(open.iter().filter(|order| order.is_counted(&asked)).map(OpenOrder::read))
}

/// The quote currency comes first.
fn market(market: &Market) -> String {
    format!("{}-{}", market.quote, market.base)
}

fn form(user: &str, nonce: &str, market: &str) -> Form {
    Form::new().with("apikey", user).with("nonce", nonce).with("market", market)
}

//! The adapter of BTER, interface version 1.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `Sign = hex(HMAC-SHA512(secret, body))`, the body being `nonce=<ms>`. The exchange asks for no nonce and
//! is not known to compare one; it is there so that two requests differ. The older form of a submission has an
//! empty `req` and the signature of an empty body, which is always the same. The call has no market: every order
//! is filtered.
//!
//! Sources: creon, nu-pool, ALP-Server, `exchanges.py`; NuBot, `BterWrapper.java`; XChange, `xchange-bter`.

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

const ORIGIN: &str = "https://data.bter.com";
const PATH: &str = "/api/1/private/orderlist";
const CALL: &str = "open-orders";
const REQ: [Declared; 1] = [fields::digits("nonce").optional()];
/// No error texts of this exchange are on record but that of a wrong key or signature.
const WORDING: Wording = Wording { throttled: &[], unavailable: &[], misconfigured: &[] };
const NOTES: [&str; 3] = [
    "The key must be read-only: the signature does not fix the call, so who sees it can make every other call that \
     needs no parameter.",
    "A signed request never expires: who sees it can read these orders for ever.",
    "Send a nonce: an empty `req` has a signature that never changes and does not show when it was made.",
];

/// BTER, interface version 1.
pub struct Bter;
alp_adapter::export!(Bter);

impl Adapter for Bter {
    fn describe() -> Description {
        let call = Call::post_form(CALL, PATH).with(&["nonce"]);
        let calls = vec![call.headers(&["Key", "Sign", "Content-Type"])];
        Description {
            nonce: NonceKind::Milliseconds,
            binds: Binding::PARAMETERS,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("bter", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let nonce = fields::whole_nonce(&query)?;
        let text = form(&nonce.to_string()).text();
        let sign = sign::hex(&sign::hmac_sha512(query.secret.as_bytes(), text.as_bytes()));
        Ok(Signed::new([Member::number("nonce", nonce)], sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [nonce] = fields::take(&submission, REQ)?;
        let freshness = match nonce {
            "" => Freshness { nonce: None, rising: None, expires_ms: None },
            nonce => Freshness::of_nonce("nonce", nonce)?,
        };
        let form = form(nonce);
        let request = Request::post_form(CALL, PATH, form.clone())
            .header("Key", fields::user(&submission, Chars::Visible)?)
            .header("Sign", sign::expect_hex(&submission.sign, 64)?)
            .header("Content-Type", "application/x-www-form-urlencoded");
        Ok(Started::send(&submission, request, freshness, || form.text()))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let orders = reply::decode_envelope::<Envelope>(&reply, &WORDING)?.orders;
        let open: Vec<OpenOrder> = match orders.map(RawValue::get) {
            None => return Err(Fault::Unreadable("the reply lacks `orders`".to_owned())),
            Some(orders) if orders.starts_with('[') => reply::parse(orders)?,
            // When there are none, anything but a list can stand there.
            Some("null" | "false" | "\"\"" | "{}") => Vec::new(),
            Some(orders) => reply::parse(orders)?,
        };
        Step::collect(open.iter().map(|order| order.read_if_counted(&submission.market)))
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    result: Text<'a>,
    orders: Option<&'a RawValue>,
    #[serde(default)]
    msg: Text<'a>,
    #[serde(default)]
    message: Text<'a>,
}

impl<'a> ErrorBody<'a> for Envelope<'a> {
    fn words(&self) -> Option<String> {
        let words = if self.msg.is_empty() { &self.message } else { &self.msg };
        if self.result == "true" { None } else { Some(words.as_str().to_owned()) }
    }
}

/// Its own `amount` is in the base currency for a sell and in the quote currency for a buy, so it is not read.
#[derive(Deserialize)]
struct OpenOrder<'a> {
    #[serde(borrow, alias = "id")]
    oid: Text<'a>,
    #[serde(default)]
    pair: Text<'a>,
    sell_type: Text<'a>,
    buy_type: Text<'a>,
    sell_amount: Text<'a>,
    buy_amount: Text<'a>,
    rate: Text<'a>,
    #[serde(default)]
    status: Text<'a>,
}

impl OpenOrder<'_> {
    /// The market shows in the two currencies, and in the pair, which the oldest replies lack.
    fn read_if_counted(&self, market: &Market) -> Result<Option<Order>, Fault> {
        let is_of_pair = self.pair.is_empty() || self.pair == pair(market).as_str();
        let currencies = (self.sell_type.as_str(), self.buy_type.as_str());
        let (base, quote) = (market.base.as_str(), market.quote.as_str());
        let (side, left) = if currencies == (base, quote) {
            (Side::Ask, self.sell_amount.decimal("sell_amount")?)
        } else if currencies == (quote, base) {
            (Side::Bid, self.buy_amount.decimal("buy_amount")?)
        } else {
            return Ok(None);
        };
        if !is_of_pair || !self.status.is_one_of(&["", "open"]) {
            return Ok(None);
        }
        order::open(self.oid.as_str(), side, &self.rate.decimal("rate")?, &left, None)
    }
}

fn pair(market: &Market) -> String {
    format!("{}_{}", market.base, market.quote).to_ascii_lowercase()
}

fn form(nonce: &str) -> Form {
    Form::new().with_some("nonce", nonce)
}

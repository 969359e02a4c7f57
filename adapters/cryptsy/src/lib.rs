//! The adapter of Cryptsy.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `Sign = hex(HMAC-SHA512(secret, body))`, the body being `nonce=<ms>&method=myorders&marketid=442` in
//! this order, which is the order that the old clients' dictionaries happened to have. Nonces rise per key; there
//! is no clock. Markets have numbers, which only an account can look up: the operator configures them.
//!
//! Sources: nu-pool, `exchanges.py`; XChange, `xchange-cryptsy`.

use alp_adapter::*;

const ORIGIN: &str = "https://api.cryptsy.com";
const PATH: &str = "/api";
const CALL: &str = "open-orders";
const COMMAND: &str = "myorders";
const MARKET_ID: &str = "marketid";
const MARKET_ID_PURPOSE: &str =
    "The exchange's number of the market, from the call `getmarkets`, which needs an account.";
const REQ: [Declared; 3] =
    [fields::digits("nonce"), fields::exactly("method", COMMAND), fields::digits(MARKET_ID)];
/// No error texts of this exchange are on record but that of a wrong signature.
const WORDING: Wording = Wording { throttled: &[], unavailable: &[], misconfigured: &[] };
const NOTES: [&str; 2] = [
    "The key needs to read orders; switch off whatever else can be switched off.",
    "Use the key for the pool alone: a larger nonce from elsewhere makes a waiting request worthless.",
];

/// Cryptsy.
pub struct Cryptsy;
alp_adapter::export!(Cryptsy);

impl Adapter for Cryptsy {
    fn describe() -> Description {
        let call = Call::post_form(CALL, PATH).with_fixed("method", COMMAND).with(&["nonce", MARKET_ID]);
        let calls = vec![call.headers(&["Key", "Sign", "Content-Type"])];
        Description {
            lifetime: Lifetime::UntilNextNonce,
            nonce: NonceKind::Milliseconds,
            single_use: true,
            binds: Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            market_parameters: vec![ParameterNeed::required(MARKET_ID, MARKET_ID_PURPOSE)],
            ..Description::new("cryptsy", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (market_id, nonce) = (market_id(&query.market)?, fields::whole_nonce(&query)?);
        let text = form(&nonce.to_string(), &market_id.to_string()).text();
        let sign = sign::hex(&sign::hmac_sha512(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::number("nonce", nonce),
            Member::text("method", COMMAND),
            Member::number(MARKET_ID, market_id),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [nonce, _method, signed_id] = fields::take(&submission, REQ)?;
        fields::expect_market(MARKET_ID, signed_id, &market_id(&submission.market)?.to_string())?;
        let freshness = Freshness::of_nonce("nonce", nonce)?;
        let form = form(nonce, signed_id);
        let request = Request::post_form(CALL, PATH, form.clone())
            .header("Key", fields::user(&submission, Chars::Visible)?)
            .header("Sign", sign::expect_hex(&submission.sign, 64)?)
            .header("Content-Type", "application/x-www-form-urlencoded");
        Ok(Started::send(&submission, request, freshness, || form.text()))
    }

    fn resume(_submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let open = reply::decode_envelope::<Envelope>(&reply, &WORDING)?.found;
        let open = open.ok_or_else(|| Fault::Unreadable("the reply lacks `return`".to_owned()))?;
        // The orders carry no market: the one that was signed is theirs. There are no other kinds than limit orders.
        Step::collect(open.iter().map(OpenOrder::read))
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    success: Text<'a>,
    #[serde(rename = "return")]
    found: Option<Vec<OpenOrder<'a>>>,
    #[serde(default)]
    error: Text<'a>,
}

impl<'a> ErrorBody<'a> for Envelope<'a> {
    fn words(&self) -> Option<String> {
        if self.success == "1" { None } else { Some(self.error.as_str().to_owned()) }
    }
}

/// `created` is in the exchange's own time zone, so it is not read.
#[derive(Deserialize)]
struct OpenOrder<'a> {
    #[serde(borrow)]
    orderid: Text<'a>,
    ordertype: Text<'a>,
    price: Text<'a>,
    quantity: Text<'a>,
}

impl OpenOrder<'_> {
    fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.ordertype.as_str(), "Buy", "Sell")?;
        let (price, left) = (self.price.decimal("price")?, self.quantity.decimal("quantity")?);
        order::open(self.orderid.as_str(), side, &price, &left, None)
    }
}

fn market_id(market: &Market) -> Result<u64, Fault> {
    market.parameter(MARKET_ID)?.parse().map_err(|_| {
        Fault::Misconfigured(format!("the market's parameter `{MARKET_ID}` should be a whole number"))
    })
}

fn form(nonce: &str, market_id: &str) -> Form {
    Form::new().with("nonce", nonce).with("method", COMMAND).with(MARKET_ID, market_id)
}

//! The adapter of CCEDK, interface version 1.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `Sign = hex(HMAC-SHA512(secret, body))`, the body being `nonce=<s>`: Unix seconds, which have to be
//! close to the exchange's clock and are accepted once. The call has no market: every order is filtered by the
//! number of its pair, which is looked up first, in public and once an hour.
//!
//! Sources: creon, nu-pool, ALP-Server, `exchanges.py`; NuBot, `CcedkWrapper.java`.

mod pairs;

use std::collections::BTreeMap;

use alp_adapter::serde_json::{self, value::RawValue};
use alp_adapter::*;

const ORIGIN: &str = "https://www.ccedk.com";
const PATH: &str = "/api/v1/order/list";
const CALL: &str = "open-orders";
/// How far the exchange lets the nonce be from its clock is not documented: this is on the short side.
const WINDOW_MS: u64 = 30_000;
const REQ: [Declared; 1] = [fields::digits("nonce")];
/// No error texts of this exchange are on record but that of a wrong nonce.
const WORDING: Wording = Wording { throttled: &[], unavailable: &[], misconfigured: &[] };
const NOTES: [&str; 3] = [
    "The key should be read-only: the signature does not fix the call, so who sees it in time can make one other \
     call that needs no parameter.",
    "The nonce is in seconds and near the exchange's clock: one request a second, sent at once.",
    "Whether the exchange reports what is left of an order, or what it was at first, is not documented.",
];

/// CCEDK, interface version 1.
pub struct Ccedk;
alp_adapter::export!(Ccedk);

impl Adapter for Ccedk {
    fn describe() -> Description {
        let list = Call::post_form(CALL, PATH).with(&["nonce"]).headers(&["Key", "Sign", "Content-Type"]);
        let calls = vec![list, pairs::call()];
        Description {
            lifetime: Lifetime::Milliseconds(WINDOW_MS),
            nonce: NonceKind::Seconds,
            single_use: true,
            binds: Binding::PARAMETERS,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("ccedk", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
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
        let signed_ms = fields::whole("nonce", nonce)?.saturating_mul(1000);
        let freshness = Freshness::of_nonce("nonce", nonce)?.expiring(signed_ms, WINDOW_MS);
        // The request is put together before anything is looked up, so that a wrong submission causes no call.
        let started = Started::send(&submission, request(&submission)?, freshness, || form(nonce).text());
        Ok(Started { step: pairs::look_up(), ..started })
    }

    /// The notes between the steps are the number of the pair; there are none while it is looked up.
    fn resume(submission: Submission, state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        if state.is_empty() {
            let pair_id = pairs::find(&reply, &submission.market)?;
            return Ok(Step::Send(Pending { request: request(&submission)?, state: pair_id.into_bytes() }));
        }
        let open: Vec<OpenOrder> = entities(&reply)?;
        let counted =
            open.iter().filter(|order| order.pair_id.as_str().as_bytes() == state && order.active == "1");
        Step::collect(counted.map(OpenOrder::read))
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    errors: &'a RawValue,
    response: Option<&'a RawValue>,
}

impl<'a> ErrorBody<'a> for Envelope<'a> {
    /// `errors` is false, or an object with a text for each wrong parameter, or true.
    fn words(&self) -> Option<String> {
        if is_nothing(self.errors.get()) {
            return None;
        }
        let texts = serde_json::from_str::<BTreeMap<String, Text>>(self.errors.get());
        let joined = texts.map(|texts| texts.values().map(Text::as_str).collect::<Vec<_>>().join(", "));
        Some(joined.unwrap_or_else(|_| self.errors.get().to_owned()))
    }
}

#[derive(Deserialize)]
struct Entities<'a> {
    #[serde(borrow)]
    entities: &'a RawValue,
}

#[derive(Deserialize)]
struct OpenOrder<'a> {
    #[serde(borrow)]
    order_id: Text<'a>,
    pair_id: Text<'a>,
    #[serde(rename = "type")]
    side: Text<'a>,
    price: Text<'a>,
    volume: Text<'a>,
    active: Text<'a>,
    created: Text<'a>,
}

impl OpenOrder<'_> {
    fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "buy", "sell")?;
        let (price, left) = (self.price.decimal("price")?, self.volume.decimal("volume")?);
        order::open(self.order_id.as_str(), side, &price, &left, time::seconds_ms(self.created.as_str()))
    }
}

/// The list in a reply. When there is nothing in it, anything but a list can stand there.
fn entities<'a, T: Deserialize<'a>>(reply: &'a Reply) -> Result<Vec<T>, Fault> {
    let response = reply::decode_envelope::<Envelope>(reply, &WORDING)?.response;
    let response = response.ok_or_else(|| Fault::Unreadable("the reply lacks `response`".to_owned()))?;
    let entities = reply::parse::<Entities>(response.get())?.entities.get();
    if is_nothing(entities) { Ok(Vec::new()) } else { reply::parse(entities) }
}

fn is_nothing(json: &str) -> bool {
    ["false", "null", "\"\"", "[]", "{}"].contains(&json)
}

fn request(submission: &Submission) -> Result<Request, Fault> {
    let [nonce] = fields::take(submission, REQ)?;
    Ok(Request::post_form(CALL, PATH, form(nonce))
        .header("Key", fields::user(submission, Chars::Visible)?)
        .header("Sign", sign::expect_hex(&submission.sign, 64)?)
        .header("Content-Type", "application/x-www-form-urlencoded"))
}

fn form(nonce: &str) -> Form {
    Form::new().with("nonce", nonce)
}

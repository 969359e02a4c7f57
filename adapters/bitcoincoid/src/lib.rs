//! The adapter of Bitcoin.co.id, the exchange that became Indodax.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `Sign = hex(HMAC-SHA512(secret, body))`, the body being `nonce=<ms>&pair=nbt_btc&method=openOrders` in
//! this order, which is the order that the old clients' dictionaries happened to have. Nonces rise per key; there
//! is no clock.
//!
//! Sources: btcid, trade API; ccxt 1.18, `indodax.py`; creon, nu-pool; NuBot, `BitcoinCoIDWrapper.java`.

use std::collections::BTreeMap;

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

const ORIGIN: &str = "https://vip.bitcoin.co.id";
const PATH: &str = "/tapi";
const CALL: &str = "open-orders";
const COMMAND: &str = "openOrders";
/// What is left of a buy is stated in the quote currency, and floored when it is divided out.
const AMOUNT_DECIMALS: u32 = 8;
const REQ: [Declared; 3] =
    [fields::digits("nonce"), fields::text("pair", Chars::Symbol), fields::exactly("method", COMMAND)];
const WORDING: Wording = Wording {
    throttled: &["Too many requests"],
    unavailable: &["maintenance"],
    misconfigured: &["Invalid pair", "invalid_pair"],
};
const NOTES: [&str; 2] = [
    "The key needs the permission \"view\" and must have nothing else.",
    "Use the key for the pool alone: a larger nonce from elsewhere makes a waiting request worthless.",
];

/// Bitcoin.co.id.
pub struct BitcoinCoId;
alp_adapter::export!(BitcoinCoId);

impl Adapter for BitcoinCoId {
    fn describe() -> Description {
        let call = Call::post_form(CALL, PATH).with_fixed("method", COMMAND).with(&["nonce", "pair"]);
        let calls = vec![call.headers(&["Key", "Sign", "Content-Type"])];
        Description {
            lifetime: Lifetime::UntilNextNonce,
            nonce: NonceKind::Milliseconds,
            single_use: true,
            binds: Binding::PARAMETERS | Binding::MARKET,
            // Counted per pair, over all accounts; a request sees one pair only.
            order_ids: OrderIdScope::Exchange,
            ..Description::new("bitcoincoid", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (pair, nonce) = (pair(&query.market), fields::whole_nonce(&query)?);
        let text = form(&nonce.to_string(), &pair).text();
        let sign = sign::hex(&sign::hmac_sha512(query.secret.as_bytes(), text.as_bytes()));
        let members =
            [Member::number("nonce", nonce), Member::text("pair", pair), Member::text("method", COMMAND)];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [nonce, signed_pair, _method] = fields::take(&submission, REQ)?;
        fields::expect_market("pair", signed_pair, &pair(&submission.market))?;
        let freshness = Freshness::of_nonce("nonce", nonce)?;
        let form = form(nonce, signed_pair);
        let request = Request::post_form(CALL, PATH, form.clone())
            .header("Key", fields::user(&submission, Chars::Visible)?)
            .header("Sign", sign::expect_hex(&submission.sign, 64)?)
            .header("Content-Type", "application/x-www-form-urlencoded");
        Ok(Started::send(&submission, request, freshness, || form.text()))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let found = reply::decode_envelope::<Envelope>(&reply, &WORDING)?.found;
        let found = found.ok_or_else(|| Fault::Unreadable("the reply lacks `return`".to_owned()))?;
        // There are no other kinds than limit orders.
        Step::collect(found.orders.unwrap_or_default().iter().map(|order| order.read(&submission.market)))
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    success: Text<'a>,
    #[serde(rename = "return")]
    found: Option<Found<'a>>,
    #[serde(default)]
    error: Text<'a>,
}

impl<'a> ErrorBody<'a> for Envelope<'a> {
    fn words(&self) -> Option<String> {
        if self.success == "1" { None } else { Some(self.error.as_str().to_owned()) }
    }
}

/// `orders` is null when there are none.
#[derive(Deserialize)]
struct Found<'a> {
    #[serde(borrow)]
    orders: Option<Vec<OpenOrder<'a>>>,
}

/// Its members by name: what is left stands in `remain_` and the name of a currency.
#[derive(Deserialize)]
struct OpenOrder<'a>(#[serde(borrow)] BTreeMap<String, &'a RawValue>);

impl OpenOrder<'_> {
    fn read(&self, market: &Market) -> Result<Option<Order>, Fault> {
        let side = order::side(self.text("type")?.as_str(), "buy", "sell")?;
        let (id, price, opened) = (self.text("order_id")?, self.text("price")?, self.text("submit_time")?);
        let price = price.decimal("price")?;
        if !price.is_positive() {
            return Ok(None);
        }
        let in_base = format!("remain_{}", market.base.to_ascii_lowercase());
        let opened_ms = time::seconds_ms(opened.as_str());
        if self.0.contains_key(&in_base) {
            let left = self.text(&in_base)?;
            return order::open(id.as_str(), side, &price, &left.decimal(&in_base)?, opened_ms);
        }
        let in_quote = self.remain_in_quote(market);
        let left = self.text(&in_quote)?;
        let left = left.decimal(&in_quote)?.divided_by(&price, AMOUNT_DECIMALS)?;
        order::open(id.as_str(), side, &price, &left, opened_ms)
    }

    /// The rupiah went by `rp` before it went by `idr`.
    fn remain_in_quote(&self, market: &Market) -> String {
        let is_old = market.quote == "IDR" && self.0.contains_key("remain_rp");
        format!("remain_{}", if is_old { "rp".to_owned() } else { market.quote.to_ascii_lowercase() })
    }

    fn text(&self, name: &str) -> Result<Text<'_>, Fault> {
        let json = self.0.get(name);
        let json = json.ok_or_else(|| Fault::Unreadable(format!("an order lacks `{name}`")))?;
        reply::parse(json.get())
    }
}

fn pair(market: &Market) -> String {
    format!("{}_{}", market.base, market.quote).to_ascii_lowercase()
}

fn form(nonce: &str, pair: &str) -> Form {
    Form::new().with("nonce", nonce).with("pair", pair).with("method", COMMAND)
}

//! The adapter of Poloniex' legacy trading interface, `tradingApi`.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `Sign = hex(HMAC-SHA512(secret, body))`, the body being
//! `nonce=<ms>&command=returnOpenOrders&currencyPair=BTC_NBT` in this order, which is the order that the old
//! clients' dictionaries happened to have. Nonces rise per key; there is no clock.
//!
//! Sources: anders94/api-docs, `_http-private.md`; ccxt 1.18, `poloniex.py`; NuBot, `PoloniexWrapper.java`.

use std::collections::BTreeMap;

use alp_adapter::serde_json::{self, value::RawValue};
use alp_adapter::*;

const ORIGIN: &str = "https://poloniex.com";
const PATH: &str = "/tradingApi";
const CALL: &str = "open-orders";
const COMMAND: &str = "returnOpenOrders";
/// In place of a market: then the reply is an object with a list for each market.
const ALL: &str = "all";
const REQ: [Declared; 3] = [
    fields::digits("nonce"),
    fields::exactly("command", COMMAND),
    fields::text("currencyPair", Chars::Symbol),
];
const WORDING: Wording = Wording {
    throttled: &["Please do not make more than"],
    unavailable: &["Connection timed out", "Internal error", "maintenance"],
    misconfigured: &["Invalid currency pair", "Invalid currencyPair"],
};
const NOTES: [&str; 2] = [
    "The key must have trading and withdrawals switched off; reading needs neither.",
    "Use the key for the pool alone: a larger nonce from elsewhere makes a waiting request worthless.",
];

/// Poloniex, the interface that was replaced in 2022.
pub struct PoloniexLegacy;
alp_adapter::export!(PoloniexLegacy);

impl Adapter for PoloniexLegacy {
    fn describe() -> Description {
        let call =
            Call::post_form(CALL, PATH).with_fixed("command", COMMAND).with(&["nonce", "currencyPair"]);
        let calls = vec![call.headers(&["Key", "Sign", "Content-Type"])];
        Description {
            lifetime: Lifetime::UntilNextNonce,
            nonce: NonceKind::Milliseconds,
            single_use: true,
            binds: Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("poloniex_legacy", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (pair, nonce) = (pair(&query.market), fields::whole_nonce(&query)?);
        let text = form(&nonce.to_string(), &pair).text();
        let sign = sign::hex(&sign::hmac_sha512(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::number("nonce", nonce),
            Member::text("command", COMMAND),
            Member::text("currencyPair", pair),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [nonce, _command, signed_pair] = fields::take(&submission, REQ)?;
        if signed_pair != ALL {
            fields::expect_market("currencyPair", signed_pair, &pair(&submission.market))?;
        }
        let freshness = Freshness::of_nonce("nonce", nonce)?;
        let form = form(nonce, signed_pair);
        let request = Request::post_form(CALL, PATH, form.clone())
            .header("Key", fields::user(&submission, Chars::Visible)?)
            .header("Sign", sign::expect_hex(&submission.sign, 64)?)
            .header("Content-Type", "application/x-www-form-urlencoded");
        Ok(Started::send(&submission, request, freshness, || form.text()))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let open = orders_of_market(&submission, &reply)?;
        // Margin orders are marked; there are no other kinds than limit orders.
        let counted = open.iter().filter(|order| order.margin.is_one_of(&["", "0"]));
        Step::collect(counted.map(OpenOrder::read))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenOrder<'a> {
    #[serde(borrow)]
    order_number: Text<'a>,
    #[serde(rename = "type")]
    side: Text<'a>,
    rate: Text<'a>,
    amount: Text<'a>,
    #[serde(default)]
    date: Text<'a>,
    #[serde(default)]
    margin: Text<'a>,
}

impl OpenOrder<'_> {
    fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "buy", "sell")?;
        let (price, left) = (self.rate.decimal("rate")?, self.amount.decimal("amount")?);
        order::open(self.order_number.as_str(), side, &price, &left, time::iso_ms(self.date.as_str()))
    }
}

#[derive(Deserialize)]
struct ErrorReply {
    error: String,
}

impl ErrorBody<'_> for ErrorReply {
    fn words(&self) -> Option<String> {
        Some(self.error.clone())
    }
}

/// The reply is a list; or, where all markets were asked for, an object with a list for each.
fn orders_of_market<'a>(submission: &Submission, reply: &'a Reply) -> Result<Vec<OpenOrder<'a>>, Fault> {
    let [_, _, signed_pair] = fields::take(submission, REQ)?;
    let json = reply::decode::<&RawValue, ErrorReply>(reply, &WORDING)?.get();
    if json.starts_with('[') {
        let orders: Vec<OpenOrder> = reply::parse(json)?;
        if signed_pair == ALL && !orders.is_empty() {
            return Err(Fault::Unreadable("the orders of all markets came without their markets".to_owned()));
        }
        return Ok(orders);
    }
    if let Ok(refusal) = serde_json::from_str::<ErrorReply>(json) {
        return Err(WORDING.fault(&refusal.error));
    }
    let markets: BTreeMap<String, &RawValue> = reply::parse(json)?;
    let of_market = markets.get(&pair(&submission.market));
    of_market.map_or_else(|| Ok(Vec::new()), |json| reply::parse(json.get()))
}

/// The quote currency comes first.
fn pair(market: &Market) -> String {
    format!("{}_{}", market.quote, market.base)
}

fn form(nonce: &str, pair: &str) -> Form {
    Form::new().with("nonce", nonce).with("command", COMMAND).with("currencyPair", pair)
}

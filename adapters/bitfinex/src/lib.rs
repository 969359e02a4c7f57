//! The adapter of Bitfinex, exchange wallet, interface version 2.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `bfx-signature = hex(HMAC-SHA384(secret, text))`, the text being
//! `/api/v2/auth/r/orders/tLTCUST<nonce>{}`, where `{}` is the body. Nonces rise per key; there is no clock.
//!
//! Sources: docs.bitfinex.com, "Authenticated endpoints" and "Retrieve orders by symbol"; ccxt, `bitfinex.py`.

mod open_orders;

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

use crate::open_orders::OpenOrder;

const ORIGIN: &str = "https://api.bitfinex.com";
const PATH: &str = "/v2/auth/r/orders/";
const TEMPLATE: &str = "/v2/auth/r/orders/{}";
const CALL: &str = "open-orders";
/// No condition on the orders that are to be seen.
const BODY: &str = "{}";
/// The largest nonce that the exchange accepts: the largest whole number that a JavaScript number holds exactly.
const MAX_NONCE: u64 = 9_007_199_254_740_991;
const REQ: [Declared; 2] = [fields::text("symbol", Chars::Symbol), fields::digits("nonce")];
const WORDING: Wording = Wording {
    throttled: &["code 11010:", "ERR_RATE_LIMIT", "ratelimit"],
    unavailable: &["code 20060:", "maintenance", "temporarily_unavailable"],
    misconfigured: &["symbol: invalid"],
};
const NOTES: [&str; 3] = [
    "The key needs \"Orders: read\" and must have nothing else.",
    "Use the key for the pool alone: a larger nonce from elsewhere makes a waiting request worthless.",
    "Limit orders of the exchange wallet count; hidden ones and those of the margin wallet do not.",
];

/// Bitfinex, exchange wallet.
pub struct Bitfinex;
alp_adapter::export!(Bitfinex);

impl Adapter for Bitfinex {
    fn describe() -> Description {
        let headers = ["bfx-apikey", "bfx-nonce", "bfx-signature", "Content-Type"];
        let calls = vec![Call::post_text(CALL, TEMPLATE).headers(&headers)];
        let symbol =
            "The exchange's symbol of the market, such as tLTCUST, if its currencies have other names there.";
        Description {
            lifetime: Lifetime::UntilNextNonce,
            nonce: NonceKind::Microseconds,
            single_use: true,
            binds: Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            market_parameters: vec![ParameterNeed::optional("symbol", symbol)],
            ..Description::new("bitfinex", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (symbol, nonce) = (symbol(&query.market), fields::whole_nonce(&query)?.to_string());
        let text = signed_text(&symbol, &nonce);
        let sign = sign::hex(&sign::hmac_sha384(query.secret.as_bytes(), text.as_bytes()));
        Ok(Signed::new([Member::text("symbol", symbol), Member::text("nonce", nonce)], sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [signed_symbol, nonce] = fields::take(&submission, REQ)?;
        fields::expect_market("symbol", signed_symbol, &symbol(&submission.market))?;
        if fields::whole("nonce", nonce)? > MAX_NONCE {
            return Err(Fault::Unusable(format!("`req.nonce` should be at most {MAX_NONCE}")));
        }
        let freshness = Freshness::of_nonce("nonce", nonce)?;
        let request = Request::post_text(CALL, &format!("{PATH}{signed_symbol}"), BODY)
            .header("bfx-apikey", fields::user(&submission, Chars::Visible)?)
            .header("bfx-nonce", nonce)
            .header("bfx-signature", sign::expect_hex(&submission.sign, 48)?)
            .header("Content-Type", "application/json");
        Ok(Started::send(&submission, request, freshness, || signed_text(signed_symbol, nonce)))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let asked = symbol(&submission.market);
        let entries: Vec<Vec<&RawValue>> = reply::decode::<_, ErrorReply>(&reply, &WORDING)?;
        let open = entries.iter().map(|entry| OpenOrder::of_entry(entry)).collect::<Result<Vec<_>, _>>()?;
        Step::collect(open.iter().filter(|order| order.is_counted(&asked)).map(OpenOrder::read))
    }
}

/// A list of the word `error`, a code and a text, or now and then an object.
#[derive(Deserialize)]
#[serde(transparent)]
struct ErrorReply<'a>(#[serde(borrow)] &'a RawValue);

#[derive(Deserialize)]
struct ErrorObject<'a> {
    #[serde(borrow, alias = "message")]
    error: Text<'a>,
}

impl<'a> ErrorBody<'a> for ErrorReply<'a> {
    const REFUSES_WITH_500: bool = true;

    fn words(&self) -> Option<String> {
        if let Ok([word, code, text]) = serde_json::from_str::<[Text; 3]>(self.0.get()) {
            return (word == "error").then(|| format!("code {}: {}", code.as_str(), text.as_str()));
        }
        let object: ErrorObject = serde_json::from_str(self.0.get()).ok()?;
        Some(object.error.as_str().to_owned())
    }
}

/// `tLTCUST`, with a colon between the currencies if one has more than three letters: `tDOGE:UST`.
fn symbol(market: &Market) -> String {
    if let Ok(configured) = market.parameter("symbol") {
        return configured.to_owned();
    }
    let [base, quote] = [&market.base, &market.quote].map(|currency| match currency.as_str() {
        "USDT" => "UST",
        other => other,
    });
    let colon = if base.len() > 3 || quote.len() > 3 { ":" } else { "" };
    format!("t{base}{colon}{quote}")
}

fn signed_text(symbol: &str, nonce: &str) -> String {
    format!("/api{PATH}{symbol}{nonce}{BODY}")
}

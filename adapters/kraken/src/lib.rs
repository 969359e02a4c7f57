//! The adapter of Kraken, spot market.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `API-Sign = base64(HMAC-SHA512(base64_decode(secret), path || SHA256(nonce || body)))`, the body being
//! `nonce=<nonce>`. Nonces rise per key; there is no clock. The call has no market: every order is filtered.
//!
//! Sources: docs.kraken.com, "Spot REST authentication" and "Get open orders"; ccxt, `kraken.py`.

use std::collections::BTreeMap;

use alp_adapter::*;

const ORIGIN: &str = "https://api.kraken.com";
const PATH: &str = "/0/private/OpenOrders";
const CALL: &str = "open-orders";
const REQ: [Declared; 1] = [fields::digits("nonce")];
const WORDING: Wording = Wording {
    throttled: &["EAPI:Rate limit", "EGeneral:Too many requests", "EGeneral:Temporary lockout"],
    unavailable: &["EService:"],
    misconfigured: &[],
};
const NOTES: [&str; 4] = [
    "The key needs \"Query open orders & trades\" and should have nothing else.",
    "Use the key for the pool alone: a larger nonce from elsewhere makes a waiting request worthless.",
    "Give the key a nonce window of 10 or more, so that requests may overtake each other.",
    "A key with two-factor authentication (otp) cannot be used.",
];

/// Kraken, spot market.
pub struct Kraken;
alp_adapter::export!(Kraken);

impl Adapter for Kraken {
    fn describe() -> Description {
        let call = Call::post_form(CALL, PATH).with(&["nonce"]);
        let calls = vec![call.headers(&["API-Key", "API-Sign", "Content-Type"])];
        Description {
            lifetime: Lifetime::UntilNextNonce,
            nonce: NonceKind::Milliseconds,
            single_use: true,
            binds: Binding::PATH | Binding::PARAMETERS,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("kraken", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let nonce = fields::whole_nonce(&query)?;
        Ok(Signed::new([Member::number("nonce", nonce)], signature(nonce, &query.secret)?))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [nonce] = fields::take(&submission, REQ)?;
        let freshness = Freshness::of_nonce("nonce", nonce)?;
        let form = Form::new().with("nonce", nonce);
        let request = Request::post_form(CALL, PATH, form.clone())
            .header("API-Key", fields::user(&submission, Chars::Visible)?)
            .header("API-Sign", sign::expect_base64(&submission.sign, 64)?)
            .header("Content-Type", "application/x-www-form-urlencoded");
        let signed = || format!("bytes(\"{PATH}\") || sha256(\"{nonce}{}\")", form.text());
        Ok(Started::send(&submission, request, freshness, signed))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let asked = pair(&submission.market);
        let result = reply::decode_envelope::<Envelope>(&reply, &WORDING)?.result;
        let result = result.ok_or_else(|| Fault::Unreadable("the reply lacks `result`".to_owned()))?;
        let counted = result.open.iter().filter(|(_, order)| order.is_counted(&asked));
        Step::collect(counted.map(|(id, order)| order.read(id)))
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    error: Vec<String>,
    #[serde(borrow)]
    result: Option<OpenOrders<'a>>,
}

impl<'a> ErrorBody<'a> for Envelope<'a> {
    fn words(&self) -> Option<String> {
        // Entries that begin with W are warnings.
        let errors: Vec<_> = self.error.iter().filter(|text| !text.starts_with('W')).cloned().collect();
        if errors.is_empty() { None } else { Some(errors.join(", ")) }
    }
}

#[derive(Deserialize)]
struct OpenOrders<'a> {
    #[serde(borrow)]
    open: BTreeMap<String, OpenOrder<'a>>,
}

/// Its own `price` is the average executed price; the limit stands in `descr`.
#[derive(Deserialize)]
struct OpenOrder<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    opentm: Text<'a>,
    descr: Terms<'a>,
    vol: Text<'a>,
    vol_exec: Text<'a>,
    #[serde(default)]
    oflags: Text<'a>,
}

#[derive(Deserialize)]
struct Terms<'a> {
    #[serde(borrow, default)]
    pair: Text<'a>,
    #[serde(rename = "type")]
    side: Text<'a>,
    ordertype: Text<'a>,
    price: Text<'a>,
    leverage: Text<'a>,
}

impl OpenOrder<'_> {
    /// `viqc`: the volume is in the quote currency.
    fn is_counted(&self, pair: &str) -> bool {
        let is_in_quote = self.oflags.as_str().split(',').any(|flag| flag == "viqc");
        let is_spot_limit = self.descr.ordertype == "limit" && self.descr.leverage == "none" && !is_in_quote;
        self.descr.pair == pair && self.status == "open" && is_spot_limit
    }

    fn read(&self, id: &str) -> Result<Option<Order>, Fault> {
        let side = order::side(self.descr.side.as_str(), "buy", "sell")?;
        let left = self.vol.decimal("vol")?.minus(&self.vol_exec.decimal("vol_exec")?)?;
        let opened_ms = time::seconds_ms(self.opentm.as_str());
        order::open(id, side, &self.descr.price.decimal("descr.price")?, &left, opened_ms)
    }
}

/// The exchange's alternative name of a market: `XBTUSD`, neither `XXBTZUSD` nor `BTC/USD`.
fn pair(market: &Market) -> String {
    [&market.base, &market.quote]
        .map(|currency| match currency.as_str() {
            "BTC" => "XBT",
            "DOGE" => "XDG",
            other => other,
        })
        .concat()
}

fn signature(nonce: u64, secret: &str) -> Result<String, Fault> {
    let digest = sign::sha256(format!("{nonce}nonce={nonce}").as_bytes());
    let message = [PATH.as_bytes(), &digest].concat();
    Ok(sign::base64(&sign::hmac_sha512(&sign::base64_secret(secret)?, &message)))
}

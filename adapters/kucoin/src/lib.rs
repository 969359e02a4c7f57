//! The adapter of KuCoin, spot market, for keys of version 2 and 3.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `KC-API-SIGN = base64(HMAC-SHA256(secret, text))`, the text being
//! `<ms>GET/api/v1/hf/orders/active?symbol=BTC-USDT`. What is sent as passphrase is
//! `base64(HMAC-SHA256(secret, passphrase))`, so that the pool never sees the passphrase itself. No nonce: a
//! request can be used again for five seconds.
//!
//! Sources: kucoin.com/docs, "Authentication" and "Get open orders"; ccxt, `kucoin.py`; hummingbot, `kucoin_auth.py`.

mod open_orders;

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

use crate::open_orders::OpenOrder;

const ORIGIN: &str = "https://api.kucoin.com";
const PATH: &str = "/api/v1/hf/orders/active";
const CALL: &str = "open-orders";
/// The exchange allows its clock and the time that was signed to be this far apart.
const LIFETIME_MS: u64 = 5_000;
const REQ: [Declared; 4] = [
    fields::text("symbol", Chars::Symbol),
    fields::digits("timestamp"),
    fields::text("passphrase", Chars::Encoded),
    fields::text("key_version", Chars::Capitals),
];
const WORDING: Wording = Wording {
    throttled: &["code 429000:"],
    unavailable: &["code 500000:"],
    misconfigured: &["code 900001:"],
};
const NOTES: [&str; 4] = [
    "The key needs \"General\" and should have nothing else.",
    "A signed request lives for five seconds: sign just before each submission, with a clock that is right.",
    "`req.passphrase` is base64(HMAC-SHA256(secret, passphrase)), never the passphrase itself.",
    "A key bound to IP addresses works only if the pool's address is among them.",
];

/// KuCoin, spot market.
pub struct Kucoin;
alp_adapter::export!(Kucoin);

impl Adapter for Kucoin {
    fn describe() -> Description {
        let headers =
            ["KC-API-KEY", "KC-API-SIGN", "KC-API-TIMESTAMP", "KC-API-PASSPHRASE", "KC-API-KEY-VERSION"];
        let calls = vec![Call::get(CALL, PATH).with(&["symbol"]).headers(&headers)];
        Description {
            lifetime: Lifetime::Milliseconds(LIFETIME_MS),
            binds: Binding::METHOD | Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            credential_parameters: vec![
                ParameterNeed::required(
                    "passphrase",
                    "The passphrase that was chosen when the key was made.",
                ),
                ParameterNeed::optional("key_version", "The key's version, 2 or 3; 2 if left out."),
            ],
            ..Description::new("kucoin", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (symbol, secret) = (symbol(&query.market), query.secret.as_bytes());
        let text = signed_text(&form(&symbol), &query.now_ms.to_string());
        let passphrase = sign::base64(&sign::hmac_sha256(secret, query.required("passphrase")?.as_bytes()));
        let members = [
            Member::text("symbol", symbol),
            Member::number("timestamp", query.now_ms),
            Member::text("passphrase", passphrase),
            Member::text("key_version", query.parameter("key_version").unwrap_or("2")),
        ];
        Ok(Signed::new(members, sign::base64(&sign::hmac_sha256(secret, text.as_bytes()))))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [signed_symbol, timestamp, passphrase, version] = fields::take(&submission, REQ)?;
        fields::expect_market("symbol", signed_symbol, &symbol(&submission.market))?;
        if !["2", "3"].contains(&version) || sign::expect_base64(passphrase, 32).is_err() {
            return Err(Fault::Unusable(
                "`req.key_version` should be `2` or `3`, and `req.passphrase` \
                base64(HMAC-SHA256(secret, passphrase)), never the passphrase itself"
                    .to_owned(),
            ));
        }
        let signed_ms = fields::whole("timestamp", timestamp)?;
        let freshness = Freshness::of_nonce("timestamp", timestamp)?.expiring(signed_ms, LIFETIME_MS);
        let form = form(signed_symbol);
        let request = Request::get(CALL, PATH, form.clone())
            .header("KC-API-KEY", fields::user(&submission, Chars::Visible)?)
            .header("KC-API-SIGN", sign::expect_base64(&submission.sign, 32)?)
            .header("KC-API-TIMESTAMP", timestamp)
            .header("KC-API-PASSPHRASE", passphrase)
            .header("KC-API-KEY-VERSION", version);
        Ok(Started::send(&submission, request, freshness, || signed_text(&form, timestamp)))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let asked = symbol(&submission.market);
        let data = reply::decode_envelope::<Envelope>(&reply, &WORDING)?.data.map_or("null", RawValue::get);
        let page = open_orders::page(data)?;
        let counted = page.items.iter().filter(|order| order.is_counted(&asked));
        Ok(Step::collect(counted.map(OpenOrder::read))?.of_page(page.items.len(), page.page_size))
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(default)]
    msg: Text<'a>,
    data: Option<&'a RawValue>,
}

impl<'a> ErrorBody<'a> for Envelope<'a> {
    fn words(&self) -> Option<String> {
        let is_failure = self.code != "200000";
        is_failure.then(|| format!("code {}: {}", self.code.as_str(), self.msg.as_str()))
    }
}

fn symbol(market: &Market) -> String {
    format!("{}-{}", market.base, market.quote)
}

fn form(symbol: &str) -> Form {
    Form::new().with("symbol", symbol)
}

fn signed_text(form: &Form, timestamp: &str) -> String {
    form.url(&format!("{timestamp}GET"), PATH)
}

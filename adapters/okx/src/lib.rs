//! The adapter of OKX, spot market, interface version 5.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `OK-ACCESS-SIGN = base64(HMAC-SHA256(secret, text))`, the text being
//! `2025-10-09T08:53:20.123ZGET/api/v5/trade/orders-pending?instType=SPOT&instId=BTC-USDT&limit=100`, the query
//! in this order. The passphrase is sent as it is. No nonce: a request can be used again for half a minute.
//!
//! Sources: okx.com/docs-v5, "REST authentication" and "Order list"; ccxt, `okx.py`; hummingbot, `okx_auth.py`.

mod open_orders;

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

use crate::open_orders::OpenOrder;

const ORIGIN: &str = "https://www.okx.com";
const PATH: &str = "/api/v5/trade/orders-pending";
const CALL: &str = "open-orders";
/// The exchange refuses requests that were signed longer ago.
const LIFETIME_MS: u64 = 30_000;
/// The largest page that the exchange sends.
const PAGE_ORDERS: usize = 100;
const REQ: [Declared; 5] = [
    fields::exactly("instType", "SPOT"),
    fields::text("instId", Chars::Symbol),
    fields::exactly("limit", "100"),
    fields::text("timestamp", Chars::Encoded),
    fields::text("passphrase", Chars::Visible),
];
const WORDING: Wording = Wording {
    throttled: &["code 50011:", "code 50061:"],
    unavailable: &["code 50001:", "code 50004:", "code 50013:", "code 50026:"],
    misconfigured: &["code 51001:"],
};
const NOTES: [&str; 5] = [
    "The key must have \"Read\" and nothing else. This is a matter of safety: the pool sees the passphrase, which \
                 together with the secret is full access.",
    "A signed request lives for half a minute: sign anew for each submission, with a clock that is right.",
    "An account of a regional host (eea.okx.com, us.okx.com) works only with a pool that is configured for it.",
    "A key bound to IP addresses works only if the pool's address is among them.",
    "Orders in trade mode \"cash\" count, and the first 100 open orders of the market are seen.",
];

/// OKX, spot market.
pub struct Okx;
alp_adapter::export!(Okx);

impl Adapter for Okx {
    fn describe() -> Description {
        let headers = ["OK-ACCESS-KEY", "OK-ACCESS-SIGN", "OK-ACCESS-TIMESTAMP", "OK-ACCESS-PASSPHRASE"];
        let call = Call::get(CALL, PATH).with_fixed("instType", "SPOT").with(&["instId"]);
        let call = call.with_fixed("limit", "100").headers(&headers);
        let passphrase = "The passphrase that was chosen when the key was made.";
        Description {
            lifetime: Lifetime::Milliseconds(LIFETIME_MS),
            binds: Binding::METHOD | Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            credential_parameters: vec![ParameterNeed::required("passphrase", passphrase)],
            ..Description::new("okx", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, vec![call])
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (symbol, timestamp) = (symbol(&query.market), format!("{}Z", time::iso_text(query.now_ms)));
        let text = signed_text(&form(&symbol), &timestamp);
        let sign = sign::base64(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::text("instType", "SPOT"),
            Member::text("instId", symbol),
            Member::text("limit", "100"),
            Member::text("timestamp", timestamp),
            Member::text("passphrase", query.required("passphrase")?),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [_type, signed_symbol, _limit, timestamp, passphrase] = fields::take(&submission, REQ)?;
        fields::expect_market("instId", signed_symbol, &symbol(&submission.market))?;
        let signed_ms = time::iso_ms(timestamp).filter(|_| timestamp.ends_with('Z'));
        let signed_ms = signed_ms.ok_or_else(|| {
            Fault::Unusable("`req.timestamp` should be a time like 2025-10-09T08:53:20.123Z".to_owned())
        })?;
        let nonce = Some(timestamp.to_owned());
        let freshness = Freshness { nonce, rising: Some(signed_ms), expires_ms: None };
        let freshness = freshness.expiring(signed_ms, LIFETIME_MS);
        let form = form(signed_symbol);
        let request = Request::get(CALL, PATH, form.clone())
            .header("OK-ACCESS-KEY", fields::user(&submission, Chars::Visible)?)
            .header("OK-ACCESS-SIGN", sign::expect_base64(&submission.sign, 32)?)
            .header("OK-ACCESS-TIMESTAMP", timestamp)
            .header("OK-ACCESS-PASSPHRASE", passphrase);
        Ok(Started::send(&submission, request, freshness, || signed_text(&form, timestamp)))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let asked = symbol(&submission.market);
        let data = reply::decode_envelope::<Envelope>(&reply, &WORDING)?.data;
        let open: Vec<OpenOrder> = reply::parse(data.map_or("null", RawValue::get))?;
        let counted = open.iter().filter(|order| order.is_counted(&asked));
        Ok(Step::collect(counted.map(OpenOrder::read))?.of_page(open.len(), PAGE_ORDERS))
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
        let is_failure = self.code != "0";
        is_failure.then(|| format!("code {}: {}", self.code.as_str(), self.msg.as_str()))
    }
}

fn symbol(market: &Market) -> String {
    format!("{}-{}", market.base, market.quote)
}

fn form(symbol: &str) -> Form {
    Form::new().with("instType", "SPOT").with("instId", symbol).with("limit", "100")
}

fn signed_text(form: &Form, timestamp: &str) -> String {
    form.url(&format!("{timestamp}GET"), PATH)
}

//! The adapter of HTX (Huobi), spot market.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `Signature = base64(HMAC-SHA256(secret, text))`, the text being four lines: `GET`, the host,
//! `/v1/order/openOrders`, and the query as it is sent before the signature, sorted by name, capitals first:
//! `AccessKeyId=K&SignatureMethod=HmacSHA256&SignatureVersion=2&Timestamp=2025-10-09T08%3A53%3A20&account-id=1&`
//! `size=500&symbol=ethusdt`. No nonce: a request can be used again for five minutes.
//!
//! Sources: HTX, "Authentication" and "Get all open orders"; ccxt, `htx.py`; hummingbot, `htx_auth.py`.

mod open_orders;

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

use crate::open_orders::OpenOrder;

const ORIGIN: &str = "https://api.huobi.pro";
const PATH: &str = "/v1/order/openOrders";
const CALL: &str = "open-orders";
const METHOD: &str = "HmacSHA256";
/// The exchange allows its clock and the time that was signed to be this far apart.
const LIFETIME_MS: u64 = 300_000;
/// The largest page that the exchange sends, as it stands in the query.
const PAGE: &str = "500";
const PAGE_ORDERS: usize = 500;
const REQ: [Declared; 6] = [
    fields::exactly("SignatureMethod", METHOD),
    fields::exactly("SignatureVersion", "2"),
    fields::text("Timestamp", Chars::Encoded),
    fields::digits("account-id"),
    fields::exactly("size", PAGE),
    fields::text("symbol", Chars::Small),
];
const WORDING: Wording = Wording {
    throttled: &["base-request-exceed-frequency-limit:"],
    unavailable: &["gateway-internal-error:", "system-maintenance:", "timeout:"],
    misconfigured: &["base-symbol-error:", "base-symbol-trade-disabled:", "invalid symbol"],
};
const NOTES: [&str; 4] = [
    "The key needs \"Read\" and must have nothing else.",
    "A key that is bound to no IP address expires after 90 days; a bound one works only if the pool's address is \
                 among them.",
    "A signed request lives for five minutes: who sees it can read these orders until then.",
    "Orders of the spot account count, and the newest 500 open orders of the market are seen.",
];

/// HTX, spot market.
pub struct Htx;
alp_adapter::export!(Htx);

impl Adapter for Htx {
    fn describe() -> Description {
        let call = Call::get(CALL, PATH)
            .with_fixed("SignatureMethod", METHOD)
            .with_fixed("SignatureVersion", "2")
            .with_fixed("size", PAGE)
            .with(&["AccessKeyId", "Timestamp", "account-id", "symbol", "Signature"]);
        let account_id =
            "The number of the spot account: `id` in GET /v1/account/accounts, where type is spot.";
        Description {
            lifetime: Lifetime::Milliseconds(LIFETIME_MS),
            binds: Binding::METHOD | Binding::HOST | Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            credential_parameters: vec![ParameterNeed::required("account_id", account_id)],
            ..Description::new("htx", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, vec![call])
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (symbol, account_id) = (symbol(&query.market), query.required("account_id")?);
        let timestamp: String =
            time::iso_text(query.now_ms).chars().take("YYYY-MM-DDThh:mm:ss".len()).collect();
        let text = signed_text(query.host(ORIGIN), &form(&query.user, &timestamp, account_id, &symbol));
        let sign = sign::base64(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::text("SignatureMethod", METHOD),
            Member::text("SignatureVersion", "2"),
            Member::text("Timestamp", timestamp.as_str()),
            Member::text("account-id", account_id),
            Member::text("size", PAGE),
            Member::text("symbol", symbol.as_str()),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [_method, _version, timestamp, account_id, _size, signed_symbol] =
            fields::take(&submission, REQ)?;
        fields::expect_market("symbol", signed_symbol, &symbol(&submission.market))?;
        let signed_ms = time::iso_ms(timestamp).ok_or_else(|| {
            Fault::Unusable("`req.Timestamp` should be a time like 2025-10-09T08:53:20, in UTC".to_owned())
        })?;
        let freshness =
            Freshness { nonce: Some(timestamp.to_owned()), rising: Some(signed_ms), expires_ms: None };
        let user = fields::user(&submission, Chars::Token)?;
        let form = form(user, timestamp, account_id, signed_symbol);
        let query = form.clone().with("Signature", sign::expect_base64(&submission.sign, 32)?);
        let request = Request::get(CALL, PATH, query);
        let freshness = freshness.expiring(signed_ms, LIFETIME_MS);
        Ok(Started::send(&submission, request, freshness, || signed_text(submission.host(ORIGIN), &form)))
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
#[serde(rename_all = "kebab-case")]
struct Envelope<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(default)]
    err_code: Text<'a>,
    #[serde(default)]
    err_msg: Text<'a>,
    data: Option<&'a RawValue>,
}

impl<'a> ErrorBody<'a> for Envelope<'a> {
    fn words(&self) -> Option<String> {
        let is_failure = self.status != "ok";
        is_failure.then(|| format!("{}: {}", self.err_code.as_str(), self.err_msg.as_str()))
    }
}

fn symbol(market: &Market) -> String {
    format!("{}{}", market.base, market.quote).to_ascii_lowercase()
}

fn form(user: &str, timestamp: &str, account_id: &str, symbol: &str) -> Form {
    let form = Form::new().with("AccessKeyId", user).with("SignatureMethod", METHOD);
    let form = form.with("SignatureVersion", "2").with("Timestamp", timestamp);
    form.with("account-id", account_id).with("size", PAGE).with("symbol", symbol)
}

fn signed_text(host: &str, form: &Form) -> String {
    format!("GET\n{host}\n{PATH}\n{}", form.text())
}

//! The adapter of Bitget, spot market, interface version 2.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `ACCESS-SIGN = base64(HMAC-SHA256(secret, text))`, the text being
//! `<ms>GET/api/v2/spot/trade/unfilled-orders?limit=100&symbol=BTCUSDT`, the query sorted by name. The passphrase
//! is sent as it is. No nonce: a request can be used again for half a minute.
//!
//! Sources: bitget.com/api-doc, "Signature" and "Get current orders"; ccxt, `bitget.py`; XChange, `xchange-bitget`.

mod open_orders;

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

use crate::open_orders::OpenOrder;

const ORIGIN: &str = "https://api.bitget.com";
const PATH: &str = "/api/v2/spot/trade/unfilled-orders";
const CALL: &str = "open-orders";
/// The exchange allows its clock and the time that was signed to be this far apart.
const LIFETIME_MS: u64 = 30_000;
/// The largest page that the exchange sends.
const PAGE_ORDERS: usize = 100;
const REQ: [Declared; 4] = [
    fields::exactly("limit", "100"),
    fields::text("symbol", Chars::Capitals),
    fields::digits("timestamp"),
    fields::text("passphrase", Chars::Visible),
];
const WORDING: Wording = Wording {
    throttled: &["code 429:", "code 30007:"],
    unavailable: &["code 40010:", "code 40015:", "code 40200:", "code 40725:"],
    misconfigured: &["code 40034:", "code 40309:"],
};
const NOTES: [&str; 5] = [
    "The key must be read-only, with \"Spot: orders\". This is a matter of safety: the pool sees the passphrase, \
                 which together with the secret is full access.",
    "A signed request lives for half a minute: sign anew for each submission, with a clock that is right.",
    "A key bound to IP addresses works only if the pool's address is among them.",
    "The first 100 open orders of the market are seen.",
    "Unified accounts have another interface and cannot be used.",
];

/// Bitget, spot market.
pub struct Bitget;
alp_adapter::export!(Bitget);

impl Adapter for Bitget {
    fn describe() -> Description {
        let headers = ["ACCESS-KEY", "ACCESS-SIGN", "ACCESS-TIMESTAMP", "ACCESS-PASSPHRASE", "locale"];
        let call = Call::get(CALL, PATH).with_fixed("limit", "100").with(&["symbol"]).headers(&headers);
        let passphrase = "The passphrase that was chosen when the key was made.";
        Description {
            lifetime: Lifetime::Milliseconds(LIFETIME_MS),
            binds: Binding::METHOD | Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            credential_parameters: vec![ParameterNeed::required("passphrase", passphrase)],
            ..Description::new("bitget", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, vec![call])
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let symbol = symbol(&query.market);
        let text = signed_text(&form(&symbol), &query.now_ms.to_string());
        let sign = sign::base64(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::number("limit", 100),
            Member::text("symbol", symbol),
            Member::number("timestamp", query.now_ms),
            Member::text("passphrase", query.required("passphrase")?),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [_limit, signed_symbol, timestamp, passphrase] = fields::take(&submission, REQ)?;
        fields::expect_market("symbol", signed_symbol, &symbol(&submission.market))?;
        let signed_ms = fields::whole("timestamp", timestamp)?;
        let freshness = Freshness::of_nonce("timestamp", timestamp)?.expiring(signed_ms, LIFETIME_MS);
        let form = form(signed_symbol);
        let request = Request::get(CALL, PATH, form.clone())
            .header("ACCESS-KEY", fields::user(&submission, Chars::Visible)?)
            .header("ACCESS-SIGN", sign::expect_base64(&submission.sign, 32)?)
            .header("ACCESS-TIMESTAMP", timestamp)
            .header("ACCESS-PASSPHRASE", passphrase)
            .header("locale", "en-US");
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
        let is_failure = self.code != "00000";
        is_failure.then(|| format!("code {}: {}", self.code.as_str(), self.msg.as_str()))
    }
}

fn symbol(market: &Market) -> String {
    format!("{}{}", market.base, market.quote)
}

fn form(symbol: &str) -> Form {
    Form::new().with("limit", "100").with("symbol", symbol)
}

fn signed_text(form: &Form, timestamp: &str) -> String {
    form.url(&format!("{timestamp}GET"), PATH)
}

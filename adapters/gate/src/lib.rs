//! The adapter of Gate, spot market, interface version 4.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `SIGN = hex(HMAC-SHA512(secret, text))`, the text being five lines: `GET`, `/api/v4/spot/orders`, the
//! query as it is sent, `hex(SHA512(body))` of the empty body, and the time in seconds. The query is
//! `currency_pair=ADA_USDT&limit=100&page=1&status=open`, in this order. No nonce: a request can be used again
//! for a minute.
//!
//! Sources: gate.com, "APIv4 signed request requirements" and "List orders"; ccxt, `gate.py`; XChange,
//! `xchange-gateio-v4`.

mod open_orders;

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

use crate::open_orders::OpenOrder;

const ORIGIN: &str = "https://api.gateio.ws";
const PATH: &str = "/api/v4/spot/orders";
const CALL: &str = "open-orders";
/// The exchange allows its clock and the time that was signed to be this far apart.
const LIFETIME_MS: u64 = 60_000;
/// The largest page that the exchange sends, as it stands in the query.
const PAGE: &str = "100";
const PAGE_ORDERS: usize = 100;
const REQ: [Declared; 5] = [
    fields::text("currency_pair", Chars::Symbol),
    fields::exactly("limit", PAGE),
    fields::exactly("page", "1"),
    fields::exactly("status", "open"),
    fields::digits("timestamp"),
];
const WORDING: Wording = Wording {
    throttled: &["TOO_MANY_REQUESTS", "TOO_FAST"],
    unavailable: &["INTERNAL", "SERVER_ERROR", "TOO_BUSY"],
    misconfigured: &["INVALID_CURRENCY"],
};
const NOTES: [&str; 3] = [
    "The key needs \"Spot: read only\" and should have nothing else.",
    "A key bound to IP addresses works only if the pool's address is among them.",
    "The first 100 open orders of the market are seen.",
];

/// Gate, spot market.
pub struct Gate;
alp_adapter::export!(Gate);

impl Adapter for Gate {
    fn describe() -> Description {
        let call = Call::get(CALL, PATH)
            .with(&["currency_pair"])
            .with_fixed("limit", PAGE)
            .with_fixed("page", "1")
            .with_fixed("status", "open")
            .headers(&["KEY", "Timestamp", "SIGN", "Accept"]);
        Description {
            lifetime: Lifetime::Milliseconds(LIFETIME_MS),
            binds: Binding::METHOD | Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("gate", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, vec![call])
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (pair, timestamp) = (pair(&query.market), query.now_ms / 1000);
        let text = signed_text(&form(&pair), &timestamp.to_string());
        let sign = sign::hex(&sign::hmac_sha512(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::text("currency_pair", pair),
            Member::number("limit", 100),
            Member::number("page", 1),
            Member::text("status", "open"),
            Member::number("timestamp", timestamp),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [signed_pair, _limit, _page, _status, timestamp] = fields::take(&submission, REQ)?;
        fields::expect_market("currency_pair", signed_pair, &pair(&submission.market))?;
        let signed_ms = fields::whole("timestamp", timestamp)?.saturating_mul(1000);
        let freshness = Freshness::of_nonce("timestamp", timestamp)?.expiring(signed_ms, LIFETIME_MS);
        let form = form(signed_pair);
        let request = Request::get(CALL, PATH, form.clone())
            .header("KEY", fields::user(&submission, Chars::Visible)?)
            .header("Timestamp", timestamp)
            .header("SIGN", sign::expect_hex(&submission.sign, 64)?)
            .header("Accept", "application/json");
        Ok(Started::send(&submission, request, freshness, || signed_text(&form, timestamp)))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let asked = pair(&submission.market);
        let entries: Vec<&RawValue> = reply::decode::<_, ErrorReply>(&reply, &WORDING)?;
        let open = open_orders::of_entries(&entries)?;
        let counted = open.iter().filter(|order| order.is_counted(&asked));
        Ok(Step::collect(counted.map(OpenOrder::read))?.of_page(entries.len(), PAGE_ORDERS))
    }
}

#[derive(Deserialize)]
struct ErrorReply {
    label: String,
    #[serde(default)]
    message: String,
}

impl ErrorBody<'_> for ErrorReply {
    fn words(&self) -> Option<String> {
        Some(format!("{}: {}", self.label, self.message))
    }
}

fn pair(market: &Market) -> String {
    format!("{}_{}", market.base, market.quote)
}

fn form(pair: &str) -> Form {
    let form = Form::new().with("currency_pair", pair).with("limit", PAGE);
    form.with("page", "1").with("status", "open")
}

fn signed_text(form: &Form, timestamp: &str) -> String {
    format!("GET\n{PATH}\n{}\n{}\n{timestamp}", form.text(), sign::hex(&sign::sha512(b"")))
}

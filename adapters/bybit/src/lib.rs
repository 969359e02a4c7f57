//! The adapter of Bybit, spot market, interface version 5.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `X-BAPI-SIGN = hex(HMAC-SHA256(secret, timestamp || key || recv_window || query))`, the query being
//! `category=spot&symbol=BTCUSDT&openOnly=0&limit=50`, in this order. Neither method nor path is signed. No nonce:
//! a request can be used again until `timestamp + recv_window`.
//!
//! Sources: bybit-exchange.github.io/docs/v5, "Integration guidance" and "Get open & closed orders"; ccxt,
//! `bybit.py`; hummingbot, `bybit_constants.py`.

mod open_orders;

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

use crate::open_orders::{OpenOrder, Page};

const ORIGIN: &str = "https://api.bybit.com";
const PATH: &str = "/v5/order/realtime";
const CALL: &str = "open-orders";
/// The exchange names no limit. A minute is what it is known to accept.
const MAX_WINDOW_MS: u64 = 60_000;
/// An address that sent too much is shut out for this long.
const BAN_MS: u64 = 600_000;
/// The largest page that the exchange sends.
const PAGE_ORDERS: usize = 50;
const REQ: [Declared; 6] = [
    fields::exactly("category", "spot"),
    fields::text("symbol", Chars::Capitals),
    fields::exactly("openOnly", "0"),
    fields::exactly("limit", "50"),
    fields::digits("timestamp"),
    fields::digits("recv_window"),
];
const WORDING: Wording = Wording {
    throttled: &["retCode 10006:", "retCode 10018:"],
    unavailable: &["retCode 10000:", "retCode 10016:", "retCode 170001:", "retCode 170007:"],
    misconfigured: &["retCode 170121:", "symbol invalid"],
};
const NOTES: [&str; 4] = [
    "The key must be read-only, with \"Spot: orders\". This is a matter of safety: the exchange signs neither method \
                 nor path, so the same signature also reads what else the key may read.",
    "A key bound to IP addresses works only if the pool's address is among them; one that is not bound expires \
                 after 90 days.",
    "The first 50 open orders of the market are seen, stop orders included.",
    "The key must be one with an HMAC secret: RSA signatures are not taken.",
];

/// Bybit, spot market.
pub struct Bybit;
alp_adapter::export!(Bybit);

impl Adapter for Bybit {
    fn describe() -> Description {
        let headers = ["X-BAPI-API-KEY", "X-BAPI-TIMESTAMP", "X-BAPI-RECV-WINDOW", "X-BAPI-SIGN"];
        let call = Call::get(CALL, PATH).with_fixed("category", "spot").with(&["symbol"]);
        let call = call.with_fixed("openOnly", "0").with_fixed("limit", "50").headers(&headers);
        Description {
            lifetime: Lifetime::Milliseconds(MAX_WINDOW_MS),
            binds: Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("bybit", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, vec![call])
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let symbol = symbol(&query.market);
        let text = format!("{}{}{MAX_WINDOW_MS}{}", query.now_ms, query.user, form(&symbol).text());
        let sign = sign::hex(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::text("category", "spot"),
            Member::text("symbol", symbol),
            Member::number("openOnly", 0),
            Member::number("limit", 50),
            Member::number("timestamp", query.now_ms),
            Member::number("recv_window", MAX_WINDOW_MS),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [_category, signed_symbol, _only, _limit, timestamp, window] = fields::take(&submission, REQ)?;
        fields::expect_market("symbol", signed_symbol, &symbol(&submission.market))?;
        let signed_ms = fields::whole("timestamp", timestamp)?;
        let window_ms = fields::whole("recv_window", window)?;
        if window_ms > MAX_WINDOW_MS {
            return Err(Fault::Unusable(format!("`req.recv_window` should be at most {MAX_WINDOW_MS}")));
        }
        let freshness = Freshness::of_nonce("timestamp", timestamp)?.expiring(signed_ms, window_ms);
        let (form, user) = (form(signed_symbol), fields::user(&submission, Chars::Visible)?);
        let request = Request::get(CALL, PATH, form.clone())
            .header("X-BAPI-API-KEY", user)
            .header("X-BAPI-TIMESTAMP", timestamp)
            .header("X-BAPI-RECV-WINDOW", window)
            .header("X-BAPI-SIGN", sign::expect_hex(&submission.sign, 32)?);
        let signed = || format!("{timestamp}{user}{window}{}", form.text());
        Ok(Started::send(&submission, request, freshness, signed))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        // The one failure that comes without an envelope.
        if reply.status == 403 && String::from_utf8_lossy(&reply.body).contains("access too frequent") {
            let message = "403, access too frequent".to_owned();
            return Err(Fault::Throttled(Throttle { message, retry_after_ms: Some(BAN_MS) }));
        }
        let asked = symbol(&submission.market);
        let result = reply::decode_envelope::<Envelope>(&reply, &WORDING)?.result;
        let page: Page = reply::parse(result.map_or("null", RawValue::get))?;
        // A perpetual contract can have the same symbol.
        if page.category != "spot" {
            return Err(Fault::Unreadable("the orders are not those of the spot market".to_owned()));
        }
        let counted = page.list.iter().filter(|order| order.is_counted(&asked));
        Ok(Step::collect(counted.map(OpenOrder::read))?.of_page(page.list.len(), PAGE_ORDERS))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow)]
    ret_code: Text<'a>,
    ret_msg: Text<'a>,
    result: Option<&'a RawValue>,
}

impl<'a> ErrorBody<'a> for Envelope<'a> {
    fn words(&self) -> Option<String> {
        let is_failure = self.ret_code != "0";
        is_failure.then(|| format!("retCode {}: {}", self.ret_code.as_str(), self.ret_msg.as_str()))
    }
}

fn symbol(market: &Market) -> String {
    format!("{}{}", market.base, market.quote)
}

fn form(symbol: &str) -> Form {
    let form = Form::new().with("category", "spot").with("symbol", symbol);
    form.with("openOnly", "0").with("limit", "50")
}

//! The adapter of MEXC, spot market, interface version 3.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `signature = hex(HMAC-SHA256(secret, query))`, the digits in lower case, where the query is what is
//! sent before the signature, here `symbol=BTCUSDT&recvWindow=59000&timestamp=<ms>`. Neither method nor path is
//! signed. No nonce: a request can be used again until `timestamp + recvWindow`.
//!
//! Sources: mexcdevelop.github.io, "Spot v3", "Signed" and "Current open orders"; ccxt, `mexc.py`.

use alp_adapter::*;

const ORIGIN: &str = "https://api.mexc.com";
const PATH: &str = "/api/v3/openOrders";
const CALL: &str = "open-orders";
/// The window this adapter signs with.
const WINDOW_MS: u64 = 59_000;
/// The longest window that the exchange accepts: it has to be less than a minute.
const MAX_WINDOW_MS: u64 = 59_999;
/// The window that the exchange takes if none is given.
const DEFAULT_WINDOW_MS: u64 = 5_000;
const REQ: [Declared; 3] = [
    fields::text("symbol", Chars::Capitals),
    fields::digits("recvWindow").optional(),
    fields::digits("timestamp"),
];
const WORDING: Wording = Wording {
    throttled: &["code 429:", "code 510:"],
    unavailable: &["code 500:", "code 503:", "maintenance"],
    misconfigured: &["code 10007:", "code -1121:"],
};
const NOTES: [&str; 3] = [
    "The key must have \"Spot: account read\" (SPOT_DEAL_READ) and nothing else. This is a matter of safety: the \
                 exchange signs neither method nor path, so with a trading key the same signature cancels all orders \
                 of the market (DELETE /api/v3/openOrders).",
    "A key bound to IP addresses works only if the pool's address is among them; one that is not bound expires \
                 after 90 days.",
    "The signature must be in lower case.",
];

/// MEXC, spot market.
pub struct Mexc;
alp_adapter::export!(Mexc);

impl Adapter for Mexc {
    fn describe() -> Description {
        let parameters = ["symbol", "recvWindow", "timestamp", "signature"];
        let calls = vec![Call::get(CALL, PATH).with(&parameters).headers(&["X-MEXC-APIKEY"])];
        Description {
            lifetime: Lifetime::Milliseconds(MAX_WINDOW_MS),
            binds: Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("mexc", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let symbol = symbol(&query.market);
        let text = form(&symbol, &WINDOW_MS.to_string(), &query.now_ms.to_string()).text();
        let sign = sign::hex(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::text("symbol", symbol),
            Member::number("recvWindow", WINDOW_MS),
            Member::number("timestamp", query.now_ms),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [signed_symbol, window, timestamp] = fields::take(&submission, REQ)?;
        fields::expect_market("symbol", signed_symbol, &symbol(&submission.market))?;
        let signed_ms = fields::whole("timestamp", timestamp)?;
        let window_ms =
            if window.is_empty() { DEFAULT_WINDOW_MS } else { fields::whole("recvWindow", window)? };
        if window_ms > MAX_WINDOW_MS {
            return Err(Fault::Unusable(format!("`req.recvWindow` should be at most {MAX_WINDOW_MS}")));
        }
        let freshness = Freshness::of_nonce("timestamp", timestamp)?.expiring(signed_ms, window_ms);
        let form = form(signed_symbol, window, timestamp);
        let query = form.clone().with("signature", sign::expect_hex(&submission.sign, 32)?);
        let request = Request::get(CALL, PATH, query)
            .header("X-MEXC-APIKEY", fields::user(&submission, Chars::Visible)?);
        Ok(Started::send(&submission, request, freshness, || form.text()))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let asked = symbol(&submission.market);
        let open: Vec<OpenOrder> = reply::decode::<_, ErrorReply>(&reply, &WORDING)?;
        let counted = open.iter().filter(|order| order.symbol == asked.as_str() && order.is_on_the_book());
        Step::collect(counted.map(OpenOrder::read))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenOrder<'a> {
    #[serde(borrow)]
    symbol: Text<'a>,
    order_id: Text<'a>,
    price: Text<'a>,
    orig_qty: Text<'a>,
    executed_qty: Text<'a>,
    status: Text<'a>,
    #[serde(rename = "type")]
    kind: Text<'a>,
    side: Text<'a>,
    time: Text<'a>,
    is_working: Option<bool>,
}

impl OpenOrder<'_> {
    fn is_on_the_book(&self) -> bool {
        self.kind.is_one_of(&["LIMIT", "LIMIT_MAKER"])
            && self.status.is_one_of(&["NEW", "PARTIALLY_FILLED"])
            && self.is_working != Some(false)
    }

    fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "BUY", "SELL")?;
        let left = self.orig_qty.decimal("origQty")?.minus(&self.executed_qty.decimal("executedQty")?)?;
        let opened_ms = time::whole_ms(self.time.as_str());
        order::open(self.order_id.as_str(), side, &self.price.decimal("price")?, &left, opened_ms)
    }
}

#[derive(Deserialize)]
struct ErrorReply<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(alias = "message")]
    msg: Text<'a>,
}

impl<'a> ErrorBody<'a> for ErrorReply<'a> {
    fn words(&self) -> Option<String> {
        Some(format!("code {}: {}", self.code.as_str(), self.msg.as_str()))
    }
}

fn symbol(market: &Market) -> String {
    format!("{}{}", market.base, market.quote)
}

fn form(symbol: &str, window: &str, timestamp: &str) -> Form {
    Form::new().with("symbol", symbol).with_some("recvWindow", window).with("timestamp", timestamp)
}

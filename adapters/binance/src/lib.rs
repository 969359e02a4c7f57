//! The adapter of Binance, spot market.
//! It knows that exchange's wire format and refuses to know anything else.
//!
//! Signing: `signature = hex(HMAC-SHA256(secret, query))`, where the query is what is sent before the signature,
//! here `symbol=LTCBTC&recvWindow=60000&timestamp=<ms>`. Neither method nor path is signed. No nonce: a request
//! can be used again until `timestamp + recvWindow`.
//!
//! Sources: developers.binance.com, REST API, "Request security" and "Current open orders"; ccxt, `binance.py`.

use alp_adapter::*;

const ORIGIN: &str = "https://api.binance.com";
const PATH: &str = "/api/v3/openOrders";
const CALL: &str = "open-orders";
/// The longest window that the exchange accepts, and the one it takes if none is given.
const MAX_WINDOW_MS: u64 = 60_000;
const DEFAULT_WINDOW_MS: u64 = 5_000;
const REQ: [Declared; 3] = [
    fields::text("symbol", Chars::Capitals),
    fields::digits("recvWindow").optional(),
    fields::digits("timestamp"),
];
const WORDING: Wording =
    Wording { throttled: &["-1003:"], unavailable: &["-1001:", "-1016:"], misconfigured: &["-1121:"] };
const NOTES: [&str; 2] = [
    "The key must have \"Enable Reading\" and nothing else. This is a matter of safety: the exchange \
                 signs neither method nor path, so with a trading key the same signature cancels all orders of the \
                 market (DELETE /api/v3/openOrders).",
    "A key bound to IP addresses works only if the pool's address is among them.",
];

/// Binance, spot market.
pub struct Binance;
alp_adapter::export!(Binance);

impl Adapter for Binance {
    fn describe() -> Description {
        let parameters = ["symbol", "recvWindow", "timestamp", "signature"];
        let calls = vec![Call::get(CALL, PATH).with(&parameters).headers(&["X-MBX-APIKEY"])];
        Description {
            lifetime: Lifetime::Milliseconds(MAX_WINDOW_MS),
            binds: Binding::PARAMETERS | Binding::MARKET,
            // Counted per symbol, over all accounts; a request sees one symbol only.
            order_ids: OrderIdScope::Exchange,
            ..Description::new("binance", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let symbol = symbol(&query.market);
        let text = form(&symbol, &MAX_WINDOW_MS.to_string(), &query.now_ms.to_string()).text();
        let sign = sign::hex(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::text("symbol", symbol),
            Member::number("recvWindow", MAX_WINDOW_MS),
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
            .header("X-MBX-APIKEY", fields::user(&submission, Chars::Visible)?);
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
    /// Stop orders wait beside the book, and so do the later legs of order lists.
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
    msg: Text<'a>,
}

impl<'a> ErrorBody<'a> for ErrorReply<'a> {
    fn words(&self) -> Option<String> {
        Some(format!("{}: {}", self.code.as_str(), self.msg.as_str()))
    }
}

fn symbol(market: &Market) -> String {
    format!("{}{}", market.base, market.quote)
}

fn form(symbol: &str, window: &str, timestamp: &str) -> Form {
    Form::new().with("symbol", symbol).with_some("recvWindow", window).with("timestamp", timestamp)
}

//! Bybit, version 5, spot.
//!
//! Time, key, window and query are signed, in hexadecimal digits of HMAC-SHA256; method and path are not. A request
//! is good from a second before its timestamp until `X-BAPI-RECV-WINDOW` after it, any number of times. Refusals
//! come with status 200.

use axum::http::Method;
use serde_json::{Value, json};

use super::encoding::{
    Parameters, digits, header, hex, hmac_sha256, limit, lines_after, page, remaining, same_signature,
    with_retry_after,
};
use crate::books::{Market, Side};
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

const PATH: &str = "/v5/order/realtime";
/// How far a timestamp may be ahead, in milliseconds: less than a second.
const AHEAD_MS: u64 = 999;
/// How old a request may be that does not say, in milliseconds.
const DEFAULT_WINDOW_MS: u64 = 5_000;
/// Orders of a page if the request does not say, and at most.
const LIMITS: (u64, u64) = (20, 50);
/// Order ids have nineteen digits.
const ID_OFFSET: u64 = 2_900_000_000_000_000_000;

/// The protocol of Bybit.
pub(super) struct Bybit;

impl Protocol for Bybit {
    fn symbol(&self, market: &Market) -> String {
        format!("{}{}", market.base, market.quote)
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        if (&request.method, request.path.as_str()) != (&Method::GET, PATH) {
            return Err(Refusal::UnknownCall);
        }
        let key = header(request, "x-bapi-api-key").ok_or(Refusal::UnknownKey)?.to_owned();
        let signed_ms = header(request, "x-bapi-timestamp").and_then(digits);
        let signed_ms = signed_ms.ok_or(Refusal::Malformed("X-BAPI-TIMESTAMP"))?;
        let validity = Validity::around(signed_ms, AHEAD_MS, window_ms(request));
        let parameters = Parameters::read(&request.query)?;
        if parameters.get("category") != Some("spot") {
            return Err(Refusal::Malformed("category"));
        }
        limit(request, "limit", LIMITS.0, LIMITS.1)?;
        let symbol = parameters.get("symbol").map(str::to_owned);
        let proof = Proof { key, validity, nonce: Nonce::Unchecked };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let part = |name| header(request, name).unwrap_or_default();
        let window = part("x-bapi-recv-window");
        let text = format!("{}{}{window}{}", part("x-bapi-timestamp"), part("x-bapi-api-key"), request.query);
        let due = hex(&hmac_sha256(credentials.secret.as_bytes(), text.as_bytes()));
        same_signature(header(request, "x-bapi-sign"), &due)
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, request: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        let refused = |refusal| refusal_reply(refusal, request);
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let result = self.page(request, lines);
                let now_ms = request.received_ms;
                let body = json!({ "retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms });
                Reply::new(200, body)
            }
            Ok(_) => refused(&Refusal::UnknownCall),
            Err(refusal) => refused(refusal),
        }
    }
}

impl Bybit {
    /// The page behind the cursor. There is a cursor even on the last page, unless that is empty.
    fn page(&self, request: &RawRequest, lines: &[Listed]) -> Value {
        let parameters = Parameters::read(&request.query);
        let after = parameters.as_ref().ok().and_then(|parameters| parameters.get("cursor"));
        let rest = after.map_or(lines, |after| lines_after(lines, |line| cursor(line) == after));
        let lines = page(rest, 1, limit(request, "limit", LIMITS.0, LIMITS.1).unwrap_or(LIMITS.0));
        let orders: Vec<Value> = lines.iter().map(|line| self.order(line)).collect();
        let next = lines.last().map(cursor).unwrap_or_default();
        json!({ "category": "spot", "nextPageCursor": next, "list": orders })
    }

    fn order(&self, line: &Listed) -> Value {
        let order = &line.order;
        let is_waiting = line.kind == Kind::Stop;
        let status = match line.kind {
            Kind::Stop => "Untriggered",
            Kind::Filled => "Filled",
            Kind::Open | Kind::Elsewhere if order.filled.is_zero() => "New",
            Kind::Open | Kind::Elsewhere => "PartiallyFilled",
        };
        json!({
            "symbol": self.symbol(&line.market), "orderId": order_id(line), "orderType": "Limit",
            "side": match order.side { Side::Buy => "Buy", Side::Sell => "Sell" },
            "price": order.price.to_string(), "qty": order.amount.to_string(),
            "cumExecQty": order.filled.to_string(), "leavesQty": remaining(line).to_string(),
            "orderStatus": status, "stopOrderType": if is_waiting { "tpslOrder" } else { "" },
            "triggerPrice": if is_waiting { order.price.to_string() } else { String::new() },
            "createdTime": order.opened_ms.to_string(), "updatedTime": order.opened_ms.to_string(),
            "orderLinkId": "", "blockTradeId": "", "isLeverage": "0", "positionIdx": 0,
            "cancelType": "UNKNOWN", "rejectReason": "EC_NoError", "avgPrice": "", "leavesValue": "0",
            "cumExecValue": order.filled.times(order.price).to_string(), "cumExecFee": "0",
            "timeInForce": "GTC", "orderIv": "", "takeProfit": "", "stopLoss": "", "tpTriggerBy": "",
            "slTriggerBy": "", "triggerDirection": 0, "triggerBy": "", "lastPriceOnCreated": "",
            "reduceOnly": false, "closeOnTrigger": false, "smpType": "None", "smpGroup": 0,
            "smpOrderId": "", "marketUnit": "",
        })
    }
}

fn order_id(line: &Listed) -> String {
    ID_OFFSET.saturating_add(line.order.id).to_string()
}

/// The page that ends with this line ends here; a colon is encoded already.
fn cursor(line: &Listed) -> String {
    format!("{}%3A{}", order_id(line), line.order.opened_ms)
}

fn window_ms(request: &RawRequest) -> u64 {
    header(request, "x-bapi-recv-window").and_then(digits).unwrap_or(DEFAULT_WINDOW_MS)
}

fn refusal_reply(refusal: &Refusal, request: &RawRequest) -> Reply {
    let now_ms = request.received_ms;
    let late = || {
        let signed = header(request, "x-bapi-timestamp").unwrap_or_default();
        format!(
            "invalid request, please check your server timestamp or recv_window param. \
             req_timestamp[{signed}],server_timestamp[{now_ms}],recv_window[{}]",
            window_ms(request)
        )
    };
    let (status, code, message) = match refusal.fault() {
        Fault::Key | Fault::Passphrase | Fault::Account => (200, 10_003, "API key is invalid.".to_owned()),
        Fault::Signature | Fault::Nonce => {
            (200, 10_004, "Error sign, please check your signature generation algorithm.".to_owned())
        }
        Fault::Time => (200, 10_002, late()),
        Fault::Market | Fault::Request | Fault::Order => (200, 10_001, "Request parameter error.".to_owned()),
        Fault::Call => (404, 10_404, "Not Found".to_owned()),
        Fault::Busy => (429, 10_006, "Too many visits!".to_owned()),
        Fault::Down => (503, 10_016, "Server error.".to_owned()),
    };
    let body = json!({ "retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": now_ms });
    with_retry_after(Reply::new(status, body), refusal)
}

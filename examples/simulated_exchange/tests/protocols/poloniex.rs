use alp_simulated_exchange::Side;
use serde_json::json;

use crate::clock::answer_after;
use crate::signed_call::{Refused, SignedCall};

const SIGN: &str = "ke/MCmbYdXiCOlff2PDOo+3rcYGLNJENTY1MtHY+aH8=";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "poloniex",
    key: "poloniex-test-key-fixture",
    secret: "poloniex-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "BTC",
    quote: "USDT",
    sign: SIGN,
    method: "GET",
    target: "/orders?limit=2000&symbol=BTC_USDT",
    headers: &[("key", "poloniex-test-key-fixture"), ("signTimestamp", "1760000000123"), ("signature", SIGN)],
    body: "",
};
/// The same with a window, which needs no other signature.
const CALL_WITH_WINDOW: SignedCall = SignedCall {
    headers: &[
        ("key", "poloniex-test-key-fixture"),
        ("signTimestamp", "1760000000123"),
        ("signature", SIGN),
        ("recvWindow", "5000"),
    ],
    ..CALL
};

#[tokio::test]
async fn a_request_without_a_window_never_grows_old() {
    let refused = Refused {
        flipped: (401, json!({"code": 401, "message": "Signature is invalid"})),
        unknown_key: (401, json!({"code": 401, "message": "Invalid API key"})),
        repeated: None,
        stale: None,
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn a_request_with_a_window_grows_old_and_none_may_be_ahead() {
    assert_eq!(answer_after(CALL_WITH_WINDOW, 5_000).await.0, 200);
    let late = answer_after(CALL_WITH_WINDOW, 5_001).await;
    let message = "Request timeout: recvWindow has passed since signTimestamp";
    assert_eq!(late, (408, json!({"code": 408, "message": message})));
    assert_eq!(answer_after(CALL, -1_000).await.0, 200);
    let message = "signTimestamp is more than 1 second from poloniex system time";
    assert_eq!(answer_after(CALL, -1_001).await, (400, json!({"code": 400, "message": message})));
}

#[tokio::test]
async fn amounts_are_called_quantities() {
    let orders = CALL.answer_with(&[(Side::Sell, "125000.5", "1", "0.25")]).await;
    let open = &orders[0];
    let shown = (&open["id"], &open["quantity"], &open["filledQuantity"], &open["amount"], &open["side"]);
    let due = (&json!("490000000000001001"), &json!("1"), &json!("0.25"), &json!("0.00"), &json!("SELL"));
    assert_eq!(shown, due);
    assert_eq!((&open["price"], &open["state"]), (&json!("125000.5"), &json!("PARTIALLY_FILLED")));
    assert_eq!((&orders[1]["loan"], &orders[2]["symbol"]), (&json!(true), &json!("LTC_DOGE")));
    assert_eq!(orders[3]["state"], "FILLED");
}

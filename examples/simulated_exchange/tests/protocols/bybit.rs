use alp_simulated_exchange::Side;
use serde_json::json;

use crate::clock::is_good_exactly;
use crate::signed_call::{Refused, SIGNED_MS, SignedCall};

pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "bybit",
    key: "bybit-test-key-fixture",
    secret: "bybit-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "BTC",
    quote: "USDT",
    sign: "168f40e8dc77b0b14d29ec6830c7ef4d8cc1f28675b8310b89e735f963f80dad",
    method: "GET",
    target: "/v5/order/realtime?category=spot&symbol=BTCUSDT&openOnly=0&limit=50",
    headers: &[
        ("X-BAPI-API-KEY", "bybit-test-key-fixture"),
        ("X-BAPI-TIMESTAMP", "1760000000123"),
        ("X-BAPI-RECV-WINDOW", "60000"),
        ("X-BAPI-SIGN", "168f40e8dc77b0b14d29ec6830c7ef4d8cc1f28675b8310b89e735f963f80dad"),
    ],
    body: "",
};

#[tokio::test]
async fn a_request_is_good_for_its_window_and_any_number_of_times() {
    let refusal = |code: u32, message: &str, time: u64| json!({"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": time});
    let late = "invalid request, please check your server timestamp or recv_window param. \
        req_timestamp[1760000000123],server_timestamp[1760000060124],recv_window[60000]";
    let wrong = "Error sign, please check your signature generation algorithm.";
    let refused = Refused {
        flipped: (200, refusal(10_004, wrong, SIGNED_MS)),
        unknown_key: (200, refusal(10_003, "API key is invalid.", SIGNED_MS)),
        repeated: None,
        stale: Some((60_001, 200, refusal(10_002, late, SIGNED_MS + 60_001))),
    };
    CALL.is_refused_when_spoilt(refused).await;
    is_good_exactly(CALL, -999, 60_000, |body| body["retCode"] == 0).await;
}

#[tokio::test]
async fn orders_of_every_status_are_shown() {
    let body = CALL.answer_with(&[(Side::Sell, "125000.5", "1", "0.25")]).await;
    assert_eq!((&body["retCode"], &body["result"]["category"]), (&json!(0), &json!("spot")));
    let list = &body["result"]["list"];
    let shown = (&list[0]["orderId"], &list[0]["side"], &list[0]["qty"], &list[0]["cumExecQty"]);
    assert_eq!(shown, (&json!("2900000000000001001"), &json!("Sell"), &json!("1"), &json!("0.25")));
    assert_eq!((&list[0]["price"], &list[0]["leavesQty"]), (&json!("125000.5"), &json!("0.75")));
    let statuses: Vec<_> = list.as_array().unwrap().iter().map(|order| &order["orderStatus"]).collect();
    assert_eq!(statuses, ["PartiallyFilled", "Untriggered", "New", "Filled"]);
    assert_eq!(list[2]["symbol"], "LTCDOGE");
}

#[tokio::test]
async fn a_page_has_fifty_orders_and_names_the_next() {
    let body = CALL.answer_with(&[(Side::Buy, "0.1", "1", "0"); 60]).await;
    assert_eq!(body["result"]["list"].as_array().unwrap().len(), 50);
    assert_eq!(body["result"]["nextPageCursor"], "2900000000000001050%3A1760000000123");
}

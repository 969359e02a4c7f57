use alp_simulated_exchange::Side;
use serde_json::json;

use crate::clock::is_good_exactly;
use crate::signed_call::{Refused, SignedCall};

pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "okx",
    key: "okx-test-key-fixture",
    secret: "okx-test-secret-fixture",
    passphrase: Some("pass-fixture"),
    account_id: None,
    base: "BTC",
    quote: "USDT",
    sign: "u6Ga10q+CEwIlV4JZZFmxAJJiOB/u5lGUaETETmACJs=",
    method: "GET",
    target: "/api/v5/trade/orders-pending?instType=SPOT&instId=BTC-USDT&limit=100",
    headers: &[
        ("OK-ACCESS-KEY", "okx-test-key-fixture"),
        ("OK-ACCESS-SIGN", "u6Ga10q+CEwIlV4JZZFmxAJJiOB/u5lGUaETETmACJs="),
        ("OK-ACCESS-TIMESTAMP", "2025-10-09T08:53:20.123Z"),
        ("OK-ACCESS-PASSPHRASE", "pass-fixture"),
    ],
    body: "",
};

#[tokio::test]
async fn a_request_is_good_for_thirty_seconds_and_any_number_of_times() {
    let refused = Refused {
        flipped: (401, json!({"msg": "Invalid Sign", "code": "50113"})),
        unknown_key: (401, json!({"msg": "Invalid OK-ACCESS-KEY", "code": "50111"})),
        repeated: None,
        stale: Some((30_001, 401, json!({"msg": "Timestamp request expired", "code": "50102"}))),
    };
    CALL.is_refused_when_spoilt(refused).await;
    is_good_exactly(CALL, -30_000, 30_000, |_| true).await;
}

#[tokio::test]
async fn another_passphrase_and_a_time_in_another_form_are_refused() {
    let fixture = CALL.exchange().await;
    let wrong = (401, json!({"msg": "Invalid OK-ACCESS-PASSPHRASE", "code": "50105"}));
    assert_eq!(fixture.send("pass-fixture", "pass").await, wrong);
    assert_eq!(fixture.send("20.123Z", "20Z").await.0, 400);
}

#[tokio::test]
async fn orders_are_texts_throughout_and_stand_among_others() {
    let body =
        CALL.answer_with(&[(Side::Buy, "0.1", "0.00001", "0"), (Side::Sell, "125000.5", "1", "0.25")]).await;
    assert_eq!((&body["code"], &body["msg"]), (&json!("0"), &json!("")));
    let open = &body["data"][1];
    let shown =
        (&open["ordId"], &open["px"], &open["sz"], &open["accFillSz"], &open["state"], &open["cTime"]);
    let due = (
        &json!("2900000000000001002"),
        &json!("125000.5"),
        &json!("1"),
        &json!("0.25"),
        &json!("partially_filled"),
        &json!("1760000000123"),
    );
    assert_eq!(shown, due);
    assert_eq!((&body["data"][0]["state"], &body["data"][0]["side"]), (&json!("live"), &json!("buy")));
    assert_eq!(
        (&body["data"][2]["instType"], &body["data"][2]["tdMode"]),
        (&json!("MARGIN"), &json!("cross"))
    );
    assert_eq!(body["data"][3]["instId"], "LTC-DOGE");
    assert_eq!(body["data"][4]["state"], "filled");
}

#[tokio::test]
async fn a_list_ends_after_a_hundred_orders() {
    let body = CALL.answer_with(&[(Side::Buy, "0.1", "1", "0"); 120]).await;
    assert_eq!(body["data"].as_array().unwrap().len(), 100);
}

use alp_simulated_exchange::{Behaviour, Side};
use serde_json::{Value, json};

use crate::clock::is_good_exactly;
use crate::signed_call::{Refused, SIGNED_MS, SignedCall};

pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "bitget",
    key: "bitget-test-key-fixture",
    secret: "bitget-test-secret-fixture",
    passphrase: Some("pass-fixture"),
    account_id: None,
    base: "BTC",
    quote: "USDT",
    sign: "eCgVY4/RLjbb4L4YRmtnNpuy8J6oZp+U36oJPU702w8=",
    method: "GET",
    target: "/api/v2/spot/trade/unfilled-orders?limit=100&symbol=BTCUSDT",
    headers: &[
        ("ACCESS-KEY", "bitget-test-key-fixture"),
        ("ACCESS-SIGN", "eCgVY4/RLjbb4L4YRmtnNpuy8J6oZp+U36oJPU702w8="),
        ("ACCESS-TIMESTAMP", "1760000000123"),
        ("ACCESS-PASSPHRASE", "pass-fixture"),
        ("locale", "en-US"),
    ],
    body: "",
};

fn refusal(code: &str, message: &str, now_ms: u64) -> Value {
    json!({"code": code, "msg": message, "requestTime": now_ms, "data": null})
}

#[tokio::test]
async fn a_request_is_good_for_thirty_seconds_and_any_number_of_times() {
    let late = refusal("40008", "Request timestamp expired", SIGNED_MS + 30_001);
    let refused = Refused {
        flipped: (400, refusal("40009", "sign signature error", SIGNED_MS)),
        unknown_key: (400, refusal("40006", "Invalid ACCESS_KEY", SIGNED_MS)),
        repeated: None,
        stale: Some((30_001, 400, late)),
    };
    CALL.is_refused_when_spoilt(refused).await;
    is_good_exactly(CALL, -30_000, 30_000, |_| true).await;
}

#[tokio::test]
async fn another_passphrase_is_refused_and_the_market_is_signed() {
    let fixture = CALL.exchange().await;
    let wrong = refusal("40012", "apikey/password is incorrect", SIGNED_MS);
    assert_eq!(fixture.send("pass-fixture", "pass").await, (400, wrong));
    let (status, body) = fixture.send("BTCUSDT", "ETHUSDT").await;
    assert_eq!((status, &body["code"]), (400, &json!("40009")));
}

#[tokio::test]
async fn the_price_of_an_order_is_called_an_average() {
    let body = CALL.answer_with(&[(Side::Sell, "125000.5", "1", "0.25")]).await;
    assert_eq!((&body["code"], &body["requestTime"]), (&json!("00000"), &json!(SIGNED_MS)));
    let open = &body["data"][0];
    let shown = (&open["orderId"], &open["priceAvg"], &open["basePrice"], &open["size"], &open["baseVolume"]);
    let due = (
        &json!("1360000000000001001"),
        &json!("125000.5000000000000000"),
        &json!("125013.00005"),
        &json!("1.0000000000000000"),
        &json!("0.2500000000000000"),
    );
    assert_eq!(shown, due);
    assert_eq!((&open["status"], &open["cTime"]), (&json!("partially_filled"), &json!("1760000000123")));
    assert_eq!((&open["tpslType"], &open["triggerPrice"]), (&json!("normal"), &Value::Null));
    assert_eq!(
        (&body["data"][1]["tpslType"], &body["data"][2]["symbol"]),
        (&json!("tpsl"), &json!("LTCDOGE"))
    );
    assert_eq!(body["data"][3]["status"], "filled");
}

#[tokio::test]
async fn wrong_types_are_in_the_long_numbers_too() {
    let fixture = CALL.exchange().await;
    fixture.handle.set_behaviour(Behaviour::WrongTypes);
    let (status, body) = fixture.send("", "").await;
    let order = &body["data"][0];
    assert_eq!((status, &order["priceAvg"], &order["size"]), (200, &json!("NaN"), &json!("NaN")));
}

use alp_simulated_exchange::{Behaviour, Side};
use serde_json::{Value, json};

use crate::clock::is_good_exactly;
use crate::signed_call::{Refused, SignedCall};

pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "htx",
    key: "htx-test-key-fixture",
    secret: "htx-test-secret-fixture",
    passphrase: None,
    account_id: Some("13496526"),
    base: "ETH",
    quote: "USDT",
    sign: "ZLg0ec%2B424noyMgGo4ZhKxaiMVzabjntm0Emvel9OLE%3D",
    method: "GET",
    target: "/v1/order/openOrders?AccessKeyId=htx-test-key-fixture&SignatureMethod=HmacSHA256&SignatureVersion=2\
        &Timestamp=2025-10-09T08%3A53%3A20&account-id=13496526&size=500&symbol=ethusdt\
        &Signature=ZLg0ec%2B424noyMgGo4ZhKxaiMVzabjntm0Emvel9OLE%3D",
    headers: &[],
    body: "",
};

fn refusal(code: &str, message: &str) -> (u16, Value) {
    (200, json!({"status": "error", "err-code": code, "err-msg": message, "data": null}))
}

#[tokio::test]
async fn a_request_is_good_for_five_minutes_and_any_number_of_times() {
    let invalid = |message| refusal("api-signature-not-valid", message);
    let refused = Refused {
        flipped: invalid("Signature not valid: Verification failure [校验失败]"),
        unknown_key: invalid("Signature not valid: Incorrect Access key [Access key错误]"),
        repeated: None,
        stale: {
            let (status, body) = invalid("Signature not valid: Invalid Timestamp [Timestamp错误]");
            Some((299_878, status, body))
        },
    };
    CALL.is_refused_when_spoilt(refused).await;
    // The time was cut to seconds when it was signed.
    is_good_exactly(CALL, -300_123, 299_877, |body| body["status"] == "ok").await;
}

#[tokio::test]
async fn the_order_of_parameters_is_free_and_another_account_is_refused() {
    let fixture = CALL.exchange().await;
    let moved = fixture.send("&size=500&symbol=ethusdt", "&symbol=ethusdt&size=500").await;
    assert_eq!((moved.0, &moved.1["status"]), (200, &json!("ok")));
    let other = SignedCall { account_id: Some("1"), ..CALL }.exchange().await.send("", "").await;
    assert_eq!(other, refusal("account-get-accounts-inexistent-error", "account for id does not exist"));
}

#[tokio::test]
async fn the_log_of_requests_has_neither_key_nor_signature() {
    let fixture = CALL.exchange().await;
    fixture.send("", "").await;
    let line = fixture.handle.requests().last.pop().unwrap();
    assert!(line.query.starts_with("SignatureMethod=HmacSHA256&"), "{}", line.query);
    assert!(line.query.ends_with("&symbol=ethusdt"), "{}", line.query);
}

#[tokio::test]
async fn orders_have_eighteen_digits_and_the_side_in_their_type() {
    let body = CALL.answer_with(&[(Side::Sell, "4500.1", "1", "0.25")]).await;
    let open = &body["data"][0];
    let shown = (&open["id"], &open["type"], &open["state"], &open["account-id"]);
    let due = (
        &json!(1_357_630_527_001_001_u64),
        &json!("sell-limit"),
        &json!("partial-filled"),
        &json!(13_496_526),
    );
    assert_eq!(shown, due);
    assert_eq!(open["price"], "4500.100000000000000000");
    assert_eq!(open["amount"], "1.000000000000000000");
    assert_eq!(open["filled-amount"], "0.250000000000000000");
    assert_eq!(
        (&body["data"][1]["type"], &body["data"][1]["state"]),
        (&json!("sell-stop-limit"), &json!("created"))
    );
    assert_eq!(
        (&body["data"][2]["symbol"], &body["data"][3]["state"]),
        (&json!("ltcdoge"), &json!("filled"))
    );
}

#[tokio::test]
async fn wrong_types_are_in_the_long_numbers_too() {
    let fixture = CALL.exchange().await;
    fixture.handle.set_behaviour(Behaviour::WrongTypes);
    let (status, body) = fixture.send("", "").await;
    let order = &body["data"][0];
    assert_eq!((status, &order["price"], &order["account-id"]), (200, &json!("NaN"), &json!([13_496_526])));
}

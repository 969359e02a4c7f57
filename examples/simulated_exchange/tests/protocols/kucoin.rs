use alp_simulated_exchange::Side;
use serde_json::json;

use crate::clock::is_good_exactly;
use crate::signed_call::{Refused, SignedCall};

pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "kucoin",
    key: "kucoin-test-key-fixture",
    secret: "kucoin-test-secret-fixture",
    passphrase: Some("pass-fixture"),
    account_id: None,
    base: "BTC",
    quote: "USDT",
    sign: "+OqEBiiv9x+7KQdcX8Osj6VGCqVVb0L1Wi+CUuzN//A=",
    method: "GET",
    target: "/api/v1/hf/orders/active?symbol=BTC-USDT",
    headers: &[
        ("KC-API-KEY", "kucoin-test-key-fixture"),
        ("KC-API-SIGN", "+OqEBiiv9x+7KQdcX8Osj6VGCqVVb0L1Wi+CUuzN//A="),
        ("KC-API-TIMESTAMP", "1760000000123"),
        ("KC-API-PASSPHRASE", "HKXttGC69ll5/wQ1sq8PeXiiQnCPWWDYJY2sLhFewjo="),
        ("KC-API-KEY-VERSION", "2"),
    ],
    body: "",
};

#[tokio::test]
async fn a_request_is_good_for_five_seconds_and_any_number_of_times() {
    let late = "KC-API-TIMESTAMP Invalid -- Time differs from server time by more than 5 seconds";
    let refused = Refused {
        flipped: (401, json!({"code": "400005", "msg": "Invalid KC-API-SIGN"})),
        unknown_key: (401, json!({"code": "400003", "msg": "KC-API-KEY not exists"})),
        repeated: None,
        stale: Some((5_001, 400, json!({"code": "400002", "msg": late}))),
    };
    CALL.is_refused_when_spoilt(refused).await;
    is_good_exactly(CALL, -5_000, 5_000, |_| true).await;
}

#[tokio::test]
async fn the_passphrase_comes_as_a_keyed_hash_and_the_market_is_signed() {
    let fixture = CALL.exchange().await;
    let wrong = (401, json!({"code": "400004", "msg": "KC-API-PASSPHRASE error"}));
    assert_eq!(fixture.send("HKXttGC69ll5/wQ1sq8PeXiiQnCPWWDYJY2sLhFewjo=", "pass-fixture").await, wrong);
    let (status, body) = fixture.send("BTC-USDT", "ETH-USDT").await;
    assert_eq!((status, &body["code"]), (401, &json!("400005")));
}

#[tokio::test]
async fn orders_have_all_their_amounts_and_stand_among_others() {
    let body = CALL.answer_with(&[(Side::Sell, "125000", "0.5", "0.2")]).await;
    assert_eq!(body["code"], "200000");
    let open = &body["data"][0];
    let amounts = (&open["size"], &open["dealSize"], &open["remainSize"], &open["cancelledSize"]);
    assert_eq!(amounts, (&json!("0.5"), &json!("0.2"), &json!("0.3"), &json!("0")));
    assert_eq!((&open["id"], &open["side"]), (&json!("68e0000000000000000003e9"), &json!("sell")));
    assert_eq!((&open["price"], &open["active"]), (&json!("125000"), &json!(true)));
    assert_eq!(body["data"][1]["tradeType"], "MARGIN_TRADE");
    assert_eq!(body["data"][2]["symbol"], "LTC-DOGE");
    assert_eq!((&body["data"][3]["active"], &body["data"][3]["remainSize"]), (&json!(false), &json!("0")));
}

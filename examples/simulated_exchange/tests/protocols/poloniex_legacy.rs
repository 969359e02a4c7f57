use alp_simulated_exchange::Side;
use serde_json::json;

use crate::signed_call::{Refused, SignedCall, hmac_sha512_hex};

const SIGN: &str = "391b87e4fcf3aa801bfb1c9b02e94c9e5d74cb27108a6615610da0222448bf75\
    2cc7f68db05f1519b801c8a9fd8a00a873f4732adf70be36d7b154c2b2ae428d";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "poloniex_legacy",
    key: "poloniex-legacy-test-key-fixture",
    secret: "poloniex-legacy-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "NBT",
    quote: "BTC",
    sign: SIGN,
    method: "POST",
    target: "/tradingApi",
    headers: &[
        ("Key", "poloniex-legacy-test-key-fixture"),
        ("Sign", SIGN),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ],
    body: "nonce=1760000000123&command=returnOpenOrders&currencyPair=BTC_NBT",
};

#[tokio::test]
async fn a_nonce_works_once_and_no_clock_is_looked_at() {
    let bad_pair = (403, json!({"error": "Invalid API key/secret pair."}));
    let again = "Nonce must be greater than 1760000000123. You provided 1760000000123.";
    let refused = Refused {
        flipped: bad_pair.clone(),
        unknown_key: bad_pair,
        repeated: Some((422, json!({"error": again}))),
        stale: None,
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn amounts_are_what_is_left_and_orders_name_no_market() {
    let orders = CALL.answer_with(&[(Side::Sell, "0.0026", "12.5", "0.5")]).await;
    let due = json!({
        "orderNumber": "1001", "type": "sell", "rate": "0.00260000", "startingAmount": "12.50000000",
        "amount": "12.00000000", "total": "0.03120000", "date": "2025-10-09 08:53:20", "margin": 0,
    });
    assert_eq!(orders[0], due);
    assert_eq!((&orders[1]["margin"], &orders[2]["amount"]), (&json!(1), &json!("0.00000000")));
    assert_eq!(orders.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_orders_of_all_markets_stand_under_their_markets() {
    let fixture = CALL.exchange().await;
    fixture.place((Side::Buy, "0.0024", "7", "0"));
    let body = "nonce=5&command=returnOpenOrders&currencyPair=all".to_owned();
    let sign = hmac_sha512_hex(CALL.secret, &body);
    let headers = [("Key", CALL.key.to_owned()), ("Sign", sign)];
    let (status, reply) = fixture.send_anything("POST", "/tradingApi", &headers, body).await;
    assert_eq!((status, &reply["BTC_NBT"][0]["orderNumber"]), (200, &json!("1001")));
    assert_eq!(reply["DOGE_LTC"].as_array().unwrap().len(), 1);
}

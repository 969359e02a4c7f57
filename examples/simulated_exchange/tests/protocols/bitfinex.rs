use alp_simulated_exchange::Side;
use serde_json::json;

use crate::signed_call::{Refused, SignedCall};

pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "bitfinex",
    key: "bitfinex-test-key-fixture",
    secret: "bitfinex-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "LTC",
    quote: "USDT",
    sign: "606dd878027f5ca3cd0ae88fb86cd49438d42c361738cc48b07652d89357de2a20d60f62b2d2d036ccfb2da5a9c48120",
    method: "POST",
    target: "/v2/auth/r/orders/tLTCUST",
    headers: &[
        ("bfx-apikey", "bitfinex-test-key-fixture"),
        ("bfx-nonce", "1760000000123000"),
        (
            "bfx-signature",
            "606dd878027f5ca3cd0ae88fb86cd49438d42c361738cc48b07652d89357de2a20d60f62b2d2d036ccfb2da5a9c48120",
        ),
        ("Content-Type", "application/json"),
    ],
    body: "{}",
};

#[tokio::test]
async fn a_request_works_once_and_never_grows_old() {
    let refused = Refused {
        flipped: (500, json!(["error", 10112, "signature: invalid"])),
        unknown_key: (500, json!(["error", 10100, "apikey: invalid"])),
        repeated: Some((500, json!(["error", 10114, "nonce: small"]))),
        stale: None,
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn a_request_for_another_market_is_not_the_signed_one() {
    let fixture = CALL.exchange().await;
    let moved = fixture.send("/tLTCUST", "/tBTCUST").await;
    assert_eq!(moved, (500, json!(["error", 10112, "signature: invalid"])));
}

#[tokio::test]
async fn orders_are_lists_and_what_is_left_has_the_sign_of_the_side() {
    let orders =
        CALL.answer_with(&[(Side::Sell, "100.5", "1", "0.4"), (Side::Buy, "0.00000001", "100000", "0")]);
    let orders = orders.await;
    assert_eq!(orders[0].as_array().unwrap().len(), 32);
    assert_eq!((&orders[0][0], &orders[0][3]), (&json!(219_000_001_001_u64), &json!("tLTCUST")));
    let texts = [&orders[0][6], &orders[0][7], &orders[0][16], &orders[1][6]].map(ToString::to_string);
    assert_eq!(texts, ["-0.6", "-1", "100.5", "100000"]);
    assert_eq!(orders[1][16].to_string(), "1e-8");
    assert_eq!((&orders[0][8], &orders[1][13]), (&json!("EXCHANGE LIMIT"), &json!("ACTIVE")));
    assert_eq!(orders[0][13], "PARTIALLY FILLED @ 100.5(-0.4)");
    assert_eq!((&orders[2][8], &orders[3][3]), (&json!("EXCHANGE STOP LIMIT"), &json!("tLTC:DOGE")));
    assert_eq!(orders[4][6].to_string(), "0");
}

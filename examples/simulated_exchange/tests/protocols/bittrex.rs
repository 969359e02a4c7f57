use alp_simulated_exchange::Side;
use serde_json::{Value, json};

use crate::signed_call::{Refused, SignedCall, hmac_sha512_hex};

const SIGN: &str = "1be17959fc18d2ccefa10e4f40ea3e4a31cc2c1575dad60a235b262ae2db4a50\
    7e2b64a072a2db8ba5e63850f8fc348c29bbbf77f43f8269a6f08aff26e61401";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "bittrex",
    key: "bittrex-test-key-fixture",
    secret: "bittrex-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "NBT",
    quote: "BTC",
    sign: SIGN,
    method: "GET",
    target: "/api/v1.1/market/getopenorders?apikey=bittrex-test-key-fixture&nonce=1760000000123&market=BTC-NBT",
    headers: &[("apisign", SIGN)],
    body: "",
};
/// Of the call for the order `0cb4c4e4-bdc7-4e13-8c13-430e587d2cc1`.
const ORDER_SIGN: &str = "298bb0de5f2512e59d1962f98efb5891ca38b137c64d5656bc9333f79dbed690\
    45f308676dc35ec39b7bfd5883e15dd2cb335fe186b39177595fe7cb8cae3b4b";

fn said(message: &str) -> (u16, Value) {
    (200, json!({"success": false, "message": message, "result": null}))
}

#[tokio::test]
async fn a_request_works_for_ever() {
    let refused = Refused {
        flipped: said("INVALID_SIGNATURE"),
        unknown_key: said("APIKEY_INVALID"),
        repeated: None,
        stale: None,
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn amounts_are_what_is_left_and_the_price_is_the_limit() {
    let reply =
        CALL.answer_with(&[(Side::Sell, "0.0026", "12.5", "0.5"), (Side::Buy, "0.00000015", "3", "0")]).await;
    let orders = &reply["result"];
    let first = &orders[0];
    assert_eq!(first["OrderUuid"], "5b1cbd4f-9f0e-4d0b-8f3a-0000000003e9");
    assert_eq!((&first["Exchange"], &first["OrderType"]), (&json!("BTC-NBT"), &json!("LIMIT_SELL")));
    assert_eq!((&first["QuantityRemaining"], &first["Quantity"]), (&json!(12), &json!(12.5)));
    assert_eq!((&first["Limit"], &first["Price"]), (&json!(0.0026), &json!(0.0013)));
    assert_eq!(first["Opened"], "2025-10-09T08:53:20.123");
    assert_eq!((&orders[1]["OrderType"], &orders[1]["Limit"]), (&json!("LIMIT_BUY"), &json!(1.5e-7)));
    assert_eq!((&orders[2]["IsConditional"], &orders[3]["Exchange"]), (&json!(true), &json!("DOGE-LTC")));
    assert_eq!((&orders[4]["Closed"].is_string(), orders.as_array().unwrap().len()), (&true, 5));
}

#[tokio::test]
async fn one_order_is_asked_for_by_its_id_under_the_name_by_which_the_exchange_was_reached() {
    let fixture = CALL.exchange().await;
    fixture.place((Side::Sell, "0.0026", "12.5", "0.5"));
    for (host, uuid, status) in [
        ("https://bittrex.com".to_owned(), "5b1cbd4f-9f0e-4d0b-8f3a-0000000003e9", true),
        (fixture.origin(), "5b1cbd4f-9f0e-4d0b-8f3a-0000000003e9", true),
        (fixture.origin(), "5b1cbd4f-9f0e-4d0b-8f3a-0000000003ea", false),
        (fixture.origin(), "0cb4c4e4-bdc7-4e13-8c13-430e587d2cc1", false),
    ] {
        let target = format!("/api/v1.1/account/getorder?apikey={}&nonce=1&uuid={uuid}", CALL.key);
        let sign = hmac_sha512_hex(CALL.secret, &format!("{host}{target}"));
        let (_, reply) = fixture.send_anything("GET", &target, &[("apisign", sign)], String::new()).await;
        if status {
            let order = &reply["result"];
            assert_eq!((&order["Type"], &order["IsOpen"]), (&json!("LIMIT_SELL"), &json!(true)), "{reply}");
            assert_eq!(order["QuantityRemaining"], 12);
            assert!(order.get("OrderType").is_none());
        } else {
            assert_eq!(reply, said("UUID_INVALID").1);
        }
    }
}

#[tokio::test]
async fn a_signature_for_one_order_is_looked_at_before_the_order() {
    let fixture = CALL.exchange().await;
    let uuid = "0cb4c4e4-bdc7-4e13-8c13-430e587d2cc1";
    let target = format!("/api/v1.1/account/getorder?apikey={}&nonce=1760000000123&uuid={uuid}", CALL.key);
    for (sign, message) in [(ORDER_SIGN, "UUID_INVALID"), (SIGN, "INVALID_SIGNATURE")] {
        let headers = [("apisign", sign.to_owned())];
        assert_eq!(fixture.send_anything("GET", &target, &headers, String::new()).await, said(message));
    }
    assert_eq!(fixture.send_anything("GET", &target, &[], String::new()).await, said("APISIGN_NOT_PROVIDED"));
}

use alp_simulated_exchange::Side;
use serde_json::{Value, json};

use crate::signed_call::{Refused, SignedCall, hmac_sha512_hex};

const SIGN: &str = "848878cabab97bd8713d5a9fcbe2a56e815563f959e7fd08c31a191e92e75589\
    a579faa134cefb4661657c9e392a3c2409dcb83a3e1b122dd29701f113451696";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "bitcoincoid",
    key: "bitcoincoid-test-key-fixture",
    secret: "bitcoincoid-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "NBT",
    quote: "BTC",
    sign: SIGN,
    method: "POST",
    target: "/tapi",
    headers: &[
        ("Key", "bitcoincoid-test-key-fixture"),
        ("Sign", SIGN),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ],
    body: "nonce=1760000000123&pair=nbt_btc&method=openOrders",
};

fn said(message: &str) -> (u16, Value) {
    (200, json!({"success": 0, "error": message}))
}

#[tokio::test]
async fn a_nonce_works_once_and_no_clock_is_looked_at() {
    let again = "Invalid nonce. Nonce must be greater than 1760000000123. Please try again.";
    let refused = Refused {
        flipped: said("Invalid credentials. Bad sign."),
        unknown_key: said("Invalid credentials. API not found or session has expired."),
        repeated: Some(said(again)),
        stale: None,
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn what_is_left_of_a_purchase_is_in_the_quote_currency() {
    let reply =
        CALL.answer_with(&[(Side::Sell, "0.0026", "12.5", "0.5"), (Side::Buy, "0.0024", "10", "4")]).await;
    let orders = &reply["return"]["orders"];
    let sell = json!({
        "order_id": "1001", "submit_time": "1760000000", "price": "0.00260000", "type": "sell",
        "order_nbt": "12.50000000", "remain_nbt": "12.00000000",
    });
    let buy = json!({
        "order_id": "1002", "submit_time": "1760000000", "price": "0.00240000", "type": "buy",
        "order_btc": "0.02400000", "remain_btc": "0.01440000",
    });
    assert_eq!((&orders[0], &orders[1]), (&sell, &buy));
    assert_eq!((&orders[2]["remain_btc"], orders.as_array().unwrap().len()), (&json!("0.00000000"), 3));
}

#[tokio::test]
async fn without_a_pair_orders_stand_under_theirs_and_rupiah_have_an_old_name() {
    let call = SignedCall { base: "LTC", quote: "IDR", ..CALL };
    let fixture = call.exchange().await;
    fixture.place((Side::Buy, "800000", "2", "0"));
    let body = "nonce=5&method=openOrders".to_owned();
    let headers = [("Key", CALL.key.to_owned()), ("Sign", hmac_sha512_hex(CALL.secret, &body))];
    let (_, reply) = fixture.send_anything("POST", "/tapi", &headers, body).await;
    assert_eq!(reply["return"]["orders"]["ltc_idr"][0]["remain_rp"], "1600000.00000000");
}

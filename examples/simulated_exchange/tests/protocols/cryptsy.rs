use alp_simulated_exchange::Side;
use serde_json::{Value, json};

use crate::signed_call::{Refused, SignedCall, hmac_sha512_hex};

const SIGN: &str = "75753cbc3b2b38e3e6e9e622a0a69d1bfee473d09397b55c9f6da26f042d68ff\
    c01c0537775f6a6c5ab7aaed8e33e7eb11712c0fcbb3bf330ebeeadfb506f07d";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "cryptsy",
    key: "cryptsy-test-key-fixture",
    secret: "cryptsy-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "NBT",
    quote: "BTC",
    sign: SIGN,
    method: "POST",
    target: "/api",
    headers: &[
        ("Key", "cryptsy-test-key-fixture"),
        ("Sign", SIGN),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ],
    body: "nonce=1760000000123&method=myorders&marketid=442",
};

fn said(message: &str) -> (u16, Value) {
    (200, json!({"success": "0", "error": message}))
}

#[tokio::test]
async fn a_nonce_works_once_and_no_clock_is_looked_at() {
    let refused = Refused {
        flipped: said("Unable to Authorize Request - Check Your Post Data"),
        unknown_key: said("Unable to Authorize Request - Check Your Post Data"),
        repeated: Some(said("Unable to Authorize Request - Invalid Nonce")),
        stale: None,
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn quantities_are_what_is_left_and_orders_name_no_market() {
    let reply = CALL.answer_with(&[(Side::Sell, "0.0026", "12.5", "0.5")]).await;
    let due = json!({
        "orderid": "1001", "created": "2025-10-09 03:53:20", "ordertype": "Sell", "price": "0.00260000",
        "quantity": "12.00000000", "orig_quantity": "12.50000000", "total": "0.03120000",
    });
    assert_eq!((&reply["success"], &reply["return"][0]), (&json!("1"), &due));
    assert_eq!(reply["return"][1]["quantity"], "0.00000000");
    assert_eq!(reply["return"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_number_of_another_market_is_refused() {
    let fixture = CALL.exchange().await;
    let body = "nonce=5&method=myorders&marketid=443".to_owned();
    let headers = [("Key", CALL.key.to_owned()), ("Sign", hmac_sha512_hex(CALL.secret, &body))];
    assert_eq!(fixture.send_anything("POST", "/api", &headers, body).await, said("Invalid Market ID"));
}

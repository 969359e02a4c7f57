use alp_simulated_exchange::Side;
use serde_json::{Value, json};

use crate::signed_call::{Refused, SignedCall, hmac_sha256_hex};

const SIGN: &str = "5b3802bbf78952a17259b572cb70ed1f2289b7100b836e09186693557766c5c2";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "peatio",
    key: "peatio-test-key-fixture",
    secret: "peatio-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "NBT",
    quote: "BTC",
    sign: SIGN,
    method: "GET",
    target: "/api/v2/orders.json?access_key=peatio-test-key-fixture&limit=1000&market=nbtbtc&tonce=1760000000123&signature=5b3802bbf78952a17259b572cb70ed1f2289b7100b836e09186693557766c5c2",
    headers: &[],
    body: "",
};

fn said(code: u16, message: &str) -> (u16, Value) {
    (401, json!({"error": {"code": code, "message": message}}))
}

#[tokio::test]
async fn a_tonce_works_once_and_for_half_a_minute() {
    let late = "The tonce 1760000000123 is invalid, current timestamp is 1760000030124.";
    let again = "The tonce 1760000000123 has already been used by access key peatio-test-key-fixture.";
    let refused = Refused {
        flipped: said(2005, &format!("Signature a{} is incorrect.", &SIGN[1..])),
        unknown_key: said(2008, "The access key another-key does not exist."),
        repeated: Some(said(2006, again)),
        stale: Some((30_001, 401, said(2007, late).1)),
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn orders_have_what_is_left_of_them_and_stand_among_others() {
    let orders = CALL.answer_with(&[(Side::Buy, "0.0026", "100", "10.2")]).await;
    let due = json!({
        "id": 1001, "side": "buy", "ord_type": "limit", "price": "0.0026", "avg_price": "0.0", "state": "wait",
        "market": "nbtbtc", "created_at": "2025-10-09T08:53:20Z", "volume": "100.0",
        "remaining_volume": "89.8", "executed_volume": "10.2", "trades_count": 1,
    });
    assert_eq!(orders[0], due);
    assert_eq!((&orders[1]["ord_type"], &orders[1]["price"]), (&json!("market"), &Value::Null));
    assert_eq!((&orders[2]["market"], &orders[3]["state"]), (&json!("ltcdoge"), &json!("done")));
}

#[tokio::test]
async fn a_page_has_as_many_orders_as_were_asked_for() {
    let fixture = CALL.exchange().await;
    for _ in 0..5 {
        fixture.place((Side::Sell, "0.0026", "1", "0"));
    }
    let query = format!("access_key={}&limit=2&market=nbtbtc&page=2&tonce=1760000000123", CALL.key);
    let sign = hmac_sha256_hex(CALL.secret, &format!("GET|/api/v2/orders.json|{query}"));
    let target = format!("/api/v2/orders.json?{query}&signature={sign}");
    let (_, orders) = fixture.send_anything("GET", &target, &[], String::new()).await;
    let ids: Vec<_> = orders.as_array().unwrap().iter().map(|order| &order["id"]).collect();
    assert_eq!(ids, [1003, 1004]);
}

use alp_simulated_exchange::Side;
use serde_json::json;

use crate::clock::is_good_exactly;
use crate::signed_call::{Refused, SignedCall};

pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "coinbase_exchange",
    key: "coinbase-exchange-test-key-fixture",
    secret: "Y29pbmJhc2VfZXhjaGFuZ2UtdGVzdC1zZWNyZXQtZml4dHVyZS0wMTIzNDU2Nzg5YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXow\
        MTIzNDU2Nzg5",
    passphrase: Some("pass-fixture"),
    account_id: None,
    base: "BTC",
    quote: "USD",
    sign: "E5FU3tUgUQmmHJ003qlE8F0I2mbdqpUntnmcRumBM2o=",
    method: "GET",
    target: "/orders?product_id=BTC-USD&status=open&limit=1000",
    headers: &[
        ("CB-ACCESS-KEY", "coinbase-exchange-test-key-fixture"),
        ("CB-ACCESS-SIGN", "E5FU3tUgUQmmHJ003qlE8F0I2mbdqpUntnmcRumBM2o="),
        ("CB-ACCESS-TIMESTAMP", "1760000000"),
        ("CB-ACCESS-PASSPHRASE", "pass-fixture"),
        ("User-Agent", "pool"),
    ],
    body: "",
};

#[tokio::test]
async fn a_request_is_good_for_thirty_seconds_and_any_number_of_times() {
    let refused = Refused {
        flipped: (401, json!({"message": "invalid signature"})),
        unknown_key: (401, json!({"message": "Invalid API Key"})),
        repeated: None,
        stale: Some((29_878, 400, json!({"message": "request timestamp expired"}))),
    };
    CALL.is_refused_when_spoilt(refused).await;
    // The time was cut to seconds when it was signed.
    is_good_exactly(CALL, -30_123, 29_877, |_| true).await;
}

#[tokio::test]
async fn the_passphrase_and_a_user_agent_have_to_be_there() {
    let fixture = CALL.exchange().await;
    let wrong = fixture.send("pass-fixture", "pass").await;
    assert_eq!(wrong, (401, json!({"message": "Invalid Passphrase"})));
    let nameless = fixture.send("pool", "").await;
    assert_eq!(nameless, (400, json!({"message": "User-Agent header is required."})));
}

#[tokio::test]
async fn a_stop_order_is_a_limit_order_but_for_its_stop() {
    let orders = CALL.answer_with(&[(Side::Sell, "125000.5", "1", "0.25")]).await;
    let open = &orders[0];
    let shown = (
        &open["id"],
        &open["price"],
        &open["size"],
        &open["filled_size"],
        &open["side"],
        &open["created_at"],
    );
    let due = (
        &json!("0c000000-0000-4000-8000-0000000003e9"),
        &json!("125000.50000000"),
        &json!("1.00000000"),
        &json!("0.25000000"),
        &json!("sell"),
        &json!("2025-10-09T08:53:20.123000Z"),
    );
    assert_eq!(shown, due);
    let stop = (&orders[1]["type"], &orders[1]["stop"], &orders[1]["status"]);
    assert_eq!(stop, (&json!("limit"), &json!("loss"), &json!("active")));
    assert_eq!((&orders[2]["product_id"], &orders[3]["status"]), (&json!("LTC-DOGE"), &json!("done")));
}

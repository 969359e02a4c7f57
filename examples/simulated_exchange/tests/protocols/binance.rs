use alp_simulated_exchange::Side;
use serde_json::json;

use crate::signed_call::{Refused, SignedCall};

pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "binance",
    key: "binance-test-key-fixture",
    secret: "binance-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "LTC",
    quote: "BTC",
    sign: "43594884a86b95814a5c454f1c4d3469a4849005c00875cf8b00be73538ecc00",
    method: "GET",
    target: "/api/v3/openOrders?symbol=LTCBTC&recvWindow=60000&timestamp=1760000000123\
        &signature=43594884a86b95814a5c454f1c4d3469a4849005c00875cf8b00be73538ecc00",
    headers: &[("X-MBX-APIKEY", "binance-test-key-fixture")],
    body: "",
};

#[tokio::test]
async fn a_request_is_good_for_its_window_and_any_number_of_times() {
    let late = json!({"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."});
    let unknown = json!({"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."});
    let refused = Refused {
        flipped: (400, json!({"code": -1022, "msg": "Signature for this request is not valid."})),
        unknown_key: (401, unknown),
        repeated: None,
        stale: Some((60_001, 400, late)),
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn orders_have_their_original_and_their_filled_amount_and_stand_among_others() {
    let orders = CALL.answer_with(&[(Side::Sell, "0.0026", "12.5", "0.5")]).await;
    let open = &orders[0];
    let shown = (&open["orderId"], &open["price"], &open["origQty"], &open["executedQty"], &open["side"]);
    let due = (
        &json!(9_007_199_254_741_994_u64),
        &json!("0.00260000"),
        &json!("12.50000000"),
        &json!("0.50000000"),
        &json!("SELL"),
    );
    assert_eq!(shown, due);
    let others: Vec<_> = orders.as_array().unwrap()[1..].iter().map(|line| &line["type"]).collect();
    assert_eq!(others, ["STOP_LOSS_LIMIT", "LIMIT", "LIMIT"]);
    assert_eq!((&orders[2]["symbol"], &orders[3]["status"]), (&json!("LTCDOGE"), &json!("FILLED")));
}

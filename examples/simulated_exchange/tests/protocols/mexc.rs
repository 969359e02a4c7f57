use alp_simulated_exchange::Side;
use serde_json::{Value, json};

use crate::signed_call::{Refused, SignedCall};

const SIGN: &str = "27e8ea3056663605a10f7db3c2e071a7eb9f8d3339e4b6358456735d360181c3";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "mexc",
    key: "mexc-test-key-fixture",
    secret: "mexc-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "BTC",
    quote: "USDT",
    sign: SIGN,
    method: "GET",
    target: "/api/v3/openOrders?symbol=BTCUSDT&recvWindow=59000&timestamp=1760000000123&signature=27e8ea3056663605a10f7db3c2e071a7eb9f8d3339e4b6358456735d360181c3",
    headers: &[("X-MEXC-APIKEY", "mexc-test-key-fixture")],
    body: "",
};

fn said(code: u32, message: &str) -> (u16, Value) {
    (400, json!({"code": code, "msg": message}))
}

#[tokio::test]
async fn a_request_is_good_for_its_window_and_any_number_of_times() {
    let late = said(700_003, "Timestamp for this request is outside of the recvWindow.").1;
    let refused = Refused {
        flipped: said(700_002, "Signature for this request is not valid."),
        unknown_key: said(10_072, "Api key info invalid"),
        repeated: None,
        stale: Some((59_001, 400, late)),
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn capitals_in_the_signature_and_a_window_of_a_minute_are_refused() {
    let fixture = CALL.exchange().await;
    let capitals = fixture.send(SIGN, &SIGN.to_uppercase()).await;
    assert_eq!(capitals, said(700_002, "Signature for this request is not valid."));
    let wide = fixture.send("59000", "60000").await;
    assert_eq!(wide, said(700_005, "recvWindow must be less than 60000"));
}

#[tokio::test]
async fn ids_are_texts_and_orders_stand_among_others() {
    let orders = CALL.answer_with(&[(Side::Sell, "125000.5", "1", "0.25")]).await;
    let open = &orders[0];
    assert_eq!(
        (&open["orderId"], &open["symbol"]),
        (&json!("C02__000512345678901235568"), &json!("BTCUSDT"))
    );
    assert_eq!((&open["origQty"], &open["executedQty"]), (&json!("1"), &json!("0.25")));
    assert_eq!((&open["status"], &open["side"]), (&json!("PARTIALLY_FILLED"), &json!("SELL")));
    assert_eq!(
        (&orders[1]["type"], &orders[2]["symbol"]),
        (&json!("IMMEDIATE_OR_CANCEL"), &json!("LTCDOGE"))
    );
    assert_eq!(orders[3]["status"], "FILLED");
}

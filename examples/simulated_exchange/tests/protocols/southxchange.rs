use alp_simulated_exchange::Side;
use serde_json::{Value, json};

use crate::signed_call::{Refused, SignedCall};

const SIGN: &str = "65a8549bcda1ada1b559645b2071a22233452a9731acd385418114f7dd8846b1\
    2171b2048f5bb6dcd80cc8250a099db26c82723eff2c85a5f266c6e65dbcfc15";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "southxchange",
    key: "southxchange-test-key-fixture",
    secret: "southxchange-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "NBT",
    quote: "BTC",
    sign: SIGN,
    method: "POST",
    target: "/api/listOrders",
    headers: &[("Hash", SIGN), ("Content-Type", "application/json")],
    body: "{\"nonce\": 1760000000123, \"key\": \"southxchange-test-key-fixture\"}",
};

fn said(message: &str) -> (u16, Value) {
    (400, json!({"Message": message}))
}

#[tokio::test]
async fn a_nonce_works_once_and_no_clock_is_looked_at() {
    let refused = Refused {
        flipped: said("Invalid hash"),
        unknown_key: said("Invalid key"),
        repeated: Some(said("Invalid nonce")),
        stale: None,
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn a_market_of_the_reference_currency_is_listed_the_other_way_round() {
    let orders =
        CALL.answer_with(&[(Side::Sell, "0.0025", "100", "20"), (Side::Buy, "0.002", "50", "0")]).await;
    let sell = json!({
        "Code": "1001", "Type": "buy", "Amount": 0.2, "OriginalAmount": 0.25, "LimitPrice": 400,
        "ListingCurrency": "BTC", "ReferenceCurrency": "NBT",
    });
    assert_eq!(orders[0], sell);
    assert_eq!((&orders[1]["Type"], &orders[1]["LimitPrice"]), (&json!("sell"), &json!(500)));
    assert_eq!((&orders[2]["ListingCurrency"], &orders[3]["Amount"]), (&json!("LTC"), &json!(0)));
}

#[tokio::test]
async fn another_market_is_listed_as_it_is_called() {
    let call = SignedCall { base: "LTC", quote: "BTC", ..CALL };
    let orders = call.answer_with(&[(Side::Sell, "0.0133", "2", "0.00000001")]).await;
    let due = json!({
        "Code": "1001", "Type": "sell", "Amount": 1.99999999, "OriginalAmount": 2, "LimitPrice": 0.0133,
        "ListingCurrency": "LTC", "ReferenceCurrency": "BTC",
    });
    assert_eq!(orders[0], due);
}

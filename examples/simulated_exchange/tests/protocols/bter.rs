use alp_simulated_exchange::Side;
use serde_json::json;

use crate::signed_call::{Refused, SignedCall};

const SIGN: &str = "bd81ab42161eb408ed1a24f5a8d25f3f9a9069a33e71fb0e6e14dbd8de20d8bf\
    c6d3beb08bc70aa3e69c5a70e4821c53aa5e27b6b2df379d546f558aa015df33";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "bter",
    key: "bter-test-key-fixture",
    secret: "bter-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "NBT",
    quote: "BTC",
    sign: SIGN,
    method: "POST",
    target: "/api/1/private/orderlist",
    headers: &[
        ("Key", "bter-test-key-fixture"),
        ("Sign", SIGN),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ],
    body: "",
};

#[tokio::test]
async fn one_signature_works_for_ever() {
    let message = "Error: invalid key or sign, please re-generate it from your account.";
    let said = (200, json!({"result": false, "msg": message}));
    let refused = Refused { flipped: said.clone(), unknown_key: said, repeated: None, stale: None };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn the_amount_of_a_purchase_is_in_the_quote_currency() {
    let placed = [(Side::Sell, "0.0026", "12.5", "0.5"), (Side::Buy, "0.00000001", "1000", "200")];
    let reply = CALL.answer_with(&placed).await;
    let orders = &reply["orders"];
    let sell = json!({
        "oid": "1001", "sell_type": "NBT", "buy_type": "BTC", "sell_amount": "12", "buy_amount": "0.0312",
        "pair": "nbt_btc", "type": "sell", "rate": 0.0026, "amount": "12", "initial_rate": 0.0026,
        "initial_amount": "12.5", "status": "open",
    });
    let buy = json!({
        "oid": "1002", "sell_type": "BTC", "buy_type": "NBT", "sell_amount": "0.000008", "buy_amount": "800",
        "pair": "nbt_btc", "type": "buy", "rate": 1.0e-8, "amount": "0.000008", "initial_rate": 1.0e-8,
        "initial_amount": "0.00001", "status": "open",
    });
    assert_eq!((&orders[0], &orders[1]), (&sell, &buy));
    assert_eq!((&orders[2]["pair"], &orders[3]["status"]), (&json!("ltc_doge"), &json!("closed")));
}

use alp_simulated_exchange::Side;
use serde_json::{Value, json};

use crate::signed_call::{Refused, SignedCall};

const SIGN: &str = "5f507f236ee5a0ddfcd2c9d96eaa8e41edbf044166cae4bbc7edb769b2cf5bcf\
    48764405ad5b5066b2db435008521af181f55f9877e9e74faeb78c200edecd75";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "ccedk",
    key: "ccedk-test-key-fixture",
    secret: "ccedk-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "NBT",
    quote: "BTC",
    sign: SIGN,
    method: "POST",
    target: "/api/v1/order/list",
    headers: &[
        ("Key", "ccedk-test-key-fixture"),
        ("Sign", SIGN),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ],
    body: "nonce=1760000000",
};

fn said(field: &str, message: &str) -> (u16, Value) {
    (200, json!({"errors": {field: message}, "response": null}))
}

#[tokio::test]
async fn a_nonce_works_once_and_in_its_range() {
    let late = "Nonce: incorrect range `nonce`=`1760000000`, must be from `1760000001` till `1760000061`";
    let (status, late) = said("nonce", late);
    let refused = Refused {
        flipped: said("Sign", "Sign: incorrect"),
        unknown_key: said("Key", "Key: not found"),
        repeated: Some(said("nonce", "Nonce: has already been used")),
        stale: Some((41_000, status, late)),
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn orders_have_the_number_of_their_market_which_a_public_call_tells() {
    let fixture = CALL.exchange().await;
    fixture.handle.add_market("NBT", "EUR", "0.9".parse().unwrap()).unwrap();
    fixture.place((Side::Sell, "0.0026", "12.5", "0.5"));
    let (_, pairs) = fixture.send_anything("GET", "/api/v1/stats/marketdepthfull", &[], String::new()).await;
    let due = json!([{"pair_id": "47", "pair_name": "nbt/btc"}, {"pair_id": 48, "pair_name": "nbt/eur"}]);
    assert_eq!(pairs, json!({"errors": false, "response": {"entities": due}}));
    let (_, reply) = fixture.send("", "").await;
    let orders = &reply["response"]["entities"];
    let due = json!({
        "order_id": "1001", "pair_id": "47", "type": "sell", "volume": "12.00000000", "price": "0.00260000",
        "fee": "0.00000000", "active": "1", "created": "1760000000",
    });
    assert_eq!(orders[0], due);
    assert_eq!((&orders[1]["pair_id"], &orders[2]["active"]), (&json!(40_046), &json!("0")));
}

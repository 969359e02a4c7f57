use alp_simulated_exchange::Side;
use serde_json::{Value, json};

use crate::signed_call::{Refused, SignedCall};

const SIGN: &str = "uN5avb4Efyr2GbwDdtz8YRjzFDuHOch94HyBeQgNBgedLmL6gzwiU03v2UJlrVByFpPeSzEri4Ush9eKrZKOLA==";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "kraken",
    key: "kraken-test-key-fixture",
    secret: "a3Jha2VuLXRlc3Qtc2VjcmV0LWZpeHR1cmUtMDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1Njc4OQ==",
    passphrase: None,
    account_id: None,
    base: "BTC",
    quote: "USD",
    sign: SIGN,
    method: "POST",
    target: "/0/private/OpenOrders",
    headers: &[
        ("API-Key", "kraken-test-key-fixture"),
        ("API-Sign", SIGN),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ],
    body: "nonce=1760000000123",
};

fn said(message: &str) -> (u16, Value) {
    (200, json!({"error": [message]}))
}

#[tokio::test]
async fn a_nonce_works_once_and_no_clock_is_looked_at() {
    let refused = Refused {
        flipped: said("EAPI:Invalid signature"),
        unknown_key: said("EAPI:Invalid key"),
        repeated: Some(said("EAPI:Invalid nonce")),
        stale: None,
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn orders_of_all_markets_stand_under_their_ids_with_their_limit_inside() {
    let reply = CALL.answer_with(&[(Side::Sell, "120000.1", "1.25", "0.25")]).await;
    assert_eq!(reply["error"], json!([]));
    let open = reply["result"]["open"].as_object().unwrap();
    let order = &open["OQCLML-00000-001001"];
    assert_eq!((&order["vol"], &order["vol_exec"]), (&json!("1.25000000"), &json!("0.25000000")));
    assert_eq!((&order["opentm"], &order["status"]), (&json!(1_760_000_000.123_7), &json!("open")));
    let terms = &order["descr"];
    assert_eq!(
        (&terms["pair"], &terms["price"], &terms["type"]),
        (&json!("XBTUSD"), &json!("120000.1"), &json!("sell"))
    );
    let others: Vec<_> = open.values().skip(1).map(|order| &order["descr"]["ordertype"]).collect();
    assert_eq!(others, ["stop-loss-limit", "limit", "limit"]);
    assert_eq!(open["OQCLML-00900-000002"]["descr"]["pair"], "LTCXDG");
    assert_eq!(open["OQCLML-00900-000003"]["status"], "closed");
}

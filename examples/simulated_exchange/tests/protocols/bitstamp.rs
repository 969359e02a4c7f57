use alp_simulated_exchange::Side;
use serde_json::{Value, json};

use crate::clock::is_good_exactly;
use crate::signed_call::{Refused, SignedCall};

const SIGN: &str = "4e683f289e07923fb7e240a045a3f38fae448255e60fafac94ded54410870da3";
const NONCE: &str = "f93c979d-b00d-43a9-9b9c-fd4cd9547fa6";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "bitstamp",
    key: "bitstamp-test-key-fixture",
    secret: "bitstamp-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "BTC",
    quote: "USD",
    sign: SIGN,
    method: "POST",
    target: "/api/v2/open_orders/btcusd/",
    headers: &[
        ("X-Auth", "BITSTAMP bitstamp-test-key-fixture"),
        ("X-Auth-Signature", SIGN),
        ("X-Auth-Nonce", NONCE),
        ("X-Auth-Timestamp", "1760000000123"),
        ("X-Auth-Version", "v2"),
    ],
    body: "",
};

fn refusal(code: &str, reason: &str) -> (u16, Value) {
    (403, json!({"status": "error", "reason": reason, "code": code}))
}

#[tokio::test]
async fn a_request_works_once_and_for_150_seconds() {
    let (status, late) = refusal("API0017", "X-Auth-Timestamp header is outside of the timeframe");
    let refused = Refused {
        flipped: refusal("API0005", "Invalid signature"),
        unknown_key: refusal("API0001", "API key not found"),
        repeated: Some(refusal("API0004", "Invalid nonce")),
        stale: Some((150_001, status, late)),
    };
    CALL.is_refused_when_spoilt(refused).await;
    is_good_exactly(CALL, -150_000, 150_000, |_| true).await;
}

#[tokio::test]
async fn a_content_type_comes_with_a_body_only() {
    let fixture = CALL.exchange().await;
    let headers: Vec<(&str, String)> =
        CALL.headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let form = ("Content-Type", "application/x-www-form-urlencoded".to_owned());
    let typed: Vec<(&str, String)> = headers.iter().cloned().chain([form]).collect();
    for (headers, body) in [(&typed, ""), (&headers, "foo=bar")] {
        let (status, said) = fixture.send_anything("POST", CALL.target, headers, body.to_owned()).await;
        assert_eq!((status, &said["code"]), (403, &json!("API0020")), "{body}");
    }
    assert_eq!(fixture.send(NONCE, &NONCE.to_uppercase()).await, refusal("API0004", "Invalid nonce"));
}

#[tokio::test]
async fn the_amount_is_what_is_left_and_the_side_is_a_digit() {
    let orders =
        CALL.answer_with(&[(Side::Sell, "125000.5", "1", "0.25"), (Side::Buy, "0.01", "2", "0")]).await;
    let open = &orders[0];
    let shown = (&open["id"], &open["type"], &open["price"], &open["amount"], &open["amount_at_create"]);
    let due = (
        &json!("1990000000001001"),
        &json!("1"),
        &json!("125000.50000000"),
        &json!("0.75000000"),
        &json!("1.00000000"),
    );
    assert_eq!(shown, due);
    assert_eq!(
        (&open["datetime"], &open["market"]),
        (&json!("2025-10-09 08:53:20.123000"), &json!("BTC/USD"))
    );
    assert_eq!(orders[1]["type"], "0");
    assert_eq!((&orders[0]["stop_price"], &orders[2]["stop_price"]), (&Value::Null, &json!("0.00250000")));
    assert_eq!((&orders[3]["market"], &orders[4]["amount"]), (&json!("LTC/DOGE"), &json!("0.00000000")));
}

use alp_simulated_exchange::Side;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha512;

use crate::clock::is_good_exactly;
use crate::signed_call::{Fixture, Refused, SignedCall};

const SIGN: &str = "ec33f933616738191fbddaf527b84924acae2a131423460e199ad34942cddae464e8fa8b4753bd0feabf606a985aaade883b\
    f131fd53fe62cefa7ab3fbae92f9";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "indodax",
    key: "indodax-test-key-fixture",
    secret: "indodax-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "BTC",
    quote: "IDR",
    sign: SIGN,
    method: "POST",
    target: "/tapi",
    headers: &[
        ("Key", "indodax-test-key-fixture"),
        ("Sign", SIGN),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ],
    body: "method=openOrders&pair=btc_idr&timestamp=1760000000123&recvWindow=60000",
};

fn refusal(code: &str, message: &str) -> (u16, Value) {
    (200, json!({"success": 0, "error": message, "error_code": code}))
}

/// Sends this form, signed.
async fn send(fixture: &Fixture, form: &str) -> Value {
    let mut mac = Hmac::<Sha512>::new_from_slice(CALL.secret.as_bytes()).unwrap();
    mac.update(form.as_bytes());
    let sign: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
    let headers = [("Key", CALL.key.to_owned()), ("Sign", sign)];
    fixture.send_anything("POST", "/tapi", &headers, form.to_owned()).await.1
}

#[tokio::test]
async fn a_request_with_a_time_is_good_for_its_window_and_any_number_of_times() {
    let (status, late) = refusal("invalid_timestamp", "Invalid timestamp.");
    let unknown = "Invalid credentials. API not found or session has expired.";
    let refused = Refused {
        flipped: refusal("invalid_credentials", "Invalid credentials. Bad sign."),
        unknown_key: refusal("invalid_credentials", unknown),
        repeated: None,
        stale: Some((60_001, status, late)),
    };
    CALL.is_refused_when_spoilt(refused).await;
    is_good_exactly(CALL, -999, 60_000, |body| body["success"] == 1).await;
}

#[tokio::test]
async fn a_request_with_a_nonce_works_once() {
    let fixture = CALL.exchange().await;
    let form = "method=openOrders&pair=btc_idr&nonce=7";
    assert_eq!(send(&fixture, form).await["success"], 1);
    assert_eq!(send(&fixture, form).await["error_code"], "invalid_nonce");
    assert_eq!(send(&fixture, "method=openOrders&pair=btc_idr&nonce=6").await["error_code"], "invalid_nonce");
    assert_eq!(send(&fixture, "method=openOrders&pair=btc_idr&nonce=8").await["success"], 1);
    assert_eq!(
        send(&fixture, "method=cancelOrder&pair=btc_idr&nonce=9").await["error_code"],
        "invalid_method"
    );
}

#[tokio::test]
async fn what_is_left_is_in_the_currency_that_its_name_says() {
    let sell = (Side::Sell, "1990000000", "1", "0.25");
    let [in_quote, in_base] =
        [(Side::Buy, "1500000000", "0.002", "0.001"), (Side::Buy, "1500000000", "0.002", "0.0005")];
    let body = CALL.answer_with(&[sell, in_quote, in_base]).await;
    let orders = &body["return"]["orders"];
    let first = json!({
        "order_id": "201001", "client_order_id": "c1001", "submit_time": "1760000000", "price": "1990000000",
        "type": "sell", "order_type": "limit", "order_btc": "1.00000000", "remain_btc": "0.75000000",
    });
    assert_eq!(orders[0], first);
    let left = (&orders[1]["order_idr"], &orders[1]["remain_idr"], &orders[2]["remain_btc"]);
    assert_eq!(left, (&json!("3000000.00000000"), &json!("1500000.00000000"), &json!("0.00150000")));
    assert_eq!((&orders[1]["remain_btc"], &orders[2]["remain_idr"]), (&Value::Null, &Value::Null));
    assert_eq!(orders[3]["order_type"], "stoplimit");
    assert_eq!(orders.as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn orders_of_all_pairs_are_keyed_by_the_pair() {
    let fixture = CALL.exchange().await;
    fixture.place((Side::Sell, "1990000000", "1", "0.25"));
    let body = send(&fixture, "method=openOrders&nonce=1").await;
    assert_eq!(body["return"]["orders"]["btc_idr"][0]["remain_btc"], "0.75000000");
}

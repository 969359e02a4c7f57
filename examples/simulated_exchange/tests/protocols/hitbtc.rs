use alp_simulated_exchange::Side;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::clock::is_good_exactly;
use crate::signed_call::{Refused, SignedCall};

const TOKEN: &str = "aGl0YnRjLXRlc3Qta2V5LWZpeHR1cmU6OTUxZjY1ZmU4YmFhYTNhNjU3OTQzYWE2MWFhN2UzNjY1NDllNmNiODIxMzVhM2Ji\
    MGMzYzUyODNiYmFjMmRhZToxNzYwMDAwMDAwMTIzOjYwMDAw";
const SIGN: &str = "951f65fe8baaa3a657943aa61aa7e366549e6cb82135a3bb0c3c5283bbac2dae";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "hitbtc",
    key: "hitbtc-test-key-fixture",
    secret: "hitbtc-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "BTC",
    quote: "USDT",
    sign: TOKEN,
    method: "GET",
    target: "/api/3/spot/order?symbol=BTCUSDT",
    headers: &[(
        "Authorization",
        "HS256 aGl0YnRjLXRlc3Qta2V5LWZpeHR1cmU6OTUxZjY1ZmU4YmFhYTNhNjU3OTQzYWE2MWFhN2UzNjY1NDllNmNiODIxMzVhM2Ji\
            MGMzYzUyODNiYmFjMmRhZToxNzYwMDAwMDAwMTIzOjYwMDAw",
    )],
    body: "",
};

fn refusal(description: &str) -> (u16, Value) {
    let message = "Authorization is required or has been failed";
    (401, json!({"error": {"code": 1002, "message": message, "description": description}}))
}

/// The token of the call with something else in it.
fn token(key: &str, sign: &str, rest: &str) -> String {
    STANDARD.encode(format!("{key}:{sign}:{rest}"))
}

#[tokio::test]
async fn a_request_is_good_for_its_window_and_any_number_of_times() {
    let fixture = CALL.exchange().await;
    assert_eq!(token(CALL.key, SIGN, "1760000000123:60000"), TOKEN);
    let flipped = token(CALL.key, &SIGN.replacen('9', "8", 1), "1760000000123:60000");
    assert_eq!(fixture.send(TOKEN, &flipped).await, refusal("invalid signature"));
    let unknown = token("another-key", SIGN, "1760000000123:60000");
    assert_eq!(fixture.send(TOKEN, &unknown).await, refusal("invalid key"));
    for time in ["1760000000124:60000", "1760000000123:59999", "1760000000123"] {
        assert_eq!(fixture.send(TOKEN, &token(CALL.key, SIGN, time)).await, refusal("invalid signature"));
    }
    is_good_exactly(CALL, -60_000, 60_000, |_| true).await;

    // The first letter of the token is one of the key, so a token with a flipped one is of another key.
    let (status, late) = refusal("invalid timestamp");
    let refused = Refused {
        flipped: refusal("invalid key"),
        unknown_key: (200, fixture.send("", "").await.1),
        repeated: None,
        stale: Some((60_001, status, late)),
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn a_waiting_order_is_suspended() {
    let orders =
        CALL.answer_with(&[(Side::Sell, "125000.5", "1", "0.25"), (Side::Buy, "0.01", "2", "0")]).await;
    let open = &orders[0];
    let shown = (&open["id"], &open["quantity"], &open["quantity_cumulative"], &open["price"], &open["side"]);
    let due =
        (&json!(1_700_000_001_001_u64), &json!("1"), &json!("0.25"), &json!("125000.5"), &json!("sell"));
    assert_eq!(shown, due);
    assert_eq!(open["created_at"], "2025-10-09T08:53:20.123Z");
    let statuses: Vec<_> = orders.as_array().unwrap().iter().map(|order| &order["status"]).collect();
    assert_eq!(statuses, ["partiallyFilled", "new", "suspended", "new", "filled"]);
    assert_eq!((&orders[2]["type"], &orders[3]["symbol"]), (&json!("stopLimit"), &json!("LTCDOGE")));
}

use alp_simulated_exchange::Side;
use serde_json::{Value, json};

use crate::signed_call::{Refused, SignedCall, hmac_sha512_hex};

const SIGN: &str = "895f5c481e42e413e9d1d268622819d78805a7e2131cf45dba829e086705ec66\
    ec426a5dec3d28e4e783a998d405f4ef3c17891c8de3133d884da847a280cddb";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "gate",
    key: "gate-test-key-fixture",
    secret: "gate-test-secret-fixture",
    passphrase: None,
    account_id: None,
    base: "ADA",
    quote: "USDT",
    sign: SIGN,
    method: "GET",
    target: "/api/v4/spot/orders?currency_pair=ADA_USDT&limit=100&page=1&status=open",
    headers: &[
        ("KEY", "gate-test-key-fixture"),
        ("Timestamp", "1760000000"),
        ("SIGN", SIGN),
        ("Accept", "application/json"),
    ],
    body: "",
};

fn said(status: u16, label: &str, message: &str) -> (u16, Value) {
    (status, json!({"label": label, "message": message}))
}

#[tokio::test]
async fn a_request_is_good_for_a_minute_and_any_number_of_times() {
    let (status, late) =
        said(403, "REQUEST_EXPIRED", "gap between request Timestamp and server time exceeds 60");
    let refused = Refused {
        flipped: said(401, "INVALID_SIGNATURE", "Signature mismatch"),
        unknown_key: said(401, "INVALID_KEY", "Invalid key provided"),
        repeated: None,
        stale: Some((60_877, status, late)),
    };
    CALL.is_refused_when_spoilt(refused).await;
}

#[tokio::test]
async fn orders_have_what_is_left_of_them_and_stand_among_others() {
    let orders = CALL.answer_with(&[(Side::Sell, "0.85", "1000", "749.5")]).await;
    let open = &orders[0];
    assert_eq!((&open["id"], &open["currency_pair"]), (&json!("200000001001"), &json!("ADA_USDT")));
    assert_eq!(
        (&open["amount"], &open["left"], &open["price"]),
        (&json!("1000"), &json!("250.5"), &json!("0.85"))
    );
    assert_eq!((&open["create_time_ms"], &open["account"]), (&json!(1_760_000_000_123_u64), &json!("spot")));
    assert_eq!((&orders[1]["account"], &orders[2]["currency_pair"]), (&json!("margin"), &json!("LTC_DOGE")));
    assert_eq!(orders[3]["status"], "closed");
}

#[tokio::test]
async fn a_second_page_goes_on_where_the_first_one_ends() {
    let fixture = CALL.exchange().await;
    for _ in 0..100 {
        fixture.place((Side::Buy, "0.8", "1", "0"));
    }
    let (_, first) = fixture.send("", "").await;
    assert_eq!(first.as_array().unwrap().len(), 100);
    let query = "currency_pair=ADA_USDT&limit=100&page=2&status=open";
    let nothing = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
        47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
    let text = format!("GET\n/api/v4/spot/orders\n{query}\n{nothing}\n1760000000");
    let headers = [
        ("KEY", CALL.key.to_owned()),
        ("Timestamp", "1760000000".to_owned()),
        ("SIGN", hmac_sha512_hex(CALL.secret, &text)),
    ];
    let target = format!("/api/v4/spot/orders?{query}");
    let (_, second) = fixture.send_anything("GET", &target, &headers, String::new()).await;
    let ids: Vec<_> = second.as_array().unwrap().iter().map(|order| &order["account"]).collect();
    assert_eq!(ids, ["margin", "spot", "spot"]);
}

use alp_simulated_exchange::Side;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::EncodePublicKey;
use serde_json::{Value, json};

use crate::clock::is_good_exactly;
use crate::signed_call::{Fixture, Refused, SignedCall};

const KEY: &str =
    "organizations/00000000-0000-0000-0000-000000000001/apiKeys/11111111-1111-1111-1111-111111111111";
pub(crate) const CALL: SignedCall = SignedCall {
    exchange: "coinbase_advanced",
    key: KEY,
    secret: "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPdFiMNl3Cvl9rSLmlZsWkkTr3pJC\n\
        zxlJfVwDpArnHTKT6GJlHUI6XGFBJezEmQ5gtjbS7S6GXiCYinXclXkJ/w==\n-----END PUBLIC KEY-----\n",
    passphrase: None,
    account_id: None,
    base: "LTC",
    quote: "BTC",
    sign: "1PJah6rkEbBaMJHkCCgj1MVeMNC31kNW9BBMY7pFjpYDI7gGZxZ3JWDUar8mY6lUb6XBk9W3EAOiSk_acRgFzg",
    method: "GET",
    target: "/api/v3/brokerage/orders/historical/batch?order_status=OPEN&product_ids=LTC-BTC&limit=250",
    headers: &[(
        "Authorization",
        "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6Im9yZ2FuaXphdGlvbnMvMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAx\
            L2FwaUtleXMvMTExMTExMTEtMTExMS0xMTExLTExMTEtMTExMTExMTExMTExIiwibm9uY2UiOiI5NDAzZTUxMTRhY2I2YmI1OTc5\
            MWE5NzI5MWJlNTRiNSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJvcmdhbml6YXRpb25zLzAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTA\
            wMDAwMDAwMDAwMS9hcGlLZXlzLzExMTExMTExLTExMTEtMTExMS0xMTExLTExMTExMTExMTExMSIsImlzcyI6ImNkcCIsIm5iZiI\
            6MTc2MDAwMDAwMCwiZXhwIjoxNzYwMDAwMTIwLCJ1cmkiOiJHRVQgYXBpLmNvaW5iYXNlLmNvbS9hcGkvdjMvYnJva2VyYWdlL29\
            yZGVycy9oaXN0b3JpY2FsL2JhdGNoIn0.1PJah6rkEbBaMJHkCCgj1MVeMNC31kNW9BBMY7pFjpYDI7gGZxZ3JWDUar8mY6lUb6X\
            Bk9W3EAOiSk_acRgFzg",
    )],
    body: "",
};

fn unauthorized() -> (u16, Value) {
    (401, json!("Unauthorized"))
}

/// A key of these tests alone.
fn own_key() -> SecretKey {
    SecretKey::from_slice(&[7; 32]).unwrap()
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": KEY, "nonce": "00", "typ": "JWT"})
}

fn claims() -> Value {
    let uri = "GET api.coinbase.com/api/v3/brokerage/orders/historical/batch";
    json!({"sub": KEY, "iss": "cdp", "nbf": 1_760_000_000, "exp": 1_760_000_120, "uri": uri})
}

/// The value with this member changed.
fn with(mut value: Value, name: &str, other: impl Into<Value>) -> Value {
    value[name] = other.into();
    value
}

fn token(header: &Value, claims: &Value) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{header}.{claims}");
    let signature: Signature = SigningKey::from(own_key()).sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// An exchange whose account is of the key of these tests.
async fn own_exchange() -> Fixture {
    let pem = own_key().public_key().to_public_key_pem(Default::default()).unwrap();
    SignedCall { secret: pem.leak(), ..CALL }.exchange().await
}

async fn send(fixture: &Fixture, token: &str, target: &str) -> (u16, Value) {
    fixture.send_anything("GET", target, &[("Authorization", format!("Bearer {token}"))], String::new()).await
}

#[tokio::test]
async fn a_token_is_good_for_two_minutes_and_any_number_of_times() {
    let (status, late) = unauthorized();
    let refused = Refused {
        flipped: unauthorized(),
        // The key's name stands in the token in base64, where it is not replaced.
        unknown_key: CALL.exchange().await.send("", "").await,
        repeated: None,
        stale: Some((119_878, status, late)),
    };
    CALL.is_refused_when_spoilt(refused).await;
    is_good_exactly(CALL, -123, 119_877, |_| true).await;
}

#[tokio::test]
async fn a_token_is_of_one_key_and_for_one_call() {
    let fixture = own_exchange().await;
    assert_eq!(send(&fixture, &token(&header(), &claims()), CALL.target).await.0, 200);
    let other = "organizations/1/apiKeys/2";
    let uri = "GET api.coinbase.com/api/v3/brokerage/accounts";
    for (header, claims) in [
        (with(header(), "kid", other), with(claims(), "sub", other)),
        (with(header(), "kid", other), claims()),
        (with(header(), "alg", "none"), claims()),
        (header(), with(claims(), "uri", uri)),
        (header(), with(claims(), "iss", "me")),
        (header(), with(claims(), "exp", 1_760_000_121)),
    ] {
        let refused = send(&fixture, &token(&header, &claims), CALL.target).await;
        assert_eq!(refused, unauthorized(), "{header} {claims}");
    }
    assert_eq!(send(&fixture, "no.token.atall", CALL.target).await, unauthorized());
}

#[tokio::test]
async fn an_account_may_be_opened_with_the_private_key() {
    let pem = own_key().to_sec1_pem(Default::default()).unwrap().to_string();
    let fixture = SignedCall { secret: pem.leak(), ..CALL }.exchange().await;
    assert_eq!(send(&fixture, &token(&header(), &claims()), CALL.target).await.0, 200);
}

#[tokio::test]
async fn one_token_serves_for_all_pages() {
    let fixture = CALL.exchange().await;
    for _ in 0..3 {
        fixture.place((Side::Sell, "0.0015", "10", "3.5"));
    }
    let mut ids = Vec::new();
    let mut cursor = String::new();
    for has_next in [true, true, false] {
        let (status, body) = fixture.send("limit=250", &format!("limit=2{cursor}")).await;
        assert_eq!((status, &body["has_next"]), (200, &json!(has_next)));
        ids.extend(body["orders"].as_array().unwrap().iter().map(|order| order["order_id"].clone()));
        cursor = format!("&cursor={}", body["cursor"].as_str().unwrap());
    }
    assert_eq!(cursor, "&cursor=");
    let whole = fixture.send("", "").await.1;
    let due: Vec<Value> =
        whole["orders"].as_array().unwrap().iter().map(|order| order["order_id"].clone()).collect();
    assert_eq!((ids, due.len()), (due, 6));
}

#[tokio::test]
async fn price_and_size_are_in_the_configuration() {
    let body = CALL.answer_with(&[(Side::Sell, "0.0015", "10", "3.5")]).await;
    let open = &body["orders"][0];
    let limit = json!({"limit_limit_gtc": {"base_size": "10", "limit_price": "0.0015", "post_only": false}});
    assert_eq!((&open["order_configuration"], &open["filled_size"]), (&limit, &json!("3.5")));
    assert_eq!((&open["side"], &open["status"]), (&json!("SELL"), &json!("OPEN")));
    assert_eq!((&open["product_id"], &open["product_type"]), (&json!("LTC-BTC"), &json!("SPOT")));
    assert_eq!(open["order_id"], "0a000000-0000-4000-8000-0000000003e9");
    assert_eq!(open["created_time"], "2025-10-09T08:53:20.123000Z");
    assert_eq!(body["orders"][1]["order_type"], "STOP_LIMIT");
    assert_eq!(
        (&body["orders"][2]["product_id"], &body["orders"][3]["status"]),
        (&json!("LTC-DOGE"), &json!("FILLED"))
    );
}

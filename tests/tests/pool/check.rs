//! `POST /v1/check`: the same message, tried and not counted.

use alp_simulated_exchange::protocol_of;
use alp_tests::{Lp, TestPool};
use serde_json::{Value, json};

fn names(answer: &Value) -> Vec<&str> {
    answer["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_message_is_judged_and_priced_and_nothing_but_its_nonce_is_kept() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 750 0.004", "bid 600 0.0001"]).await;
    let other = pool.lp_with("bob", &["ask 750 0.004"]).await;
    pool.submit_btc(&other).await;
    let body = pool.signed_body(&lp, "test_exchange", "btc").await;
    let answer = pool.post("/v1/check", &body).await;
    assert!(answer.success(), "{answer:?}");
    let answer = answer.json();
    assert_eq!(names(&answer), ["message", "registration", "exchange", "price", "owner", "reward"]);
    let orders = answer["orders"].as_array().unwrap();
    let row = |order: &Value| [&order["side"], &order["rank"], &order["earns_an_hour"]].map(Value::clone);
    let mut rows: Vec<_> = orders.iter().map(row).collect();
    rows.sort_by_key(|row| row[0].to_string());
    // Half of the asks' 0.03 a minute; the far bid has rank 2 of its side to itself, a fifth of 0.02.
    assert_eq!(
        rows,
        [[json!("ask"), json!(1), json!("0.90000000")], [json!("bid"), json!(2), json!("0.24000000")],].map(
            |row| row.map(|value| match value.as_str() {
                Some(text) if text.contains('.') => json!(text.trim_end_matches('0')),
                _ => value,
            })
        )
    );
    assert_eq!(pool.orders_of(&lp).await.len(), 0);
    let told = pool.post("/liquidity", &body).await.refusal();
    assert!(told.starts_with("a request of this key with "), "{told}");
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0");
}

#[tokio::test]
async fn a_refused_signature_shows_the_very_bytes_that_were_signed() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    let forged = Lp { secret: "another".to_owned(), ..lp.clone() };
    let body = pool.signed_body(&forged, "test_exchange", "btc").await;
    let answer = pool.post("/v1/check", &body).await;
    assert!(!answer.success());
    let answer = answer.json();
    assert_eq!(answer["message"], "error returned: bad-signature: the signature does not match the request");
    let (req, now_ms) = (serde_json::from_str::<Value>(&body).unwrap(), pool.now_ms());
    let nonce = &req["req"]["nonce"];
    let signed = format!("GET\n/api/v1/open-orders\nmarket=NBT_BTC&nonce={nonce}&timestamp={now_ms}");
    assert_eq!(answer["signed"], json!([signed]));
    assert_eq!(answer["steps"][2]["who_acts"], "bot");
    assert!(!answer.to_string().contains(req["sign"].as_str().unwrap()));
    assert!(protocol_of("test_exchange").is_some());
}

#[tokio::test]
async fn each_step_that_fails_ends_it_with_the_sentence_of_a_submission() {
    let pool = TestPool::start().await;
    let lp = pool.lp("alice");
    let answer = pool.post("/v1/check", "{}").await.json();
    assert_eq!((names(&answer), &answer["message"]), (vec!["message"], &json!("no user provided")));
    let body = pool.signed_body(&lp, "test_exchange", "btc").await;
    let answer = pool.post("/v1/check", &body).await.json();
    assert_eq!(names(&answer), ["message", "registration"]);
    assert_eq!(answer["message"], format!("user {} is not registered", lp.key));
    assert_eq!(pool.exchange_calls(), 0);
}

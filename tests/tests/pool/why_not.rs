//! Why not: what an LP can see of what became of its submissions.

use alp_tests::{Lp, TestPool};
use serde_json::json;

#[tokio::test]
async fn an_lp_sees_what_was_taken_what_was_refused_and_which_rounds_are_missing() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    pool.submit_btc(&lp).await;
    let forged = Lp { secret: "another".to_owned(), ..lp.clone() };
    let body = pool.signed_body(&forged, "test_exchange", "btc").await;
    pool.post("/liquidity", &body).await.refusal();
    pool.end_round().await;
    pool.end_round().await;
    let path = format!("/v1/lps/{}", lp.key);
    let answer = pool.get(&path).await.json();
    let market = &answer["markets"][0];
    for (member, value) in [
        ("accepted", json!(1)),
        ("rejected", json!(1)),
        ("missing", json!(1)),
        ("rounds", json!(3)),
        ("unit", json!("btc")),
    ] {
        assert_eq!(market[member], value, "{member} of {market}");
    }
    assert!(market["efficiency"].as_str().unwrap().starts_with("0.3333"), "{market}");
    let refusal = &market["refusals"][0];
    assert_eq!(refusal["message"], "error returned: bad-signature: the signature does not match the request");
    assert_eq!((&refusal["who_acts"], &refusal["time"]), (&json!("bot"), &json!(1_760_000_045)));
    let stats = pool.get(&format!("/{}/stats", lp.key)).await.json();
    assert_eq!(stats["message"]["submissions"], answer["markets"]);
    assert_eq!(pool.get("/v1/lps/nobody").await.refusal(), "user nobody is not registered");
}

#[tokio::test]
async fn after_a_restart_an_lp_is_told_the_same_as_before() {
    let mut pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    pool.submit_btc(&lp).await;
    let forged = Lp { secret: "another".to_owned(), ..lp.clone() };
    let body = pool.signed_body(&forged, "test_exchange", "btc").await;
    pool.post("/liquidity", &body).await.refusal();
    pool.end_round().await;
    pool.end_round().await;
    pool.submit_btc(&lp).await;
    let path = format!("/v1/lps/{}", lp.key);
    let counts = async |pool: &TestPool| {
        let market = pool.get(&path).await.json()["markets"][0].clone();
        ["rounds", "accepted", "missing", "rejected"].map(|name| market[name].as_u64().unwrap())
    };
    assert_eq!(counts(&pool).await, [3, 2, 1, 1]);
    let before = pool.get(&path).await.json()["markets"].clone();
    pool.restart().await;
    assert_eq!(pool.get(&path).await.json()["markets"], before);
    pool.post("/liquidity", &body).await.refusal();
    assert_eq!(counts(&pool).await, [3, 2, 1, 2]);
}

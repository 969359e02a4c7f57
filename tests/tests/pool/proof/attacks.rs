//! What proves nothing.

use alp_tests::Lp;
use serde_json::{Value, json};

use super::scene::{FAR, HOUR_MS, STRANGER, Scene};

/// A thief knows the key, and holds signed requests that the exchange takes. He cannot place orders.
#[tokio::test]
async fn a_thief_with_the_key_and_replayed_requests_cannot_prove_his_address() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp_with("alice", &["ask 900 0.004", "ask 5.12345678 0.01"]).await;
    scene.submit(&lp).await;
    let thief = Lp::new("thief").address;
    assert!(scene.ask_from(STRANGER, &lp, &thief).await.success());
    // A request that was used here is refused, and a fresh one, held by another pool, shows orders that prove nothing.
    let used = scene.pool.signed_body(&lp, "test_exchange", "btc").await;
    scene.post_from(STRANGER, "/liquidity", &used).await.accepted();
    let refused = scene.post_from(STRANGER, "/liquidity", &used).await.refusal();
    assert!(
        refused.contains("sign each one with a larger number") || refused.contains("was sent before"),
        "{refused}"
    );
    let fresh = scene.pool.signed_body(&lp, "test_exchange", "btc").await;
    let answer = scene.post_from(STRANGER, "/liquidity", &fresh).await;
    assert!(answer.success() && !answer.headers.contains_key("alp-proof"), "{answer:?}");
    assert_eq!(scene.address_of(&lp).await["next"], Value::Null);
}

/// Attack 9: one key, many addresses.
#[tokio::test]
async fn attack_9_of_many_addresses_for_one_key_one_is_paid() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp_with("alice", &["ask 900 0.004"]).await;
    scene.earn(&lp).await;
    for name in ["one", "two"] {
        let other = Lp { address: Lp::new(name).address, ..lp.clone() };
        assert!(scene.pool.register(&other, "usd").await.refusal().contains("with another address"));
        scene.prove(&lp, &other.address).await;
    }
    scene.pool.pass(24 * HOUR_MS);
    let paid = scene.pay().await;
    assert_eq!(
        paid.into_keys().collect::<Vec<_>>(),
        [Lp::new("two").address],
        "the last one that was proven"
    );
}

/// Attack 10: a key that two people use, or two pools.
#[tokio::test]
async fn attack_10_of_two_who_use_one_key_the_one_who_can_place_orders_is_paid() {
    let scene = Scene::start("").await;
    let owner = scene.pool.lp_with("alice", &["ask 900 0.004"]).await;
    let borrower = Lp::new("borrower").address;
    let asked = scene.ask(&owner, &borrower).await;
    scene.prove(&owner, &owner.address).await;
    assert_eq!(scene.submit(&owner).await, None);
    assert!(asked["digits"].is_string());
    scene.pool.pass(11 * 60_000);
    scene.earn(&owner).await;
    assert_eq!(scene.pay().await.into_keys().collect::<Vec<_>>(), [owner.address]);
}

#[tokio::test]
async fn guessing_ends_with_the_tries_of_the_hour_and_does_not_use_up_the_owners() {
    let scene = Scene::start("tries_per_hour = 2").await;
    let lp = scene.pool.lp_with("alice", &["ask 900 0.004"]).await;
    scene.submit(&lp).await;
    for name in ["one", "two"] {
        assert!(scene.ask_from(STRANGER, &lp, &Lp::new(name).address).await.success());
    }
    for place in [STRANGER, "198.51.100.9"] {
        let refused = scene.ask_from(place, &lp, &Lp::new("three").address).await.refusal();
        assert!(
            refused.starts_with("2 challenges an hour are given for a key; try again in 3600 s"),
            "{refused}"
        );
    }
    let own = scene.ask(&lp, &lp.address).await;
    assert_eq!(own["tries_left"], json!(1), "whoever submits for the key from there has tries of his own");
    scene.pool.pass(HOUR_MS);
    assert!(scene.ask_from(STRANGER, &lp, &Lp::new("three").address).await.success());
}

#[tokio::test]
async fn what_is_shown_too_late_or_near_the_price_or_was_there_before_proves_nothing() {
    let scene = Scene::start("challenge_minutes = 10").await;
    let lp = scene.pool.lp_with("alice", &["ask 900 0.004"]).await;
    let asked = scene.ask(&lp, &lp.address).await;
    let amount = format!("1{}", &asked["smallest"].as_str().unwrap()[1..]);
    scene.pool.place(&lp, "NBT_BTC", &format!("ask {amount} 0.004"));
    scene.pool.place(&lp, "NBT_BTC", &format!("ask 1.5 {FAR}"));
    assert_eq!(scene.submit(&lp).await, None, "near the price");
    scene.pool.pass(10 * 60_000);
    scene.show(&lp, &asked);
    assert_eq!(scene.submit(&lp).await, None, "too late");
    // The very same digits are asked for by nobody again; whatever stands there now was there before.
    let again = scene.ask(&lp, &lp.address).await;
    assert_ne!(again["digits"], asked["digits"]);
    assert_eq!(scene.submit(&lp).await, None);
    scene.show(&lp, &again);
    assert!(scene.submit(&lp).await.is_some());
}

#[tokio::test]
async fn an_order_that_another_key_showed_first_proves_nothing() {
    let scene = Scene::start("").await;
    let (alice, bob) = (scene.pool.lp_with("alice", &[]).await, scene.pool.lp_with("bob", &[]).await);
    let asked = scene.ask(&alice, &alice.address).await;
    let amount = format!("1{}", &asked["smallest"].as_str().unwrap()[1..]);
    let order = |id: &str, amount: &str| {
        json!({"id": id, "market": "NBT_BTC", "side": "sell", "type": "limit", "price": FAR, "amount": amount,
            "filled": "0", "opened_ms": scene.pool.now_ms()})
    };
    let reply = |orders: Vec<Value>| {
        alp_simulated_exchange::Behaviour::RawBody(
            200,
            json!({"success": true, "orders": orders}).to_string(),
        )
    };
    scene.pool.exchange().set_behaviour(reply(vec![order("7", &amount)]));
    scene.submit(&bob).await;
    scene.pool.exchange().set_behaviour(reply(vec![order("7", &amount), order("8", "5")]));
    let answer = scene.pool.submit(&alice, "btc").await;
    assert!(answer.success() && !answer.headers.contains_key("alp-proof"), "{answer:?}");
}

#[tokio::test]
async fn a_check_proves_nothing_and_a_refused_submission_neither() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp_with("alice", &[]).await;
    let asked = scene.ask(&lp, &lp.address).await;
    scene.show(&lp, &asked);
    let body = scene.pool.signed_body(&lp, "test_exchange", "btc").await;
    assert!(scene.pool.post("/v1/check", &body).await.success());
    let forged = Lp { secret: "another".to_owned(), ..lp.clone() };
    let body = scene.pool.signed_body(&forged, "test_exchange", "btc").await;
    scene.pool.post("/liquidity", &body).await.refusal();
    assert_eq!(scene.address_of(&lp).await["proven"], json!(false));
    assert!(scene.submit(&lp).await.is_some());
}

#[tokio::test]
async fn whoever_asks_for_a_challenge_is_told_what_liquidity_tells_and_no_more() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp_with("alice", &[]).await;
    let ask = async |body: Value| scene.post_from(STRANGER, "/v1/challenges", &body.to_string()).await;
    let right = json!({"user": lp.key, "exchange": "test_exchange", "unit": "btc", "address": lp.address,
        "by": "amount"});
    let with = |member: &str, value: Value| {
        let mut body = right.clone();
        body[member] = value;
        body
    };
    for (body, says) in [
        (json!({}), "no user provided"),
        (with("user", json!("nobody")), "user nobody is not registered"),
        (with("exchange", json!("mars")), "mars is not supported"),
        (with("unit", json!("usd")), "user key-of-alice is not registered"),
        (with("address", json!("x")), "x is not a valid NBT address. It should start with a 'B'"),
        (with("by", json!("id")), "by must be \"amount\" or \"price\""),
        (with("decimals", json!(19)), "19 decimals cannot be named"),
        (with("decimals", json!("8")), "decimals must be a whole number"),
        (with("seal", json!("00")), "seal must be a SHA-256 in hexadecimal"),
        (with("challenge", json!(99)), "no sealed challenge 99 of this key is open"),
    ] {
        let refusal = ask(body).await.refusal();
        assert!(refusal.starts_with(says), "{refusal}");
    }
}

#[tokio::test]
async fn neither_side_of_a_sealed_challenge_chooses_the_digits() {
    let scene = Scene::start("").await;
    let (lp, other) = (scene.pool.lp_with("alice", &[]).await, scene.pool.lp_with("bob", &[]).await);
    let salt = "00112233445566778899aabbccddeeff";
    let seal = "4a72a7d2ae8d4a3b3a1d5a9e9f8e0f1a";
    let body = |members: Value| {
        let mut body = json!({"user": lp.key, "exchange": "test_exchange", "unit": "btc"});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        body.to_string()
    };
    let sealed = alp_record::chain::Digest::of(&[salt.as_bytes()]).to_string();
    let members = json!({"address": lp.address, "by": "amount", "seal": sealed});
    let first = scene.pool.post("/v1/challenges", &body(members)).await.json();
    assert!(first["digits"].is_null() && first["nonce"].as_str().unwrap().len() == 64, "{first}");
    let number = first["challenge"].clone();
    let wrong =
        scene.pool.post("/v1/challenges", &body(json!({"challenge": number, "salt": seal}))).await.refusal();
    assert!(wrong.starts_with("salt is not what was sealed"), "{wrong}");
    let foreign = json!({"user": other.key, "exchange": "test_exchange", "unit": "btc", "challenge": number,
        "salt": salt});
    scene.pool.post("/v1/challenges", &foreign.to_string()).await.refusal();
    let told =
        scene.pool.post("/v1/challenges", &body(json!({"challenge": number, "salt": salt}))).await.json();
    let again =
        scene.pool.post("/v1/challenges", &body(json!({"challenge": number, "salt": salt}))).await.json();
    assert_eq!(told["digits"], again["digits"]);
    scene.show(&lp, &told);
    assert!(scene.submit(&lp).await.is_some());
}

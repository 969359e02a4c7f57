//! Many bots at once, and one bot that is two.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alp_simulated_exchange::Behaviour;
use alp_tests::{Lp, TestPool};
use futures_util::future::join_all;
use serde_json::{Value, json};

const LPS: usize = 30;
const TIMES: usize = 10;

async fn lps(pool: &TestPool, count: usize) -> Vec<Lp> {
    let names: Vec<String> = (0..count).map(|number| format!("lp-{number}")).collect();
    join_all(names.iter().map(|name| pool.lp_with(name, &["ask 50 0.004"]))).await
}

/// A reply that lists orders of these ids, one coin each.
fn reply(ids: &[&str]) -> Behaviour {
    let order = |id: &&str| {
        json!({"id": id, "market": "NBT_BTC", "side": "sell", "type": "limit", "price": "0.004",
            "amount": "1", "filled": "0", "opened_ms": 1_760_000_000_000_u64})
    };
    let orders: Vec<Value> = ids.iter().map(order).collect();
    Behaviour::RawBody(200, json!({"success": true, "orders": orders}).to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pb_33_three_hundred_submissions_at_once_are_all_stored() {
    let pool = TestPool::start().await;
    let lps = lps(&pool, LPS * TIMES).await;
    let bodies = join_all(lps.iter().map(|lp| pool.signed_body(lp, "test_exchange", "btc"))).await;
    assert_eq!(bodies.len(), LPS * TIMES);
    let answers = join_all(bodies.iter().map(|body| pool.post("/liquidity", body))).await;
    for answer in answers {
        assert_eq!(answer.accepted(), "orders saved for validation");
    }
    assert_eq!(pool.exchange_calls(), 300);
    pool.end_round().await;
    let meta = pool.get("/status").await.json()["message"]["meta"].clone();
    assert_eq!((&meta["number-of-users-active"], &meta["number-of-orders"]), (&json!(300), &json!(300)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pb_33_three_hundred_submissions_to_an_exchange_that_checks_nonces_lose_no_lp() {
    let pool = TestPool::start().await;
    let lps = lps(&pool, LPS).await;
    let submissions = lps.iter().flat_map(|lp| std::iter::repeat_n(lp, TIMES));
    let answers = join_all(submissions.map(|lp| pool.submit(lp, "btc"))).await;
    // Messages of one key may overtake each other on their way to the pool, which refuses the slower ones.
    assert_eq!(answers.len(), LPS * TIMES);
    for answer in &answers {
        let overtaken = answer.message().starts_with("a request of this key with ");
        assert!(answer.success() || overtaken, "{}", answer.text);
    }
    pool.end_round().await;
    for lp in &lps {
        // A thirtieth of the asks' 0.03.
        assert_eq!(pool.reward_of(lp).await, "0.001");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_submissions_of_one_lp_at_once_one_counts_wholly() {
    let pool = Arc::new(TestPool::start().await);
    let lp = pool.lp_with("alice", &[]).await;
    let (three, two) = (["1", "2", "3"], ["4", "5"]);
    pool.exchange().set_behaviour(reply(&three));
    let done = Arc::new(AtomicBool::new(false));
    let (exchange, ended) = (pool.exchange(), Arc::clone(&done));
    let switching = tokio::spawn(async move {
        while !ended.load(Ordering::SeqCst) {
            exchange.set_behaviour(reply(&two));
            tokio::task::yield_now().await;
            exchange.set_behaviour(reply(&three));
            tokio::task::yield_now().await;
        }
    });
    for _ in 0..30 {
        let (first, second) = tokio::join!(pool.submit(&lp, "btc"), pool.submit(&lp, "btc"));
        let told = [first.message(), second.message()];
        let saved = told.iter().filter(|told| *told == "orders saved for validation").count();
        let overtaken = told.iter().filter(|told| told.starts_with("a request of this key with ")).count();
        assert!(saved >= 1 && saved + overtaken == 2, "{told:?}");
        let orders = pool.orders_of(&lp).await;
        let ids: BTreeSet<&str> = orders.iter().map(|order| order["order_id"].as_str().unwrap()).collect();
        assert!(ids == BTreeSet::from(three) || ids == BTreeSet::from(two), "{ids:?}");
    }
    done.store(true, Ordering::SeqCst);
    switching.await.unwrap();
}

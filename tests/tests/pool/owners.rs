//! One order, one owner.

use alp_simulated_exchange::Behaviour;
use alp_tests::{Lp, Settings, TestPool};
use serde_json::{Value, json};

const OPENED_MS: u64 = 1_760_000_000_000;

/// A reply that lists asks on a market: id, price, amount, what is filled.
fn reply(market: &str, orders: &[(&str, &str, &str, &str)]) -> Behaviour {
    let order = |(id, price, amount, filled): &(&str, &str, &str, &str)| {
        json!({"id": id, "market": market, "side": "sell", "type": "limit", "price": price, "amount": amount,
            "filled": filled, "opened_ms": OPENED_MS})
    };
    let orders: Vec<Value> = orders.iter().map(order).collect();
    Behaviour::RawBody(200, json!({"success": true, "orders": orders}).to_string())
}

async fn two(pool: &TestPool) -> (Lp, Lp) {
    (pool.lp_with("one", &[]).await, pool.lp_with("two", &[]).await)
}

#[tokio::test]
async fn pb_11_one_order_shown_by_two_keys_is_paid_once() {
    let pool = TestPool::start().await;
    let (one, two) = two(&pool).await;
    pool.exchange().set_behaviour(reply("NBT_BTC", &[("7", "0.004", "1500", "0")]));
    pool.submit_btc(&one).await;
    let told = pool.submit(&two, "btc").await.refusal();
    assert_eq!(told, "1 of 1 belongs to another registration: 7");
    pool.end_round().await;
    assert_eq!((pool.reward_of(&one).await, pool.reward_of(&two).await), ("0.03".into(), "0".into()));
}

#[tokio::test]
async fn pb_11_a_price_tick_and_a_partial_fill_change_no_owner_also_in_later_rounds() {
    let pool = TestPool::start().await;
    let (one, two) = two(&pool).await;
    pool.exchange().set_behaviour(reply("NBT_BTC", &[("7", "0.004", "100", "0")]));
    pool.submit_btc(&one).await;
    for (price, filled) in [("0.004", "0.1"), ("0.00401", "0.1")] {
        pool.end_round().await;
        let mine = ("8", "0.004", "50", "0");
        pool.exchange().set_behaviour(reply("NBT_BTC", &[("7", price, "100", filled), mine]));
        let told = pool.submit(&two, "btc").await.accepted();
        assert_eq!(told, "orders saved for validation; 1 of 2 belongs to another registration: 7");
        let orders = pool.orders_of(&two).await;
        let ids: Vec<&Value> = orders.iter().map(|order| &order["order_id"]).collect();
        assert!(!ids.is_empty() && ids.iter().all(|id| **id == json!("8")), "{ids:?}");
    }
}

#[tokio::test]
async fn pb_11_the_same_id_on_two_units_is_two_orders() {
    let pool = TestPool::start().await;
    let (one, two) = two(&pool).await;
    pool.register(&two, "usd").await.accepted();
    pool.exchange().set_behaviour(reply("NBT_BTC", &[("7", "0.004", "1500", "0")]));
    pool.submit_btc(&one).await;
    pool.exchange().set_behaviour(reply("NBT_USD", &[("7", "1", "1500", "0")]));
    assert_eq!(pool.submit(&two, "usd").await.accepted(), "orders saved for validation");
    pool.end_round().await;
    assert_ne!(pool.reward_of(&one).await, "0");
    assert_ne!(pool.reward_of(&two).await, "0");
}

#[tokio::test]
async fn an_order_that_was_not_seen_for_the_configured_rounds_is_free() {
    let pool = TestPool::start_with(Settings::default().top("owner_lapses_after_rounds = 2")).await;
    let (one, two) = two(&pool).await;
    pool.exchange().set_behaviour(reply("NBT_BTC", &[("7", "0.004", "1500", "0")]));
    pool.submit_btc(&one).await;
    for _ in 0..2 {
        pool.end_round().await;
        assert!(pool.submit(&two, "btc").await.refusal().contains("another registration"));
    }
    pool.end_round().await;
    pool.submit_btc(&two).await;
    assert!(pool.submit(&one, "btc").await.refusal().contains("another registration"));
}

#[tokio::test]
async fn of_two_keys_that_show_an_order_at_once_one_owns_it() {
    let pool = TestPool::start().await;
    let (one, two) = two(&pool).await;
    pool.exchange().set_behaviour(reply("NBT_BTC", &[("7", "0.004", "1500", "0")]));
    for _ in 0..10 {
        let (first, second) = tokio::join!(pool.submit(&one, "btc"), pool.submit(&two, "btc"));
        assert!(first.success() != second.success(), "{} {}", first.text, second.text);
    }
    pool.end_round().await;
    let rewards = [pool.reward_of(&one).await, pool.reward_of(&two).await];
    assert!(rewards.contains(&"0.03".to_owned()) && rewards.contains(&"0".to_owned()), "{rewards:?}");
}

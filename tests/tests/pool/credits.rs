//! From orders on a book to credits: what is counted, once, and what it earns, to the last unit.

use alp_pool::money::Coins;
use alp_simulated_exchange::Behaviour;
use alp_tests::{Settings, TestPool};
use serde_json::{Value, json};

/// One member of every order that is listed, such as all amounts.
fn all(orders: &[Value], member: &str) -> Vec<Value> {
    orders.iter().map(|order| order[member].clone()).collect()
}

/// A reply that lists one order, whatever is asked.
fn reply_with(id: &str, market: &str, amount: &str, price: &str) -> Behaviour {
    let order = json!({"id": id, "market": market, "side": "sell", "type": "limit", "price": price,
        "amount": amount, "filled": "0", "opened_ms": 1_760_000_000_000_u64});
    Behaviour::RawBody(200, json!({"success": true, "orders": [order]}).to_string())
}

#[tokio::test]
async fn three_lps_are_credited_as_the_worked_example_says() {
    let pool = TestPool::start().await;
    let alice = pool.lp_with("alice", &["ask 900 0.004"]).await;
    let bob = pool.lp_with("bob", &["bid 600 0.00398", "bid 400 0.0038"]).await;
    let carol = pool.lp_with("carol", &["bid 200 0.00397", "ask 100 0.00402"]).await;
    for lp in [&alice, &bob, &carol] {
        pool.submit_btc(lp).await;
    }
    pool.end_round().await;
    assert_eq!(pool.reward_of(&alice).await, "0.027");
    assert_eq!(pool.reward_of(&bob).await, "0.016");
    assert_eq!(pool.reward_of(&carol).await, "0.007");
}

#[tokio::test]
async fn the_last_submission_of_a_round_replaces_the_earlier_ones() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 900 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.exchange().cancel_market(&lp.key, "NBT_BTC").unwrap();
    pool.place(&lp, "NBT_BTC", "ask 150 0.004");
    pool.submit_btc(&lp).await;
    assert_eq!(all(&pool.orders_of(&lp).await, "order_amount"), [json!(150)]);
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0.003");
}

#[tokio::test]
async fn an_empty_submission_replaces_the_earlier_ones_too() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 900 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.exchange().cancel_market(&lp.key, "NBT_BTC").unwrap();
    assert_eq!(pool.submit(&lp, "btc").await.accepted(), "no orders found");
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0");
    assert_eq!(pool.orders_of(&lp).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_submission_that_fails_replaces_nothing() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.exchange().cancel_market(&lp.key, "NBT_BTC").unwrap();
    for behaviour in [Behaviour::Outage, Behaviour::Html, Behaviour::WrongTypes] {
        pool.exchange().set_behaviour(behaviour);
        pool.submit(&lp, "btc").await.refusal();
    }
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0.03");
}

#[tokio::test]
async fn a_submission_for_one_market_leaves_that_for_another_alone() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.register(&lp, "usd").await.accepted();
    pool.place(&lp, "NBT_USD", "bid 1250 1");
    pool.submit_btc(&lp).await;
    pool.submit(&lp, "usd").await.accepted();
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0.0425");
}

#[tokio::test]
async fn pb_12_an_order_outside_every_tolerance_earns_nothing_and_breaks_nothing() {
    let settings = Settings::changed("rank_2 = { ratio = 0.2 }", "").exchanges[0].1.replace("0.8,", "1,");
    let mut with_rank_1_only = Settings::default();
    with_rank_1_only.exchanges[0].1 = settings;
    let pool = TestPool::start_with(with_rank_1_only).await;
    let good = pool.lp_with("good", &["bid 1500 0.004"]).await;
    let far = pool.lp_with("far", &["bid 1500 0.002", "ask 1500 0.008"]).await;
    for round in 0..3_u64 {
        pool.submit_btc(&good).await;
        pool.submit_btc(&far).await;
        pool.end_round().await;
        let status = pool.get("/status").await.json();
        assert_eq!(status["message"]["meta"]["last-credit-time"], 1_760_000_040 + round * 60);
        assert_eq!(status["message"]["totals"]["test_exchange"]["btc"]["total"], 1500);
    }
    assert_eq!(pool.reward_of(&good).await, "0.06");
    assert_eq!(pool.reward_of(&far).await, "0");
    let orders = pool.orders_of(&far).await;
    assert_eq!((&orders[0]["rank"], &orders[0]["deviation"]), (&json!(""), &json!(0.5)));
    assert_eq!(orders[0]["credit_info"]["credit_amount"], 0);
}

#[tokio::test]
async fn pb_11_a_price_tick_and_a_partial_fill_within_a_round_count_an_order_once() {
    let pool = TestPool::start().await;
    let lp = pool.lp("alice");
    pool.register(&lp, "btc").await.accepted();
    let order = pool.place(&lp, "NBT_BTC", "ask 100 0.004");
    pool.submit_btc(&lp).await;
    for price in ["0.00401", "0.00402"] {
        let file = pool.pool_file();
        let before = if price == "0.00401" { "0.004" } else { "0.00401" };
        pool.edit(&file, &format!("fixed = {before}\n"), &format!("fixed = {price}\n"));
        pool.reload().await.unwrap();
        pool.exchange().fill(&lp.key, order.id, "0.05".parse().unwrap()).unwrap();
        pool.submit_btc(&lp).await;
    }
    pool.end_round().await;
    let orders = pool.orders_of(&lp).await;
    assert_eq!(all(&orders, "order_amount"), [json!(99.9)]);
    assert_eq!(all(&orders, "server_price"), [json!(0.00402)]);
    assert_eq!(pool.get("/status").await.json()["message"]["totals"]["test_exchange"]["btc"]["total"], 99.9);
}

#[tokio::test]
async fn pb_11_equal_orders_of_two_lps_on_two_units_are_both_credited() {
    let pool = TestPool::start().await;
    let (one, two) = (pool.lp("one"), pool.lp("two"));
    pool.register(&one, "btc").await.accepted();
    pool.register(&two, "usd").await.accepted();
    let same_terms = "[prices.btc]\nfixed = 0.004";
    pool.edit(&pool.pool_file(), same_terms, "[prices.btc]\nfixed = 1");
    pool.reload().await.unwrap();
    pool.exchange().set_behaviour(reply_with("7", "NBT_BTC", "1500", "1"));
    pool.submit_btc(&one).await;
    pool.exchange().set_behaviour(reply_with("7", "NBT_USD", "1500", "1"));
    pool.submit(&two, "usd").await.accepted();
    pool.end_round().await;
    assert_eq!(all(&pool.orders_of(&one).await, "order_id"), all(&pool.orders_of(&two).await, "order_id"));
    assert_eq!(pool.reward_of(&one).await, "0.03");
    assert_eq!(pool.reward_of(&two).await, "0.0125");
}

#[tokio::test]
async fn pb_17_what_is_left_of_an_order_counts_not_what_it_was_opened_with() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &[]).await;
    let order = pool.place(&lp, "NBT_BTC", "ask 5000 0.004");
    pool.exchange().fill(&lp.key, order.id, "4999".parse().unwrap()).unwrap();
    pool.submit_btc(&lp).await;
    assert_eq!(all(&pool.orders_of(&lp).await, "order_amount"), [json!(1)]);
}

#[tokio::test]
async fn pb_06_the_credits_of_a_round_add_up_to_its_pots_to_the_last_unit() {
    let pool = TestPool::start().await;
    let mut lps = Vec::new();
    for (number, amount) in
        ["33.33333333", "0.00000001", "77.7", "1234.5", "0.1", "11", "700"].iter().enumerate()
    {
        let order = format!("ask {amount} 0.004");
        lps.push(pool.lp_with(&format!("lp-{number}"), &[&order, &order, "bid 7 0.00399"]).await);
    }
    for _ in 0..3 {
        for lp in &lps {
            pool.submit_btc(lp).await;
        }
        pool.end_round().await;
    }
    let mut credits = Vec::new();
    for lp in &lps {
        credits.push(Coins::parse(&pool.reward_of(lp).await).unwrap());
    }
    // The target is filled, so each round pays asks 0.03 and rank 1 of the bids 0.016.
    assert_eq!(Coins::sum(credits).unwrap(), Coins::parse("0.138").unwrap());
}

#[tokio::test]
async fn pb_13_a_second_round_five_seconds_later_pays_nothing() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    pool.submit_btc(&lp).await;
    pool.pass(5_000);
    pool.run_rounds().await;
    assert_eq!(pool.reward_of(&lp).await, "0.03");
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0.06");
}

#[tokio::test]
async fn the_reward_is_a_minutes_whatever_the_length_of_a_round() {
    let pool = TestPool::start_with(Settings::default().top("round_seconds = 10")).await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004", "bid 1500 0.004", "bid 1 0.003"]).await;
    for _ in 0..6 {
        pool.submit_btc(&lp).await;
        pool.end_round().await;
    }
    // A sixth of 0.05, floored to 0.00833333, in each of six rounds.
    assert_eq!(pool.reward_of(&lp).await, "0.04999998");
    let status = pool.get("/status").await.json();
    assert_eq!(status["message"]["meta"]["last-credit-time"], 1_760_000_090);
}

/// What one coin at the price earns beside 1500 worthless ones on the other side.
async fn reward_of_one_coin(fill: &str, rank_2: &str) -> String {
    let mut settings = Settings::changed("fills_target = \"all\"", &format!("fills_target = \"{fill}\""));
    let text = &mut settings.exchanges[0].1;
    *text = text.replace("0.8,", if rank_2 == "0" { "1," } else { "0.8," });
    *text = text.replace("rank_2 = { ratio = 0.2 }", &format!("rank_2 = {{ ratio = {rank_2} }}"));
    let pool = TestPool::start_with(settings).await;
    let lp = pool.lp_with("alice", &["ask 1 0.004"]).await;
    let far = pool.lp_with("far", &["bid 1500 0.0000001"]).await;
    pool.submit_btc(&lp).await;
    pool.submit_btc(&far).await;
    pool.end_round().await;
    pool.reward_of(&lp).await
}

#[tokio::test]
async fn pb_14_a_worthless_far_order_raises_nobodys_reward() {
    for rank_2 in ["0", "0.2"] {
        // A fifteen-hundredth of 0.05.
        assert_eq!(reward_of_one_coin("per_rank", rank_2).await, "0.00003333", "{rank_2}");
    }
}

#[tokio::test]
async fn pb_14_what_fills_the_target_is_a_setting() {
    assert_eq!(reward_of_one_coin("all", "0").await, "0.03");
    assert_eq!(reward_of_one_coin("all", "0.2").await, "0.03");
    assert_eq!(reward_of_one_coin("paid", "0").await, "0.00002");
    assert_eq!(reward_of_one_coin("paid", "0.2").await, "0.03");
}

#[tokio::test]
async fn a_unit_that_the_exchange_quotes_the_other_way_round_is_judged_by_the_inverse_price() {
    let pool =
        TestPool::start_with(Settings::changed("target = 1500", "target = 1500\nreverse = true")).await;
    let lp = pool.lp_with("alice", &["ask 750 250", "ask 750 0.004"]).await;
    pool.submit_btc(&lp).await;
    let orders = pool.orders_of(&lp).await;
    assert_eq!(all(&orders, "rank"), [json!("rank_1"), json!("")]);
    assert_eq!(all(&orders, "server_price"), [json!(250), json!(250)]);
}

#[tokio::test]
async fn an_order_at_exactly_the_tolerance_is_inside() {
    let tolerance = "rank_1 = { ratio = 1, tolerance = 0.2 }";
    let mut settings = Settings::changed("rank_1 = { ratio = 1, tolerance = 0.0105 }", tolerance);
    settings.exchanges[0].1 = settings.exchanges[0].1.replace("target = 2500", "target = 1");
    let pool = TestPool::start_with(settings).await;
    let lp = pool.lp("alice");
    pool.register(&lp, "usd").await.accepted();
    for order in ["ask 1 1.25", "bid 1 0.8", "ask 1 1.26", "bid 1 0.79999999"] {
        pool.place(&lp, "NBT_USD", order);
    }
    pool.submit(&lp, "usd").await.accepted();
    let ranks = all(&pool.orders_of(&lp).await, "rank");
    assert_eq!(ranks, [json!("rank_1"), json!("rank_1"), json!(""), json!("")]);
}

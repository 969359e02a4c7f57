//! The exchange at its worst, and bots that would have the pool send something else.

use std::time::Duration;

use alp_simulated_exchange::Behaviour;
use alp_tests::{DEADLINE, FakeServer, Lp, Settings, TestPool};
use serde_json::{Value, json};

/// An order as the exchange lists it, with something changed.
fn reply(change: Value) -> Behaviour {
    let mut order = json!({"id": "7", "market": "NBT_BTC", "side": "sell", "type": "limit", "price": "0.004",
        "amount": "5", "filled": "0", "opened_ms": 1_760_000_000_000_u64});
    order.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    Behaviour::RawBody(200, json!({"success": true, "orders": [order]}).to_string())
}

/// What the LP is told; nothing is stored.
async fn refusal(pool: &TestPool, lp: &Lp, behaviour: Behaviour) -> String {
    pool.exchange().set_behaviour(behaviour);
    let refusal = pool.submit(lp, "btc").await.refusal();
    // Longer than an exchange that wants fewer requests is left alone here.
    pool.pass(10_000);
    assert_eq!(pool.orders_of(lp).await, [] as [Value; 0], "{refusal}");
    refusal
}

#[tokio::test]
async fn pb_26_whatever_the_exchange_answers_the_bot_gets_a_sentence_and_nothing_is_stored() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    let trap = FakeServer::start().await;
    let unreadable = "invalid response from test_exchange: ";
    let cases = [
        (Behaviour::Outage, "test_exchange is unavailable: down: the exchange is down for maintenance"),
        (Behaviour::Throttle { retry_after_s: 7 }, "test_exchange wants fewer requests: throttled: "),
        (Behaviour::Html, "test_exchange is unavailable: a web page instead of an answer"),
        (Behaviour::Garbage, unreadable),
        (Behaviour::NullBody, unreadable),
        (Behaviour::EmptyObject, unreadable),
        (Behaviour::WrongTypes, unreadable),
        (Behaviour::HugeBody(3 << 20), "test_exchange sent a reply of more than 2097152 bytes"),
        (Behaviour::Redirect(format!("{}/", trap.origin())), unreadable),
        (Behaviour::RawBody(200, String::new()), unreadable),
        (Behaviour::RawBody(200, "[".repeat(100_000)), unreadable),
        (Behaviour::RawBody(200, r#"{"success":true,"orders":null}"#.into()), unreadable),
        (Behaviour::RawBody(200, r#"{"success":true,"orders":{}}"#.into()), unreadable),
        (Behaviour::RawBody(200, r#"{"success":true,"orders":[1]}"#.into()), unreadable),
        (Behaviour::RawBody(500, "{}".into()), "test_exchange is unavailable: "),
        (Behaviour::RawBody(403, "no".into()), "error returned: "),
        (
            Behaviour::RawBody(400, r#"{"error":"x","message":"\u0007\u001b[31m"}"#.into()),
            "error returned: x: ",
        ),
    ];
    for (behaviour, expected) in cases {
        let told = refusal(&pool, &lp, behaviour.clone()).await;
        assert!(told.starts_with(expected), "{behaviour:?}: {told}");
        assert!(told.len() < 600 && !told.contains(char::is_control), "{behaviour:?}: {told}");
    }
    assert_eq!(trap.asked(), [] as [&str; 0]);
    pool.exchange().set_behaviour(Behaviour::Normal);
    pool.submit_btc(&lp).await;
}

#[tokio::test]
async fn pb_26_an_order_whose_numbers_are_none_makes_the_whole_reply_unusable() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &[]).await;
    for member in ["price", "amount"] {
        for number in ["1e400", "NaN", "Infinity", "", "0x10", "1,5", " 5", "5 ", "٥"] {
            let told = refusal(&pool, &lp, reply(json!({ member: number }))).await;
            assert!(told.starts_with("invalid response from test_exchange: "), "{member} {number}: {told}");
        }
        for number in [json!(null), json!(true), json!([]), json!({})] {
            let told = refusal(&pool, &lp, reply(json!({ member: number }))).await;
            assert!(told.starts_with("invalid response from test_exchange: "), "{member} {number}: {told}");
        }
    }
    let told = refusal(&pool, &lp, reply(json!({"side": "both"}))).await;
    assert!(told.starts_with("invalid response from test_exchange: "), "{told}");
}

#[tokio::test]
async fn an_order_of_which_nothing_is_left_is_no_order() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &[]).await;
    for change in [json!({"amount": "0"}), json!({"filled": "5"})] {
        pool.exchange().set_behaviour(reply(change.clone()));
        assert_eq!(pool.submit(&lp, "btc").await.accepted(), "no orders found", "{change}");
    }
}

#[tokio::test]
async fn pb_26_an_order_that_cannot_be_refuses_the_whole_reply_and_replaces_nothing() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    pool.submit_btc(&lp).await;
    let before = pool.orders_of(&lp).await;
    assert!(!before.is_empty());
    let changes = [("price", "0"), ("price", "-0.004"), ("amount", "-5"), ("filled", "6")];
    for (member, number) in changes {
        pool.exchange().set_behaviour(reply(json!({ member: number })));
        let told = pool.submit(&lp, "btc").await.refusal();
        assert!(told.starts_with("invalid response from test_exchange: order 7 has the "), "{told}");
        assert_eq!(pool.orders_of(&lp).await, before, "{member} {number}");
    }
}

#[tokio::test]
async fn an_order_listed_twice_or_with_an_impossible_id_makes_the_reply_unusable() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &[]).await;
    let Behaviour::RawBody(_, one) = reply(json!({})) else { unreachable!() };
    let twice: Value = serde_json::from_str(&one).unwrap();
    let order = &twice["orders"][0];
    let twice = Behaviour::RawBody(200, json!({"success": true, "orders": [order, order]}).to_string());
    let told = refusal(&pool, &lp, twice).await;
    assert_eq!(told, "invalid response from test_exchange: order 7 is listed twice");
    for id in ["", " ", "a b", &"7".repeat(200), "é"] {
        let told = refusal(&pool, &lp, reply(json!({ "id": id }))).await;
        assert!(told.starts_with("invalid response from test_exchange: "), "{id}: {told}");
    }
}

#[tokio::test]
async fn pb_16_orders_of_another_market_in_the_reply_are_dropped() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &[]).await;
    pool.exchange().set_behaviour(reply(json!({"market": "DOGE_BTC"})));
    assert_eq!(pool.submit(&lp, "btc").await.accepted(), "no orders found");
    pool.exchange().set_behaviour(reply(json!({"type": "stop-limit"})));
    assert_eq!(pool.submit(&lp, "btc").await.accepted(), "no orders found");
}

#[tokio::test]
async fn pb_30_a_reply_with_ten_thousand_orders_is_bounded() {
    let pool = TestPool::start_with(Settings::default().exchange_top("reply_bytes = 16_000_000")).await;
    let lp = pool.lp_with("alice", &[]).await;
    // Ids as long as they may be, and every digit of the numbers.
    let orders = |count: u32| {
        let order = |id: u32| {
            let id = format!("{id:0128}");
            json!({"id": id, "market": "NBT_BTC", "side": "sell", "type": "limit", "price": "0.00400000123456789",
                "amount": "12345.123456789012345678", "filled": "0", "opened_ms": 1_760_000_000_000_u64})
        };
        let orders: Vec<Value> = (0..count).map(order).collect();
        Behaviour::RawBody(200, json!({"success": true, "orders": orders}).to_string())
    };
    let told = refusal(&pool, &lp, orders(5_000)).await;
    assert_eq!(told, "test_exchange lists 5000 orders: more than the pool keeps of one submission");
    for count in [10_000, 50_000] {
        let told = refusal(&pool, &lp, orders(count)).await;
        assert_eq!(told, "the adapter of test_exchange failed; the pool's operator can see why");
    }
    pool.exchange().set_behaviour(orders(1_000));
    pool.submit_btc(&lp).await;
}

#[tokio::test]
async fn pb_25_a_hanging_exchange_holds_up_neither_other_endpoints_nor_another_exchanges_lps() {
    let fake = FakeServer::start().await;
    fake.set("/api/v3/openOrders", 200, BINANCE_ORDERS);
    let text = Settings::default().exchanges[0].1.replace("{endpoint}", fake.origin());
    let settings = Settings::default().exchange_top("call_timeout_ms = 4_000").exchange("binance", &text);
    let pool = TestPool::start_with(settings).await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    pool.register_with(&lp.key, &lp.address, "binance", "btc").await.accepted();
    pool.exchange().set_behaviour(Behaviour::Hang);
    let elsewhere = async {
        tokio::time::timeout(DEADLINE, pool.exchange().wait_for_requests(1)).await.unwrap();
        assert!(pool.get("/").await.success());
        assert_eq!(pool.get("/status").await.status, 200);
        let body = pool.signed_body(&lp, "binance", "btc").await;
        let answer = pool.post("/liquidity", &body).await;
        assert_eq!(answer.accepted(), "orders saved for validation");
    };
    let mut hanging = Box::pin(pool.submit(&lp, "btc"));
    tokio::select! {
        answer = &mut hanging => panic!("the hanging exchange was answered for first: {}", answer.text),
        () = elsewhere => {}
    }
    let told = tokio::time::timeout(DEADLINE, hanging).await.unwrap().refusal();
    assert_eq!(told, "test_exchange did not answer within 4s");
    assert_eq!(pool.orders_of(&lp).await.len(), 1);
}

/// What binance answers: one limit order of NBTBTC, one of another symbol.
const BINANCE_ORDERS: &str = r#"[
    {"symbol": "NBTBTC", "orderId": 1, "price": "0.004", "origQty": "10", "executedQty": "1", "status": "NEW",
     "timeInForce": "GTC", "type": "LIMIT", "side": "SELL", "time": 1760000000000, "isWorking": true},
    {"symbol": "DOGEBTC", "orderId": 2, "price": "0.004", "origQty": "10", "executedQty": "1", "status": "NEW",
     "timeInForce": "GTC", "type": "LIMIT", "side": "SELL", "time": 1760000000000, "isWorking": true}]"#;

#[tokio::test]
async fn an_exchange_that_nobody_reaches_is_named_as_such() {
    let mut settings = Settings::default();
    settings.exchanges[0].1 = settings.exchanges[0].1.replace("{endpoint}", "http://127.0.0.1:1");
    let pool = TestPool::start_with(settings).await;
    let lp = pool.lp_with("alice", &[]).await;
    let told = pool.submit(&lp, "btc").await.refusal();
    assert!(told.starts_with("test_exchange cannot be reached: "), "{told}");
}

#[tokio::test]
async fn a_slow_exchange_is_waited_for_within_its_time() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    pool.exchange().set_behaviour(Behaviour::Slow(Duration::from_millis(300)));
    pool.submit_btc(&lp).await;
}

#[tokio::test]
async fn when_too_many_wait_for_an_exchange_the_next_is_told_so_at_once() {
    let lines = "concurrent_calls = 1\nwaiting_calls = 0";
    let pool = TestPool::start_with(Settings::default().exchange_top(lines)).await;
    let (one, two) = (pool.lp_with("one", &["ask 5 0.004"]).await, pool.lp_with("two", &[]).await);
    pool.exchange().set_behaviour(Behaviour::Hang);
    let next = async {
        tokio::time::timeout(DEADLINE, pool.exchange().wait_for_requests(1)).await.unwrap();
        let told = pool.submit(&two, "btc").await.refusal();
        pool.exchange().set_behaviour(Behaviour::Normal);
        told
    };
    let (first, told) = tokio::join!(pool.submit(&one, "btc"), next);
    first.accepted();
    assert_eq!(told, "test_exchange cannot be asked now: too many submissions are waiting for it");
    assert_eq!(pool.exchange_calls(), 1);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_in_the_exchanges_words_and_a_replayed_message_in_the_pools() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    let forged = Lp { secret: "another".to_owned(), ..lp.clone() };
    let told = pool.submit(&forged, "btc").await.refusal();
    assert_eq!(told, "error returned: bad-signature: the signature does not match the request");
    let body = pool.signed_body(&lp, "test_exchange", "btc").await;
    pool.post("/liquidity", &body).await.accepted();
    let told = pool.post("/liquidity", &body).await.refusal();
    assert!(told.starts_with("a request of this key with "), "{told}");
    assert_eq!(pool.orders_of(&lp).await.len(), 1);
}

#[tokio::test]
async fn a_message_signed_too_long_ago_is_refused() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    let body = pool.signed_body(&lp, "test_exchange", "btc").await;
    pool.pass(61_000);
    let told = pool.post("/liquidity", &body).await.refusal();
    assert!(told.contains("timestamp-outside-window"), "{told}");
}

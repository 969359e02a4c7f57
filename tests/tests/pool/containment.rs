//! What one bad adapter, exchange, key or flood can do to everybody else: nothing.

use alp_server::containment::Overview;
use alp_server::control::{Command, ask};
use alp_simulated_exchange::Behaviour;
use alp_tests::{Answer, DEADLINE, Lp, Settings, TestPool, another_build};
use serde_json::{Value, json};

const ORDERS: [&str; 1] = ["ask 5 0.004"];

/// A reply that breaks the adapter: it answers more orders than the sandbox takes.
fn crafted() -> Behaviour {
    let order = |id: u32| {
        json!({"id": id.to_string(), "market": "NBT_BTC", "side": "sell", "type": "limit", "price": "0.004",
            "amount": "1", "filled": "0", "opened_ms": 1_760_000_000_000_u64})
    };
    let orders: Vec<Value> = (0..5_001).map(order).collect();
    Behaviour::RawBody(200, json!({"success": true, "orders": orders}).to_string())
}

/// A pool with so many LPs that had a sample accepted a moment ago.
async fn pool_of(lps: usize, settings: Settings) -> (TestPool, Vec<Lp>) {
    let pool = TestPool::start_with(settings).await;
    let mut all = Vec::new();
    for number in 0..lps {
        let lp = pool.lp_with(&format!("lp-{number}"), &ORDERS).await;
        pool.submit_btc(&lp).await;
        all.push(lp);
    }
    (pool, all)
}

async fn told(pool: &TestPool, lp: &Lp, behaviour: Behaviour) -> String {
    pool.exchange().set_behaviour(behaviour);
    let told = pool.submit(lp, "btc").await.refusal();
    pool.exchange().set_behaviour(Behaviour::Normal);
    told
}

/// What `GET /adapters` says is amiss with the adapter of the test exchange.
async fn amiss(pool: &TestPool) -> String {
    let adapters = pool.get("/adapters").await.json()["message"].clone();
    let entry = adapters.as_array().unwrap().iter().find(|entry| entry["name"] == "test_exchange").unwrap();
    entry.get("out_of_service").map_or_else(String::new, Value::to_string)
}

fn overview(pool: &TestPool) -> Overview {
    pool.app().containment.overview("test_exchange").unwrap()
}

/// Posts a signed submission as if it came from this address.
async fn submit_from(pool: &TestPool, lp: &Lp, address: &str) -> Answer {
    let body = pool.signed_body(lp, "test_exchange", "btc").await;
    let headers = [("Content-Type", "application/json"), ("X-Forwarded-For", address)];
    pool.post_raw("/liquidity", &headers, body.as_bytes()).await
}

#[tokio::test]
async fn an_lp_whose_submissions_break_the_adapter_is_paused_alone_and_longer_each_time() {
    let (pool, lps) = pool_of(2, Settings::limited()).await;
    let broken = "the adapter of test_exchange failed; the pool's operator can see why";
    for _ in 0..3 {
        assert_eq!(told(&pool, &lps[0], crafted()).await, broken);
    }
    let calls = pool.exchange_calls();
    assert_eq!(
        pool.submit(&lps[0], "btc").await.refusal(),
        "the adapter of test_exchange failed 3 times in a row on submissions of this key; the pool's operator can \
         see why; try again in 30 s"
    );
    assert_eq!(pool.exchange_calls(), calls);
    assert!(amiss(&pool).await.contains("the adapter fails for 1 LPs alone"), "{}", amiss(&pool).await);
    pool.submit_btc(&lps[1]).await;
    pool.pass(30_000);
    assert_eq!(told(&pool, &lps[0], crafted()).await, broken);
    assert!(pool.submit(&lps[0], "btc").await.refusal().ends_with("; try again in 60 s"));
    pool.pass(60_000);
    pool.submit_btc(&lps[0]).await;
    assert_eq!(amiss(&pool).await, "");
}

#[tokio::test]
async fn an_lp_with_crafted_input_cannot_switch_an_exchange_off_for_the_others() {
    let (pool, lps) = pool_of(4, Settings::limited()).await;
    // Two who mean ill, both with standing, and any number of keys that have none.
    for round in 0..6 {
        for attacker in &lps[..2] {
            for behaviour in [crafted(), Behaviour::Outage, Behaviour::Throttle { retry_after_s: 0 }] {
                told(&pool, attacker, behaviour).await;
            }
        }
        for number in 0..5 {
            let new = pool.lp_with(&format!("new-{round}-{number}"), &[]).await;
            told(&pool, &new, crafted()).await;
            told(&pool, &new, Behaviour::Garbage).await;
        }
        for honest in &lps[2..] {
            pool.submit_btc(honest).await;
        }
        pool.pass(20_000);
    }
    assert_eq!((overview(&pool).adapter.openings, overview(&pool).exchange.openings), (0, 0));
}

#[tokio::test]
async fn an_adapter_that_breaks_for_several_lps_is_out_of_service_and_says_so_until_another_one_comes() {
    let (pool, lps) = pool_of(4, Settings::limited()).await;
    for lp in &lps[..3] {
        told(&pool, lp, crafted()).await;
    }
    let calls = pool.exchange_calls();
    assert_eq!(
        pool.submit(&lps[3], "btc").await.refusal(),
        "the adapter of test_exchange keeps failing and is out of service; the pool's operator must act; try again \
         in 30 s"
    );
    assert_eq!(pool.exchange_calls(), calls);
    let sentence = "the adapter fails for several LPs and is out of service for 30 s: the operator must act";
    assert_eq!(amiss(&pool).await, json!([sentence]).to_string());
    let status = ask(&pool.folder().join("alp.sock"), Command::Status).await.unwrap().text;
    assert!(
        status.contains(sentence) && status.contains("4 accepted, 0 refused, 3 adapter faults"),
        "{status}"
    );
    assert!(!lps.iter().any(|lp| status.contains(&lp.key)), "{status}");
    pool.plug_in("test_exchange", &another_build("test_exchange", 1));
    let before = pool.app().adapters.snapshot().get("test_exchange").unwrap().sha256().to_owned();
    let changed = pool.app().adapters.wait_for(DEADLINE, |snapshot| {
        snapshot.get("test_exchange").is_some_and(|adapter| adapter.sha256() != before)
    });
    changed.await.unwrap();
    pool.submit_btc(&lps[3]).await;
    assert_eq!(amiss(&pool).await, "");
}

#[tokio::test]
async fn an_exchange_that_fails_for_several_lps_is_left_alone_and_one_try_that_succeeds_ends_it() {
    let (pool, lps) = pool_of(4, Settings::limited()).await;
    pool.exchange().set_behaviour(Behaviour::Outage);
    for lp in &lps[..3] {
        assert!(pool.submit(lp, "btc").await.refusal().starts_with("test_exchange is unavailable: "));
    }
    let calls = pool.exchange_calls();
    for lp in &lps {
        let told = pool.submit(lp, "btc").await.refusal();
        assert_eq!(told, "test_exchange keeps failing and is not asked now; try again in 30 s");
    }
    assert_eq!(pool.exchange_calls(), calls);
    assert!(amiss(&pool).await.contains("the exchange fails for several LPs and is out of service for 30 s"));
    // One try at a time, and each LP once: the next pause begins when as many failed as began the first.
    pool.pass(30_000);
    for lp in &lps[..3] {
        assert!(pool.submit(lp, "btc").await.refusal().starts_with("test_exchange is unavailable: "));
    }
    assert_eq!(pool.exchange_calls(), calls + 3);
    let told = pool.submit(&lps[3], "btc").await.refusal();
    assert_eq!(told, "test_exchange keeps failing and is not asked now; try again in 60 s");
    pool.exchange().set_behaviour(Behaviour::Normal);
    pool.pass(60_000);
    for lp in &lps {
        pool.submit_btc(lp).await;
    }
    assert_eq!(amiss(&pool).await, "");
}

#[tokio::test]
async fn while_one_lp_tries_the_exchange_again_the_others_wait_for_what_comes_of_it() {
    let (pool, lps) = pool_of(3, Settings::limited()).await;
    for lp in &lps {
        told(&pool, lp, Behaviour::Outage).await;
    }
    pool.pass(30_000);
    let calls = pool.exchange_calls();
    pool.exchange().set_behaviour(Behaviour::Hang);
    let others = async {
        tokio::time::timeout(DEADLINE, pool.exchange().wait_for_requests(calls + 1)).await.unwrap();
        let told = pool.submit(&lps[1], "btc").await.refusal();
        assert_eq!(told, "test_exchange keeps failing and is not asked now; try again in 1 s");
        assert_eq!(pool.exchange_calls(), calls + 1);
        pool.exchange().set_behaviour(Behaviour::Normal);
    };
    let (tried, ()) = tokio::join!(pool.submit(&lps[0], "btc"), others);
    tried.accepted();
    pool.submit_btc(&lps[1]).await;
}

#[tokio::test]
async fn refusals_never_count_as_a_failure_of_the_exchange() {
    let settings = Settings::limited().exchange_top("refusals_before_pause = 1_000");
    let (pool, lps) = pool_of(4, settings).await;
    for lp in &lps[..3] {
        let forged = Lp { secret: "another".to_owned(), ..lp.clone() };
        for _ in 0..10 {
            let told = pool.submit(&forged, "btc").await.refusal();
            assert!(told.starts_with("error returned: bad-signature"), "{told}");
        }
    }
    assert_eq!((amiss(&pool).await.as_str(), overview(&pool).counts.refused), ("", 30));
    for lp in &lps {
        pool.submit_btc(lp).await;
    }
}

#[tokio::test]
async fn pb_25_a_key_with_bad_signatures_backs_off_before_the_exchange_is_asked() {
    let pool = TestPool::start_with(Settings::limited()).await;
    let lp = pool.lp_with("alice", &ORDERS).await;
    let forged = Lp { secret: "another".to_owned(), ..lp.clone() };
    let mut last = String::new();
    for _ in 0..100 {
        last = pool.submit(&forged, "btc").await.refusal();
    }
    assert_eq!(pool.exchange_calls(), 5);
    assert_eq!(
        last,
        "test_exchange refused this key 5 times in a row and is not asked now: check the key, its secret and the \
         bot's clock; try again in 30 s"
    );
    pool.pass(30_000);
    for _ in 0..10 {
        pool.submit(&forged, "btc").await.refusal();
    }
    assert_eq!(pool.exchange_calls(), 6);
    pool.pass(60_000);
    pool.submit_btc(&lp).await;
    pool.submit_btc(&lp).await;
}

#[tokio::test]
async fn junk_that_somebody_posts_under_an_lps_key_does_not_lock_the_lp_out() {
    let pool = TestPool::start_with(Settings::limited()).await;
    let lp = pool.lp_with("alice", &ORDERS).await;
    submit_from(&pool, &lp, "192.0.2.1").await.accepted();
    let forged = Lp { secret: "another".to_owned(), ..lp.clone() };
    for _ in 0..5 {
        for number in 0..20 {
            submit_from(&pool, &forged, &format!("198.51.100.{number}")).await.refusal();
        }
        submit_from(&pool, &lp, "192.0.2.1").await.accepted();
        pool.pass(10_000);
    }
    assert!(pool.exchange_calls() <= 6 + 12, "{} calls", pool.exchange_calls());
}

#[tokio::test]
async fn keys_by_the_dozen_from_one_address_do_not_have_the_pool_banned() {
    let pool = TestPool::start_with(Settings::limited()).await;
    let honest = pool.lp_with("honest", &ORDERS).await;
    let mut last = String::new();
    for number in 0..40 {
        let new = pool.lp_with(&format!("junk-{number}"), &[]).await;
        let forged = Lp { secret: "another".to_owned(), ..new };
        last = submit_from(&pool, &forged, "198.51.100.9").await.refusal();
    }
    assert_eq!(pool.exchange_calls(), 20);
    assert_eq!(
        last,
        "test_exchange refused too many submissions from this address and is not asked now; try again in 3 s"
    );
    submit_from(&pool, &honest, "192.0.2.1").await.accepted();
}

#[tokio::test]
async fn pb_30_one_user_posting_flat_out_is_throttled_while_others_are_served() {
    let (pool, lps) = pool_of(2, Settings::limited()).await;
    let before = pool.exchange_calls();
    let mut last = String::new();
    for _ in 0..60 {
        last = pool.submit(&lps[0], "btc").await.message();
    }
    assert_eq!(pool.exchange_calls() - before, 30);
    assert_eq!(last, "too many submissions of this key: 30 a minute are taken; try again in 2 s");
    pool.submit_btc(&lps[1]).await;
    pool.pass(2_000);
    pool.submit_btc(&lps[0]).await;
}

#[tokio::test]
async fn most_of_an_exchanges_budget_is_kept_for_lps_with_a_recent_sample() {
    let pool = TestPool::start_with(Settings::limited().exchange_top("calls_per_minute = 20")).await;
    let mut lps = Vec::new();
    for number in 0..8 {
        lps.push(pool.lp_with(&format!("lp-{number}"), &ORDERS).await);
        pool.submit_btc(&lps[number]).await;
        pool.pass(60_000);
    }
    let (before, mut taken) = (pool.exchange_calls(), 0);
    let mut last = String::new();
    for number in 0..20 {
        let new = pool.lp_with(&format!("new-{number}"), &[]).await;
        let answer = pool.submit(&new, "btc").await;
        taken += u32::from(answer.success());
        last = answer.message();
    }
    assert_eq!((taken, pool.exchange_calls() - before), (4, 4));
    assert_eq!(
        last,
        "the pool asks test_exchange as often as it may, and keys without a recent sample come last; try again in 15 s"
    );
    for lp in &lps {
        pool.submit_btc(lp).await;
        pool.submit_btc(lp).await;
    }
    assert_eq!(pool.exchange_calls() - before, 20);
}

#[tokio::test]
async fn after_a_restart_those_with_a_recent_sample_are_known_and_the_others_may_use_what_they_leave() {
    let (mut pool, lps) = pool_of(2, Settings::limited().exchange_top("calls_per_minute = 20")).await;
    pool.restart().await;
    assert_eq!(overview(&pool).with_standing, 2);
    let mut taken = 0;
    for number in 0..20 {
        let new = pool.lp_with(&format!("new-{number}"), &[]).await;
        taken += u32::from(pool.submit(&new, "btc").await.success());
    }
    // All but two calls for each of the two.
    assert_eq!(taken, 16);
    for lp in &lps {
        pool.submit_btc(lp).await;
    }
}

#[tokio::test]
async fn an_exchange_that_wants_fewer_requests_gets_fewer_from_one_lp_and_from_all_if_several_were_told() {
    let (pool, lps) = pool_of(3, Settings::limited()).await;
    let throttle = Behaviour::Throttle { retry_after_s: 40 };
    told(&pool, &lps[0], throttle.clone()).await;
    let told_one = pool.submit(&lps[0], "btc").await.refusal();
    assert_eq!(told_one, "test_exchange wants fewer requests of this key; try again in 40 s");
    pool.submit_btc(&lps[2]).await;
    told(&pool, &lps[1], throttle).await;
    let calls = pool.exchange_calls();
    let told_all = pool.submit(&lps[2], "btc").await.refusal();
    assert_eq!(told_all, "test_exchange wants fewer requests from the pool; try again in 40 s");
    assert_eq!(pool.exchange_calls(), calls);
    assert!(amiss(&pool).await.contains("the exchange wants fewer requests and is left alone for 40 s"));
    pool.pass(40_000);
    for lp in &lps {
        pool.submit_btc(lp).await;
    }
}

#[tokio::test]
async fn one_address_that_sends_flat_out_waits_before_anything_it_sent_is_read() {
    let mut settings = Settings::limited();
    settings.sections.push_str("[limits]\nposts_per_minute = 5\n");
    let pool = TestPool::start_with(settings).await;
    let post = async |path: &str, address: &str| {
        let headers = [("Content-Type", "application/json"), ("X-Forwarded-For", address)];
        pool.post_raw(path, &headers, b"{}").await.refusal()
    };
    for _ in 0..5 {
        assert_eq!(post("/register", "198.51.100.9").await, "no user provided");
    }
    let waits = "too many messages from this address: 5 a minute are taken; try again in 12 s";
    assert_eq!(post("/register", "198.51.100.9").await, waits);
    assert_eq!(post("/liquidity", "203.0.113.8, 198.51.100.9").await, waits);
    assert_eq!(post("/liquidity", "198.51.100.10").await, "no user provided");
    pool.pass(12_000);
    assert_eq!(post("/liquidity", "198.51.100.9").await, "no user provided");
}

//! What each endpoint answers, to the letter, and what is answered where there is none.

use alp_tests::{Lp, Settings, TestPool};
use serde_json::json;

/// The three LPs of the second worked example of the reward rules, their orders submitted.
async fn three_lps(pool: &TestPool) -> [Lp; 3] {
    let alice = pool.lp_with("alice", &["ask 900 0.004"]).await;
    let bob = pool.lp_with("bob", &["bid 600 0.00398", "bid 400 0.0038"]).await;
    let carol = pool.lp_with("carol", &["bid 200 0.00397", "ask 100 0.00402"]).await;
    for lp in [&alice, &bob, &carol] {
        pool.submit_btc(lp).await;
    }
    [alice, bob, carol]
}

#[tokio::test]
async fn the_root_says_that_the_server_is_operational() {
    let pool = TestPool::start().await;
    let answer = pool.get("/").await;
    assert_eq!(answer.text, r#"{"message":"ALP Server is operational","success":true}"#);
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"));
}

#[tokio::test]
async fn the_favicon_is_a_picture() {
    let pool = TestPool::start().await;
    let answer = pool.ask("HEAD", "/favicon.ico").await;
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "image/x-icon"));
}

#[tokio::test]
async fn exchanges_shows_every_market_with_its_terms() {
    let pool = TestPool::start().await;
    let btc = r#"{"ask":{"rank_1":{"ratio":1,"tolerance":0.0085},"ratio":0.6},"bid":{"rank_1":{"ratio":0.8,"tolerance":0.0085},"rank_2":{"ratio":0.2,"tolerance":1},"ratio":0.4},"reward":0.05,"target":1500}"#;
    let usd = r#"{"ask":{"rank_1":{"ratio":1,"tolerance":0.0105},"ratio":0.5},"bid":{"rank_1":{"ratio":1,"tolerance":0.0105},"ratio":0.5},"reward":0.025,"target":2500}"#;
    let answer = pool.get("/exchanges").await;
    assert_eq!(answer.text, format!(r#"{{"test_exchange":{{"btc":{btc},"usd":{usd}}}}}"#));
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"));
}

#[tokio::test]
async fn pb_24_exchanges_shows_each_sides_own_ratio() {
    let pool = TestPool::start().await;
    let btc = pool.get("/exchanges").await.json()["test_exchange"]["btc"].clone();
    assert_eq!((&btc["ask"]["ratio"], &btc["bid"]["ratio"]), (&json!(0.6), &json!(0.4)));
}

#[tokio::test]
async fn status_says_before_the_first_round_that_there_are_no_statistics() {
    let pool = TestPool::start().await;
    let answer = pool.get("/status").await;
    assert_eq!(answer.text, r#"{"message":"no statistics exist yet.","status":false}"#);
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"));
}

#[tokio::test]
async fn status_shows_the_last_round() {
    let pool = TestPool::start().await;
    three_lps(&pool).await;
    pool.end_round().await;
    let expected = concat!(
        r#"{"message":{"meta":{"last-credit-time":1760000040,"next-payout-time":0,"number-of-orders":5,"#,
        r#""number-of-users":3,"number-of-users-active":3},"prices":{"btc":[0.004,250],"usd":[1,1]},"#,
        r#""rewards":{"test_exchange":{"btc":{"ask":{"rank_1":0.03},"bid":{"rank_1":0.016,"rank_2":0.004}}}},"#,
        r#""totals":{"test_exchange":{"btc":{"ask":{"rank_1":1000,"total":1000},"#,
        r#""bid":{"rank_1":800,"rank_2":400,"total":1200},"total":2200}}}},"#,
        r#""server_time":1760000101,"server_up_time":56,"status":true}"#
    );
    assert_eq!(pool.get("/status").await.text, expected);
}

#[tokio::test]
async fn orders_shows_an_order_as_waiting_until_its_round_ends() {
    let pool = TestPool::start().await;
    let [alice, ..] = three_lps(&pool).await;
    let expected = concat!(
        r#"{"message":[{"credited":0,"deviation":0,"exchange":"test_exchange","id":176000004000000,"#,
        r#""order_amount":900,"order_id":"1001","order_price":0.004,"rank":"rank_1","server_price":0.004,"#,
        r#""side":"ask","tolerance":0.0085,"unit":"btc"}],"server_time":1760000045,"success":true}"#
    );
    assert_eq!(pool.get(&format!("/{}/orders", alice.key)).await.text, expected);
}

#[tokio::test]
async fn orders_shows_after_the_round_how_each_credit_came_about() {
    let pool = TestPool::start().await;
    let [_, _, carol] = three_lps(&pool).await;
    pool.end_round().await;
    let expected = concat!(
        r#"{"message":[{"credit_info":{"calculated_unit_reward":0.05,"credit_amount":0.004,"#,
        r#""credited_time":1760000101,"percentage_of_rank":25,"rank_ratio":0.8,"rank_reward":0.016,"#,
        r#""rank_total_liquidity":800,"side_ratio":0.4,"side_reward":0.02,"unit_reward":0.05,"#,
        r#""unit_target":1500,"unit_total_liquidity":2200},"credited":1,"deviation":0.0075,"#,
        r#""exchange":"test_exchange","id":176000004000000,"order_amount":200,"order_id":"1004","#,
        r#""order_price":0.00397,"rank":"rank_1","server_price":0.004,"side":"bid","tolerance":0.0085,"#,
        r#""unit":"btc"},{"credit_info":{"calculated_unit_reward":0.05,"credit_amount":0.003,"#,
        r#""credited_time":1760000101,"percentage_of_rank":10,"rank_ratio":1,"rank_reward":0.03,"#,
        r#""rank_total_liquidity":1000,"side_ratio":0.6,"side_reward":0.03,"unit_reward":0.05,"#,
        r#""unit_target":1500,"unit_total_liquidity":2200},"credited":1,"deviation":0.00497512,"#,
        r#""exchange":"test_exchange","id":176000004000001,"order_amount":100,"order_id":"1005","#,
        r#""order_price":0.00402,"rank":"rank_1","server_price":0.004,"side":"ask","tolerance":0.0085,"#,
        r#""unit":"btc"}],"server_time":1760000101,"success":true}"#
    );
    assert_eq!(pool.get(&format!("/{}/orders", carol.key)).await.text, expected);
}

#[tokio::test]
async fn orders_shows_the_hundred_newest_and_no_more() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &[]).await;
    for _ in 0..60 {
        pool.place(&lp, "NBT_BTC", "ask 1 0.004");
    }
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    pool.submit_btc(&lp).await;
    let orders = pool.orders_of(&lp).await;
    assert_eq!(orders.len(), 100);
    let credited: Vec<i64> = orders.iter().map(|order| order["credited"].as_i64().unwrap()).collect();
    assert_eq!((&credited[..60], &credited[60..]), (&[0; 60][..], &[1; 40][..]));
}

#[tokio::test]
async fn stats_shows_total_and_history_newest_first() {
    let pool = TestPool::start().await;
    let [_, bob, _] = three_lps(&pool).await;
    pool.end_round().await;
    pool.submit_btc(&bob).await;
    pool.end_round().await;
    let answer = pool.get(&format!("/{}/stats", bob.key)).await;
    let expected = concat!(
        r#"{"message":{"current_reward":0.02933334,"history":["#,
        r#"{"asks_worth":0,"bids_worth":977,"daily_rate":0.0192000096,"net_worth":977.02933334,"#,
        r#""provided":1000,"reward":0.01333334,"rewards_so_far":0.02933334,"round_time":1760000100},"#,
        r#"{"asks_worth":0,"bids_worth":977,"daily_rate":0.02304,"net_worth":977.016,"#,
        r#""provided":1000,"reward":0.016,"rewards_so_far":0.016,"round_time":1760000040}],"payouts":[],"#,
        r#""submissions":[{"accepted":2,"efficiency":"1","exchange":"test_exchange","missing":0,"refusals":[],"#,
        r#""rejected":0,"rounds":3,"unit":"btc"}],"total_reward":0.02933334},"#,
        r#""server_time":1760000161,"success":true}"#
    );
    assert_eq!(answer.text, expected);
}

#[tokio::test]
async fn net_worth_follows_the_price_and_is_none_where_orders_are_not_kept_any_more() {
    let pool = TestPool::start().await;
    let [alice, _, carol] = three_lps(&pool).await;
    pool.end_round().await;
    pool.edit(&pool.pool_file(), "fixed = 0.004", "fixed = 0.005");
    pool.reload().await.unwrap();
    pool.submit_btc(&carol).await;
    pool.end_round().await;
    let history = async |lp: &Lp| {
        let stats = pool.get(&format!("/{}/stats", lp.key)).await.json();
        stats["message"]["history"].as_array().unwrap().clone()
    };
    // 200 · 0.00397 buys 158.8 at 0.005, and bought 198.5 at 0.004.
    let of_carol = history(&carol).await;
    let figures: Vec<String> =
        of_carol.iter().map(|round| format!("{} {}", round["asks_worth"], round["bids_worth"])).collect();
    assert_eq!(figures, ["100 158.8", "100 198.5"]);
    // Without a sample there is no round.
    assert_eq!((of_carol.len(), history(&alice).await.len()), (2, 1));

    let lease = pool.app().leadership.lease().await.unwrap();
    pool.app().store.forget_orders(&lease, pool.now_ms() / 1000, 10).await.unwrap();
    let forgotten = history(&carol).await;
    assert_eq!((forgotten.len(), &forgotten[0]["net_worth"]), (2, &serde_json::Value::Null));
    assert_eq!(forgotten[1]["reward"], of_carol[1]["reward"]);
}

#[tokio::test]
async fn who_registered_and_never_submitted_has_nothing_and_is_no_stranger() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &[]).await;
    let orders = pool.get(&format!("/{}/orders", lp.key)).await.text;
    assert_eq!(orders, r#"{"message":[],"server_time":1760000045,"success":true}"#);
    assert_eq!(pool.reward_of(&lp).await, "0");
}

#[tokio::test]
async fn an_unknown_user_is_told_so() {
    let pool = TestPool::start().await;
    for path in ["/nobody/orders", "/nobody/stats"] {
        let text = pool.get(path).await.text;
        assert_eq!(text, r#"{"message":"user nobody is not registered","success":false}"#);
    }
}

#[tokio::test]
async fn pb_31_a_strange_user_in_the_path_is_unknown_and_no_fault_of_the_server() {
    let pool = TestPool::start().await;
    for (path, user) in [("/%C3%BC/orders", "ü"), ("/%C3%BC/stats", "ü"), ("/a%2Fb/orders", "a/b")] {
        assert_eq!(pool.get(path).await.refusal(), format!("user {user} is not registered"));
    }
    for path in ["/%00/orders", "/%0A/stats", "/%F0%9F%98%80/stats"] {
        assert!(pool.get(path).await.refusal().ends_with(" is not registered"), "{path}");
    }
    for path in ["/%FF/orders", "/%FF/stats"] {
        assert_eq!(pool.get(path).await.refusal(), "the user in the address must be UTF-8", "{path}");
    }
    let long = pool.get(&format!("/{}/orders", "k".repeat(8_000))).await.refusal();
    assert!(long.len() < 200, "{long}");
}

#[tokio::test]
async fn pb_40_an_unknown_address_is_answered_in_json() {
    let pool = TestPool::start().await;
    let url = format!("http://{}/nothing/here?x=1", pool.address());
    for method in ["GET", "POST", "DELETE"] {
        let answer = pool.ask(method, "/nothing/here?x=1").await;
        let expected = format!(r#"{{"message":"404 {url} not found","success":false}}"#);
        assert_eq!(answer.text, expected, "{method}");
        assert_eq!((answer.status, answer.content_type.as_str()), (404, "application/json"));
    }
}

#[tokio::test]
async fn pb_40_a_wrong_method_is_answered_in_json() {
    let pool = TestPool::start().await;
    let asked = [
        ("GET", "/register"),
        ("GET", "/liquidity"),
        ("PUT", "/liquidity"),
        ("POST", "/"),
        ("POST", "/status"),
        ("DELETE", "/exchanges"),
        ("POST", "/key/orders"),
        ("POST", "/key/stats"),
        ("POST", "/adapters"),
    ];
    for (method, path) in asked {
        let answer = pool.ask(method, path).await;
        let expected = r#"{"message":"405 error. Incorrect HTTP method used","success":false}"#;
        assert_eq!(answer.text, expected, "{method} {path}");
        assert_eq!((answer.status, answer.content_type.as_str()), (405, "application/json"));
    }
}

#[tokio::test]
async fn pb_40_a_database_that_fails_is_answered_in_json() {
    let pool = TestPool::start().await;
    pool.app().store.close().await;
    for path in ["/status", "/key/orders", "/key/stats"] {
        let answer = pool.get(path).await;
        assert_eq!(answer.text, r#"{"message":"500 error","success":false}"#, "{path}");
        assert_eq!((answer.status, answer.content_type.as_str()), (500, "application/json"));
    }
    let refusal = pool.register(&Lp::new("alice"), "btc").await.refusal();
    assert!(refusal.contains("database"), "{refusal}");
}

#[tokio::test]
async fn pb_34_a_pool_without_a_price_starts_and_shows_its_status() {
    let mut settings = Settings::default();
    let nowhere = "[[prices.btc.sources]]\nurl = \"http://127.0.0.1:1/\"\npointer = \"/p\"\n";
    settings.sections = settings.sections.replace("[prices.btc]\nfixed = 0.004\n", nowhere);
    let pool = TestPool::start_with(settings).await;
    let lp = pool.lp("alice");
    pool.register(&lp, "usd").await.accepted();
    pool.submit(&lp, "usd").await.accepted();
    pool.end_round().await;
    assert_eq!(pool.get("/status").await.json()["message"]["prices"], json!({"usd": [1, 1]}));
}

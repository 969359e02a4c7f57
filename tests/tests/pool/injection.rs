//! Bots that would have the pool send something else than "list my open orders": refused before anything is sent.

use alp_tests::{FakeServer, Settings, TestPool};

/// What the bot is told about this `req` and this `sign`; the exchange hears nothing of it.
async fn refusal(pool: &TestPool, req: &str, sign: &str) -> String {
    let before = pool.exchange_calls();
    let body = pool.body("key-of-alice", req, sign, "test_exchange", "btc");
    let told = pool.post("/liquidity", &body).await.refusal();
    assert_eq!(pool.exchange_calls(), before, "{req}: {told}");
    told
}

fn req(market: &str, nonce: &str, timestamp: &str) -> String {
    format!("{{\"market\":{market},\"nonce\":{nonce},\"timestamp\":{timestamp}}}")
}

fn sign() -> String {
    format!("\"{}\"", "0a".repeat(32))
}

#[tokio::test]
async fn pb_25_what_would_end_a_parameter_is_refused_before_the_exchange_is_asked() {
    let pool = TestPool::start().await;
    pool.lp_with("alice", &["ask 5 0.004"]).await;
    let strange = ["1&market=X", "1#", "1 ", "1%26", "1?x", "1;2", "1/../x", "é", "1=2", "", "-1", "1e3"];
    for value in strange {
        for req in [
            req(&format!("\"{value}\""), "1", "1760000045000"),
            req("\"NBT_BTC\"", &format!("\"{value}\""), "1760000045000"),
            req("\"NBT_BTC\"", "1", &format!("\"{value}\"")),
        ] {
            let told = refusal(&pool, &req, &sign()).await;
            assert!(told.contains("`req"), "{req}: {told}");
        }
    }
}

#[tokio::test]
async fn pb_25_line_breaks_are_refused_wherever_they_stand() {
    let pool = TestPool::start().await;
    pool.lp_with("alice", &["ask 5 0.004"]).await;
    for breaks in [r"\r\nX-Other: 1", r"\n", r"\r", r"\u0000", r"\u001b"] {
        let value = format!("\"1{breaks}\"");
        let told = refusal(&pool, &req("\"NBT_BTC\"", &value, "1760000045000"), &sign()).await;
        assert_eq!(told, "the member nonce of req must not have control characters");
        let name = format!("{{\"nonce{breaks}\":1}}");
        let told = refusal(&pool, &name, &sign()).await;
        assert!(!told.contains(char::is_control), "{told:?}");
        let told = refusal(&pool, &req("\"NBT_BTC\"", "1", "1"), &format!("\"00{breaks}\"")).await;
        assert_eq!(told, "sign must not have control characters");
    }
    let right = req("\"NBT_BTC\"", "1", "1760000045000");
    for odd in ["\"0a\"", "\"0A\"", "\"é\"", "\"a b\"", &format!("\"{}\"", "zz".repeat(32))] {
        let told = refusal(&pool, &right, odd).await;
        assert!(told.contains("sign"), "{odd}: {told}");
    }
    let told = refusal(&pool, &right, &format!("\"{}\"", "0".repeat(5_000))).await;
    assert_eq!(told, "sign has 5000 characters: at most 4096 are accepted");
}

#[tokio::test]
async fn pb_16_another_market_in_req_is_refused_before_the_exchange_is_asked() {
    let pool = TestPool::start().await;
    pool.lp_with("alice", &["ask 5 0.004"]).await;
    for market in ["NBT_USD", "DOGE_BTC", "nbt_btc", "NBT_BTC_", "NBTBTC"] {
        let told = refusal(&pool, &req(&format!("\"{market}\""), "1", "1760000045000"), &sign()).await;
        assert!(told.contains("market") && told.contains("NBT_BTC"), "{market}: {told}");
    }
}

#[tokio::test]
async fn members_that_the_exchange_does_not_know_are_refused() {
    let pool = TestPool::start().await;
    pool.lp_with("alice", &["ask 5 0.004"]).await;
    let told = refusal(&pool, r#"{"market":"NBT_BTC","nonce":1,"timestamp":1,"command":"x"}"#, &sign()).await;
    assert!(told.contains("`command`"), "{told}");
    let told = refusal(&pool, r#"{"nonce":1,"timestamp":1}"#, &sign()).await;
    assert!(told.contains("market"), "{told}");
}

#[tokio::test]
async fn pb_16_another_command_for_poloniex_is_refused_before_the_exchange_is_asked() {
    let fake = FakeServer::start().await;
    fake.set("/tradingApi", 200, "[]");
    let text = Settings::default().exchanges[0].1.replace("{endpoint}", fake.origin());
    let pool = TestPool::start_with(Settings::default().exchange("poloniex_legacy", &text)).await;
    let lp = pool.lp("alice");
    pool.register_with(&lp.key, &lp.address, "poloniex_legacy", "btc").await.accepted();
    let sign = format!("\"{}\"", "0a".repeat(64));
    for (command, pair) in
        [("returnTradeHistory", "BTC_NBT"), ("returnOpenOrders", "BTC_DOGE"), ("withdraw", "BTC_NBT")]
    {
        let req = format!(r#"{{"command":"{command}","nonce":1760000045000,"currencyPair":"{pair}"}}"#);
        let body = pool.body(&lp.key, &req, &sign, "poloniex_legacy", "btc");
        let told = pool.post("/liquidity", &body).await.refusal();
        assert!(told.contains("`req"), "{command} {pair}: {told}");
    }
    assert_eq!(fake.asked(), [] as [&str; 0]);
    let body = pool.signed_body(&lp, "poloniex_legacy", "btc").await;
    assert_eq!(pool.post("/liquidity", &body).await.accepted(), "no orders found");
    assert_eq!(fake.asked(), ["/tradingApi"]);
}

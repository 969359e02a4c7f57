//! Adapters that come, change and go while the pool runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use alp_sandbox::{EntryState, Snapshot};
use alp_server::config::Config;
use alp_tests::{
    DEADLINE, FakeServer, Lp, Settings, TestPool, another_build, component, grant_for_any_build,
};
use serde_json::{Value, json};

/// A pool that has no adapter yet.
async fn pool_without_adapters() -> TestPool {
    TestPool::start_with(Settings { plugins: Vec::new(), ..Settings::default() }).await
}

/// The entry of an adapter as `GET /adapters` shows it.
async fn shown(pool: &TestPool, name: &str) -> Value {
    let answer = pool.get("/adapters").await;
    assert!(answer.success());
    let adapters = answer.json()["message"].as_array().unwrap().clone();
    adapters
        .into_iter()
        .find(|adapter| adapter["name"] == name)
        .unwrap_or_else(|| panic!("{name} is not listed"))
}

/// Waits until the folder of adapters is as wanted.
async fn wait_for(pool: &TestPool, wanted: impl FnMut(&Snapshot) -> bool) -> Arc<Snapshot> {
    pool.app().adapters.wait_for(DEADLINE, wanted).await.unwrap()
}

fn bytes_of(exchange: &str) -> Vec<u8> {
    std::fs::read(component(exchange)).unwrap()
}

#[tokio::test]
async fn an_adapter_that_is_copied_in_while_the_pool_runs_serves() {
    let pool = pool_without_adapters().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    let told = pool.submit(&lp, "btc").await.refusal();
    assert_eq!(told, "the adapter of test_exchange is missing; the pool's operator must act");
    assert_eq!(shown(&pool, "test_exchange").await, json!({"name": "test_exchange", "state": "missing"}));
    pool.plug_in("test_exchange", &bytes_of("test_exchange"));
    wait_for(&pool, |snapshot| snapshot.get("test_exchange").is_some()).await;
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0.03");
}

#[tokio::test]
async fn adapters_shows_everything_about_an_adapter() {
    let pool = TestPool::start().await;
    let mut entry = shown(&pool, "test_exchange").await;
    let members = entry.as_object_mut().unwrap();
    let sha256 = members.remove("sha256").unwrap();
    assert_eq!(sha256, pool.app().adapters.snapshot().get("test_exchange").unwrap().sha256());
    assert!(members.remove("load_ms").unwrap().is_u64());
    assert!(members.remove("loaded_at_ms").unwrap().as_u64().unwrap() > 1_700_000_000_000);
    assert_eq!(members.remove("size_bytes").unwrap(), bytes_of("test_exchange").len());
    assert!(members.remove("notes").unwrap().as_array().unwrap().iter().all(Value::is_string));
    let version = members.remove("version").unwrap();
    assert!(version.as_str().unwrap().starts_with(|first: char| first.is_ascii_digit()), "{version}");
    let address = format!("{}/api/v1/open-orders", pool.exchange_origin());
    let call = json!({"name": "open-orders", "method": "GET", "address": address, "signed": true,
        "parameters": ["market", "nonce", "timestamp"], "headers": ["X-Key", "X-Sign"]});
    let expected = json!({"name": "test_exchange", "file": "test_exchange.wasm", "state": "serving",
        "last_error": null, "waits_because": null, "candidate_sha256": null, "held": null, "shadow": null, "wit_version": "1.0.0", "may_send": [call], "nonce": "milliseconds",
        "single_use": true, "signed_request_lives": "60000 ms", "order_ids_unique_in": "exchange",
        "signature_binds": ["method", "path", "parameters", "market"]});
    assert_eq!(entry, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_adapter_that_is_replaced_under_load_fails_no_submission() {
    let pool = Arc::new(TestPool::start().await);
    let (done, submitted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut bots = Vec::new();
    for number in 0..4 {
        let (pool, done, submitted) = (Arc::clone(&pool), Arc::clone(&done), Arc::clone(&submitted));
        let lp = pool.lp_with(&format!("lp-{number}"), &["ask 1 0.004"]).await;
        bots.push(tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                pool.submit_btc(&lp).await;
                submitted.fetch_add(1, Ordering::SeqCst);
            }
        }));
    }
    for mark in 0..3 {
        let before = pool.app().adapters.snapshot().get("test_exchange").unwrap().sha256().to_owned();
        let enough = submitted.load(Ordering::SeqCst) + 4;
        pool.plug_in("test_exchange", &another_build("test_exchange", mark));
        wait_for(&pool, |snapshot| snapshot.get("test_exchange").unwrap().sha256() != before).await;
        alp_tests::wait_until("bots submit on", async || submitted.load(Ordering::SeqCst) >= enough).await;
    }
    done.store(true, Ordering::SeqCst);
    for bot in bots {
        bot.await.unwrap();
    }
    assert_eq!(shown(&pool, "test_exchange").await["state"], "serving");
}

#[tokio::test]
async fn an_adapter_that_is_deleted_serves_for_a_moment_and_is_then_missing() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1 0.004"]).await;
    std::fs::remove_file(pool.plugins().join("test_exchange.wasm")).unwrap();
    let leaving = |snapshot: &Snapshot| {
        snapshot.entry("test_exchange").is_some_and(|entry| entry.state == EntryState::Leaving)
    };
    wait_for(&pool, leaving).await;
    let state = shown(&pool, "test_exchange").await["state"].clone();
    assert_eq!(state, "serving: its file is gone, and it goes too unless a successor comes");
    pool.submit_btc(&lp).await;
    wait_for(&pool, |snapshot| snapshot.get("test_exchange").is_none()).await;
    let told = pool.submit(&lp, "btc").await.refusal();
    assert_eq!(told, "the adapter of test_exchange is missing; the pool's operator must act");
    assert_eq!(shown(&pool, "test_exchange").await["state"], "missing");
}

#[tokio::test]
async fn a_broken_file_is_refused_with_a_reason_and_the_old_one_keeps_serving() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1 0.004"]).await;
    let whole = bytes_of("test_exchange");
    let broken: [(&[u8], &str); 3] = [
        (b"<html>not found</html>", "the file is text, not a WebAssembly component"),
        (&whole[..whole.len() / 2], "the file is damaged"),
        (b"", "the file is empty"),
    ];
    for (bytes, reason) in broken {
        pool.plug_in("test_exchange", bytes);
        let refused = |snapshot: &Snapshot| {
            let entry = snapshot.entry("test_exchange").unwrap();
            entry.last_error.as_ref().is_some_and(|error| error.starts_with(reason))
        };
        wait_for(&pool, refused).await;
        let entry = shown(&pool, "test_exchange").await;
        assert_eq!(entry["state"], "serving: the newer version of its file was refused");
        assert!(entry["last_error"].as_str().unwrap().starts_with(reason));
        pool.submit_btc(&lp).await;
    }
    pool.plug_in("test_exchange", &whole);
    wait_for(&pool, |snapshot| snapshot.entry("test_exchange").unwrap().last_error.is_none()).await;
    assert_eq!(shown(&pool, "test_exchange").await["state"], "serving");
}

#[tokio::test]
async fn a_broken_file_where_nothing_served_is_shown_as_refused() {
    let pool = pool_without_adapters().await;
    let lp = pool.lp_with("alice", &["ask 1 0.004"]).await;
    pool.plug_in("test_exchange", b"nonsense");
    let refused =
        |snapshot: &Snapshot| snapshot.entry("test_exchange").is_some_and(|it| it.last_error.is_some());
    wait_for(&pool, refused).await;
    let entry = shown(&pool, "test_exchange").await;
    assert_eq!((&entry["state"], &entry["file"]), (&json!("refused"), &json!("test_exchange.wasm")));
    assert!(pool.submit(&lp, "btc").await.refusal().contains("adapter of test_exchange"));
}

#[tokio::test]
async fn a_second_claimant_of_an_exchange_is_refused() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1 0.004"]).await;
    pool.plug_in("impostor", &another_build("test_exchange", 99));
    let refused = |snapshot: &Snapshot| snapshot.entry("impostor").is_some_and(|it| it.last_error.is_some());
    wait_for(&pool, refused).await;
    let entry = shown(&pool, "impostor").await;
    assert_eq!(entry["state"], "refused");
    let reason =
        "the file is named impostor.wasm, but its adapter is for `test_exchange`: name it test_exchange.wasm";
    assert_eq!(entry["last_error"], reason);
    assert_eq!(shown(&pool, "test_exchange").await["state"], "serving");
    pool.submit_btc(&lp).await;
}

#[tokio::test]
async fn an_adapter_whose_exchange_is_not_configured_waits_and_is_never_asked() {
    let fake = FakeServer::start().await;
    let pool = TestPool::start().await;
    pool.plug_in("binance", &bytes_of("binance"));
    wait_for(&pool, |snapshot| snapshot.entry("binance").is_some_and(|it| !it.loading)).await;
    let entry = shown(&pool, "binance").await;
    assert_eq!(entry["state"], "waiting: its exchange is not configured");
    let lp = pool.lp("alice");
    let refused = pool.register_with(&lp.key, &lp.address, "binance", "btc").await.refusal();
    assert_eq!(refused, "binance is not supported");
    let body = pool.signed_body(&lp, "binance", "btc").await;
    assert_eq!(pool.post("/liquidity", &body).await.refusal(), "binance is not supported");
    let file = Settings::default().exchanges[0].1.replace("{endpoint}", fake.origin());
    let grant = grant_for_any_build("binance").await;
    std::fs::write(pool.exchange_file("binance"), format!("{file}{grant}")).unwrap();
    fake.set("/api/v3/openOrders", 200, "[]");
    pool.reload().await.unwrap();
    assert_eq!(shown(&pool, "binance").await["state"], "serving");
    pool.register_with(&lp.key, &lp.address, "binance", "btc").await.accepted();
    assert_eq!(fake.asked(), [] as [&str; 0]);
    let body = pool.signed_body(&lp, "binance", "btc").await;
    assert_eq!(pool.post("/liquidity", &body).await.accepted(), "no orders found");
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn pb_19_an_exchange_without_an_adapter_is_said_to_have_none() {
    let text = Settings::default().exchanges[0].1.clone();
    let mut settings = Settings::default();
    settings.exchanges.push(("cryptsy".to_owned(), text));
    let pool = TestPool::start_with(settings).await;
    let lp = Lp::new("alice");
    pool.register_with(&lp.key, &lp.address, "cryptsy", "btc").await.accepted();
    let body = pool.body(&lp.key, "{\"nonce\":1}", "\"00\"", "cryptsy", "btc");
    let told = pool.post("/liquidity", &body).await.refusal();
    assert_eq!(told, "the adapter of cryptsy is missing; the pool's operator must act");
    assert_eq!(shown(&pool, "cryptsy").await["state"], "missing");
}

#[tokio::test]
async fn pb_20_the_test_exchange_is_refused_by_a_pool_in_earnest() {
    let pool = TestPool::start().await;
    pool.edit(&pool.pool_file(), "test_pool = true\n", "");
    let faults = Config::read(&pool.pool_file()).unwrap_err();
    let file = pool.exchange_file("test_exchange");
    let expected = format!(
        "the configuration has 1 fault:\n  {}: is an exchange for tests: a pool uses it only with \
         test_pool = true in its own file\n",
        file.display()
    );
    assert_eq!(faults.to_string(), expected);
    assert_eq!(pool.reload().await.unwrap_err(), expected);
    assert_eq!(pool.get("/exchanges").await.json().as_object().unwrap().len(), 1);
}

//! What the pool sends outward, and what of the answers reaches a log or a bot, seen from outside.

use std::fs;
use std::process::Stdio;

use alp_server::config::Config;
use alp_simulated_exchange::Behaviour;
use alp_tests::{
    AskingGuest, DEADLINE, FakeServer, Lp, Raw, RawServer, Settings, TEST_EXCHANGE, TestPool, grant_of,
    sandbox,
};
use serde_json::json;

use crate::logged::Logged;

/// A text that would be a line of its own in a log, in red, and reads backwards at its end.
const FORGED: &str =
    "x\r\n2026-01-01T00:00:00Z ERROR alp: paid everything\u{1b}[31m\u{202e}\u{2066}\u{85}\u{7}";

/// A pool with a guest for the exchange `hostile`, whose file begins with `top`.
async fn pool_with_guest(guest: &AskingGuest<'_>, top: &str) -> (TestPool, Lp) {
    let adapter = sandbox().await.load(guest.component()).await.unwrap();
    let mut settings = Settings::default().grant("hostile", &grant_of(&adapter));
    let text = TEST_EXCHANGE.replace("endpoint = \"{endpoint}\"\n", top);
    settings.exchanges.push(("hostile".to_owned(), text));
    let pool = TestPool::start_with(settings).await;
    pool.plug_in("hostile", &guest.component());
    let loaded = pool.app().adapters.wait_for(DEADLINE, |snapshot| snapshot.get("hostile").is_some());
    let loaded = loaded.await;
    assert!(loaded.is_ok(), "the guest does not serve: {}", pool.get("/adapters").await.text);
    let lp = pool.lp("mallory");
    pool.register_with(&lp.key, &lp.address, "hostile", "btc").await.accepted();
    (pool, lp)
}

async fn refusal(pool: &TestPool, lp: &Lp) -> String {
    let body = pool.body(&lp.key, r#"{"nonce":1}"#, "\"signature\"", "hostile", "btc");
    pool.post("/liquidity", &body).await.refusal()
}

#[tokio::test]
async fn an_adapter_that_asks_for_ever_is_stopped_after_twelve_requests() {
    let server = FakeServer::start().await;
    server.set("/orders", 200, "[]");
    let guest = AskingGuest { exchange: "hostile", origin: "https://api.example.com", undeclared: None };
    let (pool, lp) = pool_with_guest(&guest, &format!("endpoint = {:?}\n", server.origin())).await;
    assert_eq!(refusal(&pool, &lp).await, "the adapter of hostile wants more than 12 requests");
    assert_eq!(server.asked(), ["/orders"; 12]);
}

#[tokio::test]
async fn an_adapter_that_would_lead_the_pool_into_its_own_network_is_not_even_loaded() {
    let pool = TestPool::start().await;
    for host in ["127.0.0.1", "localhost", "169.254.169.254", "router.lan", "0x7f.1"] {
        let origin = format!("https://{host}:8443");
        let guest = AskingGuest { exchange: "hostile", origin: &origin, undeclared: None };
        pool.plug_in("hostile", &guest.component());
        let refused = |snapshot: &alp_sandbox::Snapshot| {
            let entry = snapshot.entry("hostile");
            entry.and_then(|entry| entry.last_error.as_ref()).is_some_and(|error| error.contains(&origin))
        };
        pool.app().adapters.wait_for(DEADLINE, refused).await.unwrap();
        let error = pool.app().adapters.snapshot().entry("hostile").unwrap().last_error.clone().unwrap();
        assert!(error.contains("is not the public name of a host"), "{error}");
    }
}

#[tokio::test]
async fn credentials_in_an_address_of_the_configuration_are_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("exchanges")).unwrap();
    let feeds = "[[prices.btc.sources]]\nurl = \"https://user:hidden@feed.example/x\"\npointer = \"\"\n\
        [[prices.btc.sources]]\nurl = \"ftp://feed.example/x\"\npointer = \"\"\n";
    let pool = format!("name = \"p\"\ntest_pool = true\n[prices.usd]\nfixed = 1\n[prices.btc]\n{feeds}");
    fs::write(folder.path().join("pool.toml"), pool).unwrap();
    let exchange = TEST_EXCHANGE.replace("{endpoint}", "https://user:hidden@api.example.com");
    fs::write(folder.path().join("exchanges/kraken.toml"), exchange).unwrap();
    let faults = Config::read(&folder.path().join("pool.toml")).unwrap_err().to_string();
    for fault in [
        "url must not carry a name or a password before the host",
        "url must be an address such as https://feed.example/ticker",
        "endpoint must be an origin such as https://api.example.com",
    ] {
        assert!(faults.contains(fault), "{fault} is not in {faults}");
    }
    assert!(!faults.contains("hidden"), "{faults}");
}

#[tokio::test]
async fn a_proxy_in_the_environment_is_not_used() {
    let proxy = RawServer::start(Raw::reply(&[], b"[]")).await;
    let address = format!("http://{}", proxy.address());
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    // This very program with two tests of exchanges and feeds, which fail if anything goes another way.
    child.args(["--exact", "prices::the_price_is_the_median_of_the_feeds"]);
    child.arg("exchange_faults::a_slow_exchange_is_waited_for_within_its_time");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        child.env(name, &address).env(name.to_ascii_lowercase(), &address);
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy").stdin(Stdio::null());
    let output = child.output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("2 passed"), "{text}");
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn text_of_an_exchange_reaches_neither_bot_nor_log_as_it_is() {
    let logged = Logged::default();
    let _guard = logged.subscribe();
    let feeds = FakeServer::start().await;
    let mut settings = Settings::default();
    let source = format!("[[prices.btc.sources]]\nurl = \"{}/feed\"\npointer = \"/price\"\n", feeds.origin());
    settings.sections = settings.sections.replace("fixed = 0.004\n", &source);
    let pool = TestPool::start_with(settings).await;
    feeds.set("/feed", 200, &json!({"price": 0.004}).to_string());
    pool.app().refresh_prices().await;
    let lp = pool.lp_with("alice", &[]).await;
    let long = format!("{FORGED}{}", "long ".repeat(5_000));
    let order = json!({"id": FORGED, "market": "NBT_BTC", "side": "sell", "type": "limit", "price": "0.004",
        "amount": "5", "filled": "0", "opened_ms": 1_760_000_000_000_u64});
    let bodies = [
        (400, json!({"error": FORGED, "message": &long})),
        (400, json!({"error": &long, "message": FORGED})),
        (429, json!({"error": "throttled", "message": &long})),
        (503, json!({"error": &long, "message": &long})),
        (200, json!({"success": true, "orders": [order]})),
        (200, json!({"success": true, "orders": long})),
    ];
    for (status, body) in bodies {
        pool.exchange().set_behaviour(Behaviour::RawBody(status, body.to_string()));
        let told = pool.submit(&lp, "btc").await.refusal();
        assert!(is_one_short_line(&told), "{told:?}");
    }
    feeds.set("/feed", 200, &json!({"price": FORGED}).to_string());
    pool.app().refresh_prices().await;
    let health = pool.app().health.states()["price of btc"].outcome.clone().unwrap_err();
    assert!(is_one_short_line(&health), "{health:?}");
    assert!(logged.text().contains("a price could not be fetched"), "{}", logged.text());
    assert_unforged(&logged);
}

#[tokio::test]
async fn text_of_an_adapter_reaches_neither_bot_nor_log_as_it_is() {
    let logged = Logged::default();
    let _guard = logged.subscribe();
    let long = format!("{FORGED}{}", "n".repeat(2_000));
    for undeclared in [FORGED, &long] {
        let undeclared = Some(undeclared);
        let guest = AskingGuest { exchange: "hostile", origin: "https://api.example.com", undeclared };
        let (pool, lp) = pool_with_guest(&guest, "").await;
        let told = refusal(&pool, &lp).await;
        assert!(is_one_short_line(&told), "{told:?}");
    }
    assert!(logged.text().contains("adapter"), "{}", logged.text());
    assert_unforged(&logged);
}

fn is_one_short_line(text: &str) -> bool {
    !text.is_empty() && text.chars().count() < 700 && !text.chars().any(is_harmful)
}

/// What moves the cursor, colours, or turns the direction of reading.
fn is_harmful(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Every line is one that the program began, short, and without anything that a terminal would obey.
fn assert_unforged(logged: &Logged) {
    for line in logged.text().lines() {
        assert!(!line.starts_with("2026-01-01T00:00:00Z"), "{line:?}");
        assert!(line.chars().count() < 1_200 && !line.chars().any(is_harmful), "{line:?}");
    }
}

//! The pool's price: how old it may be, and what one bad feed can do.

use alp_tests::{FakeServer, Lp, Settings, TestPool};
use serde_json::json;

/// A pool whose price of `btc` comes from five feeds, a JSON pointer into each.
async fn pool_with_feeds(feeds: &FakeServer) -> (TestPool, Lp) {
    let mut settings = Settings::default();
    let head = "[prices.btc]\nevery_seconds = 60\nmax_age_seconds = 180\nleast_sources = 3\n";
    let sources: Vec<String> = (1..=5)
        .map(|number| {
            let url = format!("{}/feed-{number}", feeds.origin());
            let inverted = if number == 5 { "\ninverted = true" } else { "" };
            format!("[[prices.btc.sources]]\nurl = {url:?}\npointer = \"/data/0/price\"{inverted}\n")
        })
        .collect();
    let sources = format!("{head}{}", sources.join(""));
    settings.sections = settings.sections.replace("[prices.btc]\nfixed = 0.004\n", &sources);
    let pool = TestPool::start_with(settings).await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    (pool, lp)
}

/// Five feeds that agree on 0.004, one as a text and one the other way round.
async fn feeds() -> FakeServer {
    let feeds = FakeServer::start().await;
    for (number, price) in [(1, "0.00399"), (2, "\"0.004\""), (3, "4e-3"), (4, "0.00401"), (5, "250")] {
        feeds.set(&format!("/feed-{number}"), 200, &document(price));
    }
    feeds
}

fn document(price: &str) -> String {
    format!(r#"{{"data":[{{"price":{price},"other":1}}]}}"#)
}

async fn server_price(pool: &TestPool, lp: &Lp) -> serde_json::Value {
    pool.submit_btc(lp).await;
    pool.orders_of(lp).await[0]["server_price"].clone()
}

#[tokio::test]
async fn the_price_is_the_median_of_the_feeds() {
    let feeds = feeds().await;
    let (pool, lp) = pool_with_feeds(&feeds).await;
    pool.app().refresh_prices().await;
    assert_eq!(server_price(&pool, &lp).await, json!(0.004));
    assert_eq!(feeds.asked().len(), 5);
}

#[tokio::test]
async fn pb_21_one_absurd_feed_and_one_that_is_down_move_the_price_less_than_a_tolerance() {
    let feeds = feeds().await;
    let (pool, lp) = pool_with_feeds(&feeds).await;
    feeds.set("/feed-1", 200, &document("4000"));
    feeds.set("/feed-2", 503, "down");
    pool.app().refresh_prices().await;
    // Four answer: the mean of the two in the middle, 0.004 and 0.00401.
    assert_eq!(server_price(&pool, &lp).await, json!(0.004005));
    for nonsense in ["-1", "0", "\"NaN\"", "null", "1e400", "[]"] {
        feeds.set("/feed-1", 200, &document(nonsense));
        pool.app().refresh_prices().await;
        assert_eq!(server_price(&pool, &lp).await, json!(0.004), "{nonsense}");
    }
}

#[tokio::test]
async fn pb_21_a_price_is_used_until_it_is_too_old_and_not_longer() {
    let feeds = feeds().await;
    let (pool, lp) = pool_with_feeds(&feeds).await;
    pool.app().refresh_prices().await;
    for number in 1..=3 {
        feeds.set(&format!("/feed-{number}"), 500, "{}");
    }
    pool.pass(180_000);
    pool.app().refresh_prices().await;
    assert_eq!(server_price(&pool, &lp).await, json!(0.004));
    pool.end_round().await;
    pool.pass(1);
    let expected = r#"{"message":"unable to fetch current price for btc","success":false}"#;
    assert_eq!(pool.submit(&lp, "btc").await.text, expected);
    assert_eq!(pool.orders_of(&lp).await.len(), 1);
    feeds.set("/feed-1", 200, &document("0.004"));
    pool.app().refresh_prices().await;
    pool.submit_btc(&lp).await;
}

#[tokio::test]
async fn pb_21_a_price_that_was_never_fetched_stops_its_unit_and_no_other() {
    let feeds = FakeServer::start().await;
    let (pool, lp) = pool_with_feeds(&feeds).await;
    pool.app().refresh_prices().await;
    let refusal = pool.submit(&lp, "btc").await.refusal();
    assert_eq!(refusal, "unable to fetch current price for btc");
    pool.register(&lp, "usd").await.accepted();
    pool.place(&lp, "NBT_USD", "ask 1 1");
    pool.submit(&lp, "usd").await.accepted();
    let health = pool.app().health.states()["price of btc"].outcome.clone().unwrap_err();
    assert!(health.starts_with("0 of the price's sources answered, 3 must: source 1 "), "{health}");
}

#[tokio::test]
async fn a_feed_is_not_followed_elsewhere_and_not_read_without_end() {
    let feeds = feeds().await;
    let (pool, _) = pool_with_feeds(&feeds).await;
    let large = format!("{}{}", document("0.004"), " ".repeat(2 << 20));
    for number in 1..=3 {
        feeds.set(&format!("/feed-{number}"), 200, &large);
    }
    pool.app().refresh_prices().await;
    let health = pool.app().health.states()["price of btc"].outcome.clone().unwrap_err();
    assert!(health.contains("sent a reply of more than 1048576 bytes"), "{health}");
    for number in 1..=3 {
        feeds.set(&format!("/feed-{number}"), 302, "");
    }
    pool.app().refresh_prices().await;
    let health = pool.app().health.states()["price of btc"].outcome.clone().unwrap_err();
    assert!(health.contains("answered with HTTP status 302"), "{health}");
}

#[tokio::test]
async fn what_each_feed_said_is_published_with_the_price_also_for_a_round_that_is_late() {
    let feeds = feeds().await;
    let (mut pool, lp) = pool_with_feeds(&feeds).await;
    feeds.set("/feed-2", 503, "down");
    pool.app().refresh_prices().await;
    pool.submit_btc(&lp).await;
    pool.restart().await;
    pool.end_round().await;
    let record = pool.get("/records/1").await.text;
    let body: serde_json::Value = serde_json::from_str(record.lines().nth(1).unwrap()).unwrap();
    let price = &body["round"]["prices"][0];
    assert_eq!((&price["unit"], &price["price"]), (&json!("btc"), &json!("0.004")), "{body}");
    let quotes = price["quotes"].as_array().unwrap();
    let mut said: Vec<&str> = quotes.iter().map(|quote| quote["price"].as_str().unwrap()).collect();
    said.sort_unstable();
    assert_eq!(said, ["0.00399", "0.004", "0.004", "0.00401"]);
    assert_eq!(quotes[0]["source"], json!("127.0.0.1"));
}

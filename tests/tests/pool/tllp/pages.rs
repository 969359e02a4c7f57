//! What the protocol's clients ask for: shapes, exact numbers, and what they are told where there is nothing.

use alp_tests::{Lp, Settings, TestPool};
use serde_json::{Value, json};

use super::client::{Client, code, get};
use super::{AUCTION, served, served_with};

fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap_or_else(|| panic!("{object}")).keys().map(String::as_str).collect()
}

/// A round with one LP's order in it.
async fn round(pool: &TestPool, client: &Client<'_>) {
    assert_eq!(client.submit().await, 0);
    pool.end_round().await;
}

#[tokio::test]
async fn every_page_has_the_members_that_clients_read() {
    let pool = TestPool::start_with(served_with(AUCTION)).await;
    let client = Client::new(&pool, pool.lp("alice"));
    pool.place(&client.lp, "NBT_BTC", "ask 400 0.004");
    client.register().await;
    round(&pool, &client).await;
    let status = get(&pool, "/status").await.json();
    assert_eq!(names(&status), ["credits", "liquidity", "sampling", "users", "validations"]);
    assert_eq!(status["liquidity"], json!([0, 400]), "bids come first");
    assert_eq!((&status["credits"], &status["validations"]), (&json!(1), &json!(1)));
    let market = get(&pool, "/exchanges").await.json()["test_exchange"]["btc"].clone();
    assert_eq!(names(&market), ["ask", "bid"]);
    assert_eq!(names(&market["ask"]), ["high", "low", "orders", "rate", "target"]);
    assert_eq!(get(&pool, "/info/test_exchange/btc").await.json(), market);
    assert_eq!(get(&pool, "/price/btc").await.text, r#"{"price":0.004}"#);
    let page = client.page().await;
    assert_eq!(names(&page), ["balance", "efficiency", "message", "missing", "rejects", "units"]);
    let unit = &page["units"]["btc"];
    assert_eq!(names(unit), ["active", "ask", "bid", "last_error", "missing", "rate", "rejects"]);
    assert_eq!(unit["ask"].as_array().unwrap().len(), 3);
    assert_eq!(names(&unit["ask"][0]), ["amount", "cost"]);
    // 400 at a quarter of a per cent are 1 a day, floored to 0.00069444 a round.
    assert_eq!(page["balance"].to_string(), "0.00069444");
    assert_eq!(market["ask"]["orders"][0][0]["amount"], 400);
    assert_eq!(market["ask"]["high"].to_string(), "0.002499984");
}

#[tokio::test]
async fn a_listener_of_its_own_has_the_same_pages_at_the_root() {
    let pool = TestPool::start_with(served()).await;
    let listener = pool.running().tllp_address().unwrap();
    for path in ["/status", "/exchanges", "/price/usd", "/info/test_exchange/usd"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = alp_tests::converse_at(listener, request.as_bytes()).await;
        assert_eq!((answer.status, answer.json()), (200, get(&pool, path).await.json()), "{path}");
    }
    let body = "key=k&address=S&name=x";
    let request = format!(
        "POST /register HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(code(&alp_tests::converse_at(listener, request.as_bytes()).await), 7);
}

#[tokio::test]
async fn bots_align_themselves_with_the_pools_looks() {
    let pool = TestPool::start_with(served_with(&format!("{AUCTION}slices = 6\n"))).await;
    let sync = get(&pool, "/sync").await.json();
    assert_eq!((&sync["time"], &sync["sync"]), (&json!(pool.now_ms()), &json!(10_000)));
    let round = sync["round"].as_u64().unwrap();
    // What its clients wait for.
    pool.pass(10_000 - pool.now_ms() % 10_000);
    assert_eq!(get(&pool, "/sync").await.json()["round"], round + 1);
    pool.pass(9_999);
    assert_eq!(get(&pool, "/sync").await.json()["round"], round + 1);
}

#[tokio::test]
async fn tllp_history_answers() {
    let pool = TestPool::start_with(served_with(AUCTION)).await;
    let client = Client::new(&pool, pool.lp("alice"));
    client.register().await;
    let history = async |page: &str| get(&pool, &format!("/history/{}/btc/{page}", client.lp.key)).await;
    assert_eq!(history("0").await.json(), json!([]));
    pool.place(&client.lp, "NBT_BTC", "ask 400 0.004");
    for _ in 0..2 {
        round(&pool, &client).await;
    }
    let answer = history("0").await;
    let entries = answer.json();
    assert_eq!(entries.as_array().unwrap().len(), 2);
    let (first, second) = (&entries[0], &entries[1]);
    assert_eq!(second["time"].as_u64().unwrap(), first["time"].as_u64().unwrap() + 60);
    assert_eq!(
        (first["balance"].to_string(), second["balance"].to_string()),
        ("0.00069444".into(), "0.00138888".into())
    );
    assert_eq!(
        (&first["ask"], &first["bid"], &first["missings"]),
        (&json!([400, 0, 0]), &json!([0, 0, 0]), &json!(0))
    );
    assert_eq!(names(&first["rate"]), ["ask", "bid"]);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(history("1").await.json(), json!([]));
    assert_eq!(history("4294967295").await.json(), json!([]));
    for wrong in ["x", "-1", "4294967296"] {
        assert_eq!(history(wrong).await.status, 404);
    }
    assert_eq!(get(&pool, "/history/nobody/btc/0").await.json()["code"], 11);
    assert_eq!(get(&pool, &format!("/history/{}/doge/0", client.lp.key)).await.json()["code"], 12);
}

#[tokio::test]
async fn what_is_not_there_is_an_error_that_clients_understand() {
    let pool = TestPool::start_with(served()).await;
    let paths = [
        "/nobody",
        "/price/doge",
        "/info/test_exchange/doge",
        "/info/mtgox/btc",
        "/no/such/path",
        "/%ff",
        "/checkpoints/1",
    ];
    for path in paths {
        let answer = get(&pool, path).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (404, "application/json"), "{path}");
        assert_eq!(answer.json()["error"], true, "{answer:?}");
    }
    assert_eq!(pool.ask("POST", "/tllp/status").await.json()["error"], true);
    assert_eq!(get(&pool, "/nobody").await.json()["message"], "user not found: nobody");
}

#[tokio::test]
async fn what_is_about_a_key_is_kept_by_nobody_on_the_way() {
    let pool = TestPool::start_with(served()).await;
    let client = Client::new(&pool, pool.lp("alice"));
    client.register().await;
    for path in [format!("/{}", client.lp.key), "/nobody".to_owned(), "/history/nobody/btc/0".to_owned()] {
        assert_eq!(get(&pool, &path).await.headers["cache-control"], "no-store", "{path}");
    }
    assert!(!get(&pool, "/status").await.headers.contains_key("cache-control"));
}

#[tokio::test]
async fn tllp_the_default_rate_of_a_side_is_that_sides_own() {
    // The original gave each user the rate of the other side until it named its own.
    let side = |name: &str, rate: &str| {
        format!(
            "[units.btc.{name}]\nengine = \"auction_tllp\"\nrate = {rate}\ntarget = 1000\ntolerance = 0.01\n"
        )
    };
    let pool =
        TestPool::start_with(served_with(&format!("{}{}", side("ask", "0.001"), side("bid", "0.003")))).await;
    let market = get(&pool, "/info/test_exchange/btc").await.json();
    assert_eq!((&market["ask"]["rate"], &market["bid"]["rate"]), (&json!(0.001), &json!(0.003)));
    let lp = pool.lp("alice");
    for order in ["ask 100 0.004", "bid 100 0.004"] {
        pool.place(&lp, "NBT_BTC", order);
    }
    // What a client sends that names no rates: those that it read.
    let client = Client::new(&pool, lp).asking("0.001", "0.003");
    client.register().await;
    round(&pool, &client).await;
    // 100 · (0.001 + 0.003) a day: both sides are served at their own rate.
    assert_eq!(client.page().await["balance"].to_string(), "0.00027777");
}

#[tokio::test]
async fn rates_and_targets_are_shown_for_every_engine() {
    let shown = async |rules: &str| {
        let pool = TestPool::start_with(served_with(rules)).await;
        let side = get(&pool, "/info/test_exchange/btc").await.json()["ask"].clone();
        format!("{} {} {}", side["rate"], side["target"], side["high"])
    };
    let plain = "reward = 0.05\ntarget = 1500\nask = { ratio = 0.6, rank_1 = { ratio = 1 } }\n\
                 bid = { ratio = 0.4, rank_1 = { ratio = 1 } }\n";
    // 0.05 · 1440 · 0.6 / 1500.
    assert_eq!(shown(plain).await, "0.0288 1500 0.0288");
    let uniform = "engine = \"uniform_auction\"\nrate = 0.0025\ntarget = 2000\ntolerance = 0.01\n";
    assert_eq!(shown(uniform).await, "0.0025 2000 0.0025");
    // As the pools of fixed cost: a minimum that is always met, and a target that nobody reaches.
    let fixed = "engine = \"fixed_cost\"\ndaily = 7.5\ntolerance = 0.01\n";
    assert_eq!(shown(fixed).await, "7.5e-7 1000000 7.5e-7");
}

#[tokio::test]
async fn tllp_one_key_has_one_address_and_what_it_earned_survives_a_restart() {
    let mut pool = TestPool::start_with(served_with(AUCTION)).await;
    let lp = {
        let client = Client::new(&pool, pool.lp("alice"));
        pool.place(&client.lp, "NBT_BTC", "ask 400 0.004");
        client.register().await;
        round(&pool, &client).await;
        client.lp
    };
    pool.restart().await;
    let client = Client::new(&pool, lp.clone());
    let page = client.page().await;
    assert_eq!((page["balance"].to_string(), &page["units"]), ("0.00069444".to_owned(), &json!({})));
    let thief = Client::new(&pool, Lp { address: Lp::new("thief").address, ..lp });
    assert_eq!(code(&thief.register().await), 9);
    assert_eq!(code(&client.register().await), 0);
    assert_eq!(client.submit().await, 0);
}

#[tokio::test]
async fn a_prefix_can_be_chosen_and_can_be_left_out() {
    let with = async |section: &str| {
        let mut settings = Settings::default();
        settings.sections.push_str(section);
        TestPool::start_with(settings).await
    };
    let pool = with("[tllp]\nprefix = \"/old\"\n").await;
    assert_eq!(pool.get("/old/price/usd").await.text, r#"{"price":1}"#);
    assert_eq!((get(&pool, "/price/usd").await.status, pool.running().tllp_address()), (404, None));
    let pool = with("[tllp]\nprefix = \"\"\nlisten = \"127.0.0.1:0\"\n").await;
    assert_eq!(get(&pool, "/price/usd").await.status, 404);
    assert!(pool.running().tllp_address().is_some());
}

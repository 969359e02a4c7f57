//! What creon's client does from its start to its first minutes, step by step, against a whole pool.

use alp_tests::{Settings, TestPool};
use serde_json::json;

use super::client::{Client, code, get};
use super::{AUCTION, SERVED};

/// A pool at an exchange of those years, whose market `btc` is auctioned and looked at six times a minute.
fn settings(exchange: &'static str) -> Settings {
    let mut settings =
        Settings { exchanges: Vec::new(), plugins: Vec::new(), simulated: exchange, ..Settings::default() };
    settings.sections.push_str(SERVED);
    let file = format!(
        "endpoint = \"{{endpoint}}\"\nsubmissions_per_minute = 240\n[units.btc]\n{AUCTION}slices = 6\nevidence = \"last\"\n"
    );
    settings.exchange(exchange, &file)
}

/// A minute of one request each, 4 times as often as the pool looks.
async fn minute(pool: &TestPool, clients: &[&Client<'_>], sampling: u64) {
    for _ in 0..4 * sampling {
        for client in clients {
            assert_eq!(client.submit().await, 0);
        }
        pool.pass(60_000 / (4 * sampling));
    }
}

/// The fourth worked example of the auction: what `c` asks is beaten.
async fn plays(exchange: &'static str) {
    let pool = TestPool::start_with(settings(exchange)).await;
    // The rounds begin with the clock, since the client does.
    pool.pass(55_000);
    let status = get(&pool, "/status").await.json();
    assert_eq!((&status["sampling"], &status["liquidity"]), (&json!(6), &json!([0, 0])));
    let sampling = status["sampling"].as_u64().unwrap();
    let market = get(&pool, "/exchanges").await.json()[exchange]["btc"].clone();
    assert_eq!((&market["ask"]["rate"], &market["ask"]["target"]), (&json!(0.0025), &json!(1000)));

    let orders = [("a", "800", "0.0005"), ("b", "700", "0.001"), ("c", "900", "0.002")];
    let mut clients = Vec::new();
    for (name, amount, asks) in orders {
        let lp = pool.lp(name);
        pool.place(&lp, "NBT_BTC", &format!("ask {amount} 0.004"));
        clients.push(Client { exchange, ..Client::new(&pool, lp).asking(asks, "0.0025") });
    }
    let [a, b, c] = clients.iter().collect::<Vec<_>>()[..] else { panic!("three clients") };
    // The pool was started anew and knows nobody: code 11, and it registers.
    for client in [a, b, c] {
        assert_eq!(client.submit().await, 11);
    }
    assert_eq!(code(&a.register().await), 0, "registering again is no fault");
    minute(&pool, &[a, b, c], sampling).await;
    let page = a.page().await;
    assert_eq!((&page["efficiency"], &page["rejects"], &page["missing"]), (&json!(1), &json!(0), &json!(0)));
    pool.pass(1_000);
    pool.run_rounds().await;

    // 1.04, 0.56 and nothing a day.
    let mut balances = Vec::new();
    for client in [a, b, c] {
        balances.push(client.page().await["balance"].to_string());
    }
    assert_eq!(balances, ["0.00072222", "0.00038889", "0"]);
    let unit = a.unit_page().await;
    let level = |amount, cost| json!({"amount": amount, "cost": cost});
    assert_eq!(unit["ask"][0]["amount"], 800);
    assert_eq!((&unit["ask"][1], &unit["ask"][2]), (&level(0, 0), &level(0, 0)));
    // 1.04 for 800 a day.
    let rate = unit["rate"]["ask"].as_f64().unwrap();
    assert!((rate - 0.0013).abs() < 1e-8, "{rate}");
    assert_eq!((&unit["active"], &unit["last_error"]), (&json!(true), &json!("")));
    let beaten = c.unit_page().await;
    assert_eq!(beaten["ask"], json!([level(0, 0), level(0, 0), level(900, 0)]));
    // Of 2400 the auction took those who were not beaten.
    let status = get(&pool, "/status").await.json();
    assert_eq!((&status["liquidity"], &status["users"]), (&json!([0, 1500]), &json!(3)));
}

#[tokio::test]
async fn a_recorded_client_at_poloniex_earns_by_its_minimal_rates() {
    plays("poloniex_legacy").await;
}

#[tokio::test]
async fn a_recorded_client_at_bitcoincoid_earns_by_its_minimal_rates() {
    plays("bitcoincoid").await;
}

#[tokio::test]
async fn a_recorded_client_sees_its_efficiency_fall_and_why() {
    let pool = TestPool::start_with(settings("poloniex_legacy")).await;
    let lp = pool.lp("a");
    pool.place(&lp, "NBT_BTC", "ask 100 0.004");
    let client = Client { exchange: "poloniex_legacy", ..Client::new(&pool, lp.clone()) };
    client.register().await;
    for _ in 0..3 {
        assert_eq!(client.submit().await, 0);
        pool.pass(10_000);
    }
    let forged = Client {
        lp: alp_tests::Lp { secret: "another".to_owned(), ..lp },
        ..Client::new(&pool, pool.lp("b"))
    };
    let forged = Client { exchange: "poloniex_legacy", ..forged };
    assert_eq!(forged.submit().await, 13);
    pool.pass(20_000);
    let page = client.page().await;
    assert_eq!((&page["rejects"], &page["missing"]), (&json!(1), &json!(1)));
    assert_eq!(page["efficiency"].to_string(), "0.6666");
    let expected = "unable to validate request: error returned: Invalid API key/secret pair.";
    assert_eq!(page["units"]["btc"]["last_error"], expected);
    // A request that is right in the same look makes it good.
    assert_eq!(forged.submit().await, 13);
    assert_eq!(client.submit().await, 0);
    assert_eq!(client.page().await["rejects"], 1);
}

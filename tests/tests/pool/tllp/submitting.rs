//! Submissions in the second protocol: the one way into a round that there is, and what is told of it.

use alp_sandbox::types::{Field, Market, SignQuery};
use alp_simulated_exchange::Behaviour;
use alp_tests::{Lp, Settings, TEST_EXCHANGE, TestPool, sign_query};
use serde_json::{Value, json};

use super::client::{Client, code, form, get, post};
use super::{AUCTION, SERVED, served, served_with};

/// A client with these orders, registered.
async fn client<'p>(pool: &'p TestPool, name: &str, orders: &[&str]) -> Client<'p> {
    let client = Client::new(pool, pool.lp(name));
    for order in orders {
        pool.place(&client.lp, "NBT_BTC", order);
    }
    assert_eq!(code(&client.register().await), 0);
    client
}

#[tokio::test]
async fn a_registration_is_for_every_unit_of_the_exchange() {
    let pool = TestPool::start_with(served()).await;
    let client = client(&pool, "alice", &["ask 5 0.004"]).await;
    pool.place(&client.lp, "NBT_USD", "ask 5 1");
    let known = pool.app().store.find_lp("test_exchange", &client.lp.key).await.unwrap().unwrap();
    assert_eq!(known.units, ["btc", "usd"]);
    // It is one that the first protocol knows.
    pool.submit_btc(&client.lp).await;
    for unit in ["btc", "usd"] {
        assert_eq!(Client { unit, ..Client::new(&pool, client.lp.clone()) }.submit().await, 0);
    }
}

#[tokio::test]
async fn tllp_registering_often_costs_no_threads() {
    let pool = TestPool::start_with(served()).await;
    let register = async |number: usize| {
        let lp = Lp::new(&format!("lp-{number}"));
        assert_eq!(code(&Client::new(&pool, lp).register().await), 0);
    };
    register(0).await;
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for number in 1..200 {
        register(number).await;
    }
    // The first server had a thread for each key and unit: here it would be four hundred.
    let after = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert!(after <= before + 2, "{before} tasks before and {after} after");
}

#[tokio::test]
async fn tllp_an_order_that_is_out_of_tolerance_is_reported_as_last_error() {
    let pool = TestPool::start_with(served_with(AUCTION)).await;
    let near = client(&pool, "near", &["ask 100 0.004"]).await;
    let far = client(&pool, "far", &["ask 100 0.006"]).await;
    let both = client(&pool, "both", &["ask 100 0.004", "ask 100 0.006"]).await;
    let mut pages = Vec::new();
    for client in [&near, &far, &both] {
        assert_eq!(client.submit().await, 0);
        let unit = client.unit_page().await;
        let told = unit["last_error"].as_str().unwrap().contains("deviates too much from current price");
        pages.push((told, unit["rejects"].as_u64().unwrap(), unit["active"].as_bool().unwrap()));
    }
    // One who shows nothing that counts is rejected; the other is only told.
    assert_eq!(pages, [(false, 0, true), (true, 1, false), (true, 0, true)]);
    assert_eq!(far.page().await["efficiency"], 0);
}

#[tokio::test]
async fn a_refusal_has_a_code_and_its_sentence_stands_on_the_page_without_the_signature() {
    let pool = TestPool::start_with(served()).await;
    let client = client(&pool, "alice", &["ask 5 0.004"]).await;
    let forged = Client::new(&pool, Lp { secret: "another".to_owned(), ..client.lp.clone() });
    let answer = post(&pool, "/liquidity", &forged.request().await).await;
    let expected =
        "unable to validate request: error returned: bad-signature: the signature does not match the request";
    assert_eq!((code(&answer), answer.message().as_str()), (13, expected));
    assert_eq!(client.unit_page().await["last_error"], expected);
    let told = pool.get(&format!("/v1/lps/{}", client.lp.key)).await.json();
    assert_eq!(told["markets"][0]["rejected"], 1);
}

#[tokio::test]
async fn a_repeated_request_is_refused_and_an_accepted_one_has_its_receipt() {
    let pool = TestPool::start_with(served()).await;
    let client = client(&pool, "alice", &["ask 5 0.004"]).await;
    let body = client.request().await;
    let answer = post(&pool, "/liquidity", &body).await;
    assert_eq!(code(&answer), 0);
    assert!(answer.headers.contains_key("alp-receipt"), "{answer:?}");
    let calls = pool.exchange_calls();
    let again = post(&pool, "/liquidity", &body).await;
    assert_eq!(code(&again), 13);
    assert!(again.message().contains(" was seen, and this one has "), "{again:?}");
    assert_eq!(pool.exchange_calls(), calls);
}

#[tokio::test]
async fn what_an_engine_does_with_minimal_rates_is_said() {
    let pool = TestPool::start_with(served()).await;
    let client = client(&pool, "alice", &["ask 5 0.004"]).await;
    let answer = post(&pool, "/liquidity", &client.request().await).await;
    let expected = "success: orders saved for validation; the minimal rate ask is ignored by fixed_pot; \
                    the minimal rate bid is ignored by fixed_pot";
    assert_eq!(answer.message(), expected);
    let auction = TestPool::start_with(served_with(AUCTION)).await;
    let client = self::client(&auction, "alice", &["ask 5 0.004"]).await;
    let answer = post(&auction, "/liquidity", &client.request().await).await;
    assert_eq!(answer.message(), "success: orders saved for validation");
}

#[tokio::test]
async fn a_minimal_rate_is_kept_exactly_and_never_lowered() {
    let pool = TestPool::start_with(served_with(AUCTION)).await;
    let rates = [("5e-07", "0.0000005"), ("0.0007000000000000001", "0.000700000000000001"), ("0.0", "0")];
    for (written, kept) in rates {
        let client =
            client(&pool, &format!("asking-{kept}"), &["ask 5 0.004"]).await.asking(written, "0.0025");
        assert_eq!(client.submit().await, 0);
        let lp_id = pool.app().store.registrations_of(&client.lp.key).await.unwrap()[0].lp.lp_id;
        let samples = pool.app().store.samples(alp_tests::START_S).await.unwrap();
        let stored = samples.iter().find(|stored| stored.sample.lp_id == lp_id).unwrap();
        let rates = (stored.sample.ask_rate.as_deref(), stored.sample.bid_rate.as_deref());
        assert_eq!(rates, (Some(kept), Some("0.0025")));
    }
}

#[tokio::test]
async fn tllp_one_order_offered_by_two_keys_at_two_rates_counts_once() {
    // The original found a copy only where nobody's rate was between: the ninth worked example.
    let pool = TestPool::start_with(served_with(AUCTION)).await;
    let one = client(&pool, "a", &[]).await.asking("0.001", "0");
    let two = client(&pool, "b", &[]).await.asking("0.0005", "0");
    let between = client(&pool, "c", &[]).await.asking("0.0007", "0");
    let showing = |id: &str, amount: &str| {
        let order = json!({"id": id, "market": "NBT_BTC", "side": "sell", "type": "limit", "price": "0.004",
            "amount": amount, "filled": "0", "opened_ms": 1_760_000_000_000_u64});
        Behaviour::RawBody(200, json!({"success": true, "orders": [order]}).to_string())
    };
    pool.exchange().set_behaviour(showing("77", "500"));
    assert_eq!(two.submit().await, 0);
    assert_eq!(one.submit().await, 13);
    pool.exchange().set_behaviour(showing("78", "300"));
    assert_eq!(between.submit().await, 0);
    pool.end_round().await;
    // The honest result: 1.25 and 0.75 a day for 500 and 300, all at the highest rate.
    let mut balances = Vec::new();
    for client in [&one, &two, &between] {
        balances.push(client.page().await["balance"].to_string());
    }
    assert_eq!(balances, ["0", "0.00086805", "0.00052083"]);
}

#[tokio::test]
async fn a_key_at_several_exchanges_has_to_say_which_it_means() {
    let mut settings = Settings::default().exchange("poloniex_legacy", TEST_EXCHANGE);
    settings.sections.push_str(SERVED);
    let pool = TestPool::start_with(settings).await;
    let client = client(&pool, "alice", &["ask 5 0.004"]).await;
    assert_eq!(client.submit().await, 0);
    let elsewhere = Client { exchange: "poloniex_legacy", ..Client::new(&pool, client.lp.clone()) };
    assert_eq!(code(&elsewhere.register().await), 0);
    let answer = post(&pool, "/liquidity", &client.request().await).await;
    assert_eq!(code(&answer), 12);
    assert!(answer.message().ends_with("name one in the field exchange"), "{answer:?}");
    let mut fields = client.signed().await;
    fields.push(("exchange".to_owned(), "test_exchange".to_owned()));
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(code(&post(&pool, "/liquidity", &form(&fields)).await), 0);
    assert_eq!(pool.orders_of(&client.lp).await[0]["exchange"], "test_exchange");
}

#[tokio::test]
async fn a_unit_whose_bot_is_gone_leaves_the_page_and_the_efficiency() {
    let pool = TestPool::start_with(served()).await;
    let client = client(&pool, "alice", &["ask 5 0.004"]).await;
    assert_eq!(client.submit().await, 0);
    assert_eq!(client.page().await["efficiency"], 1);
    pool.pass(120_000);
    let page = client.page().await;
    assert_eq!(
        (&page["efficiency"], &page["missing"], &page["units"]["btc"]["active"]),
        (&json!(0), &json!(1), &json!(false))
    );
    pool.pass(60_000);
    let page = client.page().await;
    assert_eq!((&page["efficiency"], &page["missing"], &page["units"]), (&json!(0), &json!(0), &json!({})));
}

/// The older form of a submission to Bittrex: lists of whole URLs and of signatures, and `None` for a signature.
#[tokio::test]
async fn the_older_form_of_bittrex_is_taken_as_its_clients_send_it() {
    let mut settings =
        Settings { exchanges: Vec::new(), plugins: Vec::new(), simulated: "bittrex", ..Settings::default() };
    settings.sections.push_str(SERVED);
    let file = format!("endpoint = \"{{endpoint}}\"\n[units.btc]\n{AUCTION}");
    let pool = TestPool::start_with(settings.exchange("bittrex", &file)).await;
    let lp = pool.lp("alice");
    let placed = ["ask 400 0.004", "bid 100 0.004"].map(|order| pool.place(&lp, "NBT_BTC", order).id);
    let client = Client { exchange: "bittrex", ..Client::new(&pool, lp.clone()) };
    assert_eq!(code(&client.register().await), 0);
    let uuids = placed.map(|id| format!("5b1cbd4f-9f0e-4d0b-8f3a-{id:012x}")).join(",");
    let query = SignQuery {
        user: lp.key.clone(),
        secret: lp.secret.clone(),
        parameters: vec![Field { name: "uuids".to_owned(), value: uuids }],
        market: Market { base: "NBT".to_owned(), quote: "BTC".to_owned(), parameters: Vec::new() },
        endpoint: Some(pool.exchange_origin()),
        now_ms: pool.now_ms(),
        nonce: pool.now_ms().to_string(),
        extras: Vec::new(),
    };
    let (req, _) = sign_query("bittrex", &query).await;
    let req: Value = serde_json::from_str(&req).unwrap();
    let [requests, signs] = ["requests", "signs"].map(|name| req[name].as_str().unwrap().to_owned());
    let fields = [
        ("requests", requests.as_str()),
        ("unit", "btc"),
        ("signs", &signs),
        ("user", &lp.key),
        ("ask", "0.001"),
        ("bid", "0.001"),
        ("sign", "None"),
    ];
    assert_eq!(code(&post(&pool, "/liquidity", &form(&fields)).await), 0);
    pool.end_round().await;
    // 500 at a quarter of a per cent: 1.25 a day.
    assert_eq!(get(&pool, &format!("/{}", lp.key)).await.json()["balance"].to_string(), "0.00086805");
}

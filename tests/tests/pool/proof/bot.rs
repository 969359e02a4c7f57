//! The example bot proves its address.

use std::sync::Arc;
use std::time::Duration;

use alp_bot::simulated::{ExchangeAccess, SimulatedProofOrders};
use alp_bot::{
    Account, ComponentSigner, Identity, NonceKind, Nonces, PoolClient, ProveError, Prover, Secret, generator,
};
use alp_tests::{Lp, START_MS, adapter};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::scene::Scene;

/// Has the example bot prove an LP's address to the pool at this address.
async fn prove(scene: &Scene, pool: &str, lp: &Lp) -> Result<String, ProveError> {
    let identity = Identity {
        user: lp.key.clone(),
        address: lp.address.clone(),
        exchange: "test_exchange".to_owned(),
        unit: "btc".to_owned(),
    };
    let account = Account {
        key: lp.key.clone(),
        secret: Secret::new(lp.secret.clone()),
        parameters: [].into(),
        base: "NBT".to_owned(),
        quote: "BTC".to_owned(),
        market_parameters: [].into(),
        endpoint: None,
    };
    let signer = ComponentSigner::new(adapter("test_exchange").await, account).unwrap();
    let access = ExchangeAccess {
        origin: scene.pool.exchange_origin(),
        key: lp.key.clone(),
        secret: Secret::new(lp.secret.clone()),
        market: "NBT_BTC".to_owned(),
    };
    let clock: alp_bot::Clock = Arc::new(|| START_MS);
    let nonces = Arc::new(Nonces::new(NonceKind::Milliseconds, generator(1)));
    let orders = SimulatedProofOrders::new(access, Arc::clone(&nonces), Arc::clone(&clock)).unwrap();
    let client = PoolClient::new(pool, identity).unwrap();
    let submit_interval = Duration::from_millis(5);
    let prover =
        Prover { pool: &client, signer: &signer, orders, nonces, clock, submit_interval, salt: [7; 16] };
    let (_stop, stopped) = watch::channel(false);
    prover.prove(stopped).await
}

fn own_url(scene: &Scene) -> String {
    format!("http://{}", scene.pool.address())
}

#[tokio::test]
async fn the_example_bot_proves_its_address_and_takes_the_order_back() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp("alice");
    let proven = prove(&scene, &own_url(&scene), &lp).await.unwrap();
    assert!(proven.ends_with(" is proven"), "{proven}");
    let address = scene.address_of(&lp).await;
    assert_eq!((&address["proven"], &address["challenge_open_until"]), (&json!(true), &Value::Null));
    assert!(scene.pool.exchange().orders(&lp.key).unwrap().is_empty());
}

#[tokio::test]
async fn the_example_bot_takes_its_key_back_from_a_squatter() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp("alice");
    let squatter = Lp { address: Lp::new("squatter").address, ..lp.clone() };
    scene.pool.register(&squatter, "btc").await.accepted();
    let proven = prove(&scene, &own_url(&scene), &lp).await.unwrap();
    assert!(proven.contains("it is paid from 17"), "{proven}");
    assert!(scene.pool.exchange().orders(&lp.key).unwrap().is_empty());
}

/// A pool in the middle: whoever proves an address to it proves the middleman's to the other pool.
#[derive(Clone)]
struct Middleman {
    /// What the other pool asked the middleman for.
    digits: Value,
    lapses_at: u64,
}

async fn pass_on(State(middleman): State<Middleman>, body: String) -> String {
    let digits = if body.contains("salt") { middleman.digits.clone() } else { Value::Null };
    json!({"success": true, "message": "show this", "challenge": 1, "pool": "another pool", "digits": digits,
        "nonce": "ab".repeat(32), "lapses_at": middleman.lapses_at})
    .to_string()
}

#[tokio::test]
async fn a_pool_that_passes_on_what_another_pool_asked_for_gets_no_order() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp_with("alice", &[]).await;
    let thief = Lp::new("thief").address;
    let asked = scene.ask(&lp, &thief).await;
    let lapses_at = asked["lapses_at"].as_u64().unwrap();
    let middleman = Middleman { digits: asked["digits"].clone(), lapses_at };
    let registered = async || json!({"success": true, "message": "user successfully registered"}).to_string();
    let router = Router::new()
        .route("/register", post(registered))
        .route("/v1/challenges", post(pass_on))
        .with_state(middleman);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let refused = prove(&scene, &url, &lp).await;
    serving.abort();
    assert!(matches!(refused, Err(ProveError::OtherDigits)), "{refused:?}");
    assert!(scene.pool.exchange().orders(&lp.key).unwrap().is_empty(), "no order was placed");
}

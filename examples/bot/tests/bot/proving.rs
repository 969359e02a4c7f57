//! The program proves its address to a pool that asks as a pool does.

use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use alp_pool::proof::{Demand, ProofClaim, ShownBy};
use alp_simulated_exchange::{Order, Side};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::component::{PROGRAM, adapter};
use crate::scene::{DEADLINE, KEY, SECRET, Scene};

/// A pool that gives challenges.
#[derive(Clone, Default)]
struct AskingPool {
    /// Whether it finds the order in submissions.
    sees: Arc<AtomicBool>,
    submissions: Arc<AtomicU64>,
    digits: Arc<Mutex<Option<String>>>,
}

impl AskingPool {
    async fn start(&self) -> String {
        let register =
            async || json!({"success": false, "message": "user is already registered"}).to_string();
        let router = Router::new()
            .route("/register", post(register))
            .route("/v1/challenges", post(challenge))
            .route("/liquidity", post(liquidity))
            .with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }
}

async fn challenge(State(pool): State<AskingPool>, body: String) -> String {
    let body: Value = serde_json::from_str(&body).unwrap();
    let nonce = [7; 32];
    let digits = body["salt"].as_str().map(|salt| {
        let claim = ProofClaim {
            pool: "the pool",
            exchange: "test_exchange",
            unit: "btc",
            api_key: KEY,
            address: "BMJ2PJ1TNMwnTYUopQVxBrAPmmJjJjhd96",
            by: ShownBy::Amount,
            decimals: 8,
            salt,
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(&nonce).unwrap();
        mac.update(&claim.message());
        let demand = Demand::new(ShownBy::Amount, 8, &mac.finalize().into_bytes().into()).unwrap();
        demand.digits()
    });
    if let Some(digits) = &digits {
        *pool.digits.lock().unwrap() = Some(digits.clone());
    } else {
        assert_eq!(body["seal"].as_str().unwrap().len(), 64, "what is contributed is sealed first");
    }
    json!({"success": true, "message": "place an order", "challenge": 5, "pool": "the pool", "digits": digits,
        "nonce": "07".repeat(32), "lapses_at": 4_000_000_000_u64})
    .to_string()
}

async fn liquidity(State(pool): State<AskingPool>) -> Response {
    pool.submissions.fetch_add(1, Ordering::SeqCst);
    let body = json!({"success": true, "message": "orders saved for validation"}).to_string();
    if pool.sees.load(Ordering::SeqCst) {
        return ([("alp-proof", "BMJ2..hd96 is proven")], body).into_response();
    }
    body.into_response()
}

/// Starts `alp-bot prove` for this pool.
async fn prove(scene: &Scene, pool: &AskingPool, folder: &std::path::Path) -> Child {
    std::fs::write(folder.join("secret.txt"), SECRET).unwrap();
    let text = include_str!("../../bot.toml")
        .replace("http://127.0.0.1:3333", &pool.start().await)
        .replace("http://127.0.0.1:3334", &scene.running.origin())
        .replace("../../plugins/test_exchange.wasm", adapter().to_str().unwrap())
        .replace("submit_interval_ms = 60000", "submit_interval_ms = 1000")
        .replace("keep_days = 60", "keep_days = 1")
        .replace("test-exchange-test-key-fixture", KEY);
    let path = folder.join("bot.toml");
    std::fs::write(&path, text).unwrap();
    let mut program = Command::new(PROGRAM);
    program.args(["prove", "--config"]).arg(&path).stderr(Stdio::piped()).kill_on_drop(true);
    program.spawn().unwrap()
}

async fn ended(child: Child) -> (ExitStatus, String) {
    let output = timeout(DEADLINE, child.wait_with_output()).await.expect("an end").unwrap();
    (output.status, String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn the_program_shows_the_order_that_it_is_asked_for_and_takes_it_back_once_it_is_seen() {
    let (scene, pool) = (Scene::set().await, AskingPool::default());
    let folder = tempfile::tempdir().unwrap();
    let child = prove(&scene, &pool, folder.path()).await;
    let orders = scene.orders(|orders| !orders.is_empty()).await;
    let digits = pool.digits.lock().unwrap().clone().unwrap();
    assert_eq!(
        (orders.len(), orders[0].side, orders[0].price.to_string().as_str()),
        (1, Side::Sell, "0.005")
    );
    assert_eq!(orders[0].amount.to_string(), format!("1.{digits}"));
    pool.sees.store(true, Ordering::SeqCst);
    let (status, log) = ended(child).await;
    assert!(status.success() && log.contains("BMJ2..hd96 is proven"), "{log}");
    assert!(!log.contains(SECRET) && !log.contains(KEY), "{log}");
    assert!(scene.exchange.orders(KEY).unwrap().is_empty());
}

#[tokio::test]
async fn the_program_takes_the_order_back_when_it_is_ended_before_the_pool_has_seen_it() {
    let (scene, pool) = (Scene::set().await, AskingPool::default());
    let folder = tempfile::tempdir().unwrap();
    let child = prove(&scene, &pool, folder.path()).await;
    scene.orders(|orders| !orders.is_empty()).await;
    kill_process(Pid::from_raw(child.id().unwrap().cast_signed()).unwrap(), Signal::TERM).unwrap();
    let (status, log) = ended(child).await;
    assert!(!status.success() && log.contains("stopped before the pool had seen the order"), "{log}");
    scene.orders(<[Order]>::is_empty).await;
}

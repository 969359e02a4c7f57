//! An exchange under test and a client that signs by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alp_simulated_exchange::{Handle, Running, SimulatedExchange};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;

/// The exchange's time in these tests, until a test moves it.
pub(crate) const NOW_MS: u64 = 1_760_000_000_123;
/// The key and the secret of the description's example.
pub(crate) const KEY: &str = "test-exchange-test-key-fixture";
/// See `KEY`.
pub(crate) const SECRET: &str = "test-exchange-test-secret-fixture";
/// What a test waits for at most.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Fixture {
    pub(crate) running: Running,
    pub(crate) exchange: Handle,
    pub(crate) now_ms: Arc<AtomicU64>,
    pub(crate) http: reqwest::Client,
}

/// Status and body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn error(&self) -> (u16, &str) {
        assert_eq!(self.json["success"], false, "{}", self.json);
        (self.status, self.json["error"].as_str().unwrap())
    }
}

/// An exchange with one market at 0.0025 and one account.
pub(crate) async fn exchange() -> Fixture {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let now_ms = Arc::new(AtomicU64::new(NOW_MS));
    let clock = Arc::clone(&now_ms);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = SimulatedExchange::start(listener, Arc::new(move || clock.load(Ordering::SeqCst))).unwrap();
    let exchange = running.handle();
    exchange.add_account(KEY, SECRET).unwrap();
    exchange.add_market("NBT", "BTC", "0.0025".parse().unwrap()).unwrap();
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(DEADLINE)
        .build()
        .unwrap();
    Fixture { running, exchange, now_ms, http }
}

impl Fixture {
    /// A signed request for the open orders of NBT_BTC with this nonce, signed now.
    pub(crate) async fn open_orders(&self, nonce: u64) -> Answer {
        let now_ms = self.now_ms.load(Ordering::SeqCst);
        self.get(KEY, SECRET, &format!("market=NBT_BTC&nonce={nonce}&timestamp={now_ms}")).await
    }

    pub(crate) async fn get(&self, key: &str, secret: &str, query: &str) -> Answer {
        let sign = sign(secret, &format!("GET\n/api/v1/open-orders\n{query}"));
        self.get_with_sign(key, &sign, query).await
    }

    pub(crate) async fn get_with_sign(&self, key: &str, sign: &str, query: &str) -> Answer {
        let url = self.url(&format!("/api/v1/open-orders?{query}"));
        let request = self.http.get(url).header("X-Key", key).header("X-Sign", sign);
        answer(request).await
    }

    pub(crate) async fn post(&self, path: &str, nonce: u64, rest: &str) -> Answer {
        let body = format!("{rest}&nonce={nonce}&timestamp={NOW_MS}");
        let sign = sign(SECRET, &format!("POST\n{path}\n{body}"));
        let request = self.http.post(self.url(path)).header("X-Key", KEY).header("X-Sign", sign);
        answer(request.header("Content-Type", "application/x-www-form-urlencoded").body(body)).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.origin())
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    Answer { status, json: serde_json::from_str(&text).unwrap() }
}

pub(crate) fn sign(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

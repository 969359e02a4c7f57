//! A signed call with made-up credentials, and an exchange to send it to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alp_simulated_exchange::{
    Credentials, Handle, NewOrder, Order, Running, Side, SimulatedExchange, protocol_of,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Sha256, Sha512};
use tokio::net::TcpListener;

/// What a test waits for at most.
const DEADLINE: Duration = Duration::from_secs(20);
/// When all the calls were signed, Unix milliseconds.
pub(crate) const SIGNED_MS: u64 = 1_760_000_000_123;

/// A whole request and what its sender knows.
#[derive(Clone, Copy)]
pub(crate) struct SignedCall {
    pub(crate) exchange: &'static str,
    pub(crate) key: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) passphrase: Option<&'static str>,
    pub(crate) account_id: Option<&'static str>,
    pub(crate) base: &'static str,
    pub(crate) quote: &'static str,
    /// The signature as it stands in the target or a header.
    pub(crate) sign: &'static str,
    pub(crate) method: &'static str,
    /// Path and query.
    pub(crate) target: &'static str,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) body: &'static str,
}

/// What the exchange says to a request with something wrong; `None` where it does not notice.
pub(crate) struct Refused {
    pub(crate) flipped: (u16, Value),
    pub(crate) unknown_key: (u16, Value),
    /// Sent a second time.
    pub(crate) repeated: Option<(u16, Value)>,
    /// Sent so many milliseconds after it was signed.
    pub(crate) stale: Option<(u64, u16, Value)>,
}

impl SignedCall {
    /// Sends the call as it is, which has to be accepted, and spoilt in each way.
    pub(crate) async fn is_refused_when_spoilt(self, refused: Refused) {
        let fixture = self.exchange().await;
        let flipped = if self.sign.starts_with('a') { "b" } else { "a" }.to_owned() + &self.sign[1..];
        assert_eq!(fixture.send(self.sign, &flipped).await, refused.flipped, "a flipped signature");
        assert_eq!(fixture.send(self.key, "another-key").await, refused.unknown_key, "an unknown key");
        let accepted = fixture.send("", "").await;
        assert_eq!(accepted.0, 200, "{}", accepted.1);
        let repeated = fixture.send("", "").await;
        assert_eq!(repeated, refused.repeated.unwrap_or(accepted), "the second time");

        let fixture = self.exchange().await;
        let (late_ms, status, body) = refused.stale.unwrap_or((1_000_000_000, 200, Value::Null));
        fixture.now_ms.fetch_add(late_ms, Ordering::SeqCst);
        let (late, said) = fixture.send("", "").await;
        assert_eq!(late, status, "{late_ms} ms later: {said}");
        assert!(body.is_null() || said == body, "{late_ms} ms later: {said}");
    }

    /// What the exchange answers to the call when the account has these orders: side, price, amount and how
    /// much of it is filled.
    pub(crate) async fn answer_with(self, orders: &[(Side, &str, &str, &str)]) -> Value {
        let fixture = self.exchange().await;
        for order in orders {
            fixture.place(*order);
        }
        let (status, body) = fixture.send("", "").await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// An exchange at the time of the call, with its account and its market.
    pub(crate) async fn exchange(self) -> Fixture {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let now_ms = Arc::new(AtomicU64::new(SIGNED_MS));
        let clock = Arc::clone(&now_ms);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = Arc::new(move || clock.load(Ordering::SeqCst));
        let protocol = protocol_of(self.exchange).expect("a protocol");
        let running = SimulatedExchange::start_with(listener, clock, protocol).unwrap();
        let handle = running.handle();
        let credentials = Credentials {
            secret: self.secret.to_owned(),
            passphrase: self.passphrase.map(str::to_owned),
            account_id: self.account_id.map(str::to_owned),
        };
        handle.add_account_with(self.key, credentials).unwrap();
        handle.add_market(self.base, self.quote, "0.0025".parse().unwrap()).unwrap();
        let http = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
        Fixture { call: self, running, handle, now_ms, http }
    }
}

pub(crate) struct Fixture {
    call: SignedCall,
    running: Running,
    pub(crate) handle: Handle,
    pub(crate) now_ms: Arc<AtomicU64>,
    http: reqwest::Client,
}

impl Fixture {
    /// Where it listens.
    pub(crate) fn origin(&self) -> String {
        self.running.origin()
    }

    /// Sends the call with `from` replaced by `to` wherever it stands; status and body.
    pub(crate) async fn send(&self, from: &str, to: &str) -> (u16, Value) {
        let SignedCall { method, target, headers, body, .. } = self.call;
        let spoilt = |text: &str| if from.is_empty() { text.to_owned() } else { text.replace(from, to) };
        let headers: Vec<(&str, String)> =
            headers.iter().map(|(name, value)| (*name, spoilt(value))).collect();
        self.send_anything(method, &spoilt(target), &headers, spoilt(body)).await
    }

    pub(crate) async fn send_anything(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, String)],
        body: String,
    ) -> (u16, Value) {
        let url = format!("{}{target}", self.running.origin());
        let mut request = self.http.request(method.parse().unwrap(), url);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if !body.is_empty() {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone()));
        (status, body)
    }

    pub(crate) fn place(&self, (side, price, amount, filled): (Side, &str, &str, &str)) -> Order {
        let order = NewOrder {
            market: format!("{}_{}", self.call.base, self.call.quote),
            side,
            price: price.parse().unwrap(),
            amount: amount.parse().unwrap(),
        };
        let placed = self.handle.place(self.call.key, order).unwrap();
        self.handle.fill(self.call.key, placed.id, filled.parse().unwrap()).unwrap();
        placed
    }
}

pub(crate) fn hmac_sha256_hex(secret: &str, text: &str) -> String {
    keyed_hex(Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap(), text)
}

pub(crate) fn hmac_sha512_hex(secret: &str, text: &str) -> String {
    keyed_hex(Hmac::<Sha512>::new_from_slice(secret.as_bytes()).unwrap(), text)
}

fn keyed_hex<M: Mac>(mut mac: M, text: &str) -> String {
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

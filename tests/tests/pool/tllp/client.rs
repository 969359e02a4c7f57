//! A client of the protocol: the messages of creon's `client.py`, and the members that it and plunge read.

use std::sync::atomic::{AtomicU64, Ordering};

use alp_tests::{Answer, Lp, TestPool, sign};
use serde_json::Value;

/// One key on one unit, with what it asks at least.
pub(super) struct Client<'p> {
    pub(super) pool: &'p TestPool,
    pub(super) lp: Lp,
    pub(super) exchange: &'static str,
    pub(super) unit: &'static str,
    /// The minimal rates as Python writes floats: `ask` and `bid`.
    pub(super) cost: [&'static str; 2],
}

/// Nonces of all clients of a process rise, and exceed those of the harness.
static NONCE: AtomicU64 = AtomicU64::new(1_000);

impl<'p> Client<'p> {
    pub(super) fn new(pool: &'p TestPool, lp: Lp) -> Self {
        Self { pool, lp, exchange: "test_exchange", unit: "btc", cost: ["0.001", "0.001"] }
    }

    pub(super) fn asking(self, ask: &'static str, bid: &'static str) -> Self {
        Self { cost: [ask, bid], ..self }
    }

    pub(super) async fn register(&self) -> Answer {
        let fields =
            [("name", self.exchange), ("key", self.lp.key.as_str()), ("address", self.lp.address.as_str())];
        post(self.pool, "/register", &form(&fields)).await
    }

    /// One request, as its thread sends it: the fields that were signed among the others, in the order of a dictionary.
    pub(super) async fn request(&self) -> String {
        let signed = self.signed().await;
        let fields: Vec<(&str, &str)> =
            signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        form(&fields)
    }

    /// As [`Client::request`], before it is escaped.
    pub(super) async fn signed(&self) -> Vec<(String, String)> {
        let nonce = self.pool.now_ms() + NONCE.fetch_add(1, Ordering::SeqCst);
        let quote = self.unit.to_uppercase();
        let (req, sign) = sign(&self.lp, self.exchange, &quote, self.pool.now_ms(), nonce).await;
        let req: Value = serde_json::from_str(&req).unwrap();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut fields = vec![
            ("ask".to_owned(), self.cost[0].to_owned()),
            ("sign".to_owned(), serde_json::from_str(&sign).unwrap()),
        ];
        fields.extend(req.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))));
        fields.push(("unit".to_owned(), self.unit.to_owned()));
        fields.push(("bid".to_owned(), self.cost[1].to_owned()));
        fields.push(("user".to_owned(), self.lp.key.clone()));
        fields
    }

    /// Submits; at code 11 it registers and goes on, as the client does.
    pub(super) async fn submit(&self) -> i64 {
        let answer = post(self.pool, "/liquidity", &self.request().await).await;
        let code = code(&answer);
        if code == 11 {
            assert_eq!(self::code(&self.register().await), 0);
        }
        code
    }

    /// What `/<user>` says.
    pub(super) async fn page(&self) -> Value {
        get(self.pool, &format!("/{}", self.lp.key)).await.json()
    }

    /// What `/<user>` says of the unit.
    pub(super) async fn unit_page(&self) -> Value {
        self.page().await["units"][self.unit].clone()
    }
}

/// Posts a form, to the path that both protocols have.
pub(super) async fn post(pool: &TestPool, path: &str, body: &str) -> Answer {
    pool.post_raw(path, &[("Content-type", "application/x-www-form-urlencoded")], body.as_bytes()).await
}

/// Gets a path below the prefix.
pub(super) async fn get(pool: &TestPool, path: &str) -> Answer {
    pool.get(&format!("/tllp{path}")).await
}

/// The code of an answer, which is of status 200 with a sentence beside it, as every answer to a message is.
pub(super) fn code(answer: &Answer) -> i64 {
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"), "{answer:?}");
    let json = answer.json();
    assert!(json["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer:?}");
    json["code"].as_i64().unwrap_or_else(|| panic!("{answer:?}"))
}

/// Writes a form as Python's `urlencode` does.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| {
        let mut written = String::new();
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' => {
                    written.push(char::from(byte))
                }
                b' ' => written.push('+'),
                byte => written.push_str(&format!("%{byte:02X}")),
            }
        }
        written
    };
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    fields.join("&")
}

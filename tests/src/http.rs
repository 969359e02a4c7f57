//! What a bot sends and what comes back.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::DEADLINE;

/// What the pool answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: String,
    /// The other headers, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The member `success`; the answer is of status 200.
    pub fn success(&self) -> bool {
        assert_eq!((self.status, self.content_type.as_str()), (200, "application/json"), "{}", self.text);
        self.json()["success"].as_bool().unwrap()
    }

    /// The member `message`, a text.
    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    /// The sentence of a refusal, which is of status 200 as every refusal is.
    pub fn refusal(&self) -> String {
        assert!(!self.success(), "{}", self.text);
        self.message()
    }

    /// The sentence of a success.
    pub fn accepted(&self) -> String {
        assert!(self.success(), "{}", self.text);
        self.message()
    }

    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type");
        let content_type = content_type.map_or("", |value| value.to_str().unwrap()).to_owned();
        let text =
            |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers =
            response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        Self { status, content_type, headers, text: response.text().await.unwrap() }
    }
}

/// A JSON object of these members, in this order, each value as it is written here.
pub fn message_body(members: &[(&str, &str)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// A client for tests: no redirects, no proxy, a deadline.
pub fn client() -> reqwest::Client {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    client.timeout(DEADLINE).build().unwrap()
}

/// Sends these bytes over a connection of their own and reads to its end.
pub async fn converse(address: std::net::SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut read = Vec::new();
    tokio::time::timeout(DEADLINE, stream.read_to_end(&mut read)).await.unwrap().unwrap();
    let text = String::from_utf8(read).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| line.to_ascii_lowercase().strip_prefix("content-type: ").map(str::to_owned);
    let content_type = head.lines().find_map(header).unwrap_or_default();
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Answer { status, content_type, headers, text: body.to_owned() }
}

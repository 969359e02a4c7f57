//! The HTTP client: one attempt, no redirects, bounded answers.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, redirect, retry};
use serde::de::DeserializeOwned;

/// Bytes of an answer that are read: the longest list of a pool's status is a tenth of it.
pub const MAX_ANSWER_BYTES: usize = 256 * 1_024;
/// How long connecting may take, in milliseconds: a few lost packets.
const CONNECT_TIMEOUT_MS: u64 = 5_000;

/// Why there is no answer. Nobody must act at once: the next turn may do better.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// There is no connection, or it broke, or it took too long.
    #[error("no answer")]
    Network(#[source] reqwest::Error),
    /// The answer is longer than anything expected.
    #[error("an answer of more than {MAX_ANSWER_BYTES} bytes, with status {status}")]
    TooLong {
        /// The HTTP status.
        status: u16,
    },
    /// The answer is something else than expected: a proxy's page, another server.
    #[error("an answer that cannot be read, with status {status}")]
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// A client that sends a request once. A signed request must never be sent again by itself: the second one is
/// refused at best, and counted as an attack at worst. So connections are not kept either, as a kept one may
/// turn out closed while a request is on its way.
pub(crate) fn client(timeout_ms: u64) -> Result<Client, reqwest::Error> {
    // Another part of the program may have chosen a provider of cryptography before; any of them will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .pool_max_idle_per_host(0)
        .connect_timeout(Duration::from_millis(CONNECT_TIMEOUT_MS))
        .timeout(Duration::from_millis(timeout_ms))
        .build()
}

/// Sends a request and reads the answer, whatever its status.
pub(crate) async fn fetch<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, AnswerError> {
    Ok(fetch_with_headers(request).await?.0)
}

/// The same, with the answer's headers.
pub(crate) async fn fetch_with_headers<T: DeserializeOwned>(
    request: RequestBuilder,
) -> Result<(T, HeaderMap), AnswerError> {
    let Received { status, headers, body } = receive(request).await?;
    let answer = serde_json::from_slice(&body);
    answer.map(|answer| (answer, headers)).map_err(|source| AnswerError::Unreadable { status, source })
}

/// An answer as it came.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// As [`fetch`], and leaves the reading to the caller.
pub(crate) async fn receive(request: RequestBuilder) -> Result<Received, AnswerError> {
    let network = |error: reqwest::Error| AnswerError::Network(error.without_url());
    let mut response = request.send().await.map_err(network)?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(network)? {
        if body.len().saturating_add(piece.len()) > MAX_ANSWER_BYTES {
            return Err(AnswerError::TooLong { status });
        }
        body.extend_from_slice(&piece);
    }
    Ok(Received { status, headers, body })
}

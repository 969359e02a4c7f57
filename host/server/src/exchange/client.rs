//! The only thing that talks outward: one HTTP client with nothing it does of its own accord.
//!
//! No redirects, no cookies, no proxy from the environment, no referer, no retries. TLS is verified. Each call has
//! a limit on time, and a reply has a limit on its bytes while they arrive.

use std::error::Error as _;
use std::time::Duration;

use alp_sandbox::types::{Field, Method, Reply};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use thiserror::Error;

use super::Prepared;

/// What the pool calls itself. Some exchanges refuse clients that do not say.
const USER_AGENT: &str = concat!("alp/", env!("CARGO_PKG_VERSION"));

/// How long an unused connection is kept: under the minute after which most servers close theirs.
const IDLE: Duration = Duration::from_secs(50);

/// Most unused connections kept for one host.
const IDLE_PER_HOST: usize = 64;

/// Limits on the time of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For making the connection.
    pub connect: Duration,
    /// For the call as a whole.
    pub call: Duration,
}

/// The client. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct ExchangeClient {
    http: reqwest::Client,
    timeouts: Timeouts,
    reply_bytes: usize,
}

impl ExchangeClient {
    /// Makes a client.
    ///
    /// # Errors
    /// [`ClientError::Setup`] if the system offers no certificates to verify TLS with.
    pub fn new(timeouts: Timeouts, reply_bytes: usize) -> Result<Self, ClientError> {
        // The program may have been set up already, by another client.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .referer(false)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(USER_AGENT)
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.call)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .build()
            .map_err(|error| ClientError::Setup { reason: error.without_url().to_string() })?;
        Ok(Self { http, timeouts, reply_bytes })
    }

    /// Sends one prepared request, once.
    ///
    /// # Errors
    /// [`ClientError`] says what happened, without the address, which may carry a signature.
    pub async fn send(&self, request: &Prepared) -> Result<Reply, ClientError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut call = self.http.request(method, request.url.clone()).headers(headers(&request.headers)?);
        if let Some(body) = &request.body {
            call = call.body(body.clone());
        }
        let reply = call.send().await.map_err(|error| self.failed(&error))?;
        let status = reply.status().as_u16();
        let headers = seen_headers(reply.headers(), &request.reply_headers);
        let body = self.body(reply).await?;
        Ok(Reply { status, headers, body })
    }

    /// Fetches something public by GET.
    ///
    /// # Errors
    /// As [`ExchangeClient::send`]; a status other than 200 is an error too.
    pub async fn get(&self, url: &str) -> Result<Vec<u8>, ClientError> {
        let reply = self.http.get(url).send().await.map_err(|error| self.failed(&error))?;
        if reply.status() != reqwest::StatusCode::OK {
            return Err(ClientError::Status(reply.status().as_u16()));
        }
        self.body(reply).await
    }

    async fn body(&self, mut reply: reqwest::Response) -> Result<Vec<u8>, ClientError> {
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(|error| self.failed(&error))? {
            if body.len().saturating_add(chunk.len()) > self.reply_bytes {
                return Err(ClientError::TooLarge { limit: self.reply_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn failed(&self, error: &reqwest::Error) -> ClientError {
        if error.is_timeout() && error.is_connect() {
            ClientError::Unreachable { reason: format!("no connection within {:?}", self.timeouts.connect) }
        } else if error.is_timeout() {
            ClientError::TimedOut { after: self.timeouts.call }
        } else if error.is_connect() {
            ClientError::Unreachable { reason: root_cause(error) }
        } else {
            ClientError::Broken { reason: root_cause(error) }
        }
    }
}

/// The innermost cause. The outer ones name the address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "the connection failed".to_owned(), ToString::to_string)
}

fn headers(fields: &[Field]) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| ClientError::Header)?;
        let mut value = HeaderValue::from_str(&field.value).map_err(|_| ClientError::Header)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

fn seen_headers(headers: &HeaderMap, wanted: &[String]) -> Vec<Field> {
    let seen = wanted.iter().filter_map(|name| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(Field { name: name.clone(), value: value.to_owned() })
    });
    seen.collect()
}

/// Why there is no reply. The exchange's fault or the network's; the LP's orders are absent this once.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClientError {
    /// The client could not be made. The operator's.
    #[error("the HTTP client cannot be set up: {reason}")]
    Setup {
        /// What is missing.
        reason: String,
    },
    /// No connection.
    #[error("cannot be reached: {reason}")]
    Unreachable {
        /// Why.
        reason: String,
    },
    /// No whole answer in time.
    #[error("did not answer within {after:?}")]
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// The connection ended, or what came was not HTTP.
    #[error("broke the connection off: {reason}")]
    Broken {
        /// Why.
        reason: String,
    },
    /// More bytes than are read.
    #[error("sent a reply of more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Something public was not there.
    #[error("answered with HTTP status {0}")]
    Status(u16),
    /// A header that HTTP cannot carry; the grant check rules it out.
    #[error("would have been sent a malformed header")]
    Header,
}

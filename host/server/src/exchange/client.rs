//! The only thing that talks outward: one HTTP client with nothing it does of its own accord.
//!
//! No redirects, no cookies, no proxy from the environment, no referer, no retries. TLS is verified. Names are resolved
//! once for a connection, by our resolver, and private addresses are the operator's to allow. Each call has a limit on
//! time, and a reply has a limit on its bytes while they arrive, counted after they were decompressed.

use std::error::Error as _;
use std::time::Duration;

use alp_sandbox::clean_text;
use alp_sandbox::types::{Field, Method, Reply};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use thiserror::Error;

use super::Prepared;
use crate::network::{
    CheckedResolver, ForbiddenAddress, NameLookUp, OutboundGrant, Reach, ResolveError, check_public,
    literal_address, system_look_up, tls_config,
};

/// What the pool calls itself. Some exchanges refuse clients that do not say.
const USER_AGENT: &str = concat!("alp/", env!("CARGO_PKG_VERSION"));

/// How long an unused connection is kept: under the minute after which most servers close theirs.
const IDLE: Duration = Duration::from_secs(50);

/// Most unused connections kept for one host.
const IDLE_PER_HOST: usize = 64;

/// Most headers of a reply; exchanges send about 30.
const MAX_HEADERS: usize = 100;

/// Most bytes of a reply's headers together. Exchanges send about 3 KiB, most of it a content policy; while they arrive
/// the HTTP library holds at most 408 KiB.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Longest reason that is passed on, in characters: what a library says of a connection takes about a hundred.
const MAX_REASON: usize = 200;

/// Limits on the time of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For making the connection, the name's look-up included.
    pub connect: Duration,
    /// For the call as a whole.
    pub call: Duration,
}

/// The client. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct ExchangeClient {
    /// For whatever names others choose.
    public: reqwest::Client,
    /// For addresses that the operator wrote. Connections of the two are never shared.
    anywhere: reqwest::Client,
    /// The operator's own endpoint of the exchange, if there is one.
    own: Option<Url>,
    timeouts: Timeouts,
    reply_bytes: usize,
}

impl ExchangeClient {
    /// Makes a client.
    ///
    /// # Errors
    /// [`ClientError::Setup`] if the system offers no certificates to verify TLS with.
    pub fn new(timeouts: Timeouts, reply_bytes: usize) -> Result<Self, ClientError> {
        Self::resolving(timeouts, reply_bytes, system_look_up())
    }

    /// As [`ExchangeClient::new`], with another way to look names up.
    ///
    /// # Errors
    /// As [`ExchangeClient::new`].
    pub fn resolving(
        timeouts: Timeouts,
        reply_bytes: usize,
        look_up: NameLookUp,
    ) -> Result<Self, ClientError> {
        let http = |reach| http_client(timeouts, CheckedResolver::new(look_up.clone(), reach));
        let (public, anywhere) = (http(Reach::PublicOnly)?, http(Reach::Anywhere)?);
        Ok(Self { public, anywhere, own: None, timeouts, reply_bytes })
    }

    /// Lets the origin that the operator wrote as the exchange's `endpoint`, and no other, have a private address.
    ///
    /// # Errors
    /// [`ClientError::Setup`] if it is no address.
    pub fn with_own_endpoint(self, endpoint: Option<&str>) -> Result<Self, ClientError> {
        let own = endpoint.map(Url::parse).transpose();
        let own =
            own.map_err(|error| ClientError::Setup { reason: format!("endpoint is no address: {error}") })?;
        Ok(Self { own, ..self })
    }

    /// Sends one prepared request, once.
    ///
    /// # Errors
    /// [`ClientError`] says what happened, without the address, which may carry a signature.
    pub async fn send(&self, request: &Prepared) -> Result<Reply, ClientError> {
        let method = http_method(request.method);
        let http = self.http_for(&request.url, self.reach_of(&request.url))?;
        let mut call = http.request(method, request.url.clone()).headers(headers(&request.headers)?);
        if let Some(body) = &request.body {
            call = call.body(body.clone());
        }
        let reply = call.send().await.map_err(|error| self.failed(&error, &request.url))?;
        check_head(reply.headers())?;
        let status = reply.status().as_u16();
        let headers = seen_headers(reply.headers(), &request.reply_headers);
        let body = self.body(reply, &request.url).await?;
        Ok(Reply { status, headers, body })
    }

    /// Sends what a grant allows, once: nothing of it comes from an adapter or a bot. A body is JSON.
    ///
    /// # Errors
    /// As [`ExchangeClient::send`].
    pub async fn ask(&self, grant: &OutboundGrant, body: Option<Vec<u8>>) -> Result<Reply, ClientError> {
        let url = grant.url();
        let http = self.http_for(url, grant.reach())?;
        let mut call = http.request(http_method(grant.method()), url.clone());
        if let Some(auth) = grant.basic_auth() {
            call = call.basic_auth(&auth.user, Some(&auth.password));
        }
        if let Some(body) = body {
            call = call.header(CONTENT_TYPE, "application/json").body(body);
        }
        let reply = call.send().await.map_err(|error| self.failed(&error, url))?;
        check_head(reply.headers())?;
        let status = reply.status().as_u16();
        Ok(Reply { status, headers: Vec::new(), body: self.body(reply, url).await? })
    }

    /// As [`ExchangeClient::ask`] without a body, for something that has to be there.
    ///
    /// # Errors
    /// As [`ExchangeClient::send`]; a status other than 200 is an error too.
    pub async fn get(&self, grant: &OutboundGrant) -> Result<Vec<u8>, ClientError> {
        let reply = self.ask(grant, None).await?;
        if reply.status == 200 { Ok(reply.body) } else { Err(ClientError::Status(reply.status)) }
    }

    /// Scheme, host and port must be those of the operator's own endpoint: an adapter's other origins are not.
    fn reach_of(&self, url: &Url) -> Reach {
        let own = self.own.as_ref().is_some_and(|own| own.origin() == url.origin());
        if own { Reach::Anywhere } else { Reach::PublicOnly }
    }

    /// An IP address in place of a name is not resolved, so it is checked here.
    fn http_for(&self, url: &Url, reach: Reach) -> Result<&reqwest::Client, ClientError> {
        if reach == Reach::Anywhere {
            return Ok(&self.anywhere);
        }
        if let Some(why) = literal_address(url).and_then(|address| check_public(address).err()) {
            let host = url.host_str().unwrap_or_default().to_owned();
            return Err(forbidden(ForbiddenAddress { host, why }, url));
        }
        Ok(&self.public)
    }

    async fn body(&self, mut reply: reqwest::Response, url: &Url) -> Result<Vec<u8>, ClientError> {
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(|error| self.failed(&error, url))? {
            if body.len().saturating_add(chunk.len()) > self.reply_bytes {
                return Err(ClientError::TooLarge { limit: self.reply_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn failed(&self, error: &reqwest::Error, url: &Url) -> ClientError {
        if let Some(ResolveError::Forbidden(address)) = cause_of(error) {
            forbidden(address.clone(), url)
        } else if let Some(fault) = cause_of::<rustls::Error>(error) {
            ClientError::Tls { reason: cut(&fault.to_string()) }
        } else if error.is_timeout() && error.is_connect() {
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

fn http_client(timeouts: Timeouts, resolver: CheckedResolver) -> Result<reqwest::Client, ClientError> {
    let tls = tls_config().map_err(|error| ClientError::Setup { reason: cut(&error.to_string()) })?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(resolver)
        .no_proxy()
        .referer(false)
        .redirect(reqwest::redirect::Policy::none())
        // A request that never reached a connection's buffer may go over another one; none is ever sent twice.
        .retry(reqwest::retry::never())
        .user_agent(USER_AGENT)
        .gzip(true)
        .http1_max_headers(MAX_HEADERS)
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.call)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .build()
        .map_err(|error| ClientError::Setup { reason: cut(&error.without_url().to_string()) })
}

fn http_method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
    }
}

fn forbidden(address: ForbiddenAddress, url: &Url) -> ClientError {
    ClientError::Forbidden { address, origin: url.origin().ascii_serialization() }
}

fn cut(text: &str) -> String {
    clean_text(text, MAX_REASON)
}

/// The innermost cause. The outer ones name the address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cut(&cause.map_or_else(|| "the connection failed".to_owned(), ToString::to_string))
}

/// The cause of this type. I/O errors, one in another at times, hide what they are made of from the chain of causes.
fn cause_of<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut next = error.source();
    while let Some(mut cause) = next {
        while let Some(within) = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            cause = within;
        }
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

fn check_head(headers: &HeaderMap) -> Result<(), ClientError> {
    // Beside name and value each takes a colon, a blank and the line's end.
    let length = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    let bytes: usize = headers.iter().map(length).sum();
    if bytes > MAX_HEAD_BYTES { Err(ClientError::HeadTooLarge) } else { Ok(()) }
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
    /// The address is not public, and the operator did not write it. The operator's.
    #[error(
        "{address}; if that is meant, the operator writes the address itself: endpoint = {origin:?} in the \
        exchange's file, or an IP address in the feed's url"
    )]
    Forbidden {
        /// The host and its address.
        address: ForbiddenAddress,
        /// The origin, as the operator would write it.
        origin: String,
    },
    /// The other end's certificate does not verify, or it does not speak TLS as it should.
    #[error("cannot be trusted, TLS failed: {reason}")]
    Tls {
        /// Why.
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
    /// More headers than are read.
    #[error("sent a reply whose headers have more than {MAX_HEAD_BYTES} bytes")]
    HeadTooLarge,
    /// Something public was not there.
    #[error("answered with HTTP status {0}")]
    Status(u16),
    /// A header that HTTP cannot carry; the grant check rules it out.
    #[error("would have been sent a malformed header")]
    Header,
}

impl ClientError {
    /// Whether it is the operator who has to act: nobody else can mend it.
    #[must_use]
    pub fn is_operators(&self) -> bool {
        match self {
            Self::Setup { .. } | Self::Forbidden { .. } | Self::Header => true,
            Self::Tls { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Broken { .. }
            | Self::TooLarge { .. }
            | Self::HeadTooLarge
            | Self::Status(_) => false,
        }
    }
}

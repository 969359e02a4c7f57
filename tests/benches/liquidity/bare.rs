//! What the pool is compared with: a handler that forwards the same request and keeps nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alp_sandbox::types::{Field, Method};
use alp_server::exchange::{ExchangeClient, Prepared, Timeouts};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::serve::ListenerExt;
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::load::TAKEN;

/// The members of a message to `/liquidity`.
#[derive(Deserialize)]
struct Message<'a> {
    user: &'a str,
    #[serde(borrow)]
    req: Req<'a>,
    sign: &'a str,
    exchange: &'a str,
    unit: &'a str,
}

/// What was signed.
#[derive(Deserialize)]
struct Req<'a> {
    market: &'a str,
    nonce: u64,
    timestamp: u64,
}

struct Forwarder {
    client: ExchangeClient,
    origin: String,
}

/// Starts it on the runtime that also runs the pool; says where it listens.
pub(crate) async fn start(origin: String) -> SocketAddr {
    // As the pool has them where its configuration says nothing.
    let timeouts = Timeouts { connect: Duration::from_secs(3), call: Duration::from_secs(10) };
    let client = ExchangeClient::new(timeouts, 2 * 1024 * 1024).unwrap();
    let client = client.with_own_endpoint(Some(&origin)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router =
        Router::new().route("/liquidity", post(forward)).with_state(Arc::new(Forwarder { client, origin }));
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn forward(State(to): State<Arc<Forwarder>>, body: Bytes) -> impl IntoResponse {
    let message: Message<'_> = serde_json::from_slice(&body).unwrap();
    assert_eq!((message.exchange, message.unit), ("test_exchange", "btc"));
    let Req { market, nonce, timestamp } = message.req;
    let url = format!("{}/api/v1/open-orders?market={market}&nonce={nonce}&timestamp={timestamp}", to.origin);
    let field = |name: &str, value: &str| Field { name: name.to_owned(), value: value.to_owned() };
    let request = Prepared {
        method: Method::Get,
        url: url.parse().unwrap(),
        headers: vec![field("X-Key", message.user), field("X-Sign", message.sign)],
        body: None,
        reply_headers: Vec::new(),
    };
    let reply = to.client.send(&request).await.unwrap();
    assert!(reply.status == 200 && !reply.body.is_empty(), "the exchange refused: {}", reply.status);
    ([(header::CONTENT_TYPE, "application/json")], TAKEN)
}

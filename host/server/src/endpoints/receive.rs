//! Receiving the body of a POST: its type, its size, and how long it may take.

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::app::App;
use crate::config::Limits;
use crate::containment::Peer;
use crate::service::Connection;

/// Where a message comes from, if that place may send one now. Nothing of its body is read before.
///
/// # Errors
/// The sentence for the bot.
pub(crate) fn sender(app: &App, limits: Limits, request: &Request) -> Result<Peer, String> {
    let connection = request.extensions().get::<Connection>().map(|connection| connection.0);
    let forwarded_for = request.headers().get_all("x-forwarded-for").iter().next_back();
    let forwarded_for = forwarded_for.and_then(|value| value.to_str().ok());
    let peer = Peer::of_request(connection, limits.trusted_proxy, forwarded_for);
    app.containment.post(peer, limits.posts_per_minute)?;
    Ok(peer)
}

/// Reads the body of a message.
///
/// # Errors
/// The sentence for the bot.
pub(super) async fn receive(limits: Limits, request: Request) -> Result<Bytes, String> {
    if !is_json(&request) {
        return Err("Content-Type header must be set to 'application/json'".to_owned());
    }
    read_body(limits, request).await
}

/// Reads a body of any type.
///
/// # Errors
/// The sentence for the bot.
pub(crate) async fn read_body(limits: Limits, request: Request) -> Result<Bytes, String> {
    let limited = Limited::new(request.into_body(), limits.body_bytes);
    match tokio::time::timeout(limits.receive, limited.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(format!("request body must not be larger than {} bytes", limits.body_bytes))
        }
        Ok(Err(_)) => Err("request body ended early".to_owned()),
        Err(_) => Err(format!("request body did not arrive within {} s", limits.receive.as_secs())),
    }
}

/// The original compared the header byte by byte.
fn is_json(request: &Request) -> bool {
    has_media_type(request, "application/json")
}

/// Whether a message says that it is of this type. A charset after it, or capitals in it, change nothing.
pub(crate) fn has_media_type(request: &Request, wanted: &str) -> bool {
    let value =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case(wanted))
}

//! Receiving the body of a POST: its type, its size, and how long it may take.

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::config::Limits;

/// Reads the body of a message.
///
/// # Errors
/// The sentence for the bot.
pub(super) async fn receive(limits: Limits, request: Request) -> Result<Bytes, String> {
    if !is_json(&request) {
        return Err("Content-Type header must be set to 'application/json'".to_owned());
    }
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

/// The original compared the header byte by byte; a charset after it, or capitals in it, change nothing.
fn is_json(request: &Request) -> bool {
    let value =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

//! Answers that no endpoint gives: unknown paths, wrong methods, and faults of the server itself.

use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;

use crate::wire::{Tree, json};

/// How much of an unknown address is repeated.
const MAX_ADDRESS: usize = 200;

/// What is said to an address whose escapes are no text.
pub(super) const NOT_UTF8: &str = "the user in the address must be UTF-8";

pub(super) async fn not_found(uri: Uri, headers: HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let url = host.map_or_else(|| uri.to_string(), |host| format!("http://{host}{uri}"));
    let message = format!("404 {} not found", alp_sandbox::clean_text(&url, MAX_ADDRESS));
    failure(StatusCode::NOT_FOUND, &message)
}

pub(super) async fn wrong_method() -> Response {
    failure(StatusCode::METHOD_NOT_ALLOWED, "405 error. Incorrect HTTP method used")
}

/// A fault in the program ends one request, not the server, and is answered in JSON as everything is.
pub(crate) async fn catch(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("a request ended in a fault of the program; the lines above say where");
            failure(StatusCode::INTERNAL_SERVER_ERROR, "500 error")
        }
    }
}

/// Answers under an address that names an API key are kept by nobody on the way.
pub(crate) async fn never_kept(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(crate) fn server_error(error: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(error, "a request failed");
    failure(StatusCode::INTERNAL_SERVER_ERROR, "500 error")
}

pub(super) fn failure(status: StatusCode, message: &str) -> Response {
    json(status, &Tree::object([("success", Tree::Flag(false)), ("message", Tree::text(message))]))
}

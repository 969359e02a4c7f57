//! `GET /head`: the newest entry's header and signature. Whoever keeps it can prove a second history.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::failures::{failure, server_error};
use super::records::{ASK_AGAIN, knows};
use crate::app::App;

pub(super) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let head = match app.store.record_head().await {
        Ok(Some(head)) => head,
        Ok(None) => return failure(StatusCode::NOT_FOUND, "the record has no entry"),
        Err(error) => return server_error(&error),
    };
    let tag = format!("\"{}\"", head.digest);
    let mut response = if knows(&headers, &tag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        // Both are JSON as they were written.
        let text = format!("{{\"header\":{},\"signature\":{}}}\n", head.header, head.signature);
        Response::new(Body::from(text))
    };
    let answered = response.headers_mut();
    answered.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answered.insert(header::CACHE_CONTROL, ASK_AGAIN);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answered.insert(header::ETAG, tag);
    }
    response
}

//! `GET /favicon.ico`: a small picture, so that a browser does not fill the log with 404.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;

/// A 1×1 icon: directory, bitmap header, one opaque pixel of blue-green, mask.
const ICON: &[u8] = &[
    0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 32, 0, 48, 0, 0, 0, 22, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0,
    1, 0, 32, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 160, 140, 30, 255,
    0, 0, 0, 0,
];

pub(super) async fn show() -> Response {
    let mut response = Response::new(Body::from(ICON));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("image/x-icon"));
    response
}

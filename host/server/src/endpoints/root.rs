//! `GET /`: whether the server is up.

use axum::response::Response;

use crate::wire::outcome;

pub(super) async fn show() -> Response {
    outcome(true, "ALP Server is operational")
}

//! `GET /info/<exchange>/<unit>`: one market, as `/exchanges` shows it.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use super::market::{last_round, market_of};
use super::reply::{Code, not_found, page};
use crate::app::App;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    named: Result<Path<(String, String)>, PathRejection>,
) -> Response {
    let (exchange, unit) = named.map(|Path(named)| named).unwrap_or_default();
    let last = match last_round(&app).await {
        Ok(last) => last,
        Err(error) => return page(Err(error)),
    };
    match market_of(&app.in_force.load(), &last, (&exchange, &unit), app.now_ms()) {
        Some(market) => page(Ok(market)),
        None => not_found(Code::UnknownUnit, "this pool has no such unit at such an exchange"),
    }
}

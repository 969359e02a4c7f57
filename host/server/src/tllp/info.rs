//! `GET /info/<exchange>/<unit>`: one market, as `/exchanges` shows it.

use std::sync::Arc;

use alp_record::judged::{RoundStatistics, from_json};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::market::{last_round, market};
use super::reply::{Code, not_found};
use crate::app::App;
use crate::endpoints::server_error;
use crate::wire::json;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    named: Result<Path<(String, String)>, PathRejection>,
) -> Response {
    let in_force = app.in_force.load_full();
    let named = named.map(|Path(named)| named).unwrap_or_default();
    let Some(config) = in_force.config.unit(&named.0, &named.1) else {
        return not_found(Code::UnknownUnit, "this pool has no such unit at such an exchange");
    };
    let statistics = match last_round(&app).await {
        Ok(statistics) => statistics.map(|text| from_json::<RoundStatistics>(&text, "the last round")),
        Err(error) => return server_error(&error),
    };
    let statistics = match statistics.transpose() {
        Ok(statistics) => statistics.unwrap_or_default(),
        Err(error) => return server_error(&error),
    };
    let last = statistics.markets.iter().find(|last| (&last.exchange, &last.unit) == (&named.0, &named.1));
    let round = in_force.config.pool.round;
    let now_s = round.start_of(app.now_ms() / 1_000);
    json(StatusCode::OK, &market(&config.rules_at(now_s).terms, last, round))
}

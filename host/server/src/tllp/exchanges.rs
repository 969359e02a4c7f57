//! `GET /exchanges`: every market with its rates and targets, and what the last round paid.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_record::judged::{RoundStatistics, from_json};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::market::{last_round, market};
use crate::app::App;
use crate::endpoints::server_error;
use crate::wire::{Tree, json};

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let statistics = match last_round(&app).await {
        Ok(statistics) => statistics,
        Err(error) => return server_error(&error),
    };
    let statistics = statistics.map(|text| from_json::<RoundStatistics>(&text, "the last round")).transpose();
    let statistics = match statistics {
        Ok(statistics) => statistics.unwrap_or_default(),
        Err(error) => return server_error(&error),
    };
    let in_force = app.in_force.load_full();
    let round = in_force.config.pool.round;
    let now_s = round.start_of(app.now_ms() / 1_000);
    let mut exchanges = BTreeMap::new();
    for (exchange, settings) in &in_force.config.exchanges {
        let units = settings.units.iter().map(|(unit, config)| {
            let last =
                statistics.markets.iter().find(|last| last.exchange == *exchange && last.unit == *unit);
            (unit.clone(), market(&config.rules_at(now_s).terms, last, round))
        });
        exchanges.insert(exchange.clone(), Tree::Object(units.collect()));
    }
    json(StatusCode::OK, &Tree::Object(exchanges))
}

//! `GET /exchanges`: every market with its rates and targets, and what the last round paid.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::market::{last_round, market_of};
use super::reply::{PageError, page};
use crate::app::App;
use crate::wire::Tree;

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    page(exchanges(&app).await)
}

async fn exchanges(app: &App) -> Result<Tree, PageError> {
    let last = last_round(app).await?;
    let (in_force, now_ms) = (app.in_force.load_full(), app.now_ms());
    let mut exchanges = BTreeMap::new();
    for (exchange, settings) in &in_force.config.exchanges {
        let units = settings.units.keys();
        let shown = units
            .filter_map(|unit| Some((unit.clone(), market_of(&in_force, &last, (exchange, unit), now_ms)?)));
        exchanges.insert(exchange.clone(), Tree::Object(shown.collect()));
    }
    Ok(Tree::Object(exchanges))
}

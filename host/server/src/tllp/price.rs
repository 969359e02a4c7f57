//! `GET /price/<unit>`: the pool's price, if there is one that is young enough.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::reply::{Code, not_found};
use crate::app::App;
use crate::wire::{Tree, json};

pub(super) async fn show(State(app): State<Arc<App>>, unit: Result<Path<String>, PathRejection>) -> Response {
    let unit = unit.map(|Path(unit)| unit).unwrap_or_default();
    let in_force = app.in_force.load_full();
    let config = in_force.config.prices.get(&unit);
    match config.and_then(|config| app.prices.current(&unit, config, app.now_ms())) {
        Some(price) => json(StatusCode::OK, &Tree::object([("price", Tree::number(price))])),
        None => not_found(Code::UnknownUnit, "there is no price of such a unit at the moment"),
    }
}

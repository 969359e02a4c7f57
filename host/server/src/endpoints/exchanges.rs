//! `GET /exchanges`: every market with its reward, target, ratios and tolerances.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_pool::terms::{Side, SideTerms};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;
use crate::config::UnitConfig;
use crate::wire::{Tree, json};

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let in_force = app.in_force.load();
    let exchanges: BTreeMap<&str, BTreeMap<&str, Tree>> = in_force
        .config
        .exchanges
        .iter()
        .map(|(exchange, settings)| {
            let units = settings.units.iter().map(|(name, unit)| (name.as_str(), market(unit)));
            (exchange.as_str(), units.collect())
        })
        .collect();
    json(StatusCode::OK, &exchanges)
}

fn market(unit: &UnitConfig) -> Tree {
    Tree::object([
        ("reward", Tree::number(unit.terms.reward_per_minute())),
        ("target", Tree::number(unit.terms.target())),
        ("ask", side(unit.terms.side(Side::Ask))),
        ("bid", side(unit.terms.side(Side::Bid))),
    ])
}

fn side(terms: &SideTerms) -> Tree {
    let mut members = BTreeMap::from([("ratio".to_owned(), Tree::number(terms.ratio()))]);
    for rank in terms.ranks() {
        let shown =
            Tree::object([("ratio", Tree::number(rank.ratio)), ("tolerance", Tree::number(rank.tolerance))]);
        members.insert(format!("rank_{}", rank.number.0), shown);
    }
    Tree::Object(members)
}

//! `GET /exchanges`: every market with its reward, target, ratios and tolerances.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_pool::terms::{Side, SideTerms};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::value::RawValue;

use crate::app::App;
use crate::config::{RulesConfig, UnitConfig};
use crate::wire::{Tree, json};

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let in_force = app.in_force.load();
    let now_s = in_force.config.pool.round.start_of(app.now_ms() / 1_000);
    let exchanges: BTreeMap<&str, BTreeMap<&str, Tree>> = in_force
        .config
        .exchanges
        .iter()
        .map(|(exchange, settings)| {
            let units = settings.units.iter().map(|(name, unit)| (name.as_str(), market(unit, now_s)));
            (exchange.as_str(), units.collect())
        })
        .collect();
    json(StatusCode::OK, &exchanges)
}

/// The rules of the round that runs, and under `next` those of the first change to come, with the moment from which they
/// are in force.
fn market(unit: &UnitConfig, now_s: u64) -> Tree {
    let mut members = rules(unit.rules_at(now_s));
    if let Some((from, next)) = unit.changes_after(now_s).next() {
        let mut next = rules(next);
        next.insert("from".to_owned(), Tree::whole(from));
        members.insert("next".to_owned(), Tree::Object(next));
    }
    Tree::Object(members)
}

/// The members that bots know. Where the rules have more than those can say, the whole document of the rules and its id
/// stand beside them.
fn rules(rules: &RulesConfig) -> BTreeMap<String, Tree> {
    let judged_by = rules.terms.judged_by();
    let mut members = vec![
        ("reward", Tree::number(judged_by.reward_per_minute())),
        ("target", Tree::number(rules.terms.target())),
        ("ask", side(judged_by.side(Side::Ask))),
        ("bid", side(judged_by.side(Side::Bid))),
    ];
    if !rules.terms.is_plain() {
        let document = RawValue::from_string(rules.document.clone()).map_or(Tree::Null, Tree::Number);
        members.extend([("rules", document), ("rules_id", Tree::text(&rules.terms_id))]);
    }
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
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

//! `GET /v1/lps/<user>`: what became of an API key's submissions, and why not.

use std::sync::Arc;

use alp_pool::decimal::format_units;
use alp_store::StoreError;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::failures::{NOT_UTF8, server_error};
use crate::app::App;
use crate::exchange::WhoActs;
use crate::message::shown;
use crate::why_not::{Refused, Told};
use crate::wire::{Tree, json, outcome};

pub(super) async fn show(State(app): State<Arc<App>>, user: Result<Path<String>, PathRejection>) -> Response {
    let Ok(Path(user)) = user else { return outcome(false, NOT_UTF8) };
    match submissions(&app, &user).await {
        Ok(markets) if markets.is_empty() => {
            outcome(false, &format!("user {} is not registered", shown(&user)))
        }
        Ok(markets) => {
            let members = [("success", Tree::Flag(true)), ("markets", Tree::List(markets))];
            json(StatusCode::OK, &Tree::object(members))
        }
        Err(error) => server_error(&error),
    }
}

/// What is told of each market that an API key is registered for.
pub(super) async fn submissions(app: &App, user: &str) -> Result<Vec<Tree>, StoreError> {
    let in_force = app.in_force.load_full();
    let round_seconds = u64::from(in_force.config.pool.round.seconds());
    let now_s = app.now_ms() / 1_000;
    let round_start = now_s.saturating_sub(now_s.checked_rem(round_seconds).unwrap_or(0));
    let mut markets = Vec::new();
    for exchange in in_force.config.exchanges.keys() {
        let Some(lp) = app.store.find_lp(exchange, user).await? else { continue };
        for unit in &lp.units {
            let told = app.why_not.of(lp.lp_id, unit, round_start, round_seconds);
            markets.push(market(exchange, unit, &told));
        }
    }
    Ok(markets)
}

fn market(exchange: &str, unit: &str, told: &Told) -> Tree {
    Tree::object([
        ("exchange", Tree::text(exchange)),
        ("unit", Tree::text(unit)),
        ("rounds", Tree::whole(told.rounds)),
        ("accepted", Tree::whole(told.accepted)),
        ("rejected", Tree::whole(told.rejected)),
        ("missing", Tree::whole(told.missing)),
        ("efficiency", Tree::text(format_units(u128::from(told.efficiency_e4()), 4))),
        ("refusals", Tree::List(told.refusals.iter().map(refusal).collect())),
    ])
}

fn refusal(refused: &Refused) -> Tree {
    Tree::object([
        ("time", Tree::whole(refused.at_ms / 1_000)),
        ("message", Tree::text(refused.message.as_str())),
        ("who_acts", Tree::text(who(refused.who))),
    ])
}

/// Who can do something about a refusal, in a word.
pub(super) const fn who(who: WhoActs) -> &'static str {
    match who {
        WhoActs::Bot => "bot",
        WhoActs::Exchange => "exchange",
        WhoActs::Operator => "operator",
    }
}

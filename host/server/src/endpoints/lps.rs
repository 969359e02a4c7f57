//! `GET /v1/lps/<user>`: what became of an API key's submissions, and why not.

use std::sync::Arc;

use alp_pool::decimal::format_units;
use alp_pool::proof::{NextAddress, NotPaid};
use alp_store::StoreError;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::failures::{NOT_UTF8, server_error};
use crate::app::App;
use crate::message::shown;
use crate::proof::{shortened, standing_after};
use crate::why_not::{LastRounds, Told};
use crate::wire::{Tree, json, outcome};

pub(super) async fn show(State(app): State<Arc<App>>, user: Result<Path<String>, PathRejection>) -> Response {
    let Ok(Path(user)) = user else { return outcome(false, NOT_UTF8) };
    match (submissions(&app, &user).await, addresses(&app, &user).await) {
        (Ok(markets), Ok(_)) if markets.is_empty() => {
            outcome(false, &format!("user {} is not registered", shown(&user)))
        }
        (Ok(markets), Ok(addresses)) => {
            let members = [
                ("success", Tree::Flag(true)),
                ("markets", Tree::List(markets)),
                ("addresses", Tree::List(addresses)),
            ];
            json(StatusCode::OK, &Tree::object(members))
        }
        (Err(error), _) | (_, Err(error)) => server_error(&error),
    }
}

/// At which address an API key is paid on each exchange, whether it is proven, and what is about to replace it. Of
/// addresses only the ends: whoever knows the key sees this, and so do those who are about to lose by a change.
async fn addresses(app: &App, user: &str) -> Result<Vec<Tree>, StoreError> {
    let in_force = app.in_force.load_full();
    let require_proof = in_force.config.pool.proof.require_proof;
    let mut addresses = Vec::new();
    for exchange in in_force.config.exchanges.keys() {
        let Some(lp) = app.store.find_lp(exchange, user).await? else { continue };
        let newest = app.store.newest_address(lp.lp_id).await?;
        let standing = standing_after(&lp.address, newest.as_ref()).at(app.store.clock_ms().await?);
        let open = app.store.challenges_of(lp.lp_id).await?;
        let open_until = open.iter().map(|challenge| challenge.lapses_at_ms / 1_000).max();
        addresses.push(Tree::object([
            ("exchange", Tree::text(exchange)),
            ("address", Tree::text(shortened(&standing.address))),
            ("proven", Tree::Flag(standing.proven)),
            ("next", standing.next.as_ref().map_or(Tree::Null, next_address)),
            ("not_paid", standing.may_be_paid(require_proof).err().map_or(Tree::Null, why_not_paid)),
            ("challenge_open_until", open_until.map_or(Tree::Null, Tree::whole)),
        ]));
    }
    Ok(addresses)
}

fn next_address(next: &NextAddress) -> Tree {
    Tree::object([
        ("address", Tree::text(shortened(&next.address))),
        ("from", Tree::whole(next.from_ms / 1_000)),
    ])
}

fn why_not_paid(why: NotPaid) -> Tree {
    Tree::text(match why {
        NotPaid::Changing => {
            "another address is about to replace this one, and what is owed is held until then: if that is not yours, \
             prove this one again, or tell the pool's operator"
        }
        NotPaid::NotProven => "this pool pays proven addresses only: prove it by POST /v1/challenges",
    })
}

/// What is told of each market that an API key is registered for.
pub(super) async fn submissions(app: &App, user: &str) -> Result<Vec<Tree>, StoreError> {
    let in_force = app.in_force.load_full();
    let round_seconds = u64::from(in_force.config.pool.round.seconds());
    let now_s = app.now_ms() / 1_000;
    let current = now_s.saturating_sub(now_s.checked_rem(round_seconds).unwrap_or(0));
    let rounds = LastRounds { current, seconds: round_seconds };
    let mut markets = Vec::new();
    for exchange in in_force.config.exchanges.keys() {
        let Some(lp) = app.store.find_lp(exchange, user).await? else { continue };
        let told = app.why_not.told(&app.store, lp.lp_id, &lp.units, rounds).await?;
        markets.extend(lp.units.iter().zip(&told).map(|(unit, told)| market(exchange, unit, told)));
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

fn refusal(refused: &alp_store::Refusal) -> Tree {
    Tree::object([
        ("time", Tree::whole(refused.at_ms / 1_000)),
        ("message", Tree::text(refused.sentence.as_str())),
        ("who_acts", Tree::text(refused.who_acts.as_str())),
    ])
}

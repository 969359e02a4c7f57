//! `POST /v1/challenges`: what an LP has to show, to prove that it wants to be paid at an address.

use std::sync::Arc;

use alp_pool::decimal::format_units;
use alp_pool::proof::{Demand, LEAST_DEVIATION_E8};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::receive::{receive, sender};
use crate::app::App;
use crate::proof::{Asked, ask};
use crate::wire::{Tree, json, outcome};

pub(super) async fn take(State(app): State<Arc<App>>, request: Request) -> Response {
    let limits = app.in_force.load().config.pool.limits;
    let peer = match sender(&app, limits, &request) {
        Ok(peer) => peer,
        Err(sentence) => return outcome(false, &sentence),
    };
    let body = match receive(limits, request).await {
        Ok(body) => body,
        Err(sentence) => return outcome(false, &sentence),
    };
    match ask(&app, &body, peer).await {
        Ok(asked) => json(StatusCode::OK, &shown(app.publisher.pool(), &asked)),
        Err(refusal) => outcome(false, &refusal.message),
    }
}

fn shown(pool: &str, asked: &Asked) -> Tree {
    let challenge = &asked.challenge;
    let of_demand = |member: fn(&Demand) -> Tree| asked.demand.as_ref().map_or(Tree::Null, member);
    let deviation = format_units(u128::from(LEAST_DEVIATION_E8), 8);
    Tree::object([
        ("success", Tree::Flag(true)),
        ("message", Tree::text(asked.sentence.as_str())),
        ("challenge", Tree::whole(challenge.challenge_id)),
        ("pool", Tree::text(pool)),
        ("address", Tree::text(challenge.address.as_str())),
        ("by", Tree::text(challenge.shown_by.as_str())),
        ("decimals", Tree::whole(challenge.decimals)),
        ("nonce", Tree::text(challenge.nonce.as_str())),
        ("digits", of_demand(|demand| Tree::text(demand.digits()))),
        ("smallest", of_demand(|demand| Tree::text(demand.smallest()))),
        ("least_deviation", Tree::text(deviation)),
        ("lapses_at", Tree::whole(challenge.lapses_at_ms / 1_000)),
        ("tries_left", asked.tries_left.map_or(Tree::Null, Tree::whole)),
    ])
}

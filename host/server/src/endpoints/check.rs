//! `POST /v1/check`: the message of a bot, tried and not counted.

use std::sync::Arc;

use alp_pool::decimal::format_units;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::receive::{receive, sender};
use crate::app::App;
use crate::check::{CheckStep, Checked, CheckedOrder, check};
use crate::wire::{Tree, json, outcome};

pub(super) async fn take(State(app): State<Arc<App>>, request: Request) -> Response {
    let limits = app.in_force.load().config.pool.limits;
    let peer = match sender(&app, limits, &request) {
        Ok(peer) => peer,
        Err(sentence) => return outcome(false, &sentence),
    };
    match receive(limits, request).await {
        Ok(body) => json(StatusCode::OK, &shown(&check(&app, &body, peer).await)),
        Err(sentence) => outcome(false, &sentence),
    }
}

fn shown(checked: &Checked) -> Tree {
    let signed = checked.signed.iter().map(|text| Tree::text(text.as_str()));
    Tree::object([
        ("success", Tree::Flag(checked.steps.iter().all(|step| step.failed.is_none()))),
        ("message", Tree::text(checked.steps.last().map_or("", |step| step.text.as_str()))),
        ("steps", Tree::List(checked.steps.iter().map(step).collect())),
        ("signed", Tree::List(signed.collect())),
        ("orders", Tree::List(checked.orders.iter().map(order).collect())),
    ])
}

fn step(step: &CheckStep) -> Tree {
    Tree::object([
        ("step", Tree::text(step.step)),
        ("ok", Tree::Flag(step.failed.is_none())),
        ("text", Tree::text(step.text.as_str())),
        ("who_acts", step.failed.map_or(Tree::Null, |failed| Tree::text(failed.word()))),
    ])
}

fn order(order: &CheckedOrder) -> Tree {
    let record = &order.record;
    let earns = order.hourly_e8.map(|e8| Tree::text(format_units(u128::from(e8), 8)));
    Tree::object([
        ("id", Tree::text(record.id.as_str())),
        ("side", Tree::text(record.side.as_str())),
        ("price", Tree::text(record.price.as_str())),
        ("amount", Tree::text(record.amount.as_str())),
        ("deviation", Tree::text(record.deviation.as_str())),
        ("tolerance", Tree::text(record.tolerance.as_str())),
        ("rank", record.rank.map_or(Tree::Null, Tree::whole)),
        ("earns_an_hour", earns.unwrap_or(Tree::Null)),
    ])
}

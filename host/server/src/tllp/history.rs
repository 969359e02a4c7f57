//! `GET /history/<user>/<unit>/<page>`: what an LP showed and earned, round by round. The original was always 404 here.
//!
//! Page 0 is the newest; within a page time rises. `rejects` is null: requests that were refused are not kept so long.

use std::sync::Arc;

use alp_pool::money::Coins;
use alp_pool::terms::Side;
use alp_store::{CreditedSample, RegisteredAt};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use super::levels::Levels;
use super::reply::{Code, PageError, not_found, page};
use crate::app::App;
use crate::message::shown;
use crate::rounds::coins_from;
use crate::wire::Tree;

/// Rounds of a page: an hour of usual ones.
const PAGE: u32 = 60;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    asked: Result<Path<(String, String, String)>, PathRejection>,
) -> Response {
    let (user, unit, number) = asked.map(|Path(asked)| asked).unwrap_or_default();
    let Ok(number) = number.parse::<u32>() else {
        return not_found(Code::InvalidData, "the page must be a whole number: 0 is the newest");
    };
    let registrations = match app.store.registrations_of(&user).await {
        Ok(registrations) => registrations,
        Err(error) => return page(Err(error.into())),
    };
    if registrations.is_empty() {
        return not_found(Code::UnknownUser, &format!("user not found: {}", shown(&user)));
    }
    let mut registrations = registrations.into_iter();
    let Some(at) = registrations.find(|at| at.lp.units.contains(&unit)) else {
        let message = format!("unit for user {} not found: {}", shown(&user), shown(&unit));
        return not_found(Code::UnknownUnit, &message);
    };
    page(history(&app, &at, &unit, number).await)
}

async fn history(app: &App, at: &RegisteredAt, unit: &str, page: u32) -> Result<Tree, PageError> {
    let rounds = app.store.credited_rounds(at.lp.lp_id, unit, page, PAGE).await?;
    let entries = rounds.iter().rev().map(|credited| entry(app, at, unit, credited));
    Ok(Tree::List(entries.collect::<Result<_, PageError>>()?))
}

fn entry(app: &App, at: &RegisteredAt, unit: &str, credited: &CreditedSample) -> Result<Tree, PageError> {
    let in_force = app.in_force.load_full();
    let round = in_force.config.pool.round;
    let slices = in_force.config.unit(&at.exchange, unit);
    let slices = slices.map(|unit| unit.rules_at(credited.round_start).terms.looks().slices());
    // Where samples of then are not kept any more, nobody knows which were missing.
    let missing = slices.filter(|_| credited.orders.is_some());
    let missing =
        missing.map_or(Tree::Null, |slices| Tree::whole(u64::from(slices).saturating_sub(credited.slices)));
    let levels = Levels::read(credited, round)?;
    let coins = |e8| Tree::number(coins_from(e8).unwrap_or(Coins::ZERO));
    Ok(Tree::object([
        ("time", Tree::whole(credited.round_start.saturating_add(u64::from(round.seconds())))),
        // In all by then, before payouts, at this exchange.
        ("balance", coins(credited.balance_e8)),
        ("reward", coins(credited.amount_e8)),
        ("missings", missing),
        ("rejects", Tree::Null),
        ("bid", levels.amounts(Side::Bid)),
        ("ask", levels.amounts(Side::Ask)),
        ("rate", levels.rates()),
    ]))
}

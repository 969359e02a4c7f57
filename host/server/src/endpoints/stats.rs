//! `GET /<user>/stats`: what an API key earned.

use std::sync::Arc;

use alp_pool::money::{Amount, Coins};
use alp_store::{UserRound, UserStats};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::failures::{NOT_UTF8, server_error};
use super::payouts::payouts_of;
use crate::app::App;
use crate::message::shown;
use crate::rounds::coins_from;
use crate::wire::{Tree, json, outcome};
use alp_record::judged::RecordError;

pub(super) async fn show(State(app): State<Arc<App>>, user: Result<Path<String>, PathRejection>) -> Response {
    let Ok(Path(user)) = user else { return outcome(false, NOT_UTF8) };
    let stats = match app.store.stats_of(&user).await {
        Ok(Some(stats)) => stats,
        Ok(None) => return outcome(false, &format!("user {} is not registered", shown(&user))),
        Err(error) => return server_error(&error),
    };
    let (owed, payouts) = match (app.store.owed_to(&user).await, payouts_of(&app, &user).await) {
        (Ok(owed), Ok(payouts)) => (owed.unwrap_or(0), payouts.unwrap_or(Tree::Null)),
        (Err(error), _) | (_, Err(error)) => return server_error(&error),
    };
    let submissions = match super::lps::submissions(&app, &user).await {
        Ok(submissions) => submissions,
        Err(error) => return server_error(&error),
    };
    match message(&stats, owed, payouts, submissions) {
        Ok(message) => {
            let body = Tree::object([
                ("success", Tree::Flag(true)),
                ("message", message),
                ("server_time", Tree::whole(app.now_ms() / 1000)),
            ]);
            json(StatusCode::OK, &body)
        }
        Err(error) => server_error(&error),
    }
}

fn message(
    stats: &UserStats,
    owed_e8: i64,
    payouts: Tree,
    submissions: Vec<Tree>,
) -> Result<Tree, RecordError> {
    let history = stats.history.iter().map(history_entry).collect::<Result<Vec<_>, _>>()?;
    let total = coins(stats.total_e8)?;
    Ok(Tree::object([
        ("total_reward", Tree::number(total)),
        // What is credited, and neither paid out nor reserved for a payout.
        ("current_reward", Tree::number(coins(owed_e8.max(0))?)),
        ("payouts", payouts),
        ("history", Tree::List(history)),
        ("submissions", Tree::List(submissions)),
    ]))
}

fn history_entry(round: &UserRound) -> Result<Tree, RecordError> {
    let damaged = || RecordError::Damaged("an amount");
    let amounts = round.provided.iter().map(|text| Amount::parse_sum(text).map_err(|_| damaged()));
    let provided = Amount::sum(amounts.collect::<Result<Vec<_>, _>>()?).map_err(|_| damaged())?;
    Ok(Tree::object([
        ("round_time", Tree::whole(round.round_start)),
        ("provided", Tree::number(provided)),
        ("reward", Tree::number(coins(round.amount_e8)?)),
    ]))
}

fn coins(e8: i64) -> Result<Coins, RecordError> {
    coins_from(e8).ok_or(RecordError::Damaged("a credit"))
}

//! `GET /<user>/stats`: what an API key earned, what its orders were worth beside that, and at what rate.

use std::sync::Arc;

use alp_pool::money::{Amount, Coins};
use alp_pool::round::RoundLength;
use alp_pool::worth::daily_rate;
use alp_store::{ShownSample, UserRound, UserStats};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::failures::{NOT_UTF8, server_error};
use super::payouts::payouts_of;
use super::worth::{self, MAX_VALUED_ORDERS, Worth};
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
    let span = stats.history.last().zip(stats.history.first());
    let shown = match span {
        Some((oldest, newest)) => {
            app.store.shown_by(&user, (oldest.round_start, newest.round_start), MAX_VALUED_ORDERS).await
        }
        None => Ok(Vec::new()),
    };
    let shown = match shown {
        Ok(shown) => shown,
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
    match message(&stats, &shown, owed, payouts, submissions) {
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
    shown: &[ShownSample],
    owed_e8: i64,
    payouts: Tree,
    submissions: Vec<Tree>,
) -> Result<Tree, RecordError> {
    let total = coins(stats.total_e8)?;
    let worth = worth::by_round(shown)?;
    let rewards = worth::rewards_so_far(total, &stats.history)?;
    let entry = |(round, rewards): (&UserRound, &Coins)| {
        history_entry(round, *rewards, worth.get(&round.round_start).copied())
    };
    let history = stats.history.iter().zip(&rewards).map(entry).collect::<Result<Vec<_>, _>>()?;
    Ok(Tree::object([
        ("total_reward", Tree::number(total)),
        // What is credited, and neither paid out nor reserved for a payout.
        ("current_reward", Tree::number(coins(owed_e8.max(0))?)),
        ("payouts", payouts),
        ("history", Tree::List(history)),
        ("submissions", Tree::List(submissions)),
    ]))
}

/// `provided` and `reward` are the original's; the other figures are none in rounds whose orders are not kept any more.
fn history_entry(round: &UserRound, rewards: Coins, worth: Option<Worth>) -> Result<Tree, RecordError> {
    let damaged = || RecordError::Damaged("an amount");
    let amounts = round.provided.iter().map(|text| Amount::parse_sum(text).map_err(|_| damaged()));
    let provided = Amount::sum(amounts.collect::<Result<Vec<_>, _>>()?).map_err(|_| damaged())?;
    let reward = coins(round.amount_e8)?;
    let length = u32::try_from(round.round_seconds).map(RoundLength::from_seconds);
    let length = length.ok().and_then(Result::ok).ok_or(RecordError::Damaged("the length of a round"))?;
    let rate = daily_rate(reward, provided, length).map_err(|_| damaged())?;
    let net_worth = worth.and_then(|worth| worth.with_rewards(rewards));
    let figure = |amount: Option<Amount>| amount.map_or(Tree::Null, Tree::number);
    Ok(Tree::object([
        ("round_time", Tree::whole(round.round_start)),
        ("provided", Tree::number(provided)),
        ("reward", Tree::number(reward)),
        ("rewards_so_far", Tree::number(rewards)),
        ("asks_worth", figure(worth.map(|worth| worth.asks))),
        ("bids_worth", figure(worth.map(|worth| worth.bids))),
        ("net_worth", figure(net_worth)),
        ("daily_rate", rate.map_or(Tree::Null, Tree::number)),
    ]))
}

fn coins(e8: i64) -> Result<Coins, RecordError> {
    coins_from(e8).ok_or(RecordError::Damaged("a credit"))
}

//! `GET /v1/payouts/<user>`: what an API key was paid, by which transaction, and what is still owed.

use std::sync::Arc;

use alp_store::{StoreError, UserPayout};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::failures::{NOT_UTF8, server_error};
use crate::app::App;
use crate::message::shown;
use crate::rounds::coins_from;
use crate::wire::{Tree, json, outcome};

/// Most payouts that are shown: three months of daily ones.
const SHOWN: u64 = 100;

pub(super) async fn show(State(app): State<Arc<App>>, user: Result<Path<String>, PathRejection>) -> Response {
    let Ok(Path(user)) = user else { return outcome(false, NOT_UTF8) };
    match (app.store.owed_to(&user).await, payouts_of(&app, &user).await) {
        (Ok(Some(owed_e8)), Ok(Some(payouts))) => {
            let body = Tree::object([
                ("success", Tree::Flag(true)),
                // A balance below zero, after a correction, is shown as nothing owed.
                ("owed", coins(owed_e8.max(0))),
                ("payouts", payouts),
                ("server_time", Tree::whole(app.now_ms() / 1000)),
            ]);
            json(StatusCode::OK, &body)
        }
        (Ok(_), Ok(_)) => outcome(false, &format!("user {} is not registered", shown(&user))),
        (Err(error), _) | (_, Err(error)) => server_error(&error),
    }
}

/// The payouts of an API key, newest first: the statement of each. `None` if it is not registered.
pub(super) async fn payouts_of(app: &App, user: &str) -> Result<Option<Tree>, StoreError> {
    let payouts = app.store.payouts_of(user, SHOWN).await?;
    Ok(payouts.map(|payouts| Tree::List(payouts.iter().map(statement).collect())))
}

fn statement(payout: &UserPayout) -> Tree {
    Tree::object([
        ("id", Tree::whole(payout.payout_id)),
        ("stage", Tree::text(&payout.stage)),
        ("exchange", Tree::text(&payout.exchange)),
        ("address", Tree::text(&payout.address)),
        ("paid", coins(payout.paid_e8)),
        ("fee", coins(payout.fee_e8)),
        ("txid", if payout.txid.is_empty() { Tree::Null } else { Tree::text(&payout.txid) }),
        ("reserved_at", Tree::whole(payout.created_at_ms / 1000)),
        (
            "ended_at",
            if payout.ended_at_ms == 0 { Tree::Null } else { Tree::whole(payout.ended_at_ms / 1000) },
        ),
    ])
}

/// A decimal in quotes, as everywhere in alp's own endpoints.
fn coins(e8: i64) -> Tree {
    coins_from(e8).map_or(Tree::Null, |coins| Tree::text(coins.to_string()))
}

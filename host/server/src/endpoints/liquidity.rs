//! `POST /liquidity`: an LP's signed request for its open orders.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::receive::{receive, sender};
use crate::app::App;
use crate::exchange::WhoActs;
use crate::submissions::submit;
use crate::tllp;
use crate::wire::outcome;

pub(super) async fn take(State(app): State<Arc<App>>, request: Request) -> Response {
    if tllp::is_meant(&app, &request) {
        return tllp::take_liquidity_form(&app, request).await;
    }
    let limits = app.in_force.load().config.pool.limits;
    let peer = match sender(&app, limits, &request) {
        Ok(peer) => peer,
        Err(sentence) => return outcome(false, &sentence),
    };
    let body = match receive(limits, request).await {
        Ok(body) => body,
        Err(sentence) => return outcome(false, &sentence),
    };
    match submit(&app, &body, peer).await {
        Ok(accepted) => {
            let mut response = outcome(true, &accepted.sentence);
            response.headers_mut().extend(accepted.headers);
            response
        }
        Err(refusal) => {
            // What a bot did wrong repeats what it sent, its API key among it: that is for the bot alone.
            if refusal.who != WhoActs::Bot {
                tracing::debug!(who = ?refusal.who, message = %refusal.message, "a submission was refused");
            }
            outcome(false, &refusal.message)
        }
    }
}

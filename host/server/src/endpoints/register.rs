//! `POST /register`: an LP names its API key, its payout address, and the market it will provide for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::receive::{receive, sender};
use crate::app::App;
use crate::registrations::register;
use crate::tllp;
use crate::wire::outcome;

pub(super) async fn take(State(app): State<Arc<App>>, request: Request) -> Response {
    if tllp::is_meant(&app, &request) {
        return tllp::take_registration_form(&app, request).await;
    }
    let limits = app.in_force.load().config.pool.limits;
    if let Err(sentence) = sender(&app, limits, &request) {
        return outcome(false, &sentence);
    }
    let body = match receive(limits, request).await {
        Ok(body) => body,
        Err(sentence) => return outcome(false, &sentence),
    };
    match register(&app, &body).await {
        Ok(sentence) => outcome(true, sentence),
        Err(refusal) => outcome(false, &refusal.message),
    }
}

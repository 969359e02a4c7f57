//! The HTTP endpoints, one file each. Paths, names and sentences are ALP-Server's, because bots read them.

mod adapters;
mod challenges;
mod check;
mod exchanges;
mod failures;
mod favicon;
mod head;
mod liquidity;
mod lps;
mod orders;
mod payouts;
mod proof;
mod receive;
mod records;
mod register;
mod root;
mod rounds;
mod statements;
mod stats;
mod status;
mod worth;

use std::sync::Arc;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::{get, post};

use crate::app::App;
use crate::tllp;

pub(crate) use failures::{catch, never_kept, server_error};
pub(crate) use receive::{has_media_type, read_body, sender};

/// Every endpoint of the pool. Those of the second protocol are below their prefix, if it has one.
pub fn router(app: Arc<App>) -> Router {
    let prefix = app.in_force.load().config.pool.tllp.as_ref().and_then(|tllp| tllp.prefix.clone());
    let endpoints = endpoints(Arc::clone(&app));
    match prefix {
        Some(prefix) => endpoints.nest(&prefix, tllp::router(app)),
        None => endpoints,
    }
}

fn endpoints(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(root::show))
        .route("/favicon.ico", get(favicon::show))
        .route("/register", post(register::take))
        .route("/liquidity", post(liquidity::take))
        .route("/exchanges", get(exchanges::show))
        .route("/status", get(status::show))
        .route("/adapters", get(adapters::show))
        .route("/v1/check", post(check::take))
        .route("/v1/challenges", post(challenges::take).layer(map_response(failures::never_kept)))
        .route("/v1/lps/{user}", get(lps::show).layer(map_response(failures::never_kept)))
        .route("/v1/payouts/{user}", get(payouts::show).layer(map_response(failures::never_kept)))
        .route("/v1/statements/{user}", get(statements::show).layer(map_response(failures::never_kept)))
        .route("/head", get(head::show))
        .route("/records", get(records::extent))
        .route("/records/{number}", get(records::show))
        .route("/rounds", get(rounds::list))
        .route("/rounds/{start}", get(rounds::show))
        .route("/rounds/{start}/proof/{pseudonym}", get(proof::show))
        .route("/{user}/orders", get(orders::show).layer(map_response(failures::never_kept)))
        .route("/{user}/stats", get(stats::show).layer(map_response(failures::never_kept)))
        .fallback(failures::not_found)
        .method_not_allowed_fallback(failures::wrong_method)
        .layer(axum::middleware::from_fn(failures::catch))
        .with_state(app)
}

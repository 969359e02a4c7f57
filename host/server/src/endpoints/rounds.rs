//! `GET /rounds` and `GET /rounds/<start>`: the published rounds, and the entry of one.

use std::sync::Arc;

use alp_store::{EntryOf, MAX_RECORDS_PAGE};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;

use super::failures::{failure, server_error};
use super::records::{ASK_AGAIN, entry};
use crate::app::App;
use crate::wire::{Tree, json};

/// How many rounds are listed if nothing else is said.
const LISTED: u32 = 100;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    start: Result<Path<u64>, PathRejection>,
) -> Response {
    match start {
        Ok(Path(start)) => entry(&app, EntryOf::Round(start), &headers).await,
        Err(_) => failure(StatusCode::NOT_FOUND, "a round is named by its start, in Unix seconds"),
    }
}

pub(super) async fn list(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let number = |name: &str, default: u64| {
        let pairs = uri.query().unwrap_or("").split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.parse::<u64>()).next();
        value.unwrap_or(Ok(default))
    };
    let (Ok(from), Ok(limit)) = (number("from", 0), number("limit", u64::from(LISTED))) else {
        return failure(StatusCode::BAD_REQUEST, "from and limit must be whole numbers");
    };
    let limit = u32::try_from(limit).unwrap_or(MAX_RECORDS_PAGE).min(MAX_RECORDS_PAGE);
    let rounds = match app.store.recorded_rounds(from, limit).await {
        Ok(rounds) => rounds,
        Err(error) => return server_error(&error),
    };
    let rounds = rounds.iter().map(|head| {
        Tree::object([
            ("number", Tree::whole(head.number)),
            ("start", head.round_start.map_or(Tree::Null, Tree::whole)),
            ("digest", Tree::text(&head.digest)),
        ])
    });
    let mut response = json(StatusCode::OK, &Tree::object([("rounds", Tree::List(rounds.collect()))]));
    response.headers_mut().insert(header::CACHE_CONTROL, ASK_AGAIN);
    response
}

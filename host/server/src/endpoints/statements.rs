//! `GET /v1/statements/<user>`: what changed what an API key is owed, signed by the pool.
//! `?format=` is `json` (the default), `csv` or `ledger`; `?from=` and `?to=` are days in UTC, both within.

use std::sync::Arc;

use alp_record::chain::Opening;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;

use super::failures::{NOT_UTF8, failure, server_error};
use crate::app::App;
use crate::message::shown;
use crate::record::receipts::OPENING;
use crate::statements::{Asking, Form, Period, StatementFault, statement_of};
use crate::wire::outcome;

/// Most headers with openings that are read: more than there are exchanges.
const MAX_OPENINGS: usize = 64;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
    user: Result<Path<String>, PathRejection>,
) -> Response {
    let Ok(Path(user)) = user else { return outcome(false, NOT_UTF8) };
    let asked = |name: &str| {
        let pairs = uri.query().unwrap_or("").split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
    };
    let Some(form) = Form::from_name(asked("format").unwrap_or("json")) else {
        return failure(StatusCode::BAD_REQUEST, "format is one of json, csv and ledger");
    };
    let now_s = match app.store.clock_ms().await {
        Ok(now_ms) => now_ms / 1_000,
        Err(error) => return server_error(&error),
    };
    let period = match Period::read(asked("from"), asked("to"), now_s) {
        Ok(period) => period,
        Err(fault) => return refused(&fault),
    };
    let openings = openings(&headers);
    let asking = Asking { user: &user, period, openings: &openings };
    // Some hundred looks into indexes: as few at a time as there are readers of entries.
    let Some(_place) = app.publisher.reading().await else {
        return failure(StatusCode::SERVICE_UNAVAILABLE, "the pool is stopping");
    };
    match statement_of(&app.store, &app.publisher, &asking).await {
        Ok(Some(statement)) => {
            let mut response = Response::new(Body::from(form.sign(statement, &app.publisher)));
            let media_type = HeaderValue::from_static(form.media_type());
            response.headers_mut().insert(header::CONTENT_TYPE, media_type);
            response
        }
        Ok(None) => outcome(false, &format!("user {} is not registered", shown(&user))),
        Err(fault) => refused(&fault),
    }
}

fn refused(fault: &StatementFault) -> Response {
    match fault {
        StatementFault::Dates | StatementFault::TooLong => {
            failure(StatusCode::BAD_REQUEST, &fault.to_string())
        }
        StatementFault::Forgotten { .. } => failure(StatusCode::GONE, &fault.to_string()),
        StatementFault::HeadMoves => failure(StatusCode::SERVICE_UNAVAILABLE, &fault.to_string()),
        StatementFault::Store(_) | StatementFault::Publish(_) | StatementFault::Damaged => {
            server_error(fault)
        }
    }
}

/// What the asker says opens its pseudonyms: the headers that accepted submissions were answered with, as they were.
fn openings(headers: &HeaderMap) -> Vec<Opening> {
    let told = headers.get_all(OPENING).iter().take(MAX_OPENINGS).filter_map(|value| value.to_str().ok());
    told.filter_map(|text| Opening::parse(text.rsplit(' ').next()?)).collect()
}

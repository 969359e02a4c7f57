//! `GET /records`: which entries of the pool's record there are. `GET /records/<number>`: one, as it was signed.

use std::sync::Arc;

use alp_store::{EntryOf, StoreError};
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::failures::{failure, server_error};
use crate::app::App;
use crate::record::unpack;
use crate::wire::{Tree, json};

/// An entry never changes once it is there.
pub(super) const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// What is asked for again each time, at the price of a comparison.
pub(super) const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

pub(super) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    number: Result<Path<u64>, PathRejection>,
) -> Response {
    match number {
        Ok(Path(number)) => entry(&app, EntryOf::Number(number), &headers).await,
        Err(_) => failure(StatusCode::NOT_FOUND, "an entry of the record is named by its number, from 0"),
    }
}

/// Which entries can be had: the first and the last number.
pub(super) async fn extent(State(app): State<Arc<App>>) -> Response {
    let read =
        async { Ok::<_, StoreError>((app.store.oldest_record().await?, app.store.record_head().await?)) };
    match read.await {
        Ok((oldest, Some(head))) => {
            let members = [("oldest", Tree::whole(oldest)), ("newest", Tree::whole(head.number))];
            let mut response = json(StatusCode::OK, &Tree::object(members));
            response.headers_mut().insert(header::CACHE_CONTROL, ASK_AGAIN);
            response
        }
        Ok((_, None)) => failure(StatusCode::NOT_FOUND, "the record has no entry"),
        Err(error) => server_error(&error),
    }
}

/// The answer with an entry: compressed as it lies if the asker takes that.
pub(super) async fn entry(app: &App, of: EntryOf, headers: &HeaderMap) -> Response {
    let Some(_place) = app.publisher.reading().await else { return nothing(app, of).await };
    let (digest, packed) = match app.store.packed_entry(of).await {
        Ok(Some(entry)) => entry,
        Ok(None) => return nothing(app, of).await,
        Err(error) => return server_error(&error),
    };
    let zipped = takes_gzip(headers);
    // The two forms are two things to a cache.
    let tag = format!("\"{digest}{}\"", if zipped { "-gzip" } else { "" });
    let mut response = if knows(headers, &tag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else if zipped {
        let mut response = Response::new(Body::from(packed));
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response
    } else {
        match tokio::task::spawn_blocking(move || unpack(&packed)).await {
            Ok(Ok(text)) => Response::new(Body::from(text)),
            Ok(Err(error)) => return server_error(&error),
            Err(error) => return server_error(&error),
        }
    };
    let answered = response.headers_mut();
    answered.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    answered.insert(header::CACHE_CONTROL, FOR_GOOD);
    answered.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answered.insert(header::ETAG, tag);
    }
    response
}

/// That there is no such entry, or that there was and it is forgotten.
pub(super) async fn nothing(app: &App, of: EntryOf) -> Response {
    let forgotten = match app.store.forgotten_entry(of).await {
        Ok(forgotten) => forgotten,
        Err(error) => return server_error(&error),
    };
    if let Some(oldest) = forgotten {
        let message = match of {
            EntryOf::Number(number) => format!("entry {number} of the record is forgotten"),
            EntryOf::Round(start) => {
                format!("the entry of the round that starts at {start} is forgotten")
            }
        };
        let message = format!(
            "{message} because of its age: the record begins with entry {oldest}, which says what each LP was owed then"
        );
        return failure(StatusCode::GONE, &message);
    }
    let message = match of {
        EntryOf::Number(number) => format!("the record has no entry {number}; its newest is at /head"),
        EntryOf::Round(start) => format!(
            "the record has no round that starts at {start}: it is not credited yet, or nobody took part in it"
        ),
    };
    failure(StatusCode::NOT_FOUND, &message)
}

/// Whether the asker has this already.
pub(super) fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or("");
    known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag)
}

/// A quality of zero means that it is not wanted.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        named
            && !parts.any(|part| {
                part.starts_with("q=0") && !part.contains(['1', '2', '3', '4', '5', '6', '7', '8', '9'])
            })
    })
}

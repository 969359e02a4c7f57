//! `GET /rounds/<start>/proof/<pseudonym>`: that one LP's part is in a round's entry, without the parts of the others.

use std::sync::Arc;

use alp_record::chain::{Digest, Entry, Header, InclusionProof, Signature};
use alp_store::EntryOf;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::failures::{failure, server_error};
use super::records::{FOR_GOOD, nothing};
use crate::app::App;
use crate::record::{PublishError, unpack};
use crate::wire::json;

/// What is answered: `alp_record::chain::verify_proof` checks it.
#[derive(Serialize)]
struct Proof {
    header: Header,
    signature: Signature,
    proof: InclusionProof,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    path: Result<Path<(u64, String)>, PathRejection>,
) -> Response {
    let named = path.ok().and_then(|Path((start, lp))| Some((start, Digest::parse(&lp)?)));
    let Some((start, lp)) = named else {
        let message = "a proof is named by the start of a round, in Unix seconds, and an LP's pseudonym";
        return failure(StatusCode::NOT_FOUND, message);
    };
    let of = EntryOf::Round(start);
    let Some(_place) = app.publisher.reading().await else { return nothing(&app, of).await };
    let packed = match app.store.packed_entry(of).await {
        Ok(Some((_, packed))) => packed,
        Ok(None) => return nothing(&app, of).await,
        Err(error) => return server_error(&error),
    };
    match tokio::task::spawn_blocking(move || prove(&packed, lp)).await {
        Ok(Ok(Some(proof))) => {
            let mut response = json(StatusCode::OK, &proof);
            response.headers_mut().insert(header::CACHE_CONTROL, FOR_GOOD);
            response
        }
        Ok(Ok(None)) => {
            failure(StatusCode::NOT_FOUND, &format!("no LP of the round that starts at {start} is {lp}"))
        }
        Ok(Err(error)) => server_error(&error),
        Err(error) => server_error(&error),
    }
}

fn prove(packed: &[u8], lp: Digest) -> Result<Option<Proof>, PublishError> {
    let entry = Entry::read(&unpack(packed)?)?;
    let proof = entry.prove(lp);
    Ok(proof.map(|proof| Proof { header: entry.header, signature: entry.signature, proof }))
}

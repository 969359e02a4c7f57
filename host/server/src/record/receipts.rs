//! Receipts: what the pool signs to an LP the moment its submission is stored.
//! It knows headers of an answer and nothing of how orders were judged.

use alp_record::chain::{Digest, Opening, Receipt, order_commitment};
use alp_record::judged::OrderRecord;
use alp_store::{Placed, Store};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{PublishError, Publisher};

/// The header with the signed receipt: JSON in base64.
pub const RECEIPT: HeaderName = HeaderName::from_static("alp-receipt");

/// The header with the LP's pseudonym and what opens it. Only an accepted submission is answered with it: whoever can
/// have the exchange accept a signed request of this key is this LP.
pub const OPENING: HeaderName = HeaderName::from_static("alp-opening");

/// What was accepted.
pub(crate) struct AcceptedSubmission<'a> {
    /// The pool's number of the LP.
    pub(crate) lp_id: i64,
    /// Its API key.
    pub(crate) api_key: &'a str,
    /// The exchange.
    pub(crate) exchange: &'a str,
    /// The unit.
    pub(crate) unit: &'a str,
    /// The message as the bot sent it.
    pub(crate) message: &'a [u8],
    /// The orders as they were judged, their ids those of the exchange.
    pub(crate) orders: Vec<OrderRecord>,
    /// Where it was stored.
    pub(crate) placed: Placed,
}

/// Signs a receipt: the headers for the answer.
///
/// # Errors
/// [`PublishError`] for the operator's log; the submission is stored all the same.
pub(crate) async fn receipt(
    publisher: &Publisher,
    store: &Store,
    accepted: AcceptedSubmission<'_>,
) -> Result<HeaderMap, PublishError> {
    let AcceptedSubmission { lp_id, api_key, exchange, unit, message, orders, placed } = accepted;
    let opening: Opening = publisher.opening(store, lp_id).await?;
    let head = publisher.head(store).await;
    let lp = opening.pseudonym(publisher.pool(), api_key);
    let committed: Vec<OrderRecord> = orders
        .into_iter()
        .map(|order| {
            let id = order_commitment(&opening, exchange, unit, &order.id).to_string();
            OrderRecord { id, ..order }
        })
        .collect();
    let receipt = Receipt {
        pool: publisher.pool().to_owned(),
        lp,
        exchange: exchange.to_owned(),
        unit: unit.to_owned(),
        round: placed.round_start,
        at_ms: placed.at_ms,
        submission: Digest::of(&[message]),
        orders: Receipt::orders_digest(&committed),
        epoch: head.header.epoch,
        number: head.header.number,
        head: head.digest,
    };
    let signed = publisher.sign_receipt(receipt).await;
    let json = serde_json::to_vec(&signed).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (name, value) in [(RECEIPT, STANDARD.encode(json)), (OPENING, format!("{lp} {}", opening.reveal()))] {
        // Both are of characters that a header may have.
        if let Ok(mut value) = HeaderValue::from_str(&value) {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
    Ok(headers)
}

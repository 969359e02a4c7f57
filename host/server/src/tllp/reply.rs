//! What is answered: the numeric codes of the protocol, and its shapes in JSON.

use alp_record::judged::RecordError;
use alp_store::StoreError;
use axum::http::StatusCode;
use axum::response::Response;
use thiserror::Error;

use crate::endpoints::server_error;
use crate::wire::{Tree, json};

/// How a message ended. The numbers up to 12 are the original's; its clients know 0, and register again at 11.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// It was taken.
    Success = 0,
    /// It cannot be read, or lacks a field.
    InvalidData = 6,
    /// The payout address is not right.
    InvalidAddress = 7,
    /// The pool does not serve the exchange.
    UnknownExchange = 8,
    /// The key has another payout address.
    OtherAddress = 9,
    /// A minimal rate is no number, or is out of range.
    InvalidRate = 10,
    /// The key is not registered.
    UnknownUser = 11,
    /// The key is not registered for the unit, or at no one exchange alone.
    UnknownUnit = 12,
    /// The exchange, a limit or the pool's own state refused it. The original answered before it knew, with 0.
    Refused = 13,
}

impl Code {
    const fn number(self) -> i64 {
        self as i64
    }
}

/// A refusal: its code and its sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// `{"code": …, "message": …}`, with HTTP 200 whatever the code, as the original had it.
pub(crate) fn coded(code: Code, message: &str) -> Response {
    let members = [("code", Tree::Whole(code.number())), ("message", Tree::text(message))];
    json(StatusCode::OK, &Tree::object(members))
}

/// What is answered to a question that has no answer. Clients look for the member `error`: the original sent no body,
/// which they take for a lost connection and ask again for ever.
pub(crate) fn not_found(code: Code, message: &str) -> Response {
    let members =
        [("code", Tree::Whole(code.number())), ("message", Tree::text(message)), ("error", Tree::Flag(true))];
    json(StatusCode::NOT_FOUND, &Tree::object(members))
}

/// Why a page cannot be shown. The operator's.
#[derive(Debug, Error)]
pub(crate) enum PageError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something stored cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// A page, or that the server failed; the operator's log has the cause.
pub(crate) fn page(shown: Result<Tree, PageError>) -> Response {
    match shown {
        Ok(shown) => json(StatusCode::OK, &shown),
        Err(error) => server_error(&error),
    }
}

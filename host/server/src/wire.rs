//! JSON for the old endpoints: their numbers are numbers, and every digit of them is exact.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use serde_json::value::RawValue;

/// A value in an answer.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Tree {
    /// A number, written as its decimal text.
    Number(Box<RawValue>),
    /// A whole number.
    Whole(i64),
    /// A text.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Nothing.
    Null,
    /// A list.
    List(Vec<Tree>),
    /// An object, its members by name.
    Object(BTreeMap<String, Tree>),
}

impl Tree {
    /// A number from the decimal text of a coin, amount, price or ratio.
    pub(crate) fn number(decimal: impl ToString) -> Self {
        RawValue::from_string(decimal.to_string()).map_or(Self::Null, Self::Number)
    }

    /// A whole number; one beyond 64 bits does not occur.
    pub(crate) fn whole(number: impl TryInto<i64>) -> Self {
        number.try_into().map_or(Self::Null, Self::Whole)
    }

    /// A text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An object.
    pub(crate) fn object<'n>(members: impl IntoIterator<Item = (&'n str, Tree)>) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// An answer in JSON.
#[must_use]
pub(crate) fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    // What is answered has no maps with other keys than texts, the one thing that cannot be written.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The form of most answers: `{"success": …, "message": …}`, with HTTP 200 even for a refusal, as ALP-Server had it.
#[must_use]
pub(crate) fn outcome(success: bool, message: &str) -> Response {
    json(StatusCode::OK, &Tree::object([("success", Tree::Flag(success)), ("message", Tree::text(message))]))
}

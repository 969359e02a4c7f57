//! The moods of an exchange: what a client has to survive.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use crate::handle::Shared;
use crate::protocol::{RawRequest, Reply};
use crate::refusal::Refusal;

/// How the exchange answers, every request alike. All but `Normal` and `Slow` answer without looking at the
/// request, so they use up no nonce.
#[derive(Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// As an exchange should.
    Normal,
    /// The exchange's own error of being out of service, with status 503.
    Outage,
    /// The exchange's own error of being asked too often, with its own status, for most 429, and a `Retry-After`
    /// of so many seconds.
    Throttle {
        /// The seconds to stay away.
        retry_after_s: u64,
    },
    /// Status 200 with a page for people, as a content network shows it.
    Html,
    /// Status 200 with bytes that are no text in any encoding.
    Garbage,
    /// Status 200 with `null`.
    NullBody,
    /// Status 200 with `{}`.
    EmptyObject,
    /// No answer at all, until the behaviour changes, the client leaves or the exchange shuts down.
    Hang,
    /// As an exchange should, but this much later.
    Slow(Duration),
    /// Status 302 to this address.
    Redirect(String),
    /// Status 200 and a list of orders with so many bytes of blanks in it, sent as fast as they are read.
    HugeBody(u64),
    /// Status 200 and orders whose numbers are none: `NaN`, a negative amount, lists for texts.
    WrongTypes,
    /// This status and this body, labelled as JSON.
    RawBody(u16, String),
}

impl fmt::Debug for Behaviour {
    /// The name alone: a body is of no use in a log.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Normal => "Normal",
            Self::Outage => "Outage",
            Self::Throttle { .. } => "Throttle",
            Self::Html => "Html",
            Self::Garbage => "Garbage",
            Self::NullBody => "NullBody",
            Self::EmptyObject => "EmptyObject",
            Self::Hang => "Hang",
            Self::Slow(_) => "Slow",
            Self::Redirect(_) => "Redirect",
            Self::HugeBody(_) => "HugeBody",
            Self::WrongTypes => "WrongTypes",
            Self::RawBody(..) => "RawBody",
        })
    }
}

/// What the exchange is about to do with one request.
pub(crate) enum Course {
    /// Look at the request, after this pause.
    Attend(Duration),
    /// Wait until the behaviour changes.
    Hang,
    /// Send this, whatever the request.
    Send(Response),
}

impl Behaviour {
    pub(crate) fn course(&self, shared: &Shared, request: &RawRequest) -> Course {
        let protocol = shared.protocol.as_ref();
        let response = match self {
            Self::Normal => return Course::Attend(Duration::ZERO),
            Self::Slow(pause) => return Course::Attend(*pause),
            Self::Hang => return Course::Hang,
            Self::Outage => response(protocol.write(request, Err(&Refusal::Down))),
            Self::Throttle { retry_after_s } => {
                let refusal = Refusal::Throttled { retry_after_s: *retry_after_s };
                response(protocol.write(request, Err(&refusal)))
            }
            Self::Html => labelled(StatusCode::OK, "text/html", Body::from(PAGE)),
            Self::Garbage => labelled(StatusCode::OK, JSON, Body::from(NO_TEXT)),
            Self::NullBody => labelled(StatusCode::OK, JSON, Body::from("null")),
            Self::EmptyObject => labelled(StatusCode::OK, JSON, Body::from("{}")),
            Self::Redirect(to) => redirect(to),
            Self::HugeBody(bytes) => labelled(StatusCode::OK, JSON, blanks(*bytes)),
            Self::WrongTypes => response(shared.wrong_types(request)),
            Self::RawBody(status, body) => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::OK);
                labelled(status, JSON, Body::from(body.clone()))
            }
        };
        Course::Send(response)
    }
}

/// An HTTP response of what a protocol wrote.
pub(crate) fn response(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = labelled(status, JSON, Body::from(reply.body));
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

const JSON: &str = "application/json";
const PAGE: &str = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>";
/// Neither UTF-8 nor the start of anything compressed.
const NO_TEXT: &[u8] = &[0xff, 0x00, 0xfe, 0xc3, 0x28, 0x80, 0x7b, 0xf8, 0x88];
/// One piece of a huge body; a few pieces fill a socket's buffer, so memory stays flat.
static BLANKS: [u8; 16_384] = [b' '; 16_384];

fn labelled(status: StatusCode, media_type: &'static str, body: Body) -> Response {
    (status, [(header::CONTENT_TYPE, media_type)], body).into_response()
}

fn redirect(to: &str) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(location) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// `bytes` blanks within a list of orders that would be right.
fn blanks(bytes: u64) -> Body {
    const HEAD: &[u8] = br#"{"success":true,"orders":["#;
    const TAIL: &[u8] = b"]}";
    let pieces = stream::unfold(Some((HEAD, bytes)), |state| async move {
        let (piece, left) = state?;
        let next = match usize::try_from(left).unwrap_or(usize::MAX).min(BLANKS.len()) {
            0 if piece == TAIL => None,
            0 => Some((TAIL, 0)),
            count => {
                let blanks = BLANKS.get(..count).unwrap_or_default();
                Some((blanks, left.saturating_sub(blanks.len().try_into().unwrap_or(u64::MAX))))
            }
        };
        Some((Ok::<_, Infallible>(Bytes::from_static(piece)), next))
    });
    Body::from_stream(pieces)
}

//! The second protocol: TLLP, version 1, as creon's clients speak it. Forms come in, numeric codes go out.
//!
//! Its two POSTs have the paths that ALP's have and are told from those by their content type; its GETs would collide,
//! so they have a prefix or a listener of their own. It knows how messages are written and asked for, and nothing of how
//! they are judged: a submission goes the one way that there is, and a credit is read as it was recorded.
//!
//! Sources: creon, nu-pool, `python/server.py` and `client.py`; inuitwallet, plunge, `HomeScreen.py`.

mod exchanges;
mod form;
mod history;
mod levels;
mod liquidity;
mod market;
mod market_page;
mod price;
mod register;
mod reply;
mod responses;
mod status;
mod sync;
mod user;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};

use self::form::Form;
use self::reply::{Code, Refused, coded, not_found};
use crate::app::App;
use crate::containment::Peer;
use crate::endpoints::{catch, has_media_type, never_kept, read_body, sender};

pub(crate) use liquidity::take as take_liquidity_form;
pub(crate) use register::take as take_registration_form;
pub(crate) use responses::Responses;

/// The media type of the protocol's messages.
const FORM: &str = "application/x-www-form-urlencoded";

/// Every path of the protocol, for a listener of its own or below a prefix.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(show_nothing))
        .route("/register", post(take_registration))
        .route("/liquidity", post(take_liquidity))
        .route("/status", get(status::show))
        .route("/exchanges", get(exchanges::show))
        .route("/sync", get(sync::show))
        .route("/price/{unit}", get(price::show))
        .route("/info/{exchange}/{unit}", get(market_page::show))
        .route("/history/{user}/{unit}/{page}", get(history::show).layer(map_response(never_kept)))
        .route("/{user}", get(user::show).layer(map_response(never_kept)))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_path)
        .layer(axum::middleware::from_fn(catch))
        .with_state(app)
}

/// Whether a POST to a path that both protocols have is one of this protocol.
pub(crate) fn is_meant(app: &App, request: &Request) -> bool {
    has_media_type(request, FORM) && app.in_force.load().config.pool.tllp.is_some()
}

async fn take_registration(State(app): State<Arc<App>>, request: Request) -> Response {
    register::take(&app, request).await
}

async fn take_liquidity(State(app): State<Arc<App>>, request: Request) -> Response {
    liquidity::take(&app, request).await
}

async fn show_nothing() -> Response {
    coded(Code::Success, "success")
}

async fn no_such_path() -> Response {
    not_found(Code::InvalidData, "there is nothing at this path")
}

/// Receives a form: from whom, its bytes, and its fields.
async fn receive_form(app: &App, request: Request) -> Result<(Peer, Bytes, Form), Refused> {
    let limits = app.in_force.load().config.pool.limits;
    let peer = sender(app, limits, &request).map_err(|why| Refused::new(Code::Refused, why))?;
    let invalid = |why: String| Refused::new(Code::InvalidData, why);
    if !has_media_type(&request, FORM) {
        return Err(invalid(format!("Content-Type header must be set to '{FORM}'")));
    }
    let body = read_body(limits, request).await.map_err(invalid)?;
    let form = Form::read(&body).map_err(|error| invalid(error.to_string()))?;
    Ok((peer, body, form))
}

//! `POST /liquidity`: `user`, `sign`, `unit`, the minimal rates `ask` and `bid`, and whatever else was signed.
//!
//! The protocol names no exchange, because its servers knew each key at one. Where a key is registered for the unit at
//! several, the field `exchange` has to say which; no exchange signs one of that name.

use alp_pool::rate::Rate;
use alp_pool::terms::Side;
use alp_sandbox::types::{Member, Scalar};
use alp_store::RegisteredAt;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;

use super::form::Form;
use super::receive_form;
use super::reply::{Code, Refused, coded};
use super::responses::{Heard, Slicing};
use crate::app::{App, InForce};
use crate::containment::Peer;
use crate::exchange::Refusal;
use crate::message::{check_text, shown};
use crate::prepared::{MinimalRates, Posted};
use crate::submissions::{Accepted, store_refusal, submit_posted};
use crate::why_not::without_signature;

pub(crate) async fn take(app: &App, request: Request) -> Response {
    let taken = async {
        let (peer, body, form) = receive_form(app, request).await?;
        let (lp_id, posted) = read(app, form).await?;
        submit(app, (lp_id, posted), &body, peer).await
    };
    match taken.await {
        Ok((sentence, headers)) => {
            let mut response = coded(Code::Success, &sentence);
            response.headers_mut().extend(headers);
            response
        }
        Err(Refused { code, message }) => coded(code, &message),
    }
}

/// Reads the fields, in the order of the original's checks: those that must be there, rates, key, unit.
async fn read(app: &App, mut form: Form) -> Result<(i64, Posted), Refused> {
    let invalid = |what: String| Refused::new(Code::InvalidData, format!("invalid request received: {what}"));
    let mut field = |name: &'static str| {
        let value = form.take(name).ok_or_else(|| invalid(format!("no {name}")))?;
        check_text(name, &value).map_err(invalid)?;
        Ok::<_, Refused>(value)
    };
    let (user, sign, unit) = (field("user")?, field("sign")?, field("unit")?);
    let rates =
        MinimalRates { ask: Some(rate("ask", &field("ask")?)?), bid: Some(rate("bid", &field("bid")?)?) };
    let named = form.take("exchange");
    let registrations = app.store.registrations_of(&user).await;
    let registrations =
        registrations.map_err(|error| Refused::new(Code::Refused, store_refusal(&error).message))?;
    if registrations.is_empty() {
        return Err(Refused::new(Code::UnknownUser, format!("user not found: {}", shown(&user))));
    }
    let in_force = app.in_force.load_full();
    let (exchange, lp_id) = market_of(&in_force, registrations, &unit, named.as_deref()).map_err(|why| {
        let message = format!("unit for user {} not found: {}{why}", shown(&user), shown(&unit));
        Refused::new(Code::UnknownUnit, message)
    })?;
    let members = form.rest().into_iter().map(|(name, value)| Member { name, value: Scalar::Text(value) });
    let members = members.collect();
    Ok((lp_id, Posted { exchange, unit, user, sign, members, rates }))
}

/// The one exchange that a key is meant for, or why there is none, beyond what is said anyway.
fn market_of(
    in_force: &InForce,
    registrations: Vec<RegisteredAt>,
    unit: &str,
    named: Option<&str>,
) -> Result<(String, i64), &'static str> {
    let serves = |at: &RegisteredAt| {
        let is_served = in_force.config.unit(&at.exchange, unit).is_some();
        is_served
            && at.lp.units.iter().any(|known| known == unit)
            && named.is_none_or(|named| named == at.exchange)
    };
    let mut found = registrations.into_iter().filter(serves);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok((at.exchange, at.lp.lp_id)),
        (Some(_), Some(_)) => {
            Err(", because it is registered at several exchanges: name one in the field exchange")
        }
        (None, _) => Err(""),
    }
}

/// A minimal rate as Python writes floats. What is below 1e-18 is rounded up, so that nobody is paid less than was asked.
fn rate(name: &str, written: &str) -> Result<Rate, Refused> {
    Rate::parse_at_least(written).map_err(|error| {
        let message = format!("invalid cost information received: {name} {error}");
        Refused::new(Code::InvalidRate, message)
    })
}

/// Submits through the way that all submissions go, and notes what came of it for `/<user>`.
async fn submit(
    app: &App,
    (lp_id, posted): (i64, Posted),
    body: &[u8],
    peer: Peer,
) -> Result<(String, HeaderMap), Refused> {
    let (exchange, unit, sign) = (posted.exchange.clone(), posted.unit.clone(), posted.sign.clone());
    let told = submit_posted(app, posted, body, peer).await;
    let error = error_of(&told, &sign);
    let accepted = told.as_ref().is_ok_and(|accepted| accepted.far.as_ref().is_none_or(|far| !far.all));
    let in_force = app.in_force.load_full();
    let now_ms = app.now_ms();
    let round = in_force.config.pool.round;
    let mut ignored = String::new();
    if let Some(market) = in_force.config.unit(&exchange, &unit) {
        let terms = &market.rules_at(round.start_of(now_ms / 1_000)).terms;
        let slicing = Slicing { round, slices: terms.looks().slices() };
        app.responses.note((lp_id, &unit), slicing, now_ms, Heard { accepted, error: error.as_deref() });
        let engine = terms.rules().engine();
        for side in Side::BOTH.into_iter().filter(|side| !engine.kind(*side).takes_minimal_rates()) {
            let (side, name) = (side.name(), engine.kind(side).name());
            ignored.push_str(&format!("; the minimal rate {side} is ignored by {name}"));
        }
    }
    match told {
        Ok(accepted) => Ok((format!("success: {}{ignored}", accepted.sentence), accepted.headers)),
        Err(refusal) => Err(Refused::new(Code::Refused, unable(&refusal.message))),
    }
}

/// What `/<user>` tells as the last error: a refusal without the signature that some exchanges repeat, or that an order
/// is beyond every tolerance. Clients look for the words about the price, and fetch a new one then.
fn error_of(told: &Result<Accepted, Refusal>, sign: &str) -> Option<String> {
    match told {
        Ok(Accepted { far: Some(far), .. }) => {
            Some(unable(&format!("order {} deviates too much from current price", shown(&far.first_id))))
        }
        Ok(_) => None,
        Err(refusal) => Some(unable(&without_signature(&refusal.message, sign))),
    }
}

fn unable(why: &str) -> String {
    format!("unable to validate request: {why}")
}

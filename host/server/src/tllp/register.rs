//! `POST /register` with `key`, `address` and `name`, which is the exchange: registers a key for all of its units.
//!
//! The original bound a key to its first address and made a thread for each unit; here it is a row for each.

use alp_store::{RegisterOutcome, StoreError};
use axum::extract::Request;
use axum::response::Response;

use super::form::Form;
use super::receive_form;
use super::reply::{Code, Refused, coded};
use crate::app::App;
use crate::message::{check_text, shown};
use crate::registrations::check_address;
use crate::submissions::store_refusal;

pub(crate) async fn take(app: &App, request: Request) -> Response {
    let registered = async {
        let (_, _, form) = receive_form(app, request).await?;
        register(app, form).await
    };
    match registered.await {
        Ok(()) => coded(Code::Success, "success"),
        Err(Refused { code, message }) => coded(code, &message),
    }
}

async fn register(app: &App, mut form: Form) -> Result<(), Refused> {
    let invalid =
        |what: String| Refused::new(Code::InvalidData, format!("invalid registration data received: {what}"));
    let mut field = |name: &'static str| {
        let value = form.take(name).ok_or_else(|| invalid(format!("no {name}")))?;
        // Keys are bounded as keys are everywhere, whatever they are called here.
        check_text(if name == "key" { "user" } else { name }, &value).map_err(invalid)?;
        Ok::<_, Refused>(value)
    };
    let (key, address, exchange) = (field("key")?, field("address")?, field("name")?);
    if let Some((name, _)) = form.rest().first() {
        return Err(invalid(format!("the field {} is not one of key, address and name", shown(name))));
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(invalid("key must be printable ASCII characters without blanks".to_owned()));
    }
    let in_force = app.in_force.load_full();
    check_address(&in_force.config.pool.address, &address)
        .map_err(|reason| Refused::new(Code::InvalidAddress, format!("invalid payout address: {reason}")))?;
    let Some(settings) = in_force.config.exchanges.get(&exchange) else {
        let message = format!("unknown exchange requested: {}", shown(&exchange));
        return Err(Refused::new(Code::UnknownExchange, message));
    };
    let failed = |error: StoreError| Refused::new(Code::Refused, store_refusal(&error).message);
    let other_address = || {
        Refused::new(
            Code::OtherAddress,
            format!("user already exists with different address: {}", shown(&key)),
        )
    };
    let known = app.store.registrations_of(&key).await.map_err(failed)?;
    let known = known.into_iter().find(|at| at.exchange == exchange);
    let is_known = |unit: &String| known.as_ref().is_some_and(|at| at.lp.units.contains(unit));
    // Clients register at every start: the first unit has the store hold the address against the one in force, and of the
    // others those are written that it does not have yet.
    let units = settings.units.keys().enumerate().filter(|(place, unit)| *place == 0 || !is_known(unit));
    for (_, unit) in units {
        match app.store.register(&exchange, &key, &address, unit).await.map_err(failed)? {
            RegisterOutcome::Registered { .. } | RegisterOutcome::AlreadyRegistered { .. } => {}
            RegisterOutcome::OtherAddress { .. } => return Err(other_address()),
        }
    }
    Ok(())
}

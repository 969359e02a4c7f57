//! `GET /<user>`: what an API key is owed, how its requests fared in the last round's worth of slices, and what its
//! orders earned in the last credited round.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_pool::decimal::format_units;
use alp_pool::money::Coins;
use alp_pool::round::RoundLength;
use alp_pool::terms::Side;
use alp_store::{CreditedSample, RegisteredAt};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use super::levels::Levels;
use super::reply::{Code, PageError, not_found, page};
use super::responses::Told;
use crate::app::App;
use crate::message::shown;
use crate::rounds::coins_from;
use crate::wire::Tree;

/// How many rounds back a credit is still shown as what orders earn now.
const SHOWN_ROUNDS: u64 = 3;

/// Decimals of an efficiency.
const EFFICIENCY_SCALE: u32 = 4;

pub(super) async fn show(State(app): State<Arc<App>>, user: Result<Path<String>, PathRejection>) -> Response {
    let user = user.map(|Path(user)| user).unwrap_or_default();
    let registrations = match app.store.registrations_of(&user).await {
        Ok(registrations) => registrations,
        Err(error) => return page(Err(error.into())),
    };
    if registrations.is_empty() {
        return not_found(Code::UnknownUser, &format!("user not found: {}", shown(&user)));
    }
    page(user_page(&app, &user, &registrations).await)
}

/// Units that had no request lately are left out, as in the original: clients take each unit here for one of theirs.
async fn user_page(app: &App, user: &str, registrations: &[RegisteredAt]) -> Result<Tree, PageError> {
    let now_ms = app.now_ms();
    let mut units = BTreeMap::new();
    let mut all = Told::default();
    for at in registrations {
        for unit in &at.lp.units {
            let Some(told) = app.responses.of(at.lp.lp_id, unit, now_ms) else { continue };
            all.slices = all.slices.saturating_add(told.slices);
            all.rejected = all.rejected.saturating_add(told.rejected);
            all.missing = all.missing.saturating_add(told.missing);
            let earned = earned(app, at.lp.lp_id, unit, now_ms).await?;
            // The protocol knows a key at one exchange. Where it is at several, each further one is named.
            let taken = units.contains_key(unit);
            let name = if taken { format!("{unit}@{}", at.exchange) } else { unit.clone() };
            units.insert(name, shown_unit(&told, &earned));
        }
    }
    let owed_e8 = app.store.owed_to(user).await?.unwrap_or(0);
    let owed = coins_from(owed_e8.max(0)).unwrap_or(Coins::ZERO);
    Ok(Tree::object([
        ("balance", Tree::number(owed)),
        ("efficiency", efficiency(&all)),
        ("rejects", Tree::whole(all.rejected)),
        ("missing", Tree::whole(all.missing)),
        ("message", Tree::text(message(app))),
        ("units", Tree::Object(units)),
    ]))
}

fn shown_unit(told: &Told, earned: &Levels) -> Tree {
    let silent = told.missing.saturating_add(told.rejected) >= told.slices;
    Tree::object([
        ("bid", earned.shown(Side::Bid)),
        ("ask", earned.shown(Side::Ask)),
        ("rate", earned.rates()),
        ("rejects", Tree::whole(told.rejected)),
        ("missing", Tree::whole(told.missing)),
        ("active", Tree::Flag(!silent)),
        ("last_error", Tree::text(told.last_error.as_str())),
    ])
}

/// 1 − (rejected + missing) / slices, floored; nothing where no unit is shown, as in the original.
fn efficiency(all: &Told) -> Tree {
    let good = all.slices.saturating_sub(all.rejected).saturating_sub(all.missing);
    let efficiency = good.saturating_mul(10_000).checked_div(all.slices).unwrap_or(0);
    Tree::number(format_units(u128::from(efficiency), EFFICIENCY_SCALE))
}

/// What every client shows to its user with the word ATTENTION before it.
fn message(app: &App) -> &'static str {
    if app.leadership.has_other_configuration() {
        return "this server has another configuration than the pool; the pool's operator must act";
    }
    ""
}

/// What the orders of an LP and unit earned in the newest credited round, unless that is long ago.
async fn earned(app: &App, lp_id: i64, unit: &str, now_ms: u64) -> Result<Levels, PageError> {
    let round = app.in_force.load().config.pool.round;
    let newest = app.store.credited_rounds(lp_id, unit, 0, 1).await?;
    let is_recent = |credited: &&CreditedSample| is_recent(credited.round_start, round, now_ms);
    Ok(newest
        .first()
        .filter(is_recent)
        .map(|credited| Levels::read(credited, round))
        .transpose()?
        .unwrap_or_default())
}

fn is_recent(round_start: u64, round: RoundLength, now_ms: u64) -> bool {
    let shown_s = u64::from(round.seconds()).saturating_mul(SHOWN_ROUNDS);
    round_start.saturating_add(shown_s) >= now_ms / 1_000
}

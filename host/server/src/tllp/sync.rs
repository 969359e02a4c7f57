//! `GET /sync`: the pool's time, by which bots align themselves: they wait until `time` is a multiple of `sync`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::responses::Slicing;
use crate::app::{App, InForce};
use crate::wire::{Tree, json};

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let now_ms = app.now_ms();
    let slicing = finest(&app.in_force.load_full(), now_ms);
    let body = Tree::object([
        ("time", Tree::whole(now_ms)),
        ("sync", Tree::whole(sync_ms(slicing))),
        ("round", Tree::whole(slicing.slice_of(now_ms))),
    ]);
    json(StatusCode::OK, &body)
}

/// How the market with the most slices cuts its rounds at this moment: the protocol has one number for all of a pool.
pub(super) fn finest(in_force: &InForce, now_ms: u64) -> Slicing {
    let round = in_force.config.pool.round;
    let now_s = round.start_of(now_ms / 1_000);
    let units = in_force.config.exchanges.values().flat_map(|settings| settings.units.values());
    let slices = units.map(|unit| unit.rules_at(now_s).terms.looks().slices()).max().unwrap_or(1);
    Slicing { round, slices }
}

/// A slice in milliseconds. One that is no whole number of them would drift away from the round; then it is the round.
fn sync_ms(slicing: Slicing) -> u64 {
    let round_ms = u64::from(slicing.round.seconds()).saturating_mul(1_000);
    let slices = u64::from(slicing.slices);
    match (round_ms.checked_rem(slices), round_ms.checked_div(slices)) {
        (Some(0), Some(slice_ms)) => slice_ms,
        (_, _) => round_ms,
    }
}

#[cfg(test)]
mod tests {
    use alp_pool::round::RoundLength;

    use super::*;

    #[test]
    fn bots_wait_for_a_slice_or_where_that_is_no_whole_number_for_the_round() {
        let sync = |slices| sync_ms(Slicing { round: RoundLength::MINUTE, slices });
        assert_eq!([sync(1), sync(6), sync(24), sync(60), sync(7)], [60_000, 10_000, 2_500, 1_000, 60_000]);
    }
}

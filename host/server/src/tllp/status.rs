//! `GET /status`: the liquidity of the last round, and how often the pool looks.

use std::sync::Arc;

use alp_pool::money::Amount;
use alp_pool::terms::Side;
use alp_record::judged::{RecordError, RoundStatistics};
use axum::extract::State;
use axum::response::Response;

use super::market::last_round;
use super::reply::{PageError, page};
use super::responses::Slicing;
use super::sync::finest;
use crate::app::App;
use crate::wire::Tree;

/// Seconds of a minute, of which clients count looks.
const MINUTE: u64 = 60;

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    page(status(&app).await)
}

async fn status(app: &App) -> Result<Tree, PageError> {
    let statistics = last_round(app).await?;
    let now_ms = app.now_ms();
    let slicing = finest(&app.in_force.load_full(), now_ms);
    let looks = slicing.slice_of(now_ms).saturating_sub(slicing.slice_of(app.started_at_ms));
    let [bid, ask] = [liquidity(&statistics, Side::Bid)?, liquidity(&statistics, Side::Ask)?];
    Ok(Tree::object([
        ("liquidity", Tree::List(vec![Tree::number(bid), Tree::number(ask)])),
        ("sampling", Tree::whole(sampling(slicing))),
        ("users", Tree::whole(statistics.active_users)),
        // Since the server started, as the original counted.
        ("credits", Tree::whole(looks.checked_div(u64::from(slicing.slices)).unwrap_or(0))),
        ("validations", Tree::whole(looks)),
    ]))
}

/// How many looks there are in a minute, floored, and one at least: clients divide by it.
fn sampling(slicing: Slicing) -> u64 {
    let looks = u64::from(slicing.slices).saturating_mul(MINUTE);
    looks.checked_div(u64::from(slicing.round.seconds())).unwrap_or(1).max(1)
}

fn liquidity(statistics: &RoundStatistics, side: Side) -> Result<Amount, RecordError> {
    let damaged = || RecordError::Damaged("an amount");
    let sides = statistics.markets.iter().flat_map(|market| &market.sides);
    let totals = sides.filter(|of| of.side == side.name()).map(|of| Amount::parse_sum(&of.total));
    let totals = totals.collect::<Result<Vec<_>, _>>().map_err(|_| damaged())?;
    Amount::sum(totals).map_err(|_| damaged())
}

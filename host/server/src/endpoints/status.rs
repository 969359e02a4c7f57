//! `GET /status`: the last round, and the prices.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_store::PoolStatus;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::failures::server_error;
use crate::app::App;
use crate::payouts::next_payout_time;
use crate::prices::pool_price;
use crate::wire::{Tree, json};
use alp_record::judged::{MarketStatistics, RoundStatistics, SideStatistics, from_json};

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let status = match app.store.pool_status().await {
        Ok(status) => status,
        Err(error) => return server_error(&error),
    };
    let Some(last) = &status.last_credit else {
        let message = Tree::text("no statistics exist yet.");
        return json(StatusCode::OK, &Tree::object([("status", Tree::Flag(false)), ("message", message)]));
    };
    let statistics: RoundStatistics = match from_json(&last.statistics, "the last round") {
        Ok(statistics) => statistics,
        Err(error) => return server_error(&error),
    };
    let now_ms = app.now_ms();
    let message = Tree::object([
        ("meta", meta(&status, last.round_start, &statistics, next_payout_time(&app).await)),
        ("totals", by_market(&statistics, totals)),
        ("rewards", by_market(&statistics, rewards)),
        ("prices", prices(&app, now_ms)),
    ]);
    let body = Tree::object([
        ("status", Tree::Flag(true)),
        ("message", message),
        ("server_time", Tree::whole(now_ms / 1000)),
        ("server_up_time", Tree::whole(now_ms.saturating_sub(app.started_at_ms) / 1000)),
    ]);
    json(StatusCode::OK, &body)
}

fn meta(status: &PoolStatus, round_start: u64, statistics: &RoundStatistics, next_payout: u64) -> Tree {
    Tree::object([
        ("last-credit-time", Tree::whole(round_start)),
        // Zero says that no payout is scheduled.
        ("next-payout-time", Tree::whole(next_payout)),
        ("number-of-users", Tree::whole(status.number_of_users)),
        ("number-of-users-active", Tree::whole(statistics.active_users)),
        ("number-of-orders", Tree::whole(statistics.orders)),
    ])
}

/// `{exchange: {unit: …}}`.
fn by_market(statistics: &RoundStatistics, show: impl Fn(&MarketStatistics) -> Tree) -> Tree {
    let mut exchanges: BTreeMap<String, BTreeMap<String, Tree>> = BTreeMap::new();
    for market in &statistics.markets {
        exchanges.entry(market.exchange.clone()).or_default().insert(market.unit.clone(), show(market));
    }
    Tree::Object(exchanges.into_iter().map(|(exchange, units)| (exchange, Tree::Object(units))).collect())
}

fn totals(market: &MarketStatistics) -> Tree {
    let mut members = sides(market, |side| {
        let mut members = ranks(side, |rank| &rank.total);
        members.insert("total".to_owned(), Tree::number(&side.total));
        members
    });
    members.insert("total".to_owned(), Tree::number(&market.total));
    Tree::Object(members)
}

fn rewards(market: &MarketStatistics) -> Tree {
    Tree::Object(sides(market, |side| ranks(side, |rank| &rank.pot)))
}

fn sides(
    market: &MarketStatistics,
    show: impl Fn(&SideStatistics) -> BTreeMap<String, Tree>,
) -> BTreeMap<String, Tree> {
    market.sides.iter().map(|side| (side.side.clone(), Tree::Object(show(side)))).collect()
}

fn ranks<'s>(
    side: &'s SideStatistics,
    number: impl Fn(&'s alp_record::judged::RankStatistics) -> &'s String,
) -> BTreeMap<String, Tree> {
    side.ranks.iter().map(|rank| (format!("rank_{}", rank.rank), Tree::number(number(rank)))).collect()
}

/// `{unit: [price, 1 / price]}` for every unit that has a price now.
fn prices(app: &App, now_ms: u64) -> Tree {
    let in_force = app.in_force.load();
    let shown = in_force.config.prices.iter().filter_map(|(unit, config)| {
        let price = app.prices.current(unit, config, now_ms)?;
        let inverse = pool_price(price, true).rounded().map_or(Tree::Null, Tree::number);
        Some((unit.clone(), Tree::List(vec![Tree::number(price), inverse])))
    });
    Tree::Object(shown.collect())
}

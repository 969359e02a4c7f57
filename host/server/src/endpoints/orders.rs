//! `GET /<user>/orders`: the newest orders of an API key, and what came of each.

use std::sync::Arc;

use alp_pool::decimal::format_units;
use alp_pool::money::{Amount, COIN_SCALE, Coins};
use alp_store::{CreditedRound, UserSample};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::failures::{NOT_UTF8, server_error};
use crate::app::App;
use crate::message::shown;
use crate::wire::{Tree, json, outcome};
use alp_record::judged::{
    CreditDetail, MarketStatistics, OrderRecord, PriceRecord, RecordError, RoundStatistics, from_json,
};

/// How many orders are shown, as in the original.
const SHOWN: usize = 100;

/// Room for the numbers of one round's orders: an order is numbered by its round and its place in it.
const NUMBERS_PER_ROUND: u64 = 100_000;

pub(super) async fn show(State(app): State<Arc<App>>, user: Result<Path<String>, PathRejection>) -> Response {
    let Ok(Path(user)) = user else { return outcome(false, NOT_UTF8) };
    let samples = match app.store.orders_of(&user, SHOWN as u64).await {
        Ok(Some(samples)) => samples,
        Ok(None) => return outcome(false, &format!("user {} is not registered", shown(&user))),
        Err(error) => return server_error(&error),
    };
    match list(&samples) {
        Ok(orders) => {
            let body = Tree::object([
                ("success", Tree::Flag(true)),
                ("message", Tree::List(orders)),
                ("server_time", Tree::whole(app.now_ms() / 1000)),
            ]);
            json(StatusCode::OK, &body)
        }
        Err(error) => server_error(&error),
    }
}

fn list(samples: &[UserSample]) -> Result<Vec<Tree>, RecordError> {
    let mut orders = Vec::new();
    let mut number_in_round = 0;
    let mut round_start = None;
    for sample in samples {
        if round_start != Some(sample.round_start) {
            (round_start, number_in_round) = (Some(sample.round_start), 0);
        }
        let price: PriceRecord = from_json(&sample.price, "a price")?;
        let records: Vec<OrderRecord> = from_json(&sample.orders, "a sample")?;
        let earned = Earned::read(sample)?;
        for (place, record) in records.iter().enumerate() {
            if orders.len() >= SHOWN {
                return Ok(orders);
            }
            let number = sample.round_start.saturating_mul(NUMBERS_PER_ROUND).saturating_add(number_in_round);
            number_in_round += 1;
            let credit = earned.as_ref().map(|earned| earned.credit_info(record, place)).transpose()?;
            orders.push(order(sample, &price, record, number, credit));
        }
    }
    Ok(orders)
}

fn order(
    sample: &UserSample,
    price: &PriceRecord,
    record: &OrderRecord,
    number: u64,
    credit: Option<Tree>,
) -> Tree {
    let rank = record.rank.map_or_else(String::new, |rank| format!("rank_{rank}"));
    let mut members = vec![
        ("id", Tree::whole(number)),
        ("order_id", Tree::text(&record.id)),
        ("exchange", Tree::text(&sample.exchange)),
        ("unit", Tree::text(&sample.unit)),
        ("side", Tree::text(record.side.as_str())),
        ("rank", Tree::text(rank)),
        ("order_amount", Tree::number(&record.amount)),
        ("order_price", Tree::number(&record.price)),
        ("server_price", price.rounded().map_or(Tree::Null, Tree::number)),
        ("deviation", Tree::number(&record.deviation)),
        ("tolerance", Tree::number(&record.tolerance)),
        // 1: its round is credited; 0: it waits for the end of its round.
        ("credited", Tree::Whole(i64::from(sample.round.is_some()))),
    ];
    members.extend(credit.map(|credit| ("credit_info", credit)));
    Tree::object(members)
}

/// What a credited round says of one sample.
struct Earned<'s> {
    round: &'s CreditedRound,
    market: MarketStatistics,
    detail: Option<CreditDetail>,
}

impl<'s> Earned<'s> {
    fn read(sample: &'s UserSample) -> Result<Option<Self>, RecordError> {
        let Some(round) = &sample.round else { return Ok(None) };
        let statistics: RoundStatistics = from_json(&round.statistics, "a round")?;
        let ours =
            |market: &MarketStatistics| market.exchange == sample.exchange && market.unit == sample.unit;
        let Some(market) = statistics.markets.into_iter().find(ours) else { return Ok(None) };
        let detail = sample.credit.as_ref().and_then(|credit| credit.detail.as_deref());
        let detail = detail.map(|detail| from_json(detail, "a credit")).transpose()?;
        Ok(Some(Self { round, market, detail }))
    }

    fn credit_info(&self, record: &OrderRecord, place: usize) -> Result<Tree, RecordError> {
        let side = self.market.sides.iter().find(|side| side.side == record.side);
        let rank = side.and_then(|side| side.ranks.iter().find(|rank| Some(rank.rank) == record.rank));
        let earned = self.detail.as_ref().and_then(|detail| detail.orders.get(place));
        let number = |text: Option<&str>| text.map_or(Tree::Whole(0), Tree::number);
        let pots = self.market.sides.iter().map(|side| Coins::parse(&side.reward));
        let pots = pots.collect::<Result<Vec<_>, _>>().map_err(|_| RecordError::Damaged("a pot"))?;
        let pots = Coins::sum(pots).map_err(|_| RecordError::Damaged("a pot"))?;
        Ok(Tree::object([
            ("credited_time", Tree::whole(self.round.credited_at_ms / 1000)),
            ("percentage_of_rank", percentage(record, rank.map(|rank| &rank.total))?),
            ("credit_amount", number(earned.map(|earned| &**earned))),
            ("unit_total_liquidity", Tree::number(&self.market.total)),
            ("unit_target", Tree::number(&self.market.target)),
            ("unit_reward", Tree::number(&self.market.reward)),
            ("calculated_unit_reward", Tree::number(pots)),
            ("side_ratio", number(side.map(|side| side.ratio.as_str()))),
            ("side_reward", number(side.map(|side| side.reward.as_str()))),
            ("rank_total_liquidity", number(rank.map(|rank| rank.total.as_str()))),
            ("rank_reward", number(rank.map(|rank| rank.pot.as_str()))),
            ("rank_ratio", number(rank.map(|rank| rank.ratio.as_str()))),
        ]))
    }
}

/// How much of its rank the order is, in per cent with eight decimals, half to even.
fn percentage(record: &OrderRecord, total: Option<&String>) -> Result<Tree, RecordError> {
    let Some(total) = total else { return Ok(Tree::Whole(0)) };
    let parse = |text: &str| Amount::parse_sum(text).map_err(|_| RecordError::Damaged("an amount"));
    let percent = parse(&record.amount)?.percent_e8_of(parse(total)?);
    Ok(percent.map_or(Tree::Whole(0), |percent| Tree::number(format_units(percent, COIN_SCALE))))
}

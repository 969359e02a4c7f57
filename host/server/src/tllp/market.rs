//! A market as the protocol shows it: for each side the highest rate a day, the target, and what the last round paid.

use alp_pool::engines::auction_tllp::Highest;
use alp_pool::engines::{MarketEngine, SideEngine};
use alp_pool::money::{Amount, COIN_SCALE, Coins};
use alp_pool::rate::Rate;
use alp_pool::round::RoundLength;
use alp_pool::terms::Side;
use alp_record::MarketTerms;
use alp_record::judged::{MarketStatistics, RoundStatistics, SideStatistics, from_json};

use super::reply::PageError;
use crate::app::{App, InForce};
use crate::wire::Tree;

/// The target of a side that has none, as the pools of fixed cost told it to their clients: nobody ever reached it.
const NO_TARGET: &str = "1000000";

/// Where an engine has a day's cost in place of a rate, that cost over so much liquidity is shown as the rate: bots take
/// the rate for their minimum unless they are told another, and this one is always served. So did the pools of fixed cost.
const FIXED_COST_LIQUIDITY: &str = "10000000";

/// Minutes of a day.
const MINUTES: u128 = 24 * 60;

/// A market by the rules of the round that runs, and what the last one says of it.
pub(super) fn market_of(
    in_force: &InForce,
    last: &RoundStatistics,
    (exchange, unit): (&str, &str),
    now_ms: u64,
) -> Option<Tree> {
    let round = in_force.config.pool.round;
    let rules = in_force.config.unit(exchange, unit)?.rules_at(round.start_of(now_ms / 1_000));
    let last = last.markets.iter().find(|last| last.exchange == exchange && last.unit == unit);
    Some(market(&rules.terms, last, round))
}

fn market(terms: &MarketTerms, last: Option<&MarketStatistics>, round: RoundLength) -> Tree {
    let sides = Side::BOTH.map(|side| {
        let of_side = last.and_then(|last| last.sides.iter().find(|known| known.side == side.name()));
        (side.name(), shown_side(terms, side, of_side, round))
    });
    Tree::object(sides)
}

/// The statistics of the last credited round; empty if there is none.
pub(super) async fn last_round(app: &App) -> Result<RoundStatistics, PageError> {
    let last = app.store.pool_status().await?.last_credit;
    let statistics = last.map(|last| from_json(&last.statistics, "the last round")).transpose()?;
    Ok(statistics.unwrap_or_default())
}

/// `low` and `high` are one: what a coin of the side earned in the last round, projected to a day. The original showed the
/// two rates of its auction there, which do not exist elsewhere.
fn shown_side(terms: &MarketTerms, side: Side, last: Option<&SideStatistics>, round: RoundLength) -> Tree {
    let rate = rate_of(terms, side);
    let shown = last.and_then(|last| {
        let total = Amount::parse_sum(&last.total).ok()?;
        Some((total, Rate::earned(Coins::parse(&last.reward).ok()?, total, round)))
    });
    let paid = shown.map_or(rate, |(_, paid)| paid);
    let orders = shown.map_or_else(Vec::new, |(total, paid)| vec![Tree::List(vec![level(total, paid)])]);
    Tree::object([
        ("rate", Tree::number(rate)),
        ("target", Tree::number(target_of(terms, side))),
        ("low", Tree::number(paid)),
        ("high", Tree::number(paid)),
        ("orders", Tree::List(orders)),
    ])
}

/// So much liquidity at such a rate a day.
pub(super) fn level(amount: Amount, rate: Rate) -> Tree {
    Tree::object([("amount", Tree::number(amount)), ("cost", Tree::number(rate))])
}

fn target_of(terms: &MarketTerms, side: Side) -> Amount {
    let target = match terms.rules().engine() {
        MarketEngine::FixedPot(rule) => Some(rule.terms().target()),
        MarketEngine::PerSide { ask, bid } => of_side(side, ask, bid).target(),
    };
    target.unwrap_or_else(|| amount(NO_TARGET))
}

/// The highest rate a day: the engine's own, or a fixed reward over the target, or a day's cost over liquidity that
/// nobody reaches. Floored.
fn rate_of(terms: &MarketTerms, side: Side) -> Rate {
    let engine = match terms.rules().engine() {
        MarketEngine::FixedPot(rule) => {
            let daily = daily_pot(rule.terms().reward_per_minute(), rule.terms().side(side).ratio().e8());
            return Rate::earned(daily, rule.terms().target(), RoundLength::DAY);
        }
        MarketEngine::PerSide { ask, bid } => of_side(side, ask, bid),
    };
    match engine {
        SideEngine::AuctionTllp(rule) => match rule.highest() {
            Highest::Rate(rate) => rate,
            Highest::DailyCost(daily) => over_all(daily),
        },
        SideEngine::UniformAuction(rule) => rule.highest(),
        SideEngine::Sigmoid(rule) => rule.rate(),
        SideEngine::FixedCost(rule) => over_all(rule.daily()),
        SideEngine::SpreadWeighted(rule) => over_all(rule.daily()),
    }
}

fn of_side<'e>(side: Side, ask: &'e SideEngine, bid: &'e SideEngine) -> &'e SideEngine {
    match side {
        Side::Ask => ask,
        Side::Bid => bid,
    }
}

fn over_all(daily: Coins) -> Rate {
    Rate::earned(daily, amount(FIXED_COST_LIQUIDITY), RoundLength::DAY)
}

/// A side's part of a reward a minute, for a day, floored.
fn daily_pot(per_minute: Coins, ratio_e8: u32) -> Coins {
    let daily = u128::from(per_minute.e8()).saturating_mul(MINUTES).saturating_mul(u128::from(ratio_e8));
    let one = 10_u128.checked_pow(COIN_SCALE).unwrap_or(u128::MAX);
    let e8 = daily.checked_div(one).and_then(|daily| u64::try_from(daily).ok());
    e8.and_then(Coins::from_e8).unwrap_or(Coins::MAX)
}

fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap_or(Amount::ZERO)
}

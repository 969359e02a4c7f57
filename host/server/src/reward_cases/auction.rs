//! Cases of the Dutch auction, each a day.
//! It knows the members of a case; the auction is the engine's.

use std::collections::{BTreeMap, BTreeSet};

use alp_pool::credit::LpId;
use alp_pool::decimal;
use alp_pool::engines::auction_tllp::{Highest, TllpRule};
use alp_pool::engines::book::{Book, BookOrder};
use alp_pool::engines::counting::Counting;
use alp_pool::engines::pot::MarketShare;
use alp_pool::engines::unpaid::{PerSide, Unpaid};
use alp_pool::engines::{MarketEngine, MarketRules, SideEngine, share_market};
use alp_pool::money::{Amount, Coins};
use alp_pool::rate::Rate;
use alp_pool::round::{Round, RoundLength};
use alp_pool::terms::{RankNumber, Side};
use serde::Deserialize;

use super::{CaseError, Number, Row};

#[derive(Deserialize)]
pub(super) struct Case {
    name: Option<String>,
    max_rate: Number,
    target: Number,
    fixed_cost: Option<Number>,
    orders: Vec<Order>,
    daily: BTreeMap<String, Number>,
}

#[derive(Deserialize)]
struct Order {
    user: String,
    id: String,
    amount: Number,
    min_rate: Number,
}

/// Runs one case.
pub(super) fn check(number: &str, case: &Case) -> Result<Vec<Row>, CaseError> {
    let name = case.name.as_deref().unwrap_or(number);
    let users: BTreeSet<&str> = case
        .orders
        .iter()
        .map(|order| order.user.as_str())
        .chain(case.daily.keys().map(String::as_str))
        .collect();
    let mut numbers: BTreeMap<&str, LpId> = BTreeMap::new();
    for (user, lp) in users.into_iter().zip(0i64..) {
        numbers.insert(user, LpId(lp));
    }
    let share = share(case, &numbers)?;
    let mut rows = Vec::with_capacity(numbers.len());
    for (user, lp) in &numbers {
        let expected = case.daily.get(*user).map_or("0", |number| number.0.as_str());
        let got =
            share.credits.iter().find(|credit| credit.lp == *lp).map_or(Coins::ZERO, |credit| credit.credit);
        rows.push(Row::credit(name, (*user).to_owned(), expected, got.to_string())?);
    }
    let pots = Coins::sum(share.pots.iter().map(|pot| pot.coins))?;
    rows.push(Row::sum(name, "sum of credits".to_owned(), &pots.to_string(), share.paid.to_string())?);
    Ok(rows)
}

fn share(case: &Case, numbers: &BTreeMap<&str, LpId>) -> Result<MarketShare, CaseError> {
    let highest = match &case.fixed_cost {
        Some(cost) => Highest::DailyCost(cost.read(ten_million_times)?),
        None => Highest::Rate(case.max_rate.read(Rate::parse)?),
    };
    let engine = SideEngine::AuctionTllp(TllpRule::new(highest, case.target.read(Amount::parse)?)?);
    let engine = MarketEngine::PerSide { ask: engine.clone(), bid: engine };
    let rules = MarketRules::new(engine, Counting::default(), Unpaid::Drop)?;
    let mut orders = Vec::with_capacity(case.orders.len());
    for order in &case.orders {
        orders.push(BookOrder {
            lp: numbers.get(order.user.as_str()).copied().ok_or(CaseError::Users)?,
            id: order.id.clone(),
            side: Side::Ask,
            amount: order.amount.read(Amount::parse)?,
            rank: Some(RankNumber(1)),
            deviation_e8: 0,
            min_rate: Some(order.min_rate.read(Rate::parse)?),
            age_s: None,
        });
    }
    let day = Round { start_s: 0, length: RoundLength::DAY };
    Ok(share_market(&rules, &Book::new(1, orders)?, day, PerSide::default())?)
}

/// The original's fixed cost counts in ten millions of coins.
fn ten_million_times(text: &str) -> Result<Coins, decimal::DecimalError> {
    // A coin's scale and seven places more.
    let units = decimal::parse_units(text, 15, u128::from(Coins::MAX.e8()))?;
    Ok(u64::try_from(units).ok().and_then(Coins::from_e8).unwrap_or(Coins::MAX))
}

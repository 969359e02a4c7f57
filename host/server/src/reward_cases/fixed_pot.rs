//! Cases of the fixed pot, each a minute, in which every order with a rank fills the target.
//! It knows the members of a case; the rule is the engine's.

use std::collections::BTreeMap;

use alp_pool::credit::LpId;
use alp_pool::engines::book::{Book, BookOrder};
use alp_pool::engines::counting::Counting;
use alp_pool::engines::fixed_pot::{FixedPotRule, Targets};
use alp_pool::engines::pot::{MarketShare, PotKind};
use alp_pool::engines::unpaid::{PerSide, Unpaid};
use alp_pool::engines::{MarketEngine, MarketRules, share_market};
use alp_pool::judge::{ReportedOrder, judge_orders};
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::price::{PoolPrice, Price};
use alp_pool::round::{Round, RoundLength};
use alp_pool::terms::{Fill, RankNumber, RankTerms, Side, SideTerms, Terms};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{CaseError, Number, Row};

#[derive(Deserialize)]
pub(super) struct Case {
    price: Number,
    config: Config,
    orders: Vec<Order>,
    pots: BTreeMap<String, Number>,
    rewards: Vec<Reward>,
}

#[derive(Deserialize)]
struct Config {
    reward: Number,
    target: Number,
    ask: SideConfig,
    bid: SideConfig,
}

/// `ratio`, and a configuration for each rank.
#[derive(Deserialize)]
struct SideConfig(BTreeMap<String, Box<RawValue>>);

#[derive(Deserialize)]
struct RankConfig {
    ratio: Number,
    tolerance: Number,
}

#[derive(Deserialize)]
struct Order {
    user: String,
    id: String,
    side: SideName,
    amount: Number,
    price: Number,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum SideName {
    Ask,
    Bid,
}

#[derive(Deserialize)]
struct Reward {
    id: String,
    reward: Number,
}

/// Runs one case.
pub(super) fn check(number: &str, case: &Case) -> Result<Vec<Row>, CaseError> {
    let share = share(case)?;
    let mut rows = Vec::new();
    let mut all = Coins::ZERO;
    for pot in &share.pots {
        if let PotKind::Rank(rank) = pot.kind {
            let name = format!("{}.rank_{}", pot.side.name(), rank.0);
            let expected = case.pots.get(&name).map_or("0", |number| number.0.as_str());
            rows.push(Row::sum(number, name, expected, pot.coins.to_string())?);
        }
        all = all.plus(pot.coins)?;
    }
    if case.rewards.len() != case.orders.len() {
        return Err(CaseError::Rewards);
    }
    for ((order, reward), outcome) in case.orders.iter().zip(&case.rewards).zip(&share.orders) {
        if order.id != reward.id {
            return Err(CaseError::Rewards);
        }
        let who = format!("{} order {}", order.user, order.id);
        rows.push(Row::credit(number, who, &reward.reward.0, outcome.credit.to_string())?);
    }
    rows.push(Row::sum(number, "sum of credits".to_owned(), &all.to_string(), share.paid.to_string())?);
    Ok(rows)
}

fn share(case: &Case) -> Result<MarketShare, CaseError> {
    let config = &case.config;
    let terms = Terms::new(
        config.reward.read(Coins::parse)?,
        config.target.read(Amount::parse)?,
        Fill::All,
        side_terms(&config.ask)?,
        side_terms(&config.bid)?,
    )?;
    let price = Price::parse(&case.price.0)
        .map_err(|source| CaseError::Price { text: case.price.0.clone(), source })?;
    let mut users: BTreeMap<&str, LpId> = BTreeMap::new();
    for (order, number) in case.orders.iter().zip(0i64..) {
        users.entry(order.user.as_str()).or_insert(LpId(number));
    }
    let mut orders = Vec::with_capacity(case.orders.len());
    for order in &case.orders {
        let side = match order.side {
            SideName::Ask => Side::Ask,
            SideName::Bid => Side::Bid,
        };
        let reported = ReportedOrder { id: &order.id, side, price: &order.price.0, amount: &order.amount.0 };
        for judged in judge_orders([reported], &terms, PoolPrice::direct(price))? {
            orders.push(BookOrder {
                lp: users.get(order.user.as_str()).copied().ok_or(CaseError::Users)?,
                id: judged.id,
                side,
                amount: judged.amount,
                rank: judged.rank,
                deviation_e8: judged.deviation_e8,
                min_rate: None,
                age_s: None,
            });
        }
    }
    let engine = MarketEngine::FixedPot(FixedPotRule::new(terms, Targets::OfMarket)?);
    let rules = MarketRules::new(engine, Counting::default(), Unpaid::Drop)?;
    let minute = Round { start_s: 0, length: RoundLength::MINUTE };
    Ok(share_market(&rules, &Book::new(1, orders)?, minute, PerSide::default())?)
}

fn side_terms(side: &SideConfig) -> Result<SideTerms, CaseError> {
    let mut ranks = Vec::new();
    let mut ratio = None;
    for (name, value) in &side.0 {
        if name == "ratio" {
            ratio = Some(serde_json::from_str::<Number>(value.get())?);
        }
        // Another member, such as a note, is no rank.
        let Some(number) = name.strip_prefix("rank_").and_then(|number| number.parse().ok()) else {
            continue;
        };
        let rank: RankConfig = serde_json::from_str(value.get())?;
        ranks.push(RankTerms {
            number: RankNumber(number),
            ratio: rank.ratio.read(Ratio::parse)?,
            tolerance: rank.tolerance.read(Ratio::parse)?,
        });
    }
    let ratio = ratio.ok_or(CaseError::SideRatio)?;
    Ok(SideTerms::new(ratio.read(Ratio::parse)?, ranks)?)
}

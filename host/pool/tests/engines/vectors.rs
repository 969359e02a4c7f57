//! Every case of `vectors/tllp.json` and `vectors/sigmoid.json`, computed elsewhere.

use alp_pool::credit::LpId;
use alp_pool::engines::SideEngine;
use alp_pool::engines::auction_tllp::{Highest, TllpRule};
use alp_pool::engines::book::BookOrder;
use alp_pool::engines::sigmoid::SigmoidRule;
use alp_pool::money::Coins;
use serde_json::Value;

use crate::book;

const TLLP: &str = include_str!("../vectors/tllp.json");
const SIGMOID: &str = include_str!("../vectors/sigmoid.json");

#[test]
fn every_case_of_the_tllp_auction_is_within_a_unit_of_the_original() {
    let cases: Vec<Value> = serde_json::from_str(TLLP).unwrap();
    assert_eq!(cases.len(), 165);
    for case in &cases {
        check_tllp(case);
    }
}

fn check_tllp(case: &Value) {
    let name = case["name"].as_str().unwrap();
    let target = book::amount(&number(&case["target"]));
    let highest = if case["fixed_cost"].is_null() {
        Highest::Rate(book::rate(&number(&case["max_rate"])))
    } else {
        // The original multiplies a fixed cost by ten million.
        Highest::DailyCost(book::coins(&format!("{}e7", plain(&number(&case["fixed_cost"])))))
    };
    let rules = book::plain(book::both(&SideEngine::AuctionTllp(TllpRule::new(highest, target).unwrap())));
    let users: Vec<&String> = case["daily"].as_object().unwrap().keys().collect();
    let number_of =
        |user: &str| i64::try_from(users.iter().position(|known| *known == user).unwrap()).unwrap();
    let orders: Vec<BookOrder> = case["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| {
            let lp = number_of(order["user"].as_str().unwrap());
            let min_rate = number(&order["min_rate"]);
            book::ask(lp, order["id"].as_str().unwrap(), &number(&order["amount"]), Some(&min_rate))
        })
        .collect();
    let share = book::share(&rules, orders, book::day());
    for credit in &share.credits {
        let LpId(lp) = credit.lp;
        let user = users[usize::try_from(lp).unwrap()];
        let expected = e12(&number(&case["daily"][user]));
        let off = (i128::from(credit.credit.e8()) * 10_000 - expected).abs();
        assert!(off <= 10_000, "{name}: {user} got {}, off by {off}e-12", credit.credit);
    }
    let pots: u64 = share.pots.iter().map(|pot| pot.coins.e8()).sum();
    assert_eq!(share.paid, Coins::from_e8(pots).unwrap(), "{name}: the credits add up to the pots");
    assert_eq!(share.credits.len(), users.len(), "{name}");
}

#[test]
fn every_case_of_the_sigmoid_curve_is_within_a_billionth_of_a_unit() {
    let cases: Vec<Value> = serde_json::from_str(SIGMOID).unwrap();
    assert_eq!(cases.len(), 11);
    for case in &cases {
        let text = |member: &str| number(&case[member]);
        let rule = SigmoidRule::new(
            book::rate(&text("rate")),
            book::amount(&text("target")),
            book::amount(&text("width")),
        )
        .unwrap();
        let before = case["before"].as_u64().unwrap();
        let after = before + case["amount"].as_u64().unwrap();
        let cost = |shown: u64| rule.daily_cost_e18(book::amount(&shown.to_string())).unwrap();
        let got = i128::try_from(cost(after) - cost(before)).unwrap();
        let expected = e12(case["pay"].as_str().unwrap()) * 1_000_000;
        // The file holds twelve places.
        assert!((got - expected).abs() <= 500_001, "{case}: got {got}e-18");
    }
}

fn number(value: &Value) -> String {
    value.as_number().unwrap().to_string()
}

/// Without an exponent, so that another can be added.
fn plain(text: &str) -> String {
    alp_pool::decimal::format_units(alp_pool::decimal::parse_units(text, 30, u128::MAX).unwrap(), 30)
}

fn e12(text: &str) -> i128 {
    i128::try_from(alp_pool::decimal::parse_units(text, 12, 10u128.pow(30)).unwrap()).unwrap()
}

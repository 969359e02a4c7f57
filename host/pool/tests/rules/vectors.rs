//! Every case of `vectors/alp.json`, computed elsewhere from the same rule, under `fills_target = all`.

use alp_pool::credit::{LpId, Sample, credit_market};
use alp_pool::judge::{ReportedOrder, judge_orders};
use alp_pool::money::Coins;
use alp_pool::price::{PoolPrice, Price};
use alp_pool::terms::{Fill, Side};
use serde_json::Value;

use crate::book;

const CASES: &str = include_str!("../vectors/alp.json");

#[test]
fn every_case_is_credited_within_a_unit_and_its_pots_exactly() {
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    assert_eq!(cases.len(), 100);
    for (number, case) in cases.iter().enumerate() {
        check(number, case);
    }
}

fn check(number: usize, case: &Value) {
    let terms = terms(&case["config"]);
    let price = PoolPrice::direct(Price::parse(text(&case["price"])).unwrap());
    let orders = case["orders"].as_array().unwrap();
    let mut samples: Vec<Sample> = Vec::new();
    let mut expected: Vec<Vec<&Value>> = Vec::new();
    for (order, reward) in orders.iter().zip(case["rewards"].as_array().unwrap()) {
        assert_eq!(order["id"], reward["id"]);
        let side = if order["side"] == "ask" { Side::Ask } else { Side::Bid };
        let reported = ReportedOrder {
            id: text(&order["id"]),
            side,
            price: text(&order["price"]),
            amount: text(&order["amount"]),
        };
        let judged = judge_orders([reported], &terms, price).unwrap().remove(0);
        assert_eq!(judged.rank.map(|rank| format!("rank_{}", rank.0)).as_deref(), reward["rank"].as_str());
        let lp = LpId(i64::from(text(&order["user"]).bytes().next().unwrap()));
        match samples.iter().position(|sample| sample.lp == lp) {
            Some(at) => {
                samples[at].orders.to_mut().push(judged);
                expected[at].push(reward);
            }
            None => {
                samples.push(Sample { lp, orders: vec![judged].into() });
                expected.push(vec![reward]);
            }
        }
    }

    let round = credit_market(&terms, terms.reward_per_minute(), &samples).unwrap();
    for pot in &round.pots {
        let name = format!("{}.rank_{}", pot.side.name(), pot.rank.0);
        let wanted = Coins::parse(text(&case["pots"][&name])).unwrap();
        assert_eq!(pot.pot, wanted, "case {number}: {name}");
    }
    for (sample, expected) in samples.iter().zip(expected) {
        let credit = round.credits.iter().find(|credit| credit.lp == sample.lp).unwrap();
        for (got, expected) in credit.orders.iter().zip(expected) {
            let wanted = e12(text(&expected["reward"]));
            let off = (i128::from(got.e8()) * 10_000 - wanted).abs();
            assert!(off <= 10_000, "case {number}: order {} got {got}, off by {off}e-12", expected["id"]);
        }
    }
    let paid: u64 = round.credits.iter().map(|credit| credit.credit.e8()).sum();
    let pots: u64 = round.pots.iter().filter(|pot| pot.total.e18() > 0).map(|pot| pot.pot.e8()).sum();
    assert_eq!(paid, pots, "case {number}: the credits add up to the pots");
}

fn terms(config: &Value) -> alp_pool::terms::Terms {
    let ranks = |side: &str| {
        ["rank_1", "rank_2"].map(|rank| {
            (text(&config[side][rank]["ratio"]).to_owned(), text(&config[side][rank]["tolerance"]).to_owned())
        })
    };
    let (ask, bid) = (ranks("ask"), ranks("bid"));
    let borrow = |ranks: &[(String, String); 2]| -> Vec<(String, String)> { ranks.to_vec() };
    let (ask, bid) = (borrow(&ask), borrow(&bid));
    let ask: Vec<(&str, &str)> = ask.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let bid: Vec<(&str, &str)> = bid.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    book::terms(
        text(&config["reward"]),
        text(&config["target"]),
        Fill::All,
        (text(&config["ask"]["ratio"]), &ask),
        (text(&config["bid"]["ratio"]), &bid),
    )
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A decimal text with at most twelve places, in 1e-12.
fn e12(text: &str) -> i128 {
    let units = alp_pool::decimal::parse_units(text, 12, 10u128.pow(30)).unwrap();
    i128::try_from(units).unwrap()
}

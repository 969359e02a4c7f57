//! Where an engine breaks a promise: that it does, by how much, and that its table admits it.

use alp_pool::engines::promises::{Hold, Promise};
use alp_pool::engines::{EngineKind, MarketRules};
use alp_pool::terms::{Fill, Side};

use crate::book::{
    amount, ask, both, coins, credit_text, day, fixed_cost, fixed_pot, plain, rate, share, sigmoid, spread,
    terms, tllp, uniform,
};

fn alone(rules: &MarketRules, shown: &str, min_rate: Option<&str>) -> String {
    credit_text(&share(rules, vec![ask(1, "1", shown, min_rate)], day()), 1)
}

fn holds(rules: &MarketRules, promise: Promise) -> Hold {
    rules.hold(Side::Ask, promise)
}

#[test]
fn the_tllp_auctions_total_is_a_sawtooth_so_more_liquidity_can_earn_less() {
    let rules = plain(both(&tllp("0.0025", "1000")));
    assert_eq!(holds(&rules, Promise::MoreLiquidityNeverEarnsLess), Hold::Broken);
    let pay = ["1000", "1500", "1999", "2000"].map(|shown| alone(&rules, shown, Some("0.0025")));
    assert_eq!(pay, ["2.5", "1.25", "0.0025", "2.5"]);
}

#[test]
fn in_the_tllp_auction_a_lower_bid_can_earn_less() {
    let rules = plain(both(&tllp("0.0025", "1000")));
    assert_eq!(holds(&rules, Promise::ALowerBidNeverEarnsLess), Hold::Broken);
    let pay = |wanted| {
        let book = vec![ask(1, "0", "500", Some(wanted)), ask(2, "1", "900", Some("0.0005"))];
        let share = share(&rules, book, day());
        [credit_text(&share, 1), credit_text(&share, 2)]
    };
    assert_eq!(pay("0.0005"), ["0.89285714", "1.60714286"]);
    assert_eq!(pay("0"), ["0.67857143", "0.96428571"]);
}

#[test]
fn under_fixed_cost_more_liquidity_drives_out_an_lp_whose_own_rate_it_spoils() {
    let rules = plain(both(&fixed_cost("7.5")));
    assert_eq!(holds(&rules, Promise::MoreLiquidityNeverEarnsLess), Hold::IfNoRateIsAsked);
    assert_eq!(alone(&rules, "1000", Some("0.0075")), "7.5");
    assert_eq!(alone(&rules, "1001", Some("0.0075")), "0");
    assert_eq!(alone(&rules, "1001", None), "7.5");
}

#[test]
fn in_the_uniform_auction_the_lp_at_the_margin_sets_its_own_rate() {
    let rules = plain(both(&uniform("0.0025", "1000")));
    assert_eq!(holds(&rules, Promise::ALowerBidNeverEarnsLess), Hold::IfFilledWhollyOrNotAtAll);
    let pay = |wanted| {
        let book = vec![ask(1, "1", "1000", Some(wanted)), ask(2, "2", "500", Some("0"))];
        credit_text(&share(&rules, book, day()), 1)
    };
    assert_eq!([pay("0.001"), pay("0")], ["0.5", "0"]);
}

#[test]
fn in_the_uniform_auction_more_liquidity_can_earn_less() {
    let rules = plain(both(&uniform("0.0025", "1000")));
    assert_eq!(holds(&rules, Promise::MoreLiquidityNeverEarnsLess), Hold::Broken);
    assert_eq!(["900", "1100"].map(|shown| alone(&rules, shown, None)), ["2.25", "0"]);
}

#[test]
fn engines_that_take_no_bids_pay_below_a_minimum_and_say_that_they_ignored_it() {
    let kinds = [
        (plain(fixed_pot(terms("0.025", "2500", Fill::All, [100, 100, 100]))), EngineKind::FixedPot),
        (plain(both(&sigmoid("0.0025", "1000", "100"))), EngineKind::Sigmoid),
        (plain(both(&spread("7.5", "0.01", 1))), EngineKind::SpreadWeighted),
    ];
    for (rules, kind) in kinds {
        assert_eq!(rules.engine().kind(Side::Ask), kind);
        assert!(!kind.takes_minimal_rates());
        assert_eq!(holds(&rules, Promise::NobodyBelowTheirMinimum), Hold::Broken, "{kind:?}");
        let book = vec![ask(1, "1", "5000", Some("0.5")), ask(2, "2", "5000", None)];
        let share = share(&rules, book, day());
        assert_eq!(share.ignored_minimal_rates, 1, "{kind:?}");
        let per_coin = u128::from(share.orders[0].credit.e8()) * 10u128.pow(10) / 5_000;
        assert!(per_coin > 0 && per_coin < rate("0.5").e18(), "{kind:?}: paid {per_coin}e-18 a coin");
        assert_eq!(share.orders[0].filled, amount("5000"));
    }
    let takes_bids = share(&plain(both(&tllp("0.1", "10"))), vec![ask(1, "1", "1", Some("0.05"))], day());
    assert_eq!(takes_bids.ignored_minimal_rates, 0);
}

#[test]
fn the_numbers_of_the_sigmoids_and_the_spreads_page_are_right() {
    let sigmoid = plain(both(&sigmoid("0.0025", "1000", "100")));
    let two_thousand = share(&sigmoid, vec![ask(1, "1", "2000", Some("0.002"))], day());
    assert_eq!(two_thousand.paid, coins("2.49999999"), "0.00125 a coin");
    let spread = plain(both(&spread("7.5", "0.01", 1)));
    let two = vec![ask(1, "1", "1000", Some("0.0075")), ask(2, "2", "1000", None)];
    assert_eq!(credit_text(&share(&spread, two, day()), 1), "3.75");
    let pot = plain(fixed_pot(terms("0.025", "2500", Fill::All, [100, 100, 100])));
    assert_eq!(alone(&pot, "2500", Some("0.01")), "36");
    let four = (1..=4).map(|lp| ask(lp, &lp.to_string(), "2500", Some("0.01"))).collect();
    assert_eq!(credit_text(&share(&pot, four, day()), 1), "9", "0.0036 a coin");
}

#[test]
fn the_table_breaks_no_promise_that_no_test_shows_broken() {
    let mut broken = Vec::new();
    for kind in EngineKind::ALL {
        for promise in Promise::ALL {
            if kind.hold(promise) != Hold::Kept {
                broken.push((kind, promise));
            }
        }
    }
    use EngineKind::{AuctionTllp, FixedCost, FixedPot, Sigmoid, SpreadWeighted, UniformAuction};
    use Promise::{ALowerBidNeverEarnsLess, MoreLiquidityNeverEarnsLess, NobodyBelowTheirMinimum};
    assert_eq!(
        broken,
        [
            (FixedPot, NobodyBelowTheirMinimum),
            (AuctionTllp, MoreLiquidityNeverEarnsLess),
            (AuctionTllp, ALowerBidNeverEarnsLess),
            (FixedCost, MoreLiquidityNeverEarnsLess),
            (Sigmoid, NobodyBelowTheirMinimum),
            (UniformAuction, MoreLiquidityNeverEarnsLess),
            (UniformAuction, ALowerBidNeverEarnsLess),
            (SpreadWeighted, NobodyBelowTheirMinimum),
        ]
    );
}

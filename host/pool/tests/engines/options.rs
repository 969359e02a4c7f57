//! What counts: each option against the attack that it answers.

use alp_pool::engines::book::{Book, BookOrder};
use alp_pool::engines::counting::Counting;
use alp_pool::engines::fixed_pot::{FixedPotRule, Targets};
use alp_pool::engines::pot::MarketShare;
use alp_pool::engines::promises::{Hold, Promise};
use alp_pool::engines::rule_error::RuleError;
use alp_pool::engines::sigmoid::SigmoidRule;
use alp_pool::engines::spread_weighted::SpreadWeightedRule;
use alp_pool::engines::unpaid::{PerSide, Unpaid};
use alp_pool::engines::{MarketEngine, MarketRules, share_market};
use alp_pool::money::Amount;
use alp_pool::rate::Rate;
use alp_pool::terms::{Fill, RankNumber, Side};

use crate::book::{
    MINUTE, amount, ask, bid, both, coins, credit, credit_text, day, fixed_cost, fixed_pot, plain, rate,
    ratio, share, sigmoid, terms, uniform,
};

fn counting(engine: MarketEngine, counting: Counting) -> MarketRules {
    MarketRules::new(engine, counting, Unpaid::Drop).unwrap()
}

#[test]
fn dust_below_the_smallest_order_earns_nothing() {
    let rules = counting(both(&fixed_cost("1")), Counting::default().with_min_order(amount("1")).unwrap());
    let book = vec![ask(1, "1", "1", None), ask(2, "2", "0.999999999999999999", None)];
    let share = share(&rules, book, day());
    assert_eq!([1, 2].map(|lp| credit_text(&share, lp)), ["1", "0"]);
    assert_eq!(rules.hold(Side::Ask, Promise::SplittingChangesNothing), Hold::Broken);
}

#[test]
fn of_an_lp_with_too_many_orders_the_largest_count() {
    let rules = counting(both(&fixed_cost("4")), Counting::default().with_max_orders(2).unwrap());
    let book =
        vec![ask(1, "a", "1", None), ask(1, "b", "2", None), ask(1, "c", "1", None), ask(2, "d", "1", None)];
    let share = share(&rules, book, day());
    assert_eq!([1, 2].map(|lp| credit_text(&share, lp)), ["3", "1"]);
    let orders: Vec<u64> = share.orders.iter().map(|order| order.credit.e8()).collect();
    assert_eq!(orders, [100_000_000, 200_000_000, 0, 100_000_000], "among equals, by id");
}

#[test]
fn an_order_weighs_more_the_longer_it_has_been_seen() {
    let rules = counting(both(&fixed_cost("3")), Counting::default().with_maturing(3_600).unwrap());
    let aged = |lp, age_s| BookOrder { age_s, ..ask(lp, &lp.to_string(), "100", None) };
    let book = vec![aged(1, Some(1_800)), aged(2, Some(9_999)), aged(3, Some(0)), aged(4, None)];
    let share = share(&rules, book, day());
    assert_eq!(
        [1, 2, 3, 4].map(|lp| credit_text(&share, lp)),
        ["1", "2", "0", "0"],
        "a flash order earns nothing"
    );
    assert_eq!(share.credits[0].provided, amount("50"));
}

#[test]
fn a_cap_takes_the_jackpot_from_one_coin_on_an_empty_side() {
    let market = || terms("0.025", "2500", Fill::All, [50, 100, 100]);
    let book = || vec![ask(1, "1", "2499", None), bid(2, "2", "1")];
    let jackpot = share(&plain(fixed_pot(market())), book(), MINUTE);
    assert_eq!(credit_text(&jackpot, 2), "0.0125", "18 a day for one coin");
    let capped = counting(fixed_pot(market()), Counting::default().with_cap(rate("0.0144")).unwrap());
    let capped = share(&capped, book(), MINUTE);
    assert_eq!(credit_text(&capped, 2), "0.00001", "0.0144 a day");
    assert_eq!(credit_text(&capped, 1), "0.0125", "those who share a pot earn less than the cap each");
}

#[test]
fn a_cap_is_a_lower_highest_rate_to_an_auction_and_drives_out_who_asks_more() {
    let cap = Counting::default().with_cap(rate("0.001")).unwrap();
    let book = || vec![ask(1, "1", "100", Some("0.0005")), ask(2, "2", "100", Some("0.002"))];
    for engine in [uniform("0.0025", "1000"), crate::book::tllp("0.0025", "1000"), fixed_cost("7.5")] {
        let share = share(&counting(both(&engine), cap.clone()), book(), day());
        assert_eq!([1, 2].map(|lp| credit_text(&share, lp)), ["0.1", "0"], "{engine:?}");
    }
}

#[test]
fn far_junk_fills_the_target_unless_each_rank_has_its_own() {
    let far = BookOrder { rank: Some(RankNumber(2)), ..ask(2, "2", "900", None) };
    let book = || vec![ask(1, "1", "100", None), far.clone()];
    let near = |fill, targets| {
        let market = terms("0.025", "1000", fill, [100, 90, 90]);
        let rules = plain(MarketEngine::FixedPot(FixedPotRule::new(market, targets).unwrap()));
        credit_text(&share(&rules, book(), MINUTE), 1)
    };
    assert_eq!(near(Fill::All, Targets::OfMarket), "0.0225", "ten times what 100 of 1000 deserve");
    assert_eq!(near(Fill::PerRank, Targets::OfMarket), "0.0025", "100 of the 900 that the rank wants");
    let ranks = vec![
        (Side::Ask, RankNumber(1), amount("200")),
        (Side::Ask, RankNumber(2), amount("800")),
        (Side::Bid, RankNumber(1), amount("1")),
        (Side::Bid, RankNumber(2), amount("1")),
    ];
    assert_eq!(near(Fill::All, Targets::OfRanks(ranks)), "0.01125", "half of the rank's own target");
}

#[test]
fn one_side_cannot_fill_the_target_of_the_other() {
    let book = || vec![ask(1, "1", "2000", None), bid(2, "2", "100")];
    let paid = |targets| {
        let market = terms("0.02", "2000", Fill::Paid, [50, 100, 100]);
        let rules = plain(MarketEngine::FixedPot(FixedPotRule::new(market, targets).unwrap()));
        let share = share(&rules, book(), MINUTE);
        [1, 2].map(|lp| credit_text(&share, lp))
    };
    assert_eq!(paid(Targets::OfMarket), ["0.01", "0.01"]);
    let sides = PerSide { ask: amount("1000"), bid: amount("1000") };
    assert_eq!(paid(Targets::OfSides(sides)), ["0.01", "0.001"]);
}

#[test]
fn an_order_that_was_there_in_some_slices_counts_for_as_many() {
    // Six looks at the round: one LP showed 100 in all of them, the other in the last two.
    let rules = plain(both(&sigmoid("0.0025", "1000000", "1")));
    let book = vec![ask(1, "1", "600", None), ask(2, "2", "200", None)];
    let share: MarketShare =
        share_market(&rules, &Book::new(6, book).unwrap(), day(), PerSide::default()).unwrap();
    assert!(credit(&share, 1).abs_diff(25_000_000) <= 1, "100 at 0.0025");
    assert!(credit(&share, 2).abs_diff(8_333_333) <= 1, "a third of it");
    assert_eq!(share.credits[1].provided.to_string(), "33.333333333333333333");
}

#[test]
fn options_that_make_no_sense_are_refused_with_what_would() {
    assert_eq!(Counting::default().with_max_orders(0), Err(RuleError::NoOrders));
    assert_eq!(Counting::default().with_min_order(Amount::ZERO), Err(RuleError::Zero));
    assert_eq!(Counting::default().with_cap(Rate::ZERO), Err(RuleError::Zero));
    assert_eq!(Counting::default().with_maturing(0), Err(RuleError::Maturing(0)));
    assert_eq!(Unpaid::carry_over(coins("0")), Err(RuleError::NoLimit));
    assert_eq!(Book::new(0, vec![]), Err(RuleError::Slices(0)));
    assert_eq!(SpreadWeightedRule::new(coins("1"), ratio("0.1"), 9), Err(RuleError::Power(9)));
    assert_eq!(
        SigmoidRule::new(rate("1000"), amount("1e15"), amount("1")).unwrap_err().to_string(),
        "may pay more than a hundred million coins a day: a lower rate or target is right"
    );
    let of_ranks = FixedPotRule::new(terms("1", "1", Fill::All, [50, 50, 50]), Targets::OfRanks(vec![]));
    assert_eq!(of_ranks, Err(RuleError::RankTarget { side: "ask", rank: 1 }));
}

//! What becomes of pots that nobody is in.

use alp_pool::engines::book::{Book, BookOrder};
use alp_pool::engines::counting::Counting;
use alp_pool::engines::pot::MarketShare;
use alp_pool::engines::unpaid::{PerSide, Unpaid};
use alp_pool::engines::{MarketEngine, MarketRules, share_market};
use alp_pool::money::Coins;
use alp_pool::terms::Fill;

use crate::book::{ask, bid, both, coins, credit_text, day, fixed_cost, fixed_pot, sigmoid, spread, terms};

fn engines() -> [MarketEngine; 3] {
    // Each has one coin a day for each side.
    let market = terms("0.00138888", "1", Fill::All, [50, 100, 100]);
    [both(&fixed_cost("1")), both(&spread("1", "0.01", 2)), fixed_pot(market)]
}

fn round(
    engine: &MarketEngine,
    unpaid: Unpaid,
    book: Vec<BookOrder>,
    carried: PerSide<Coins>,
) -> MarketShare {
    let rules = MarketRules::new(engine.clone(), Counting::default(), unpaid).unwrap();
    share_market(&rules, &Book::new(1, book).unwrap(), day(), carried).unwrap()
}

fn close(got: Coins, wanted: &str) -> bool {
    // The fixed pot's reward is stated per minute, so a day's is not round.
    got.e8().abs_diff(coins(wanted).e8()) < 10_000
}

#[test]
fn an_unpaid_pot_is_dropped_unless_said_otherwise() {
    for engine in engines() {
        let share = round(&engine, Unpaid::default(), vec![ask(1, "1", "1", None)], PerSide::default());
        assert!(close(share.paid, "1") && close(share.dropped, "1"), "{engine:?}");
        assert_eq!(share.carried, PerSide::default());
    }
}

#[test]
fn an_unpaid_pot_is_carried_over_up_to_the_limit_and_paid_to_the_first_who_comes() {
    let unpaid = Unpaid::carry_over(coins("1.5")).unwrap();
    for engine in engines() {
        let asks = || vec![ask(1, "1", "1", None)];
        let first = round(&engine, unpaid, asks(), PerSide::default());
        assert!(close(first.carried.bid, "1") && first.carried.ask == Coins::ZERO, "{engine:?}");
        let second = round(&engine, unpaid, asks(), first.carried);
        assert_eq!(second.carried.bid, coins("1.5"), "{engine:?}");
        assert!(close(second.dropped, "0.5"), "{engine:?}");
        assert!(close(second.paid, "1"), "what waits on one side is not the other's");
        let third = round(&engine, unpaid, vec![ask(1, "1", "1", None), bid(2, "2", "1")], second.carried);
        assert_eq!(third.carried, PerSide::default());
        assert!(close(third.paid, "3.5"), "{engine:?}: {}", third.paid);
        assert!(third.paid <= third.budget);
    }
}

#[test]
fn an_unpaid_pot_moves_to_the_other_side_if_anybody_is_there() {
    for engine in engines() {
        let moved = round(&engine, Unpaid::OtherSide, vec![ask(1, "1", "1", None)], PerSide::default());
        assert!(close(moved.paid, "2") && moved.dropped == Coins::ZERO, "{engine:?}");
        assert!(moved.paid <= moved.budget && close(moved.budget, "2"), "{engine:?}");
        let nobody = round(&engine, Unpaid::OtherSide, vec![], PerSide::default());
        assert_eq!(nobody.paid, Coins::ZERO);
        // Nobody fills the fixed pot's target either, so nothing of its reward was due.
        let due = if matches!(engine, MarketEngine::FixedPot(_)) { "0" } else { "2" };
        assert!(close(nobody.dropped, due), "{engine:?}");
    }
}

#[test]
fn what_one_side_leaves_never_brings_in_those_whom_the_other_sides_own_reward_was_not_enough_for() {
    let engine = both(&fixed_cost("1"));
    let dear = ask(1, "1", "1", Some("1.5"));
    let share = round(&engine, Unpaid::OtherSide, vec![dear], PerSide::default());
    assert_eq!((share.paid, share.dropped), (Coins::ZERO, coins("2")));
}

#[test]
fn a_pot_of_several_ranks_moves_only_what_found_nobody() {
    // The near rank of the bids is empty; all else is taken.
    let engine = fixed_pot(terms("1", "1", Fill::All, [50, 60, 60]));
    let far = |order: BookOrder| BookOrder { rank: Some(alp_pool::terms::RankNumber(2)), ..order };
    let book = vec![ask(1, "1", "1", None), far(ask(2, "2", "1", None)), far(bid(3, "3", "1"))];
    let minute = |unpaid| {
        let rules = MarketRules::new(engine.clone(), Counting::default(), unpaid).unwrap();
        let book = Book::new(1, book.clone()).unwrap();
        share_market(&rules, &book, crate::book::MINUTE, PerSide::default()).unwrap()
    };
    let dropped = minute(Unpaid::Drop);
    assert_eq!([1, 2, 3].map(|lp| credit_text(&dropped, lp)), ["0.3", "0.2", "0.2"]);
    assert_eq!(dropped.dropped, coins("0.3"));
    let moved = minute(Unpaid::OtherSide);
    assert_eq!([1, 2, 3].map(|lp| credit_text(&moved, lp)), ["0.48", "0.32", "0.2"]);
}

#[test]
fn an_engine_that_pays_a_rate_has_nothing_to_carry() {
    let refused = MarketRules::new(both(&sigmoid("0.1", "1", "1")), Counting::default(), Unpaid::OtherSide);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "has unpaid = move, but sigmoid pays a rate and has no pot that could stay unpaid: drop is right"
    );
}

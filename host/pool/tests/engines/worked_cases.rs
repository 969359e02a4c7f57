//! Worked cases of the rules, in round numbers.

use alp_pool::money::Coins;

use crate::book::{
    MINUTE, amount, ask, both, coins, credit_text, day, fixed_cost, plain, rate, share, sigmoid, spread,
    tllp, tllp_cost, uniform,
};

#[test]
fn the_tllp_auction_pays_two_rates_and_leaves_the_dearest_out() {
    let rules = plain(both(&tllp("0.0025", "1000")));
    let book = vec![
        ask(1, "1", "800", Some("0.0005")),
        ask(2, "2", "700", Some("0.0010")),
        ask(3, "3", "900", Some("0.0020")),
    ];
    let share = share(&rules, book, day());
    assert_eq!([1, 2, 3].map(|lp| credit_text(&share, lp)), ["1.04", "0.56", "0"]);
    let rates: Vec<_> = share.pots[0].rates.iter().map(|at| (at.rate, at.filled)).collect();
    assert_eq!(rates, [(rate("0.002"), amount("600")), (rate("0.001"), amount("400"))]);
}

#[test]
fn the_tllp_auction_pays_nothing_for_a_copy_next_to_its_original() {
    let rules = plain(both(&tllp("0.0025", "1000")));
    let book = vec![
        ask(1, "77", "500", Some("0.0010")),
        ask(2, "77", "500", Some("0.0005")),
        ask(3, "3", "300", Some("0.0025")),
    ];
    let share = share(&rules, book, day());
    assert_eq!([1, 2, 3].map(|lp| credit_text(&share, lp)), ["0", "1.25", "0.75"]);
}

#[test]
fn the_fixed_cost_variant_of_the_tllp_auction_halves_above_its_target() {
    let rules = plain(both(&tllp_cost("7.5", "1000000")));
    let one = share(&rules, vec![ask(1, "1", "1", None)], day());
    assert_eq!(credit_text(&one, 1), "7.5");
    let two = vec![ask(1, "1", "1500000", Some("0")), ask(2, "2", "500000", Some("0"))];
    let two = share(&rules, two, day());
    assert_eq!([1, 2].map(|lp| credit_text(&two, lp)), ["2.8125", "0.9375"]);
}

#[test]
fn fixed_cost_pays_its_whole_reward_to_those_who_are_content() {
    let rules = plain(both(&fixed_cost("7.5")));
    let book = |first, second| vec![ask(1, "1", "300", first), ask(2, "2", "700", second)];
    for wanted in [None, Some("0.00001"), Some("0.0075")] {
        let share = share(&rules, book(wanted, wanted), day());
        assert_eq!([1, 2].map(|lp| credit_text(&share, lp)), ["2.25", "5.25"], "{wanted:?}");
    }
    let one_leaves = share(&rules, book(Some("0.0076"), None), day());
    assert_eq!([1, 2].map(|lp| credit_text(&one_leaves, lp)), ["0", "7.5"]);
    let all_leave = share(&rules, book(Some("0.0076"), Some("0.0108")), day());
    assert_eq!(all_leave.paid, coins("7.5"), "when the dearest is gone, the rate is enough for the other");
    let nobody = share(&rules, book(Some("0.03"), Some("0.0108")), day());
    assert_eq!((nobody.paid, nobody.dropped), (Coins::ZERO, coins("15")), "both sides find nobody");
}

#[test]
fn whether_a_rate_is_enough_does_not_depend_on_the_minute() {
    // 7.5 a day is 0.005208333… a minute: an LP that asks exactly 0.0075 for 1000 must not flicker.
    let rules = plain(both(&fixed_cost("7.5")));
    let mut sum = 0;
    for minute in 0..1_440 {
        let mut round = MINUTE;
        round.start_s += minute * 60;
        let share = share(&rules, vec![ask(1, "1", "1000", Some("0.0075"))], round);
        assert!(share.paid > Coins::ZERO, "minute {minute}");
        sum += share.paid.e8();
    }
    assert_eq!(sum, 750_000_000, "and the minutes of a day add up");
}

#[test]
fn the_sigmoid_shares_its_cost_pro_rata() {
    let rules = plain(both(&sigmoid("0.0025", "1000", "100")));
    let book = vec![ask(1, "1", "300", None), ask(2, "2", "700", None), ask(3, "3", "1000", None)];
    let share_of = share(&rules, book, day());
    assert_eq!(share_of.paid, coins("2.49999999"), "just below 2.5");
    for (lp, expected) in [(1, 37_500_000), (2, 87_500_000), (3, 125_000_000)] {
        assert!(crate::book::credit(&share_of, lp).abs_diff(expected) <= 1, "{lp}");
    }
    let flood = share(&rules, vec![ask(1, "1", "1000000", None)], day());
    assert_eq!(flood.paid, coins("2.50001134"), "the bound is 2.500011350");
}

#[test]
fn the_uniform_auction_pays_everybody_the_first_refused_rate() {
    let rules = plain(both(&uniform("0.0025", "1000")));
    let book = |third| {
        vec![
            ask(1, "1", "600", Some("0.0005")),
            ask(2, "2", "300", Some("0.0010")),
            ask(3, "3", third, Some("0.0020")),
            ask(4, "4", "9999", Some("0.0026")),
        ]
    };
    let all = |third| {
        let share = share(&rules, book(third), day());
        [1, 2, 3, 4].map(|lp| credit_text(&share, lp))
    };
    assert_eq!(
        all("100"),
        ["1.5", "0.75", "0.25", "0"],
        "exactly full: nobody is refused, all get the highest"
    );
    assert_eq!(all("200"), ["1.2", "0.6", "0.2", "0"], "half of the third is refused, at 0.002");
    let tied = vec![ask(1, "1", "900", Some("0.001")), ask(2, "2", "600", Some("0.001"))];
    let tied = share(&rules, tied, day());
    assert_eq!([1, 2].map(|lp| credit_text(&tied, lp)), ["0.6", "0.4"], "ties share pro rata");
}

#[test]
fn the_spread_weighted_pot_gives_half_as_much_half_way_out() {
    let at = |lp, deviation_e8| {
        let mut order = ask(lp, &lp.to_string(), "100", None);
        order.deviation_e8 = deviation_e8;
        order
    };
    let book = || vec![at(1, 0), at(2, 500_000), at(3, 1_000_000), at(4, 2_000_000)];
    let linear = share(&plain(both(&spread("3", "0.01", 1))), book(), day());
    assert_eq!([1, 2, 3, 4].map(|lp| credit_text(&linear, lp)), ["2", "1", "0", "0"]);
    let square = share(&plain(both(&spread("5", "0.01", 2))), book(), day());
    assert_eq!([1, 2, 3, 4].map(|lp| credit_text(&square, lp)), ["4", "1", "0", "0"]);
    let flat = share(&plain(both(&spread("3", "0.01", 0))), book(), day());
    assert_eq!(
        [1, 2, 3, 4].map(|lp| credit_text(&flat, lp)),
        ["1", "1", "1", "0"],
        "the tolerance is inside"
    );
}

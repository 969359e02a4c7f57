//! The largest and the smallest numbers that can be written: nothing overflows, and sums still hold.

use alp_pool::credit::LpId;
use alp_pool::engines::book::{Book, BookOrder, MAX_SLICES};
use alp_pool::engines::counting::{Counting, MAX_MATURING_S};
use alp_pool::engines::unpaid::{PerSide, Unpaid};
use alp_pool::engines::{MarketRules, share_market};
use alp_pool::money::{Amount, Coins};
use alp_pool::terms::{Fill, RankNumber, Side};

use crate::book::{
    ask, both, day, fixed_cost, fixed_pot, rate, sigmoid, spread, terms, tllp, tllp_cost, uniform,
};

fn orders(shown: &str, min_rate: &str) -> Vec<BookOrder> {
    let order = |number: i64| BookOrder {
        lp: LpId(number % 7),
        side: if number % 2 == 0 { Side::Ask } else { Side::Bid },
        amount: Amount::parse_sum(shown).unwrap(),
        rank: Some(RankNumber(if number % 3 == 0 { 1 } else { 2 })),
        deviation_e8: 1,
        min_rate: (number % 5 > 0).then(|| rate(min_rate)),
        age_s: Some(MAX_MATURING_S),
        ..ask(0, &number.to_string(), "1", None)
    };
    (0..200).map(order).collect()
}

#[test]
fn neither_the_largest_nor_the_smallest_numbers_overflow() {
    // What both sides may owe a day is just within the hundred million coins that are counted.
    let engines = [
        fixed_pot(terms("69444", "1e15", Fill::PerRank, [33, 33, 33])),
        fixed_pot(terms("69444", "1e15", Fill::All, [33, 33, 33])),
        fixed_pot(terms("1e-8", "1e-18", Fill::PerRank, [1, 1, 1])),
        both(&tllp("5e-8", "1e15")),
        both(&tllp("1000", "1e-18")),
        both(&tllp("1e-18", "1e15")),
        both(&tllp_cost("5e7", "1e15")),
        both(&tllp_cost("1e-8", "1e-18")),
        both(&fixed_cost("5e7")),
        both(&fixed_cost("1e-8")),
        both(&sigmoid("3e-8", "1e15", "1e15")),
        both(&sigmoid("3e-8", "1e15", "1e-18")),
        both(&sigmoid("3e-8", "1e-18", "1e15")),
        both(&sigmoid("1000", "1e-18", "1e-18")),
        both(&uniform("5e-8", "1e15")),
        both(&uniform("1000", "1e-18")),
        both(&spread("5e7", "1", 8)),
        both(&spread("1e-8", "1e-8", 8)),
    ];
    let maturing = Counting::default().with_maturing(MAX_MATURING_S).unwrap();
    let capped = maturing.clone().with_cap(rate("1000")).unwrap();
    // As much in each order as an amount can count, so that two hundred make the sum of tens of thousands.
    let sum = "300000000000000000000";
    for engine in &engines {
        for counting in [&Counting::default(), &maturing, &capped] {
            for (shown, wanted) in
                [(sum, "1e-18"), (sum, "1000"), ("1e-18", "1e-18"), ("1e-18", "1000"), ("1", "0")]
            {
                let rules = MarketRules::new(engine.clone(), counting.clone(), Unpaid::Drop).unwrap();
                let book = Book::new(MAX_SLICES, orders(shown, wanted)).unwrap();
                let share = share_market(&rules, &book, day(), PerSide::default()).unwrap();
                assert!(share.paid <= share.budget, "{engine:?}");
                let orders = Coins::sum(share.orders.iter().map(|order| order.credit)).unwrap();
                assert_eq!(share.paid, orders, "{engine:?}");
            }
        }
    }
}

//! The fixed pot behind the common interface is the fixed pot that pools have used all along.

use alp_pool::credit::{LpId, Sample, credit_market};
use alp_pool::engines::book::Book;
use alp_pool::engines::share_market;
use alp_pool::engines::unpaid::PerSide;
use alp_pool::judge::JudgedOrder;
use alp_pool::money::Ratio;
use alp_pool::price::Price;
use proptest::prelude::*;

use crate::book::{self, MINUTE};
use crate::promises::{lines, markets};

proptest! {
    #[test]
    fn the_engine_credits_what_credit_market_credits(terms in markets(), lines in lines()) {
        let mut samples: Vec<Sample> = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let line = line.order(number);
            let order = JudgedOrder {
                id: line.id,
                side: line.side,
                price: Price::ONE,
                amount: line.amount,
                rank: line.rank,
                deviation_e8: line.deviation_e8,
                tolerance: Ratio::ONE,
            };
            match samples.iter_mut().find(|sample| sample.lp == line.lp) {
                Some(sample) => sample.orders.to_mut().push(order),
                None => samples.push(Sample { lp: line.lp, orders: vec![order].into() }),
            }
        }
        let old = credit_market(&terms, terms.reward_per_minute(), &samples).unwrap();
        let rules = book::plain(book::fixed_pot(terms));
        let new = share_market(&rules, &Book::of_samples(&samples).unwrap(), MINUTE, PerSide::default()).unwrap();

        prop_assert_eq!(new.paid, old.paid);
        prop_assert_eq!(new.budget, old.reward);
        let of_new: Vec<_> = new.credits.iter().map(|lp| (lp.lp, lp.provided, lp.credit)).collect();
        let of_old: Vec<_> = old.credits.iter().map(|lp| (lp.lp, lp.provided, lp.credit)).collect();
        prop_assert_eq!(of_new, of_old);
        let orders: Vec<_> = new.orders.iter().map(|order| order.credit).collect();
        let old_orders: Vec<_> = old.credits.iter().flat_map(|lp| lp.orders.clone()).collect();
        prop_assert_eq!(orders, old_orders);
    }
}

#[test]
fn the_later_of_two_samples_of_one_lp_counts() {
    let terms = book::terms("1", "10", alp_pool::terms::Fill::All, [50, 50, 50]);
    let sample = |orders: Vec<_>| Sample { lp: LpId(1), orders: orders.into() };
    let order = JudgedOrder {
        id: "1".to_owned(),
        side: alp_pool::terms::Side::Ask,
        price: Price::ONE,
        amount: book::amount("10"),
        rank: Some(alp_pool::terms::RankNumber(1)),
        deviation_e8: 0,
        tolerance: Ratio::ONE,
    };
    let samples = [sample(vec![order]), sample(Vec::new())];
    let rules = book::plain(book::fixed_pot(terms));
    let share =
        share_market(&rules, &Book::of_samples(&samples).unwrap(), MINUTE, PerSide::default()).unwrap();
    assert_eq!(share.paid, book::coins("0"));
}

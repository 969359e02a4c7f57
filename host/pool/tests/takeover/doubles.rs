//! Each order counts once a round, whatever credited it how often.

use std::collections::BTreeMap;

use alp_pool::takeover::{CreditRow, Doubles, Fault, LpCredits, Tally, to_e8};
use proptest::prelude::*;

/// One credit: order, submission, time, reward in 1e-8, paid.
type Credit<'a> = (&'a str, i64, i64, &'a str, bool);

fn tally(credits: &[Credit<'_>]) -> LpCredits {
    let mut tally = Tally::default();
    for (order, row, at_s, reward, paid) in credits {
        let row = CreditRow {
            key: "key",
            exchange: "bittrex",
            unit: "btc",
            order: (!order.is_empty()).then_some(order),
            order_row: Some(*row),
            at_s: *at_s,
            reward,
            paid: *paid,
        };
        tally.add(&row).unwrap();
    }
    tally.finish().unwrap().remove(&("key".to_owned(), "bittrex".to_owned())).unwrap_or_default()
}

fn owed_e8(credits: &LpCredits, doubles: Doubles) -> u128 {
    to_e8(credits.owed_e18(doubles).unwrap()).0
}

#[test]
fn pb_08_a_submission_that_an_overtaken_round_credited_again_counts_once() {
    let credits = tally(&[("7", 1, 1_000, "0.02", false), ("7", 1, 1_060, "0.01", false)]);
    assert_eq!((credits.credits, credits.doubled[&Fault::Overtaken].credits), (1, 1));
    assert_eq!(owed_e8(&credits, Doubles::Drop), 2_000_000);
    assert_eq!(owed_e8(&credits, Doubles::Keep), 3_000_000);
}

#[test]
fn pb_09_a_submission_that_four_processes_credited_counts_once() {
    let four = [1_000, 1_000, 1_001, 1_002].map(|at_s| ("7", 1, at_s, "0.0125", false));
    let credits = tally(&four);
    assert_eq!((credits.credits, credits.doubled[&Fault::SeveralProcesses].credits), (1, 3));
    assert_eq!(owed_e8(&credits, Doubles::Drop), 1_250_000);
}

#[test]
fn pb_11_of_an_order_that_was_counted_again_in_a_round_the_last_submission_counts() {
    let credits = tally(&[("7", 1, 1_000, "0.02", false), ("7", 2, 1_000, "0.01", false)]);
    assert_eq!(credits.doubled[&Fault::CountedAgain].credits, 1);
    assert_eq!(owed_e8(&credits, Doubles::Drop), 1_000_000);
}

#[test]
fn the_same_order_in_another_round_is_no_double() {
    let credits = tally(&[("7", 1, 1_000, "0.02", false), ("7", 2, 1_060, "0.02", false)]);
    assert_eq!((credits.credits, credits.doubled.len()), (2, 0));
}

#[test]
fn a_double_of_what_was_paid_already_is_not_owed() {
    let credits = tally(&[("7", 1, 1_000, "0.02", true), ("7", 1, 1_060, "0.02", false)]);
    assert_eq!((credits.credits, credits.e18), (0, 0));
    assert_eq!(credits.doubled[&Fault::Overtaken].credits, 1);
    let later_paid = tally(&[("7", 1, 1_000, "0.02", false), ("7", 1, 1_060, "0.02", true)]);
    assert_eq!((later_paid.credits, later_paid.e18), (0, 0));
}

#[test]
fn credits_of_orders_that_are_not_recorded_any_more_are_told_apart_by_their_submission() {
    let credits = tally(&[("", 1, 1_000, "0.02", false), ("", 2, 1_000, "0.02", false)]);
    assert_eq!((credits.credits, credits.doubled.len()), (2, 0));
    let copied = tally(&[("", 1, 1_000, "0.02", false), ("", 1, 1_060, "0.02", false)]);
    assert_eq!((copied.credits, copied.doubled.len()), (1, 1));
}

#[test]
fn a_credit_without_a_readable_reward_is_counted_and_holds_nothing() {
    let credits =
        tally(&[("7", 1, 1_000, "NaN", false), ("8", 2, 1_000, "-1", false), ("9", 3, 1_000, "1", false)]);
    assert_eq!((credits.unreadable, credits.credits), (2, 1));
}

proptest! {
    /// Random orders over random rounds, each submission of a round credited by random faults. What is owed is the last
    /// submission of each order in each round, unless a payout came before.
    #[test]
    fn whatever_the_faults_each_order_is_owed_once_a_round(
        book in prop::collection::btree_map(
            (0u8..4, 0i64..4),
            (prop::collection::vec(1u64..1_000_000, 1..4), 0u8..4, any::<bool>()),
            1..12,
        ),
    ) {
        let mut credits: Vec<(String, i64, i64, String, bool)> = Vec::new();
        let mut expected = 0u128;
        let mut row = 0;
        let mut by_round: BTreeMap<(i64, u8), _> = BTreeMap::new();
        for ((order, round), told) in &book {
            by_round.insert((*round, *order), told.clone());
        }
        for ((round, order), (submissions, copies, paid)) in &by_round {
            let at_s = 1_000_000 + round * 60;
            for (place, e8) in submissions.iter().enumerate() {
                row += 1;
                let reward = format!("{e8}e-8");
                // The first copy of a submission is the one that counts, and payouts mark all of a round.
                for copy in 0..=i64::from(*copies) {
                    let at_s = if copy % 2 == 0 { at_s + copy / 2 } else { at_s + 60 * copy };
                    credits.push((format!("order {order}"), row, at_s, reward.clone(), *paid));
                }
                if place + 1 == submissions.len() && !paid {
                    expected += u128::from(*e8);
                }
            }
        }
        credits.sort_by(|a, b| (&a.0, a.1, a.2).cmp(&(&b.0, b.1, b.2)));
        let credits: Vec<Credit<'_>> =
            credits.iter().map(|credit| (credit.0.as_str(), credit.1, credit.2, credit.3.as_str(), credit.4)).collect();
        let tallied = tally(&credits);
        prop_assert_eq!(owed_e8(&tallied, Doubles::Drop), expected);
        let all: u128 = credits
            .iter()
            .filter(|credit| !credit.4)
            .map(|credit| credit.3.trim_end_matches("e-8").parse::<u128>().unwrap())
            .sum();
        prop_assert_eq!(owed_e8(&tallied, Doubles::Keep), all);
    }
}

//! Slices, intervals and the time an order stood.

use std::collections::BTreeMap;

use alp_pool::credit::LpId;
use alp_pool::engines::book::BookOrder;
use alp_pool::evidence::{Looks, Rule, SeenOrder, Sighting, Span, book_orders};
use alp_pool::judge::{ReportedOrder, judge_orders};
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::price::{PoolPrice, Price};
use alp_pool::terms::{Fill, RankNumber, RankTerms, Side, SideTerms, Terms};
use proptest::prelude::*;

const ROUND: Span = Span { start_ms: 60_000, end_ms: 120_000 };

fn terms() -> Terms {
    let rank = RankTerms { number: RankNumber(1), ratio: Ratio::ONE, tolerance: Ratio::ONE };
    let side = || SideTerms::new(Ratio::parse("0.5").unwrap(), vec![rank.clone()]).unwrap();
    let (reward, target) = (Coins::parse("1").unwrap(), Amount::parse("100").unwrap());
    Terms::new(reward, target, Fill::PerRank, side(), side()).unwrap()
}

fn order(id: &str, price: &str, amount: &str) -> SeenOrder {
    let reported = ReportedOrder { id, side: Side::Ask, price, amount };
    let pool = PoolPrice::direct(Price::parse("1").unwrap());
    let order = judge_orders([reported], &terms(), pool).unwrap().remove(0);
    SeenOrder { order, opened_ms: None, closed_ms: None, first_seen_ms: None }
}

fn sighting(at_ms: u64, orders: Vec<SeenOrder>) -> Sighting {
    Sighting { lp: LpId(1), at_ms, orders }
}

fn looks(slices: u32, rule: Rule, by_time: bool) -> Looks {
    Looks::new(slices, rule, by_time).unwrap()
}

fn book(looks: Looks, now: &[Sighting], before: &[Sighting]) -> Vec<BookOrder> {
    book_orders(looks, ROUND, now, before, &BTreeMap::new()).unwrap()
}

fn total(orders: &[BookOrder]) -> String {
    Amount::sum(orders.iter().map(|order| order.amount)).unwrap().to_string()
}

#[test]
fn one_slice_is_what_was_shown_last_in_the_round() {
    let shown = [sighting(60_000, vec![order("a", "1", "5")]), sighting(119_999, vec![order("a", "1", "7")])];
    assert_eq!(total(&book(Looks::ONCE, &shown, &[])), "7");
}

#[test]
fn an_order_shown_in_one_slice_of_six_counts_once_where_a_steady_one_counts_six_times() {
    let six = looks(6, Rule::Last, false);
    let once = [sighting(75_000, vec![order("a", "1", "10")])];
    assert_eq!(total(&book(six, &once, &[])), "10");
    let steady: Vec<Sighting> =
        (0..6).map(|slice| sighting(60_000 + slice * 10_000, vec![order("a", "1", "10")])).collect();
    let orders = book(six, &steady, &[]);
    assert_eq!((orders.len(), total(&orders).as_str()), (1, "60"));
}

#[test]
fn a_sighting_outside_of_the_round_counts_nothing() {
    let outside =
        [sighting(59_999, vec![order("a", "1", "10")]), sighting(120_000, vec![order("a", "1", "10")])];
    assert_eq!(book(looks(6, Rule::Last, false), &outside, &[]), []);
}

#[test]
fn by_interval_an_order_earns_only_between_two_sightings_at_the_smaller_amount() {
    let six = looks(6, Rule::Interval, false);
    let shown = [
        sighting(61_000, vec![order("a", "1", "10")]),
        sighting(71_000, vec![order("a", "1", "8"), order("flash", "1", "500")]),
        sighting(81_000, vec![order("a", "1", "9")]),
        // A slice without a sighting, and one after it: neither has two ends.
        sighting(101_000, vec![order("a", "1", "9")]),
    ];
    assert_eq!(total(&book(six, &shown, &[])), "16");
}

#[test]
fn by_interval_an_order_that_moved_its_price_is_another() {
    let six = looks(6, Rule::Interval, false);
    let shown =
        [sighting(61_000, vec![order("a", "1", "10")]), sighting(71_000, vec![order("a", "1.1", "10")])];
    assert_eq!(total(&book(six, &shown, &[])), "0");
}

#[test]
fn the_round_before_is_the_first_slices_other_end() {
    let six = looks(6, Rule::Interval, false);
    let shown = [sighting(61_000, vec![order("a", "1", "10")])];
    let last_slice = [sighting(59_000, vec![order("a", "1", "4")])];
    let earlier_slice = [sighting(41_000, vec![order("a", "1", "4")])];
    assert_eq!(total(&book(six, &shown, &last_slice)), "4");
    assert_eq!(total(&book(six, &shown, &earlier_slice)), "0");
}

#[test]
fn by_time_an_order_counts_for_the_part_of_the_slice_in_which_it_stood() {
    let by_time = looks(1, Rule::Last, true);
    let opened = |opened_ms, closed_ms| vec![SeenOrder { opened_ms, closed_ms, ..order("a", "1", "60") }];
    let counted =
        |opened_ms, closed_ms| total(&book(by_time, &[sighting(119_500, opened(opened_ms, closed_ms))], &[]));
    assert_eq!(counted(Some(119_000), None), "1");
    assert_eq!(counted(Some(90_000), None), "30");
    assert_eq!(counted(Some(1), None), "60");
    assert_eq!(counted(Some(70_000), Some(80_000)), "10");
    assert_eq!(counted(Some(1), Some(60_000)), "0");
    assert_eq!(counted(Some(130_000), None), "0");
    assert_eq!(counted(None, None), "60");
}

#[test]
fn an_orders_age_runs_from_when_it_was_opened_or_first_seen() {
    let seen = SeenOrder { first_seen_ms: Some(20_000), ..order("a", "1", "1") };
    assert_eq!(book(Looks::ONCE, &[sighting(70_000, vec![seen.clone()])], &[])[0].age_s, Some(100));
    let opened = SeenOrder { opened_ms: Some(10_500), ..seen };
    assert_eq!(book(Looks::ONCE, &[sighting(70_000, vec![opened])], &[])[0].age_s, Some(109));
}

#[test]
fn each_side_bears_what_its_lp_asks_for_it() {
    let rate = alp_pool::rate::Rate::parse("0.001").unwrap();
    let asks =
        BTreeMap::from([((LpId(1), Side::Ask), rate), ((LpId(1), Side::Bid), alp_pool::rate::Rate::ZERO)]);
    let shown = [sighting(70_000, vec![order("a", "1", "1")])];
    assert_eq!(book_orders(Looks::ONCE, ROUND, &shown, &[], &asks).unwrap()[0].min_rate, Some(rate));
}

proptest! {
    #[test]
    fn every_instant_of_a_round_falls_into_the_slice_whose_span_it_is_in(
        slices in 1_u32..=60, length_s in 1_u64..=3600, into in 0_u64..3_600_000
    ) {
        let span = Span { start_ms: 1_000_000, end_ms: 1_000_000 + length_s * 1000 };
        let at_ms = span.start_ms + into % (length_s * 1000);
        let looks = looks(slices, Rule::Last, true);
        let slice = looks.slice_of(span, at_ms);
        prop_assert!(slice < slices);
        // An order opened at this instant stands from it to the end of its slice, and not in the slices before.
        let later = at_ms + 1;
        prop_assert!(looks.slice_of(span, later.min(span.end_ms - 1)) >= slice);
    }

    #[test]
    fn no_rule_ever_counts_more_than_was_shown(
        amounts in prop::collection::vec((0_u32..5, 1_u32..1000, 0_u64..60_000, 0_u64..120_000), 1..40),
        slices in 1_u32..=12, interval: bool, by_time: bool
    ) {
        let rule = if interval { Rule::Interval } else { Rule::Last };
        let shown: Vec<Sighting> = amounts.iter().map(|(id, amount, into, opened)| {
            let seen = SeenOrder { opened_ms: Some(*opened), ..order(&id.to_string(), "1", &amount.to_string()) };
            sighting(ROUND.start_ms + into, vec![seen])
        }).collect();
        let strict = book(looks(slices, rule, by_time), &shown, &[]);
        let plain = book(looks(slices, Rule::Last, false), &shown, &[]);
        for (strict, plain) in strict.iter().zip(&plain) {
            prop_assert_eq!(&strict.id, &plain.id);
            prop_assert!(strict.amount <= plain.amount);
        }
    }

    #[test]
    fn the_order_in_which_sightings_are_given_does_not_matter(
        instants in prop::collection::btree_set(0_u64..60_000, 1..20), slices in 1_u32..=12
    ) {
        let mut shown: Vec<Sighting> = instants.iter().enumerate().map(|(number, into)| {
            sighting(ROUND.start_ms + into, vec![order("a", "1", &(number + 1).to_string())])
        }).collect();
        let forward = book(looks(slices, Rule::Interval, false), &shown, &[]);
        shown.reverse();
        prop_assert_eq!(forward, book(looks(slices, Rule::Interval, false), &shown, &[]));
    }
}

//! Recorded rounds under other rules: exactly what a pool with those rules would have recorded.

use std::sync::Arc;

use alp_record::chain::{
    Body, BothSums, Comparison, Digest, EpochStart, JudgedMarket, MAX_PARTS, OtherRules, Replacements,
    Replay, RoundBody, Verifier,
};
use alp_record::{MarketTerms, Pair};
use proptest::prelude::*;

use crate::books::{ROUND, key, pseudonym, signed};
use crate::shown::{Shown, ShownRound, every_kind, kept, recorded, rounds};

fn under(market: &MarketTerms, round: &RoundBody) -> Replacements {
    let pair = Pair { base: "NBT".to_owned(), quote: "USD".to_owned(), reverse: false };
    let rules = Arc::new(OtherRules::new(market.clone(), &pair));
    JudgedMarket::all_of(round).into_iter().map(|judged| (judged, Arc::clone(&rules))).collect()
}

fn replayed(record: &[RoundBody], other: Option<&MarketTerms>) -> Vec<RoundBody> {
    let mut replay = Replay::default();
    let each = record.iter().map(|round| {
        let rules = other.map(|market| under(market, round)).unwrap_or_default();
        RoundBody::clone(&replay.round(round, &rules).unwrap())
    });
    each.collect()
}

fn findings(bodies: &[RoundBody]) -> Vec<String> {
    let start = EpochStart { reason: "begins".to_owned(), last_published: Digest::NOTHING, last_round: 0 };
    let rounds = bodies.iter().map(|body| Body::Round(Box::new(body.clone())));
    let entries = signed(&key(), std::iter::once(Body::Epoch(start)).chain(rounds).collect());
    let mut verifier = Verifier::new(Some(key().public()));
    entries.iter().for_each(|entry| verifier.push(&entry.text()));
    verifier.finish().findings.iter().map(ToString::to_string).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_same_rules_give_the_same_record_to_the_last_unit(shown in rounds(), kind in 0_usize..8) {
        let market = &every_kind()[kind];
        let record = recorded(market, &shown);
        prop_assert_eq!(&replayed(&record, None), &record);
        prop_assert_eq!(&replayed(&record, Some(market)), &record);
        prop_assert_eq!(findings(&record), [] as [String; 0]);
    }

    #[test]
    fn other_rules_give_what_a_pool_with_those_rules_records(
        shown in rounds(), kind in 0_usize..8, other in 0_usize..8,
    ) {
        let rules = every_kind();
        let (market, other) = (&rules[kind], &rules[other]);
        // What other submissions showed in the slices of the recorded rules is not in the record.
        let shown = kept(market, &shown);
        let mut expected = recorded(other, &shown);
        let result = replayed(&recorded(market, &shown), Some(other));
        // What was carried into the first round is what the record says; nothing was, of a pool that begins.
        prop_assert_eq!(&expected[0].carried, &Vec::new());
        if market.needs_first_sightings() && !other.needs_first_sightings() {
            // Ages that the record has stay in it, though nothing asks for them.
            expected.iter_mut().zip(&result).for_each(|(expected, result)| with_ages_of(result, expected));
        }
        prop_assert_eq!(&result, &expected);
        prop_assert_eq!(findings(&result), [] as [String; 0]);
    }
}

fn with_ages_of(result: &RoundBody, expected: &mut RoundBody) {
    for (ours, theirs) in expected.lps.iter_mut().zip(&result.lps) {
        let samples = ours.samples.iter_mut().chain(&mut ours.before);
        for (ours, theirs) in samples.zip(theirs.samples.iter().chain(&theirs.before)) {
            for (ours, theirs) in ours.orders.iter_mut().zip(&theirs.orders) {
                ours.first_seen_ms = theirs.first_seen_ms;
            }
        }
    }
}

/// Two rounds in which LP 1 shows 400 and LP 2 shows 200 on the ask side, at the price itself.
fn two_asks() -> Vec<ShownRound> {
    let shown = |lp, amount| Shown { lp, second: 5, rate: None, orders: vec![(1, true, 0, amount)] };
    let round = |after| ShownRound { after, moved: false, shown: vec![shown(1, 400), shown(2, 200)] };
    vec![round(1), round(1)]
}

#[test]
fn a_target_twice_as_high_pays_half_where_the_old_one_was_just_filled() {
    let rules = every_kind();
    let record = recorded(&rules[0], &two_asks());
    let other = replayed(&record, Some(&rules[1]));
    // Of the reward of 0.025 a minute 0.4 are for the first rank of asks, whose part of the target is 400, then 800.
    assert_eq!((record[0].paid.as_str(), other[0].paid.as_str()), ("0.01", "0.0075"));
    let one_alone = |round: &mut ShownRound| drop(round.shown.pop());
    let mut alone = two_asks();
    alone.iter_mut().for_each(one_alone);
    let record = recorded(&rules[0], &alone);
    let other = replayed(&record, Some(&rules[1]));
    assert_eq!((record[0].paid.as_str(), other[0].paid.as_str()), ("0.01", "0.005"));
}

#[test]
fn a_comparison_adds_up_what_each_lp_and_each_market_would_have_had() {
    let rules = every_kind();
    let record = recorded(&rules[0], &two_asks());
    let other = replayed(&record, Some(&rules[3]));
    let mut comparison = Comparison::default();
    for (recorded, other) in record.iter().zip(&other) {
        comparison.add(recorded, other).unwrap();
    }
    assert_eq!((comparison.rounds, comparison.span), (2, Some((ROUND + 60, ROUND + 120))));
    // The auction wants 700 and takes all of 600 at its highest rate of 0.1 a day: 60 / 1440 a minute, floored.
    let paid = BothSums { recorded_e8: 2_000_000, other_e8: 2 * 4_166_666 };
    assert_eq!(comparison.paid, paid);
    let lps = comparison.lps();
    assert_eq!(lps.values().map(|sums| sums.other_e8).sum::<i128>(), paid.other_e8);
    assert_eq!(lps.values().map(|sums| sums.recorded_e8).sum::<i128>(), paid.recorded_e8);
    assert!(lps[&pseudonym(1)].other_e8 - lps[&pseudonym(2)].other_e8 * 2 <= 4, "pro rata: {lps:?}");
    let market = comparison.markets[&("binance".to_owned(), "usd".to_owned())];
    assert_eq!(market.paid, paid);
    assert_eq!(market.reward.recorded_e8, 5_000_000);
}

#[test]
fn time_is_told_in_no_more_parts_than_a_chart_has_room_for() {
    let record = recorded(&every_kind()[0], &two_asks());
    let mut comparison = Comparison::default();
    for _ in 0..1_000 {
        comparison.add(&record[0], &record[1]).unwrap();
    }
    assert!(comparison.parts.len() <= MAX_PARTS && comparison.parts.len() > MAX_PARTS / 4);
    assert_eq!(comparison.parts.iter().map(|part| part.rounds).sum::<u64>(), 1_000);
    assert!(comparison.parts[0].rounds == comparison.parts[1].rounds);
    assert_eq!(comparison.parts.iter().map(|part| part.paid.other_e8).sum::<i128>(), 1_000_000_000);
}

//! What the rule promises, on random books, with shrinking.

use alp_pool::credit::{LpId, MarketRound, Sample, credit_market};
use alp_pool::judge::JudgedOrder;
use alp_pool::money::{Amount, Ratio};
use alp_pool::price::Price;
use alp_pool::terms::{Fill, RankNumber, Side, Terms};
use proptest::prelude::*;

use crate::book;

/// (LP, side, rank or none, amount in 1e-8).
type Line = (i64, bool, Option<u8>, u64);

fn fills() -> impl Strategy<Value = Fill> {
    prop_oneof![Just(Fill::PerRank), Just(Fill::Paid), Just(Fill::All)]
}

fn markets() -> impl Strategy<Value = Terms> {
    (fills(), 1u64..10_000_000, 1u64..5_000, 0u32..=100, 0u32..=100, 0u32..=100).prop_map(
        |(fill, reward, target, side, ask, bid)| {
            let part = |percent: u32| (format!("{}e-2", percent), format!("{}e-2", 100 - percent));
            let ((ask_side, bid_side), (a1, a2), (b1, b2)) = (part(side), part(ask), part(bid));
            book::terms(
                &format!("{reward}e-8"),
                &target.to_string(),
                fill,
                (&ask_side, &[(&a1, "0.01"), (&a2, "0.5")]),
                (&bid_side, &[(&b1, "0.01"), (&b2, "0.5")]),
            )
        },
    )
}

fn books() -> impl Strategy<Value = Vec<Line>> {
    let rank = prop_oneof![1 => Just(None), 9 => (1u8..=2).prop_map(Some)];
    prop::collection::vec((0i64..6, any::<bool>(), rank, 1u64..300_000_000_000), 0..30)
}

fn order(id: usize, (_, ask, rank, amount): &Line) -> JudgedOrder {
    JudgedOrder {
        id: id.to_string(),
        side: if *ask { Side::Ask } else { Side::Bid },
        price: Price::ONE,
        amount: Amount::parse(&format!("{amount}e-8")).unwrap(),
        rank: rank.map(RankNumber),
        deviation_e8: 0,
        tolerance: Ratio::ONE,
    }
}

fn samples(lines: impl IntoIterator<Item = (usize, Line)>) -> Vec<Sample<'static>> {
    let mut samples: Vec<Sample> = Vec::new();
    for (id, line) in lines {
        let order = order(id, &line);
        match samples.iter_mut().find(|sample| sample.lp == LpId(line.0)) {
            Some(sample) => sample.orders.to_mut().push(order),
            None => samples.push(Sample { lp: LpId(line.0), orders: vec![order].into() }),
        }
    }
    samples
}

fn round(terms: &Terms, lines: &[Line]) -> MarketRound {
    credit_market(terms, terms.reward_per_minute(), &samples(lines.iter().copied().enumerate())).unwrap()
}

fn credit(round: &MarketRound, lp: i64) -> u64 {
    round.credits.iter().find(|credit| credit.lp == LpId(lp)).map_or(0, |credit| credit.credit.e8())
}

proptest! {
    #[test]
    fn never_above_the_reward(terms in markets(), lines in books()) {
        let round = round(&terms, &lines);
        let pots: u64 = round.pots.iter().map(|pot| pot.pot.e8()).sum();
        prop_assert!(pots <= round.reward.e8());
        prop_assert!(round.paid <= round.reward);
    }

    #[test]
    fn the_credits_add_up_to_what_was_paid_out_to_the_last_unit(terms in markets(), lines in books()) {
        let round = round(&terms, &lines);
        let pots: u64 = round.pots.iter().filter(|pot| pot.total > Amount::ZERO).map(|pot| pot.pot.e8()).sum();
        prop_assert_eq!(round.paid.e8(), pots);
        for credit in &round.credits {
            prop_assert_eq!(credit.credit.e8(), credit.orders.iter().map(|order| order.e8()).sum::<u64>());
        }
    }

    #[test]
    fn no_orders_place_in_the_input_matters(terms in markets(), lines in books(), seed in any::<u64>()) {
        let mut shuffled: Vec<(usize, Line)> = lines.iter().copied().enumerate().collect();
        shuffled.sort_by_key(|(id, _)| (*id as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        let straight = round(&terms, &lines);
        let other = samples(shuffled);
        let other_round = credit_market(&terms, terms.reward_per_minute(), &other).unwrap();
        for sample in samples(lines.iter().copied().enumerate()) {
            prop_assert_eq!(credit(&straight, sample.lp.0), credit(&other_round, sample.lp.0));
        }
        prop_assert_eq!(straight.paid, other_round.paid);
    }

    #[test]
    fn splitting_an_order_changes_nobodys_credit(terms in markets(), lines in books(), cut in 1u64..1_000_000) {
        let whole = round(&terms, &lines);
        let mut split = lines.clone();
        if let Some(first) = split.first().copied() && first.3 > cut {
            split[0].3 -= cut;
            split.push((first.0, first.1, first.2, cut));
        }
        let split = round(&terms, &split);
        for lp in 0..6 {
            prop_assert_eq!(credit(&whole, lp), credit(&split, lp));
        }
    }

    #[test]
    fn more_liquidity_never_earns_its_owner_less_beyond_a_unit_a_pot(
        terms in markets(), lines in books(), more in 1u64..100_000_000_000,
    ) {
        let before = round(&terms, &lines);
        let mut grown = lines.clone();
        if let Some(first) = grown.first_mut() {
            first.3 += more;
            let lp = first.0;
            let after = round(&terms, &grown);
            let pots = u64::try_from(before.pots.len()).unwrap();
            prop_assert!(credit(&after, lp) + pots >= credit(&before, lp));
        }
    }

    #[test]
    fn under_per_rank_a_coin_never_earns_more_than_reward_by_target_beyond_a_unit_a_pot(
        terms in markets(), lines in books(),
    ) {
        if terms.fill() == Fill::PerRank {
            let round = round(&terms, &lines);
            for credit in &round.credits {
                let most = u128::from(round.reward.e8()) * credit.provided.e18() / terms.target().e18();
                prop_assert!(u128::from(credit.credit.e8()) <= most + 2 * 4);
            }
        }
    }
}

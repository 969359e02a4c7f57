//! Every promise, for every engine that makes it and under every option, on random books, with shrinking.

use alp_pool::credit::LpId;
use alp_pool::engines::book::{Book, BookOrder};
use alp_pool::engines::counting::Counting;
use alp_pool::engines::fixed_pot::{FixedPotRule, Targets};
use alp_pool::engines::pot::MarketShare;
use alp_pool::engines::promises::{Hold, Promise};
use alp_pool::engines::unpaid::{PerSide, Unpaid};
use alp_pool::engines::{MarketEngine, MarketRules, SideEngine, share_market};
use alp_pool::money::{Amount, Coins};
use alp_pool::round::{Round, RoundLength};
use alp_pool::terms::{Fill, RankNumber, Side, Terms};
use proptest::prelude::*;

use crate::book::{self, both, credit};

/// An order of a random book.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    lp: i64,
    ask: bool,
    rank: Option<u8>,
    /// In 1e-8.
    amount: u64,
    deviation_e8: u32,
    age_s: Option<u64>,
}

impl Line {
    pub(crate) fn order(&self, number: usize) -> BookOrder {
        BookOrder {
            lp: LpId(self.lp),
            id: number.to_string(),
            side: self.side(),
            amount: e8(self.amount),
            rank: self.rank.map(RankNumber),
            deviation_e8: self.deviation_e8,
            min_rate: None,
            age_s: self.age_s,
        }
    }

    fn side(&self) -> Side {
        if self.ask { Side::Ask } else { Side::Bid }
    }
}

fn e8(units: u64) -> Amount {
    book::amount(&format!("{units}e-8"))
}

pub(crate) fn lines() -> impl Strategy<Value = Vec<Line>> {
    let rank = prop_oneof![1 => Just(None), 9 => (1u8..=2).prop_map(Some)];
    // Round amounts too, so that sums hit targets exactly.
    let amount =
        prop_oneof![1u64..300_000_000_000, (1u64..20).prop_map(|hundreds| hundreds * 10_000_000_000)];
    let age = prop::option::weighted(0.8, 0u64..7_200);
    let line = (0i64..5, any::<bool>(), rank, amount, 0u32..60_000_000, age).prop_map(
        |(lp, ask, rank, amount, deviation_e8, age_s)| Line { lp, ask, rank, amount, deviation_e8, age_s },
    );
    prop::collection::vec(line, 1..20)
}

/// What each of five LPs asks, if anything, in 1e-4 a day: few values, so that there are ties.
fn asked() -> impl Strategy<Value = [Option<u8>; 5]> {
    prop::array::uniform5(prop::option::weighted(0.7, 0u8..30))
}

pub(crate) fn markets() -> impl Strategy<Value = Terms> {
    let fills = prop_oneof![Just(Fill::PerRank), Just(Fill::Paid), Just(Fill::All)];
    (fills, 1u64..10_000_000, 1u64..5_000, [0u32..=100, 0u32..=100, 0u32..=100]).prop_map(
        |(fill, reward, target, parts)| {
            book::terms(&format!("{reward}e-8"), &target.to_string(), fill, parts)
        },
    )
}

fn targets() -> impl Strategy<Value = Targets> {
    let amount = || (1u64..5_000).prop_map(|coins| book::amount(&coins.to_string()));
    prop_oneof![
        Just(Targets::OfMarket),
        (amount(), amount()).prop_map(|(ask, bid)| Targets::OfSides(PerSide { ask, bid })),
        prop::array::uniform4(amount()).prop_map(|amounts| {
            let ranks = [(Side::Ask, 1), (Side::Ask, 2), (Side::Bid, 1), (Side::Bid, 2)];
            Targets::OfRanks(
                ranks
                    .into_iter()
                    .zip(amounts)
                    .map(|((side, rank), of)| (side, RankNumber(rank), of))
                    .collect(),
            )
        }),
    ]
}

fn engines() -> impl Strategy<Value = MarketEngine> {
    let rates = || (1u32..40).prop_map(|rate| format!("{rate}e-4"));
    let amounts = || (1u64..3_000).prop_map(|amount| amount.to_string());
    let dailies = || (1u64..2_000_000_000).prop_map(|units| format!("{units}e-8"));
    let tolerances = (1u32..=60).prop_map(|percent| format!("{percent}e-2"));
    prop_oneof![
        (markets(), targets())
            .prop_map(|(terms, targets)| MarketEngine::FixedPot(FixedPotRule::new(terms, targets).unwrap())),
        (rates(), amounts()).prop_map(|(rate, target)| both(&book::tllp(&rate, &target))),
        (dailies(), amounts()).prop_map(|(daily, target)| both(&book::tllp_cost(&daily, &target))),
        dailies().prop_map(|daily| both(&book::fixed_cost(&daily))),
        (rates(), amounts(), amounts())
            .prop_map(|(rate, target, width)| both(&book::sigmoid(&rate, &target, &width))),
        (rates(), amounts()).prop_map(|(rate, target)| both(&book::uniform(&rate, &target))),
        (dailies(), tolerances, 0u32..=8)
            .prop_map(|(daily, tolerance, power)| both(&book::spread(&daily, &tolerance, power))),
    ]
}

fn counting() -> impl Strategy<Value = Counting> {
    let options = (
        prop::option::weighted(0.2, 1u64..100_000_000_000),
        prop::option::weighted(0.2, 1usize..4),
        prop::option::weighted(0.3, 1u64..7_200),
        prop::option::weighted(0.3, 1u32..40),
    );
    options.prop_map(|(least, most, maturing, cap)| {
        let mut counting = Counting::default();
        if let Some(least) = least {
            counting = counting.with_min_order(e8(least)).unwrap();
        }
        if let Some(most) = most {
            counting = counting.with_max_orders(most).unwrap();
        }
        if let Some(seconds) = maturing {
            counting = counting.with_maturing(seconds).unwrap();
        }
        if let Some(cap) = cap {
            counting = counting.with_cap(book::rate(&format!("{cap}e-4"))).unwrap();
        }
        counting
    })
}

/// Any engine under any options. Half of them have none.
fn rules() -> impl Strategy<Value = MarketRules> {
    let unpaid = prop_oneof![
        2 => Just(Unpaid::Drop),
        1 => (1u64..1_000_000_000)
            .prop_map(|units| Unpaid::CarryOver { limit: Coins::from_e8(units).unwrap() }),
        1 => Just(Unpaid::OtherSide),
    ];
    let counting = prop_oneof![Just(Counting::default()), counting()];
    (engines(), counting, unpaid).prop_map(|(engine, counting, unpaid)| {
        MarketRules::new(engine.clone(), counting.clone(), unpaid)
            .unwrap_or_else(|_| MarketRules::new(engine, counting, Unpaid::Drop).unwrap())
    })
}

/// A market, its book, and what is asked.
#[derive(Debug, Clone)]
struct Case {
    rules: MarketRules,
    slices: u32,
    lines: Vec<Line>,
    asked: [Option<u8>; 5],
    round: Round,
    carried: PerSide<Coins>,
}

fn cases() -> impl Strategy<Value = Case> {
    let lengths = prop_oneof![Just(10u32), Just(60), Just(86_400)];
    let carried = (0u64..1_000_000_000, 0u64..1_000_000_000);
    (rules(), 1u32..7, lines(), asked(), (lengths, 0u64..100_000), carried).prop_map(
        |(rules, slices, lines, asked, (seconds, start), (ask, bid))| {
            let length = RoundLength::from_seconds(seconds).unwrap();
            let round = Round { start_s: start * u64::from(seconds), length };
            let coins = |units| Coins::from_e8(units).unwrap();
            let carried = match rules.unpaid() {
                Unpaid::CarryOver { .. } => PerSide { ask: coins(ask), bid: coins(bid) },
                Unpaid::Drop | Unpaid::OtherSide => PerSide::default(),
            };
            Case { rules, slices, lines, asked, round, carried }
        },
    )
}

impl Case {
    fn orders(&self) -> Vec<BookOrder> {
        let with_rate = |(number, line): (usize, &Line)| {
            let min_rate =
                self.asked[usize::try_from(line.lp).unwrap()].map(|rate| book::rate(&format!("{rate}e-4")));
            BookOrder { min_rate, ..line.order(number) }
        };
        self.lines.iter().enumerate().map(with_rate).collect()
    }

    fn share(&self) -> MarketShare {
        self.share_of(self.orders())
    }

    fn share_of(&self, orders: Vec<BookOrder>) -> MarketShare {
        share_market(&self.rules, &Book::new(self.slices, orders).unwrap(), self.round, self.carried).unwrap()
    }

    /// A unit for each pot that there may be.
    fn units(&self) -> u64 {
        match self.rules.engine() {
            MarketEngine::FixedPot(_) => 4,
            MarketEngine::PerSide { .. } => 2,
        }
    }

    /// Whether an LP that shows only what `share` says may rely on this promise.
    fn may_rely(&self, promise: Promise, side: Side, lp: i64, share: &MarketShare) -> bool {
        match self.rules.hold(side, promise) {
            Hold::Kept => true,
            Hold::Broken => false,
            Hold::IfNoRateIsAsked => self.asked[usize::try_from(lp).unwrap()].is_none(),
            Hold::IfFilledWhollyOrNotAtAll => {
                let orders = self.orders();
                orders.iter().zip(&share.orders).filter(|(order, _)| order.lp == LpId(lp)).all(
                    |(order, outcome)| {
                        let shown = order.amount.e18() / u128::from(self.slices);
                        outcome.filled == Amount::ZERO || outcome.filled.e18() == shown
                    },
                )
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn never_above_the_budget(case in cases()) {
        let share = case.share();
        prop_assert!(share.paid <= share.budget, "{} of {}", share.paid, share.budget);
        let found_nobody = Coins::sum([share.carried.ask, share.carried.bid, share.dropped]).unwrap();
        prop_assert!(share.paid.plus(found_nobody).is_ok());
        if let Unpaid::CarryOver { limit } = case.rules.unpaid() {
            prop_assert!(share.carried.ask <= limit && share.carried.bid <= limit);
        }
    }

    #[test]
    fn the_credits_add_up_to_what_was_paid_out_to_the_last_unit(case in cases()) {
        let share = case.share();
        prop_assert_eq!(share.paid, Coins::sum(share.pots.iter().map(|pot| pot.coins)).unwrap());
        prop_assert_eq!(share.paid, Coins::sum(share.credits.iter().map(|lp| lp.credit)).unwrap());
        let orders = case.orders();
        for lp in &share.credits {
            let own = orders.iter().zip(&share.orders).filter(|(order, _)| order.lp == lp.lp);
            prop_assert_eq!(lp.credit, Coins::sum(own.map(|(_, outcome)| outcome.credit)).unwrap());
        }
    }

    #[test]
    fn no_orders_place_in_the_input_matters(case in cases(), seed in any::<u64>()) {
        let mut order: Vec<usize> = (0..case.lines.len()).collect();
        order.sort_by_key(|place| (*place as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        let orders = case.orders();
        let straight = case.share();
        let shuffled = case.share_of(order.iter().map(|place| orders[*place].clone()).collect());
        prop_assert_eq!(&straight.credits, &shuffled.credits);
        prop_assert_eq!(&straight.pots, &shuffled.pots);
        for (place, outcome) in order.iter().zip(&shuffled.orders) {
            prop_assert_eq!(&straight.orders[*place], outcome);
        }
    }

    #[test]
    fn splitting_an_order_changes_nothing_beyond_a_unit(case in cases(), cut in 1u64..1_000_000) {
        let first = case.lines[0];
        let kept = case.rules.hold(first.side(), Promise::SplittingChangesNothing) == Hold::Kept;
        if kept && first.amount > cut {
            let whole = case.share();
            let mut split = case.clone();
            split.lines[0].amount -= cut;
            split.lines.push(Line { amount: cut, ..first });
            let split = split.share();
            for lp in 0..5 {
                let off = credit(&whole, lp).abs_diff(credit(&split, lp));
                prop_assert!(off <= case.units(), "{lp}: off by {off}");
            }
        }
    }

    #[test]
    fn more_liquidity_never_earns_its_owner_less_beyond_a_unit(case in cases(), more in 1u64..200_000_000_000) {
        let before = case.share();
        let first = case.lines[0];
        if case.may_rely(Promise::MoreLiquidityNeverEarnsLess, first.side(), first.lp, &before) {
            let mut grown = case.clone();
            grown.lines[0].amount += more;
            let after = grown.share();
            let (before, after) = (credit(&before, first.lp), credit(&after, first.lp));
            prop_assert!(after + case.units() >= before, "{before} became {after}");
        }
    }

    #[test]
    fn a_lower_bid_never_earns_less_beyond_a_unit(case in cases(), cheaper in 0u8..30) {
        let before = case.share();
        let lp = case.lines[0].lp;
        let place = usize::try_from(lp).unwrap();
        let kept = Side::BOTH
            .into_iter()
            .all(|side| case.may_rely(Promise::ALowerBidNeverEarnsLess, side, lp, &before));
        if let Some(asked) = case.asked[place] && cheaper < asked && kept {
            let mut lowered = case.clone();
            lowered.asked[place] = Some(cheaper);
            let after = lowered.share();
            let (before, after) = (credit(&before, lp), credit(&after, lp));
            prop_assert!(after + case.units() >= before, "{before} became {after}");
        }
    }

    #[test]
    fn nobody_is_paid_below_their_own_minimum_beyond_a_unit(case in cases()) {
        let share = case.share();
        let day_e8 = 86_400_u128 * 10u128.pow(28);
        for (order, outcome) in case.orders().iter().zip(&share.orders) {
            let kept = case.rules.hold(order.side, Promise::NobodyBelowTheirMinimum) == Hold::Kept;
            if let Some(least) = order.min_rate && kept {
                // Rates are tens of 1e-5 and amounts whole 1e-9 at most, so the product stays within 128 bits.
                let rate_e4 = least.e18() / 10u128.pow(14);
                let wanted = outcome.filled.e18() / 10u128.pow(4)
                    * rate_e4 * u128::from(case.round.length.seconds()) / (day_e8 / 10u128.pow(18));
                prop_assert!(
                    u128::from(outcome.credit.e8()) + 2 >= wanted,
                    "{} for {} at {least}, wanted {wanted}", outcome.credit, outcome.filled
                );
            }
        }
    }

    #[test]
    fn under_a_cap_no_coin_earns_more_than_it_beyond_a_unit(case in cases()) {
        if let Some(cap) = case.rules.counting().cap() {
            let share = case.share();
            for lp in &share.credits {
                let most = cap.e18() / 10u128.pow(14) * (lp.provided.e18() / 10u128.pow(4) + 1)
                    * u128::from(case.round.length.seconds()) / (86_400 * 10u128.pow(10));
                let credit = u128::from(lp.credit.e8());
                prop_assert!(credit <= most + 1 + u128::from(case.units()), "{credit} above {most}");
            }
        }
    }
}

#[test]
fn every_engine_is_among_those_that_are_tested() {
    use alp_pool::engines::EngineKind;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        seen.insert(engines().new_tree(&mut runner).unwrap().current().kind(Side::Ask));
    }
    assert_eq!(seen, EngineKind::ALL.into_iter().collect());
    let names: Vec<_> = EngineKind::ALL.iter().map(|kind| EngineKind::from_name(kind.name())).collect();
    assert_eq!(names, EngineKind::ALL.map(Some));
    let _: SideEngine = book::fixed_cost("1");
}

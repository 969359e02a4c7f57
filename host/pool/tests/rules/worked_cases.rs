//! The cases that the rule's description works out by hand, and the faults it was known for.

use alp_pool::terms::{Fill, Side::Ask, Side::Bid};

use crate::book::{credit_of, minute, terms};

const ONE_RANK: &[(&str, &str)] = &[("1", "0.0105")];

#[test]
fn a1_half_the_liquidity_of_five_lps_pays_its_share_of_the_reward() {
    let terms = terms("0.025", "2500", Fill::All, ("0.5", ONE_RANK), ("0.5", ONE_RANK));
    let ids: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    let book: Vec<_> = (0..5i64)
        .flat_map(|lp| {
            let at = usize::try_from(lp).unwrap() * 2;
            [(lp, ids[at].as_str(), Ask, "200", "1"), (lp, ids[at + 1].as_str(), Bid, "200", "1")]
        })
        .collect();
    let round = minute(&terms, "1", &book);
    assert_eq!(round.pots.iter().map(|pot| pot.pot.to_string()).collect::<Vec<_>>(), ["0.01", "0.01"]);
    assert!((0..5).all(|lp| credit_of(&round, lp) == "0.004"));
}

#[test]
fn a2_three_lps_two_ranks() {
    let bids: &[(&str, &str)] = &[("0.8", "0.0085"), ("0.2", "1")];
    let terms = terms("0.05", "1500", Fill::All, ("0.6", &[("1", "0.0085")]), ("0.4", bids));
    let book = [
        (1, "1", Ask, "900", "0.00400"),
        (2, "2", Bid, "600", "0.00398"),
        (2, "3", Bid, "400", "0.00380"),
        (3, "4", Bid, "200", "0.00397"),
        (3, "5", Ask, "100", "0.00402"),
    ];
    let round = minute(&terms, "0.004", &book);
    assert_eq!(
        round.pots.iter().map(|pot| pot.pot.to_string()).collect::<Vec<_>>(),
        ["0.03", "0.016", "0.004"]
    );
    assert_eq!([1, 2, 3].map(|lp| credit_of(&round, lp)), ["0.027", "0.016", "0.007"]);
    assert_eq!(round.paid.to_string(), "0.05");
}

#[test]
fn a3_the_pot_of_an_empty_side_is_not_paid() {
    let terms = terms("0.025", "2500", Fill::All, ("0.5", ONE_RANK), ("0.5", ONE_RANK));
    let round = minute(&terms, "1", &[(1, "1", Ask, "2500", "1")]);
    assert_eq!(credit_of(&round, 1), "0.0125");
    assert_eq!(round.paid.to_string(), "0.0125");
}

#[test]
fn a7_an_order_outside_every_tolerance_earns_nothing_and_breaks_nothing() {
    // PB-12: the original's round died of such an order, for everybody, every minute.
    let terms = terms("0.025", "2500", Fill::All, ("0.5", &[("1", "0.2")]), ("0.5", &[("1", "0.2")]));
    let round = minute(&terms, "1", &[(1, "1", Ask, "100", "1.26"), (2, "2", Ask, "2500", "1.25")]);
    assert_eq!([1, 2].map(|lp| credit_of(&round, lp)), ["0", "0.0125"]);
    let alone = minute(&terms, "1", &[(1, "1", Ask, "100000", "1.26")]);
    assert_eq!((alone.paid.to_string().as_str(), alone.pots[0].total.to_string().as_str()), ("0", "0"));
}

/// PB-14: a bid far off, which cannot be hit, must not raise what one coin at the peg earns.
#[test]
fn pb_14_far_orders_do_not_raise_what_near_ones_are_paid() {
    let ranks: &[(&str, &str)] = &[("1", "0.0105"), ("0", "1")];
    let alone = [(1, "1", Ask, "1", "1")];
    let with_far_bid = [(1, "1", Ask, "1", "1"), (2, "2", Bid, "2500", "0.0001")];
    let earned = |fill, book: &[_]| {
        credit_of(&minute(&terms("0.025", "2500", fill, ("0.5", ranks), ("0.5", ranks)), "1", book), 1)
    };
    assert_eq!(earned(Fill::All, &alone), "0.000005");
    assert_eq!(earned(Fill::All, &with_far_bid), "0.0125", "ALP-Server's rule: 2 500 times as much");
    assert_eq!(earned(Fill::Paid, &with_far_bid), "0.000005");
    // One coin earns reward / target, however the ratios cut the reward.
    assert_eq!(earned(Fill::PerRank, &alone), "0.00001");
    assert_eq!(earned(Fill::PerRank, &with_far_bid), "0.00001");
}

/// The same with a rank 2 that is paid: there `paid` no longer helps, only `per_rank` does.
#[test]
fn pb_14_with_a_paid_second_rank_only_per_rank_keeps_ranks_apart() {
    let ranks: &[(&str, &str)] = &[("0.9", "0.0105"), ("0.1", "1")];
    let near = [(1, "1", Ask, "50", "1"), (1, "2", Bid, "50", "1")];
    let with_junk = [near[0], near[1], (2, "3", Ask, "900", "50")];
    let earned = |fill, book: &[_]| {
        credit_of(&minute(&terms("0.025", "1000", fill, ("0.5", ranks), ("0.5", ranks)), "1", book), 1)
    };
    assert_eq!(earned(Fill::All, &near), "0.00225");
    assert_eq!(earned(Fill::All, &with_junk), "0.0225");
    assert_eq!(earned(Fill::Paid, &with_junk), "0.0225");
    assert_eq!(earned(Fill::PerRank, &near), "0.0025");
    assert_eq!(earned(Fill::PerRank, &with_junk), "0.0025");
}

#[test]
fn pots_rounded_up_beyond_the_reward_give_back_from_the_one_rounded_up_most() {
    // Three ranks of a third of 2 units each would round to 1 each; ratios of 1e-8 leave the odd one with less.
    let thirds: &[(&str, &str)] = &[("0.33333334", "0.1"), ("0.33333333", "0.2"), ("0.33333333", "0.3")];
    let terms = terms("0.00000002", "1", Fill::All, ("1", thirds), ("0", ONE_RANK));
    let book = [(1, "1", Ask, "1", "1"), (1, "2", Ask, "1", "1.2"), (1, "3", Ask, "1", "1.4")];
    let pots: Vec<u64> = minute(&terms, "1", &book).pots.iter().map(|pot| pot.pot.e8()).collect();
    assert_eq!(pots, [1, 1, 0, 0], "the last two were rounded up equally far: the farther rank gives back");
}

//! From balances to outputs.

use std::collections::BTreeMap;

use alp_pool::credit::LpId;
use alp_pool::money::Coins;
use alp_pool::payout::{
    FeeBearer, HeldBecause, Owed, PayoutTerms, Plan, PlanError, WalletTerms, plan as plan_payouts,
};
use alp_pool::proof::NotPaid;
use proptest::prelude::*;

fn coins(text: &str) -> Coins {
    Coins::parse(text).unwrap()
}

fn owed(lp: i64, address: &str, text: &str) -> Owed {
    Owed {
        lp: LpId(lp),
        address: address.to_owned(),
        coins: coins(text),
        approved: false,
        refused_by_wallet: false,
        not_paid: None,
    }
}

fn terms() -> PayoutTerms {
    PayoutTerms { minimum: coins("1"), fee: FeeBearer::Pool, hold_above: None, daily_ceiling: None }
}

/// Nu's: four decimals.
fn wallet() -> WalletTerms {
    WalletTerms::new(coins("0.0001"), coins("0.01"), 3).unwrap()
}

fn plan(owed: &[Owed], terms: &PayoutTerms) -> Plan {
    plan_payouts(owed, terms, &wallet(), Coins::ZERO).unwrap()
}

#[test]
fn amounts_are_floored_to_the_wallets_unit_and_the_rest_stays_owed() {
    let plan = plan(&[owed(1, "a", "5.00019999")], &terms());
    let output = &plan.payouts[0].outputs[0];
    assert_eq!((output.coins, output.debits[0].paid), (coins("5.0001"), coins("5.0001")));
}

#[test]
fn lps_that_share_an_address_share_its_output() {
    let plan = plan(&[owed(2, "a", "0.70005"), owed(1, "a", "0.30004")], &terms());
    let output = &plan.payouts[0].outputs[0];
    assert_eq!(output.coins, coins("1"));
    let debits: Vec<(i64, Coins)> = output.debits.iter().map(|debit| (debit.lp.0, debit.paid)).collect();
    assert_eq!(debits, [(1, coins("0.300013")), (2, coins("0.699987"))]);
}

#[test]
fn an_address_below_the_minimum_keeps_what_it_is_owed() {
    assert_eq!(plan(&[owed(1, "a", "0.99999999")], &terms()), Plan::default());
    assert_eq!(plan(&[owed(1, "a", "0.5"), owed(2, "a", "0.5")], &terms()).payouts.len(), 1);
}

#[test]
fn a_fee_that_the_address_bears_is_fixed_beforehand_and_split_among_its_lps() {
    let terms = PayoutTerms { fee: FeeBearer::Address(coins("0.01")), ..terms() };
    let plan = plan(&[owed(1, "a", "3"), owed(2, "a", "1")], &terms);
    let output = &plan.payouts[0].outputs[0];
    assert_eq!(output.coins, coins("3.99"));
    assert_eq!((output.debits[0].paid, output.debits[0].fee), (coins("2.9925"), coins("0.0075")));
    assert_eq!((output.debits[1].paid, output.debits[1].fee), (coins("0.9975"), coins("0.0025")));
}

#[test]
fn each_batch_is_a_payout_of_its_own() {
    let many: Vec<Owed> = (0..7).map(|lp| owed(lp, &format!("address {lp}"), "2")).collect();
    let sizes: Vec<usize> = plan(&many, &terms()).payouts.iter().map(|payout| payout.outputs.len()).collect();
    assert_eq!(sizes, [3, 3, 1]);
}

#[test]
fn what_is_above_the_limit_waits_for_approval_and_holds_nobody_else() {
    let terms = PayoutTerms { hold_above: Some(coins("100")), ..terms() };
    let mut all = vec![owed(1, "a", "100.0001"), owed(2, "b", "100")];
    let held = plan(&all, &terms);
    assert_eq!(
        (held.held_back[0].address.as_str(), held.held_back[0].because),
        ("a", HeldBecause::NeedsApproval)
    );
    assert_eq!(held.payouts[0].outputs[0].address, "b");
    all[0].approved = true;
    assert_eq!(plan(&all, &terms).payouts[0].outputs.len(), 2);
}

#[test]
fn the_ceiling_of_a_day_counts_all_its_payouts() {
    let terms = PayoutTerms { daily_ceiling: Some(coins("10")), ..terms() };
    let all = [owed(1, "a", "4"), owed(2, "b", "4"), owed(3, "c", "4"), owed(4, "d", "2")];
    let plan = plan_payouts(&all, &terms, &wallet(), Coins::ZERO).unwrap();
    let paid: Vec<&str> = plan.payouts[0].outputs.iter().map(|output| output.address.as_str()).collect();
    assert_eq!(paid, ["a", "b", "d"]);
    assert_eq!(plan.held_back[0].because, HeldBecause::DailyCeiling);
    let later = plan_payouts(&all, &terms, &wallet(), coins("10")).unwrap();
    assert_eq!((later.payouts.len(), later.held_back.len()), (0, 4));
}

#[test]
fn an_address_that_the_wallet_refused_is_held_and_the_others_are_paid() {
    let mut all = [owed(1, "a", "2"), owed(2, "b", "2")];
    all[0].refused_by_wallet = true;
    let plan = plan(&all, &terms());
    assert_eq!(plan.held_back[0].because, HeldBecause::RefusedByWallet);
    assert_eq!(plan.payouts[0].outputs.len(), 1);
}

#[test]
fn an_lp_whose_address_changes_is_left_out_whole_and_the_others_of_the_address_are_paid() {
    for because in [NotPaid::Changing, NotPaid::NotProven] {
        let mut all = [owed(1, "a", "2"), owed(2, "a", "3"), owed(3, "b", "4")];
        all[0].not_paid = Some(because);
        let plan = plan(&all, &terms());
        let held = &plan.held_back[0];
        assert_eq!((held.because, held.coins), (HeldBecause::Address(LpId(1), because), coins("2")));
        let paid: Vec<Coins> = plan.payouts[0].outputs.iter().map(|output| output.coins).collect();
        assert_eq!(paid, [coins("3"), coins("4")]);
    }
}

#[test]
fn what_cannot_be_planned_is_said() {
    assert_eq!(WalletTerms::new(Coins::ZERO, Coins::ZERO, 1), Err(PlanError::NoUnit));
    assert_eq!(WalletTerms::new(coins("1"), Coins::ZERO, 0), Err(PlanError::NoOutputs));
    let twice = [owed(1, "a", "2"), owed(1, "a", "2")];
    assert_eq!(plan_payouts(&twice, &terms(), &wallet(), Coins::ZERO), Err(PlanError::Twice));
}

fn books() -> impl Strategy<Value = Vec<Owed>> {
    let one = (0_u8..6, 0_u64..30_000_000_000, prop::bool::ANY);
    prop::collection::vec(one, 0..40).prop_map(|all| {
        let number = |(lp, (address, e8, approved)): (usize, (u8, u64, bool))| Owed {
            lp: LpId(i64::try_from(lp).unwrap()),
            address: format!("address {address}"),
            coins: Coins::from_e8(e8).unwrap(),
            approved,
            refused_by_wallet: false,
            not_paid: (e8 % 5 == 0).then_some(NotPaid::Changing),
        };
        all.into_iter().enumerate().map(number).collect()
    })
}

proptest! {
    #[test]
    fn nobody_is_debited_more_than_is_owed_and_every_output_is_its_debits(
        book in books(), unit in 1_u64..100_000, fee in 0_u64..50_000_000, most in 1_usize..5,
        ceiling in prop::option::of(0_u64..100_000_000_000), hold in prop::option::of(0_u64..50_000_000_000)
    ) {
        let wallet = WalletTerms::new(Coins::from_e8(unit).unwrap(), Coins::from_e8(1_000).unwrap(), most).unwrap();
        let terms = PayoutTerms {
            minimum: Coins::from_e8(100_000_000).unwrap(),
            fee: FeeBearer::Address(Coins::from_e8(fee).unwrap()),
            hold_above: hold.and_then(Coins::from_e8),
            daily_ceiling: ceiling.and_then(Coins::from_e8),
        };
        let plan = plan_payouts(&book, &terms, &wallet, Coins::ZERO).unwrap();
        let owed: BTreeMap<i64, u64> = book.iter().map(|lp| (lp.lp.0, lp.coins.e8())).collect();
        let mut debited: BTreeMap<i64, u64> = BTreeMap::new();
        let mut all = 0;
        for payout in &plan.payouts {
            prop_assert!(payout.outputs.len() <= most);
            prop_assert_eq!(payout.total.e8(), payout.outputs.iter().map(|output| output.coins.e8()).sum::<u64>());
            for output in &payout.outputs {
                prop_assert_eq!(output.coins.e8() % unit, 0);
                prop_assert!(output.coins >= terms.minimum);
                prop_assert_eq!(output.coins.e8(), output.debits.iter().map(|debit| debit.paid.e8()).sum::<u64>());
                prop_assert_eq!(fee, output.debits.iter().map(|debit| debit.fee.e8()).sum::<u64>());
                all += output.coins.e8();
                for debit in &output.debits {
                    *debited.entry(debit.lp.0).or_default() += debit.paid.e8() + debit.fee.e8();
                }
            }
        }
        for lp in book.iter().filter(|lp| lp.not_paid.is_some()) {
            prop_assert!(!debited.contains_key(&lp.lp.0), "LP {} is held", lp.lp.0);
        }
        for (lp, debit) in debited {
            prop_assert!(debit <= owed[&lp], "LP {} owes {}", lp, debit);
        }
        if let Some(ceiling) = ceiling {
            prop_assert!(all <= ceiling);
        }
    }

    #[test]
    fn the_order_in_which_balances_are_given_does_not_matter(book in books()) {
        let terms = PayoutTerms { daily_ceiling: Some(coins("500")), ..terms() };
        let forward = plan(&book, &terms);
        let backward: Vec<Owed> = book.into_iter().rev().collect();
        prop_assert_eq!(forward, plan(&backward, &terms));
    }
}

//! A ledger that adds up has no finding, and one that was changed anywhere has.
#![cfg(test)]

use alp_pool::audit::{Debit, PayoutBooks, PayoutLine, RunningTotals, WrongTotal, wrong_in_payout};
use alp_pool::credit::LpId;
use proptest::prelude::*;

/// Entries of a few LPs, with their right totals.
fn ledger(amounts: &[(i64, i64)]) -> Vec<(u64, LpId, i64, i64)> {
    let mut totals = std::collections::BTreeMap::new();
    let entries = amounts.iter().zip(1..).map(|((lp, amount), entry_no)| {
        let total = totals.entry(*lp).or_insert(0_i64);
        *total += amount;
        (entry_no, LpId(*lp), *amount, *total)
    });
    entries.collect()
}

fn findings(mut totals: RunningTotals, entries: &[(u64, LpId, i64, i64)]) -> Vec<WrongTotal> {
    let mut found: Vec<WrongTotal> =
        entries.iter().flat_map(|(no, lp, amount, total)| totals.push(*no, *lp, *amount, *total)).collect();
    found.extend(totals.finish());
    found
}

fn amounts() -> impl Strategy<Value = Vec<(i64, i64)>> {
    proptest::collection::vec((0_i64..4, -1_000_000_i64..1_000_000), 1..40)
}

proptest! {
    #[test]
    fn a_ledger_that_adds_up_has_no_finding(amounts in amounts()) {
        prop_assert_eq!(findings(RunningTotals::default(), &ledger(&amounts)), []);
    }

    #[test]
    fn a_changed_amount_or_total_is_found_at_its_entry(
        amounts in amounts(),
        at in any::<prop::sample::Index>(),
        total: bool,
    ) {
        let mut entries = ledger(&amounts);
        let at = at.index(entries.len());
        if total { entries[at].3 += 7 } else { entries[at].2 += 7 }
        let found = findings(RunningTotals::default(), &entries);
        let changed = entries[at].0;
        let named = |wrong: &WrongTotal| matches!(wrong, WrongTotal::Step { entry_no, .. } if *entry_no == changed);
        prop_assert!(found.iter().any(named), "{:?}", found);
    }

    #[test]
    fn a_missing_entry_is_named(amounts in amounts(), at in any::<prop::sample::Index>()) {
        let mut entries = ledger(&amounts);
        let gone = entries.remove(at.index(amounts.len()));
        let expected = WrongTotal::Missing { from: gone.0, to: gone.0 };
        // After the last one nobody can tell that there was another.
        let is_last = usize::try_from(gone.0).unwrap() == amounts.len();
        prop_assert!(is_last || findings(RunningTotals::default(), &entries).contains(&expected));
    }

    #[test]
    fn what_was_carried_forward_stands_for_what_was_deleted(amounts in amounts(), at in any::<prop::sample::Index>()) {
        let entries = ledger(&amounts);
        let below = at.index(entries.len());
        let (old, kept) = entries.split_at(below);
        let carried: Vec<(LpId, i128)> = old.iter().map(|(_, lp, amount, _)| (*lp, i128::from(*amount))).collect();
        let forgotten = u64::try_from(below).unwrap() + 1;
        let totals = RunningTotals::carrying(carried.clone(), forgotten);
        prop_assert_eq!(findings(totals, kept), []);
        // A coin less carried forward is a coin that is missing.
        let mut less = carried;
        if let Some(first) = less.first_mut() {
            first.1 -= 1;
            let totals = RunningTotals::carrying(less, forgotten);
            let lp = old[0].0;
            let has_later = kept.iter().any(|entry| entry.1 == old[0].1);
            prop_assert!(!has_later || !findings(totals, kept).is_empty(), "{}", lp);
        }
    }

    #[test]
    fn a_payout_takes_what_it_pays_and_a_void_one_gives_all_of_it_back(
        paid in proptest::collection::vec(1_i64..1_000_000, 1..6),
        fee in 1_i64..100,
    ) {
        let outputs = paid.clone();
        let lines = |sign: i64, returned: bool| {
            let each = paid.iter().zip(1..).flat_map(move |(amount, lp)| {
                [(Debit::Paid, *amount), (Debit::Fee, fee)].map(|(debit, amount_e8)| {
                    PayoutLine { lp: LpId(lp), debit, returned, amount_e8: sign * amount_e8 }
                })
            });
            each.collect::<Vec<_>>()
        };
        let total_e8 = paid.iter().sum();
        let books = PayoutBooks { outputs_e8: &outputs, total_e8, is_void: false, was_reserved: true };
        let taken = lines(-1, false);
        prop_assert_eq!(wrong_in_payout(books, &taken), Vec::<String>::new());
        let void = PayoutBooks { is_void: true, ..books };
        let mut both = [taken.clone(), lines(1, true)].concat();
        prop_assert_eq!(wrong_in_payout(void, &both), Vec::<String>::new());
        prop_assert!(!wrong_in_payout(books, &both).is_empty());
        both.pop();
        prop_assert_eq!(wrong_in_payout(void, &both).len(), 1);
        prop_assert_eq!(wrong_in_payout(books, &taken[1..]).len(), 1);
        let more = PayoutBooks { total_e8: books.total_e8 + 1, ..books };
        prop_assert_eq!(wrong_in_payout(more, &taken).len(), 1);
    }
}

#[test]
fn what_an_adopted_transaction_pays_to_nobody_is_in_nobodys_debit() {
    let line = |amount_e8| PayoutLine { lp: LpId(1), debit: Debit::Paid, returned: false, amount_e8 };
    let books = PayoutBooks { outputs_e8: &[5, 3], total_e8: 8, is_void: false, was_reserved: false };
    assert!(wrong_in_payout(books, &[line(-5)]).is_empty());
    assert_eq!(wrong_in_payout(books, &[line(-9)]).len(), 1);
    assert_eq!(wrong_in_payout(PayoutBooks { was_reserved: true, ..books }, &[line(-5)]).len(), 1);
}

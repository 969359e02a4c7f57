//! What follows from a proof.

use alp_pool::proof::{AddressStanding, NextAddress, NotPaid, ProofStep, ProofTerms};
use proptest::prelude::*;

const TERMS: ProofTerms = ProofTerms { notice_ms: 100, delay_ms: 1_000 };

fn next(address: &str, from_ms: u64) -> Option<NextAddress> {
    Some(NextAddress { address: address.to_owned(), from_ms })
}

#[test]
fn proving_the_registered_address_is_done_at_once_and_holds_nothing() {
    let (now, step) = AddressStanding::registered("a").after_proof("a", TERMS, 5);
    assert_eq!((now.proven, now.next.clone(), step), (true, None, ProofStep::Proven));
    assert_eq!(now.may_be_paid(true), Ok(()));
}

#[test]
fn a_proven_address_replaces_an_unproven_one_after_the_notice_and_what_is_owed_is_held_until_then() {
    let (changing, step) = AddressStanding::registered("squatter").after_proof("owner", TERMS, 5);
    assert_eq!((step, changing.next.clone()), (ProofStep::Begun, next("owner", 105)));
    assert_eq!(changing.clone().at(104).may_be_paid(false), Err(NotPaid::Changing));
    let changed = changing.at(105);
    assert_eq!((changed.address.as_str(), changed.proven), ("owner", true));
    assert_eq!(changed.may_be_paid(true), Ok(()));
}

#[test]
fn a_proven_address_changes_only_by_a_new_proof_and_the_delay() {
    let (proven, _) = AddressStanding::registered("old").after_proof("old", TERMS, 5);
    let (changing, step) = proven.after_proof("new", TERMS, 10);
    assert_eq!((step, changing.next.clone()), (ProofStep::Begun, next("new", 1_010)));
    assert_eq!(changing.clone().at(1_009).address, "old");
    assert_eq!(changing.at(1_010).address, "new");
}

#[test]
fn the_owner_withdraws_a_change_by_proving_the_old_address_again() {
    let (proven, _) = AddressStanding::registered("old").after_proof("old", TERMS, 5);
    let (changing, _) = proven.clone().after_proof("thief", TERMS, 10);
    let (back, step) = changing.after_proof("old", TERMS, 500);
    assert_eq!((back, step), (proven, ProofStep::Withdrawn));
}

#[test]
fn the_same_proof_again_moves_no_deadline_and_another_one_begins_anew() {
    let (changing, _) = AddressStanding::registered("a").after_proof("b", TERMS, 0);
    let (same, step) = changing.clone().after_proof("b", TERMS, 60);
    assert_eq!((same, step), (changing.clone(), ProofStep::Nothing));
    let (other, _) = changing.after_proof("c", TERMS, 60);
    assert_eq!(other.next, next("c", 160));
}

#[test]
fn the_operator_stops_what_is_changing_and_nothing_else() {
    let (changing, _) = AddressStanding::registered("a").after_proof("b", TERMS, 0);
    assert_eq!(changing.clone().after_stop(99), Some(AddressStanding::registered("a")));
    assert_eq!(changing.after_stop(100), None, "it is in force already");
    assert_eq!(AddressStanding::registered("a").after_stop(5), None);
}

#[test]
fn without_a_proof_an_address_is_paid_unless_the_operator_demands_one() {
    let registered = AddressStanding::registered("a");
    assert_eq!(registered.may_be_paid(false), Ok(()));
    assert_eq!(registered.may_be_paid(true), Err(NotPaid::NotProven));
}

/// Something that happens to an LP's address, after so much time.
#[derive(Debug, Clone)]
enum Happens {
    Proof(u8),
    Stop,
    Nothing,
}

fn life() -> impl Strategy<Value = Vec<(u64, Happens)>> {
    let happens = prop_oneof![
        3 => (0_u8..4).prop_map(Happens::Proof),
        1 => Just(Happens::Stop),
        1 => Just(Happens::Nothing),
    ];
    prop::collection::vec((0_u64..1_500, happens), 0..60)
}

proptest! {
    /// Whatever happens: an address comes into force only a notice (a delay, if the one before was proven) after it was
    /// proven itself, without anything stopping it; nothing is paid while one is about to; and what is proven stays so.
    #[test]
    fn no_address_comes_into_force_without_its_own_proof_and_its_time(life in life()) {
        let mut now_ms = 1_000_000;
        let mut standing = AddressStanding::registered("0");
        let mut last_proof_ms = [None; 4];
        for (passes, happens) in life {
            let before = standing.clone();
            now_ms += passes;
            standing = standing.at(now_ms);
            if standing.address != before.address {
                let index: usize = standing.address.parse().unwrap();
                let wait_ms = if before.proven { TERMS.delay_ms } else { TERMS.notice_ms };
                let proof_ms: u64 = last_proof_ms[index].unwrap();
                prop_assert!(now_ms >= proof_ms + wait_ms);
                prop_assert!(standing.proven && standing.next.is_none());
            }
            prop_assert!(standing.proven || !before.proven);
            prop_assert_eq!(standing.may_be_paid(false).is_ok(), standing.next.is_none());
            let paid_at = standing.address.clone();
            match happens {
                Happens::Proof(index) => {
                    let address = index.to_string();
                    let (after, step) = standing.after_proof(&address, TERMS, now_ms);
                    if step != ProofStep::Nothing {
                        last_proof_ms[usize::from(index)] = Some(now_ms);
                    }
                    prop_assert_eq!(after.may_be_paid(true).is_ok(), address == after.address);
                    if let Some(next) = &after.next {
                        let wait_ms = if after.proven { TERMS.delay_ms } else { TERMS.notice_ms };
                        prop_assert_eq!(next.from_ms, last_proof_ms[usize::from(index)].unwrap() + wait_ms);
                        prop_assert_eq!(&next.address, &address);
                    }
                    standing = after;
                }
                Happens::Stop => {
                    if let Some(after) = standing.clone().after_stop(now_ms) {
                        prop_assert!(standing.next.is_some() && after.next.is_none());
                        standing = after;
                    }
                }
                Happens::Nothing => {}
            }
            prop_assert_eq!(&standing.address, &paid_at, "nothing changes the address but time");
        }
    }
}

//! Challenges are few and lapse, what happened to an address is only added to, and payouts go by it.

use alp_store::{
    Issued, Met, NewAddressRecord, NewChallenge, NewPayout, PayoutDebit, PayoutOutput, RegisterOutcome, StoreError,
};
use tokio::task::JoinSet;

use super::open_for_test;
use crate::support::{FIRST_ROUND, ROUND_SECONDS, TestStore, entry, lead};

const NOW_S: u64 = FIRST_ROUND + 1;
const NOW_MS: u64 = NOW_S * 1000;
const HOUR_MS: u64 = 3_600_000;
const TEN_MINUTES_MS: u64 = 600_000;

fn wanted(lp_id: i64, address: &str) -> NewChallenge {
    NewChallenge {
        lp_id,
        unit: "btc".into(),
        address: address.into(),
        asked_from: String::new(),
        shown_by: "amount".into(),
        decimals: 8,
        nonce: "ab".repeat(32),
        seal: String::new(),
        digits: "12345678".into(),
        lifetime_ms: TEN_MINUTES_MS,
        most: 2,
        window_ms: HOUR_MS,
    }
}

/// The number of an open challenge, and how many are left.
async fn issue(test: &TestStore, new: &NewChallenge) -> Option<(u64, u32)> {
    match test.store.issue_challenge(new).await.unwrap() {
        Issued::Open { challenge, left } => Some((challenge.challenge_id, left)),
        Issued::TooMany { .. } => None,
    }
}

fn begun(lp_id: i64, from: &str, to: &str, from_ms: u64) -> NewAddressRecord {
    NewAddressRecord {
        lp_id,
        kind: "begun",
        address: from.into(),
        proven: false,
        next: Some((to.into(), from_ms)),
        why: "an order showed it".into(),
    }
}

fn payout(address: &str, lp_id: i64, e8: i64) -> [NewPayout; 1] {
    let debits = vec![PayoutDebit { lp_id, paid_e8: e8, fee_e8: 0 }];
    let outputs = vec![PayoutOutput { address: address.into(), amount_e8: e8, debits }];
    [NewPayout { method: "plain".into(), comment_head: "alp:test".into(), digest: "d".into(), outputs }]
}

/// Whether a payout to this address may be reserved.
async fn reserves(test: &TestStore, address: &str, lp_id: i64) -> bool {
    match test.store.reserve_payouts(&test.lease, 7, &payout(address, lp_id, 10)).await {
        Ok(_) => true,
        Err(StoreError::Invalid { what: "an output", .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_place_gets_so_many_challenges_an_hour_and_the_same_one_again_without_using_another_up() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let first = issue(&test, &wanted(lp_id, "B1")).await.unwrap();
    assert_eq!(first.1, 1);
    assert_eq!(issue(&test, &wanted(lp_id, "B1")).await, Some(first));
    assert_eq!(issue(&test, &wanted(lp_id, "B2")).await.unwrap().1, 0);
    let refused = test.store.issue_challenge(&wanted(lp_id, "B3")).await.unwrap();
    let Issued::TooMany { again_at_ms } = refused else { panic!("a third one") };
    assert_eq!(again_at_ms, NOW_MS + HOUR_MS);
    let known = NewChallenge { asked_from: "known".into(), ..wanted(lp_id, "B3") };
    assert!(issue(&test, &known).await.is_some(), "another place has its own");
    let bob = test.lp("bob", "btc").await;
    assert!(issue(&test, &wanted(bob, "B3")).await.is_some(), "and so has another key");
    test.set_clock(NOW_S + 3_600);
    assert_eq!(issue(&test, &wanted(lp_id, "B1")).await.unwrap().1, 1, "an hour later there are as many again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_servers_that_are_asked_at_once_no_more_challenges_come_than_are_allowed() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let second = test.another_server().await;
    let mut calls = JoinSet::new();
    for index in 0..12 {
        let store = if index % 2 == 0 { test.store.clone() } else { second.clone() };
        calls.spawn(async move { store.issue_challenge(&wanted(lp_id, &format!("B{index}"))).await.unwrap() });
    }
    let issued = calls.join_all().await;
    assert_eq!(issued.iter().filter(|issued| matches!(issued, Issued::Open { .. })).count(), 2);
}

#[tokio::test]
async fn a_challenge_is_open_until_it_lapses_and_is_forgotten_later() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let (id, _) = issue(&test, &wanted(lp_id, "B1")).await.unwrap();
    assert!(test.store.challenged_lps().await.unwrap().contains(&lp_id));
    let open = test.store.challenges_of(lp_id).await.unwrap();
    assert_eq!((open.len(), open[0].challenge_id, open[0].lapses_at_ms), (1, id, NOW_MS + TEN_MINUTES_MS));
    test.set_clock(NOW_S + 600);
    assert!(test.store.challenges_of(lp_id).await.unwrap().is_empty());
    assert!(test.store.open_challenge(id).await.unwrap().is_none());
    assert!(test.store.challenged_lps().await.unwrap().is_empty());
    let follows = begun(lp_id, "Balice", "B1", NOW_MS + HOUR_MS);
    assert_eq!(test.store.meet_challenge(id, 0, Some(&follows)).await.unwrap(), Met::NotOpen);
    assert_eq!(test.store.forget_lapsed_challenges(NOW_MS + TEN_MINUTES_MS).await.unwrap(), 0);
    assert_eq!(test.store.forget_lapsed_challenges(NOW_MS + TEN_MINUTES_MS + 1).await.unwrap(), 1);
    assert!(test.store.newest_address(lp_id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_sealed_challenge_has_no_digits_until_they_are_set_and_they_are_set_once() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let sealed = NewChallenge { seal: "cd".repeat(32), digits: String::new(), ..wanted(lp_id, "B1") };
    let (id, _) = issue(&test, &sealed).await.unwrap();
    assert!(test.store.challenges_of(lp_id).await.unwrap().is_empty());
    assert_eq!(test.store.meet_challenge(id, 0, None).await.unwrap(), Met::NotOpen);
    assert!(test.store.set_digits(id, "87654321").await.unwrap());
    assert!(!test.store.set_digits(id, "11111111").await.unwrap());
    assert_eq!(test.store.challenges_of(lp_id).await.unwrap()[0].digits, "87654321");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_servers_that_see_a_challenge_met_one_writes_what_follows() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let (id, _) = issue(&test, &wanted(lp_id, "B1")).await.unwrap();
    let second = test.another_server().await;
    let follows = begun(lp_id, "Balice", "B1", NOW_MS + HOUR_MS);
    let (one, two) =
        tokio::join!(test.store.meet_challenge(id, 0, Some(&follows)), second.meet_challenge(id, 0, Some(&follows)));
    let mut met = [one.unwrap(), two.unwrap()];
    met.sort_by_key(|met| *met != Met::Done);
    assert_eq!(met, [Met::Done, Met::NotOpen]);
    let history = test.store.address_history(lp_id).await.unwrap();
    assert_eq!((history.len(), history[0].challenge_id), (1, Some(id)));
}

#[tokio::test]
async fn what_happened_meanwhile_refuses_what_follows_and_leaves_the_challenge_open() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let (first, _) = issue(&test, &wanted(lp_id, "B1")).await.unwrap();
    let (second, _) = issue(&test, &wanted(lp_id, "B2")).await.unwrap();
    let follows = |to: &str| begun(lp_id, "Balice", to, NOW_MS + HOUR_MS);
    assert_eq!(test.store.meet_challenge(first, 0, Some(&follows("B1"))).await.unwrap(), Met::Done);
    assert_eq!(test.store.meet_challenge(second, 0, Some(&follows("B2"))).await.unwrap(), Met::Changed);
    let newest = test.store.newest_address(lp_id).await.unwrap().unwrap();
    assert_eq!(newest.next, Some(("B1".into(), NOW_MS + HOUR_MS)));
    let met = test.store.meet_challenge(second, newest.change_no, Some(&follows("B2"))).await.unwrap();
    assert_eq!(met, Met::Done);
    let all: Vec<(i64, String)> = test.store.changed_addresses().await.unwrap();
    assert_eq!(all, [(lp_id, "B1".into()), (lp_id, "B2".into()), (lp_id, "Balice".into())]);
    assert_eq!(test.store.newest_addresses(0, 10).await.unwrap().len(), 1);
    let bob = test.lp("bob", "btc").await;
    let (of_bob, _) = issue(&test, &wanted(bob, "B1")).await.unwrap();
    assert!(test.store.meet_challenge(of_bob, 0, Some(&follows("B1"))).await.is_err(), "another LP's address");
}

#[tokio::test]
async fn only_the_operator_of_the_server_that_leads_stops_a_change_and_only_the_one_that_was_seen() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let (id, _) = issue(&test, &wanted(lp_id, "B1")).await.unwrap();
    test.store.meet_challenge(id, 0, Some(&begun(lp_id, "Balice", "B1", NOW_MS + HOUR_MS))).await.unwrap();
    let why = "the LP says that it was not he".to_owned();
    let stopped =
        NewAddressRecord { lp_id, kind: "stopped", address: "Balice".into(), proven: false, next: None, why };
    assert!(!test.store.stop_address_change(&test.lease, 0, &stopped).await.unwrap());
    let newest = test.store.newest_address(lp_id).await.unwrap().unwrap();
    assert!(test.store.stop_address_change(&test.lease, newest.change_no, &stopped).await.unwrap());
    let second = test.another_server().await;
    test.store.release_lease(&test.lease).await.unwrap();
    lead(&second, "second").await;
    let late = test.store.stop_address_change(&test.lease, newest.change_no + 1, &stopped).await;
    assert!(matches!(late, Err(StoreError::NotLeader { .. })), "{late:?}");
    let kinds: Vec<String> =
        test.store.address_history(lp_id).await.unwrap().into_iter().map(|record| record.kind).collect();
    assert_eq!(kinds, ["begun", "stopped"]);
}

#[tokio::test]
async fn no_payout_is_reserved_for_an_address_that_changes_nor_for_the_old_one_after_it_has() {
    let Some(test) = open_for_test().await else { return };
    let (alice, bob) = (test.lp("alice", "btc").await, test.lp("bob", "btc").await);
    test.credit(FIRST_ROUND, vec![entry(alice, "btc", 1000), entry(bob, "btc", 1000)]).await;
    let now_s = FIRST_ROUND + ROUND_SECONDS;
    assert!(reserves(&test, "Balice", alice).await);
    let (id, _) = issue(&test, &wanted(alice, "Bnew")).await.unwrap();
    let from_ms = (now_s + 3_600) * 1000;
    test.store.meet_challenge(id, 0, Some(&begun(alice, "Balice", "Bnew", from_ms))).await.unwrap();
    assert!(!reserves(&test, "Balice", alice).await);
    assert!(!reserves(&test, "Bnew", alice).await);
    assert!(reserves(&test, "Bbob", bob).await, "nobody else waits");
    test.set_clock(now_s + 3_600);
    assert!(!reserves(&test, "Balice", alice).await);
    assert!(reserves(&test, "Bnew", alice).await);
    let shown = test.store.payouts_of("alice", 10).await.unwrap().unwrap();
    let addresses: Vec<&str> = shown.iter().map(|payout| payout.address.as_str()).collect();
    assert_eq!(addresses, ["Bnew", "Balice"], "what was reserved keeps its address");
}

#[tokio::test]
async fn a_key_registers_with_the_address_in_force_or_about_to_be_and_with_no_other() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let (id, _) = issue(&test, &wanted(lp_id, "Bnew")).await.unwrap();
    let from_ms = NOW_MS + HOUR_MS;
    test.store.meet_challenge(id, 0, Some(&begun(lp_id, "Balice", "Bnew", from_ms))).await.unwrap();
    let known = RegisterOutcome::AlreadyRegistered { lp_id };
    let register = |address: &'static str| {
        let store = test.store.clone();
        async move { store.register("bittrex", "alice", address, "btc").await.unwrap() }
    };
    assert_eq!((register("Balice").await, register("Bnew").await), (known.clone(), known.clone()));
    assert!(matches!(register("Bthief").await, RegisterOutcome::OtherAddress { .. }));
    test.set_clock(NOW_S + 3_600);
    assert_eq!(register("Bnew").await, known);
    assert!(matches!(register("Balice").await, RegisterOutcome::OtherAddress { .. }));
    let unit = test.store.register("bittrex", "alice", "Bnew", "ppc").await.unwrap();
    assert_eq!(unit, RegisterOutcome::Registered { lp_id });
}

//! What changes balances and the entry that tells of it are one transaction, or nothing.

use alp_store::{NewCorrection, Published, StoreError, Unpublished};

use super::open_for_test;
use super::payouts::{credited, note, output, owed_e8, payout, txid};
use crate::support::{FIRST_ROUND, ROUND_SECONDS, after, began, entry as credit, lead};

fn correction(lp_id: i64, amount_e8: i64) -> NewCorrection {
    NewCorrection { lp_id, amount_e8, who: "the operator".to_owned(), why: "a missed round".to_owned() }
}

#[tokio::test]
async fn a_payout_is_sent_together_with_its_entry_and_neither_alone() {
    let Some((test, alice, bob)) = credited().await else { return };
    let new = payout(vec![output("Ba", &[(alice, 900, 10), (bob, 300, 0)])]);
    let id = test.store.reserve_payouts(&test.lease, 7, &[new]).await.unwrap()[0];
    let entry = began(&test).await;
    let publish = |from, entry| {
        let (store, lease) = (test.store.clone(), test.lease.clone());
        async move { store.publish_payout(&lease, id, from, &txid("t"), &entry).await.unwrap() }
    };
    // An entry for another head, or another stage: nothing is written, neither of the payout nor of the record.
    assert_eq!(publish("reserved", after(&entry)).await, Published::HeadMoved);
    assert_eq!(publish("calling", entry.clone()).await, Published::Unchanged);
    assert_eq!(test.store.payout(id).await.unwrap().unwrap().stage, "reserved");
    assert_eq!(test.store.record_head().await.unwrap().unwrap().number, 0);
    assert!(test.store.published_changes(alice, 0, u64::MAX / 2).await.unwrap().is_empty());

    assert_eq!(publish("reserved", entry.clone()).await, Published::Published);
    assert_eq!(publish("reserved", after(&entry)).await, Published::Unchanged);
    let changes = test.store.published_changes(alice, 0, u64::MAX / 2).await.unwrap();
    assert_eq!((changes.len(), changes[0].record_no, changes[0].amount_e8, changes[0].fee_e8), (1, 1, -910, -10));
    assert_eq!(changes[0].payout, Some((id, "t".to_owned())));
    assert_eq!(test.store.published_before(bob, u64::MAX / 2).await.unwrap(), -300);
    assert_eq!(test.store.published_before(bob, changes[0].at_ms).await.unwrap(), 0);
    assert!(test.store.unpublished().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_payout_that_was_published_as_sent_is_never_given_back() {
    let Some((test, alice, _)) = credited().await else { return };
    let new = payout(vec![output("Ba", &[(alice, 900, 10)])]);
    let id = test.store.reserve_payouts(&test.lease, 7, &[new]).await.unwrap()[0];
    let entry = began(&test).await;
    test.store.publish_payout(&test.lease, id, "reserved", &txid("t"), &entry).await.unwrap();
    for stage in ["reserved", "prepared", "calling"] {
        assert!(!test.store.void_payout(&test.lease, id, stage, 9, "x").await.unwrap(), "{stage}");
    }
    for stage in ["sent", "paid", "void"] {
        let refused = test.store.void_payout(&test.lease, id, stage, 9, "x").await;
        assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{stage}: {refused:?}");
    }
    assert_eq!(owed_e8(&test, alice).await, 90);
}

#[tokio::test]
async fn a_correction_is_entered_with_its_entry_and_takes_no_more_than_is_owed() {
    let Some((test, alice, _)) = credited().await else { return };
    let entry = began(&test).await;
    let correct = |amount_e8, entry| {
        let (store, lease) = (test.store.clone(), test.lease.clone());
        async move { store.publish_correction(&lease, &correction(alice, amount_e8), &entry).await }
    };
    assert_eq!(correct(50, after(&entry)).await.unwrap(), Published::HeadMoved);
    assert!(correct(-1001, entry.clone()).await.is_err());
    assert!(correct(0, entry.clone()).await.is_err());
    assert_eq!(owed_e8(&test, alice).await, 1000);
    assert_eq!(correct(-400, entry.clone()).await.unwrap(), Published::Published);
    assert_eq!(owed_e8(&test, alice).await, 600);
    let changes = test.store.published_changes(alice, 0, u64::MAX / 2).await.unwrap();
    assert_eq!((changes[0].amount_e8, changes[0].who.as_str(), &changes[0].payout), (-400, "the operator", &None));
    let second = test.another_server().await;
    test.store.release_lease(&test.lease).await.unwrap();
    lead(&second, "second").await;
    let late = correct(1, after(&entry)).await;
    assert!(matches!(late, Err(StoreError::NotLeader { .. })), "{late:?}");
}

#[tokio::test]
async fn what_was_entered_without_an_entry_is_told_in_order_and_published_once() {
    let Some((test, alice, bob)) = credited().await else { return };
    test.store.correct(&test.lease, alice, 7, "imported").await.unwrap();
    let new = [payout(vec![output("Ba", &[(alice, 900, 0)])]), payout(vec![output("Bb", &[(bob, 1, 0)])])];
    let ids = test.store.reserve_payouts(&test.lease, 7, &new).await.unwrap();
    test.store.correct(&test.lease, bob, -3, "counted twice").await.unwrap();
    // As a version that knew no such entries left it.
    test.statement(&format!("UPDATE payouts SET stage = 'paid', txid = 't' WHERE payout_id = {}", ids[0])).await;
    let unpublished = test.store.unpublished().await.unwrap();
    let [Unpublished::Correction { entry_no, correction }, Unpublished::Payout(payout), last] = &unpublished[..] else {
        panic!("{unpublished:?}")
    };
    assert_eq!((correction.lp_id, correction.amount_e8, *payout), (alice, 7, ids[0]));
    assert!(matches!(last, Unpublished::Correction { .. }), "{last:?}");
    let entry = began(&test).await;
    let known = test.store.publish_known_correction(&test.lease, *entry_no, correction, &entry).await;
    assert_eq!(known.unwrap(), Published::Published);
    let again = test.store.publish_known_correction(&test.lease, *entry_no, correction, &after(&entry)).await;
    assert_eq!(again.unwrap(), Published::Unchanged);
    let sent = test.store.publish_sent_payout(&test.lease, *payout, &after(&entry)).await;
    assert_eq!(sent.unwrap(), Published::Published);
    let again = test.store.publish_sent_payout(&test.lease, *payout, &after(&after(&entry))).await;
    assert_eq!(again.unwrap(), Published::Unchanged);
    let open = test.store.publish_sent_payout(&test.lease, ids[1], &after(&after(&entry))).await;
    assert_eq!(open.unwrap(), Published::Unchanged, "one that is not sent has no entry");
    assert_eq!(test.store.unpublished().await.unwrap(), std::slice::from_ref(last));
    assert_eq!(test.store.published_before(alice, u64::MAX / 2).await.unwrap(), -893);
    assert_eq!(owed_e8(&test, alice).await, 107);
    assert!(test.store.move_payout(&test.lease, ids[1], "reserved", "calling", &note("x")).await.unwrap());
}

#[tokio::test]
async fn credits_before_a_moment_are_the_sum_of_the_rounds_that_start_before_it() {
    let Some(test) = open_for_test().await else { return };
    let (btc, usd) = (test.lp("alice", "btc").await, test.lp("alice", "usd").await);
    assert_eq!(btc, usd);
    let other = test.lp_on("poloniex", "alice", "btc").await;
    for round in 0..4 {
        let credits = vec![credit(btc, "btc", 10 + round), credit(btc, "usd", 100)];
        test.credit(FIRST_ROUND + u64::try_from(round).unwrap() * ROUND_SECONDS, credits).await;
    }
    let moments = [FIRST_ROUND, FIRST_ROUND + 1, FIRST_ROUND + 2 * ROUND_SECONDS, FIRST_ROUND * 2];
    let told = test.store.credited_until(&[btc, other], &moments).await.unwrap();
    let mut sums: Vec<(u64, i64)> = told.iter().map(|told| (told.at_s, told.sum_e8)).collect();
    sums.sort_unstable();
    assert_eq!(sums, [(moments[1], 110), (moments[2], 221), (moments[3], 446)]);
    assert!(told.iter().all(|told| told.lp_id == btc));
    let accounts = test.store.accounts_of("alice").await.unwrap();
    let exchanges: Vec<&str> = accounts.iter().map(|account| account.exchange.as_str()).collect();
    assert_eq!(exchanges, ["bittrex", "poloniex"]);
    assert!(test.store.accounts_of("nobody").await.unwrap().is_empty());
    assert!(test.store.credited_until(&[btc], &[0; 101]).await.is_err());
}

#[tokio::test]
async fn credits_that_were_deleted_are_told_by_their_rounds_and_their_sum() {
    let Some(test) = open_for_test().await else { return };
    let (alice, bob) = (test.lp("alice", "btc").await, test.lp("bob", "btc").await);
    let round = |number: u64| FIRST_ROUND + number * ROUND_SECONDS;
    for number in 0..6 {
        test.credit(round(number), vec![credit(alice, "btc", 10), credit(bob, "btc", 1)]).await;
    }
    assert_eq!(test.store.forgotten_credits(alice).await.unwrap(), None);
    while test.store.carry_credits(&test.lease, round(3), 100).await.unwrap().more {}
    let forgotten = test.store.forgotten_credits(alice).await.unwrap().unwrap();
    assert_eq!((forgotten.first_round, forgotten.last_round, forgotten.sum_e8), (round(0), round(2), 30));
    // From before the third round no credit is left; with what was deleted, every sum after it is what it was.
    let told = test.store.credited_until(&[alice], &[round(2), round(3), round(4)]).await.unwrap();
    let sums: Vec<(u64, i64)> = told.iter().map(|told| (told.at_s, told.sum_e8)).collect();
    assert_eq!(sums, [(round(4), 40)]);
}

//! A database that was put back from a backup knows that it was, and what it does not know.

use alp_store::{NewPayout, PayoutChange, PayoutDebit, PayoutOutput, Snapshot};

use super::open_for_test;
use crate::support::{FIRST_ROUND, TestStore, entry};

async fn with_payouts(test: &TestStore) -> Vec<u64> {
    let lps = [test.lp("alice", "btc").await, test.lp("bob", "btc").await, test.lp("carol", "btc").await];
    test.credit(FIRST_ROUND, lps.iter().map(|lp| entry(*lp, "btc", 100)).collect()).await;
    let payout = |lp_id: i64, address: &str| NewPayout {
        method: "prepared".to_owned(),
        comment_head: "alp:test".to_owned(),
        digest: format!("{lp_id}"),
        outputs: vec![PayoutOutput {
            address: address.to_owned(),
            amount_e8: 90,
            debits: vec![PayoutDebit { lp_id, paid_e8: 90, fee_e8: 10 }],
        }],
    };
    let payouts = [payout(lps[0], "Balice"), payout(lps[1], "Bbob"), payout(lps[2], "Bcarol")];
    let ids = test.store.reserve_payouts(&test.lease, 0, &payouts).await.unwrap();
    let change = PayoutChange { txid: "t".into(), hex: "h".into(), ..PayoutChange::default() };
    for id in &ids[1..] {
        assert!(test.store.move_payout(&test.lease, *id, "reserved", "prepared", &change).await.unwrap());
    }
    assert!(test.store.move_payout(&test.lease, ids[2], "prepared", "calling", &change).await.unwrap());
    ids
}

#[tokio::test]
async fn what_was_not_sent_when_the_backup_was_made_is_void_and_owed_again() {
    let Some(test) = open_for_test().await else { return };
    let ids = with_payouts(&test).await;
    let voided = test.store.note_restore(77, "a test").await.unwrap();
    assert_eq!(voided, ids[..2]);
    let stages: Vec<String> =
        test.store.newest_payouts(10).await.unwrap().into_iter().rev().map(|payout| payout.stage).collect();
    assert_eq!(stages, ["void", "void", "calling"]);
    let owed: Vec<i64> = test.store.owing(0, 10).await.unwrap().iter().map(|lp| lp.owed_e8).collect();
    assert_eq!(owed, [100, 100, 0]);
    // A transaction that made one of them after all is one that the ledger does not count.
    assert!(!test.store.known_in_ledger("", "alp:test:1:1").await.unwrap());
    assert!(test.store.known_in_ledger("", "alp:test:3:3").await.unwrap());
    assert!(test.store.note_restore(77, "a test").await.unwrap().is_empty());
}

#[tokio::test]
async fn payouts_stand_still_until_they_are_resumed_and_nobody_leads_as_before() {
    let Some(test) = open_for_test().await else { return };
    assert_eq!(test.store.newest_restore().await.unwrap(), None);
    test.store.note_restore(77, "a test").await.unwrap();
    let restore = test.store.newest_restore().await.unwrap().unwrap();
    assert_eq!((restore.backup_at_ms, restore.payouts_resumed), (77, false));
    assert!(test.store.resume_payouts(&test.lease).await.is_err(), "the lease of before is over");
    let lease = crate::support::lead(&test.store, "second").await;
    assert!(test.store.resume_payouts(&lease).await.unwrap());
    assert!(!test.store.resume_payouts(&lease).await.unwrap());
    assert!(test.store.newest_restore().await.unwrap().unwrap().payouts_resumed);
}

#[tokio::test]
async fn a_snapshot_stays_at_its_moment_while_others_write() {
    let Some(test) = open_for_test().await else { return };
    let alice = test.lp("alice", "btc").await;
    test.credit(FIRST_ROUND, vec![entry(alice, "btc", 5)]).await;
    let mut snapshot = Snapshot::begin(test.url()).await.unwrap();
    test.lp("bob", "btc").await;
    test.credit(FIRST_ROUND + 60, vec![entry(alice, "btc", 6)]).await;
    let contents = snapshot.contents().await.unwrap();
    assert_eq!((contents.rows["credits"], contents.rows["lps"]), (1, 1));
    let credits = snapshot.credits_after(0).await.unwrap();
    assert_eq!(credits.iter().map(|line| (line.entry_no, line.balance_e8)).collect::<Vec<_>>(), [(1, 5)]);
    snapshot.end().await.unwrap();
    let mut later = Snapshot::begin(test.url()).await.unwrap();
    assert_eq!(later.contents().await.unwrap().rows["credits"], 2);
    later.end().await.unwrap();
}

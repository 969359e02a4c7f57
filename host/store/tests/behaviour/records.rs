//! The published record: entries are added one after the other, each to the head it was made for.

use std::sync::Arc;

use alp_store::{Appended, Closed, EntryOf, MAX_PACKED_BYTES, NewEntry, RecordHead, Recorded, StoreError};
use tokio::task::JoinSet;

use super::open_for_test;
use crate::support::{FIRST_ROUND, ROUND_SECONDS, entry as credit, lead, record};

/// The entry of this number, made to follow the one before.
fn entry(number: u64, mark: &str) -> NewEntry {
    let round_start = number.checked_sub(1).map(|round| FIRST_ROUND + round * ROUND_SECONDS);
    NewEntry {
        head: RecordHead {
            number,
            epoch: 1,
            round_start,
            digest: format!("digest-{number}"),
            header: format!("header {mark}"),
            signature: format!("signature {mark}"),
            at_ms: number,
        },
        previous: number.checked_sub(1).map(|before| format!("digest-{before}")),
        kind: if number == 0 { "epoch".to_owned() } else { "round".to_owned() },
        packed: vec![0, 255, u8::try_from(number).unwrap()],
    }
}

#[tokio::test]
async fn an_entry_comes_back_byte_by_byte_by_its_number_and_by_its_round() {
    let Some(test) = open_for_test().await else { return };
    assert_eq!(test.store.record_head().await.unwrap(), None);
    assert_eq!(test.store.packed_entry(EntryOf::Number(0)).await.unwrap(), None);
    assert_eq!(test.store.begin_record(&entry(0, "a")).await.unwrap(), Appended::Appended);
    assert_eq!(test.store.begin_record(&entry(0, "b")).await.unwrap(), Appended::HeadMoved);
    assert_eq!(test.store.append_entry(&test.lease, &entry(1, "c")).await.unwrap(), Appended::Appended);

    let test = test.restart().await;
    assert_eq!(test.store.record_head().await.unwrap(), Some(entry(1, "c").head));
    let packed = |of| test.store.packed_entry(of);
    assert_eq!(packed(EntryOf::Number(0)).await.unwrap(), Some(("digest-0".to_owned(), vec![0, 255, 0])));
    assert_eq!(packed(EntryOf::Round(FIRST_ROUND)).await.unwrap(), Some(("digest-1".to_owned(), vec![0, 255, 1])));
    for nothing in [EntryOf::Number(2), EntryOf::Number(u64::MAX), EntryOf::Round(FIRST_ROUND + 1)] {
        assert_eq!(packed(nothing).await.unwrap(), None);
    }
    assert_eq!(test.store.newest_of_kind("epoch").await.unwrap(), Some(vec![0, 255, 0]));
    assert_eq!(test.store.recorded_rounds(FIRST_ROUND, 9).await.unwrap(), [entry(1, "c").head]);
    assert_eq!(test.store.recorded_rounds(FIRST_ROUND + 1, 9).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_eight_entries_for_the_same_head_one_is_added() {
    let Some(test) = open_for_test().await.map(Arc::new) else { return };
    test.store.begin_record(&entry(0, "first")).await.unwrap();
    let mut calls = JoinSet::new();
    for writer in 0..8 {
        let test = Arc::clone(&test);
        calls.spawn(async move {
            test.store.append_entry(&test.lease, &entry(1, &writer.to_string())).await.unwrap()
        });
    }
    let outcomes = calls.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Appended::Appended).count(), 1);
    let mut skips = entry(3, "skips");
    skips.previous = Some("digest-1".to_owned());
    assert_eq!(test.store.append_entry(&test.lease, &skips).await.unwrap(), Appended::HeadMoved);
}

#[tokio::test]
async fn a_round_is_credited_and_published_together_or_neither() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.store.begin_record(&entry(0, "first")).await.unwrap();
    test.set_clock(FIRST_ROUND + ROUND_SECONDS);
    let closed = test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();
    assert_eq!(closed, Closed::Closed { round_seconds: ROUND_SECONDS });
    let credits = record(FIRST_ROUND, vec![credit(lp_id, "btc", 500)]);

    let mut stale = entry(1, "stale");
    stale.previous = Some("another digest".to_owned());
    let publish = |entry: NewEntry| {
        let (store, lease, credits) = (&test.store, &test.lease, &credits);
        async move { store.publish_round(lease, credits, &entry).await }
    };
    assert_eq!(publish(stale).await.unwrap(), Recorded::HeadMoved);
    assert_eq!(test.balance_e8(lp_id).await, 0);
    let mut too_long = entry(1, "long");
    too_long.packed = vec![0; MAX_PACKED_BYTES + 1];
    assert!(matches!(publish(too_long).await, Err(StoreError::Invalid { .. })));
    assert_eq!(test.store.record_head().await.unwrap().unwrap().number, 0);

    assert_eq!(publish(entry(1, "right")).await.unwrap(), Recorded::Recorded);
    assert_eq!(test.balance_e8(lp_id).await, 500);
    assert_eq!(publish(entry(2, "again")).await.unwrap(), Recorded::AlreadyRecorded);
    assert_eq!(test.store.record_head().await.unwrap(), Some(entry(1, "right").head));
}

#[tokio::test]
async fn who_does_not_lead_publishes_nothing() {
    let Some(test) = open_for_test().await else { return };
    test.store.begin_record(&entry(0, "first")).await.unwrap();
    test.set_clock(FIRST_ROUND + 3_600);
    let second = test.another_server().await;
    let lease = lead(&second, "second").await;
    let refused = test.store.append_entry(&test.lease, &entry(1, "late")).await;
    assert!(matches!(refused, Err(StoreError::NotLeader { .. })), "{refused:?}");
    assert_eq!(second.append_entry(&lease, &entry(1, "leads")).await.unwrap(), Appended::Appended);
}

#[tokio::test]
async fn an_opening_that_was_given_stays() {
    let Some(test) = open_for_test().await else { return };
    let (one, other) = (test.lp("alice", "btc").await, test.lp("bob", "btc").await);
    test.submit(one, "btc", 1, "x").await;
    test.submit(other, "btc", 1, "x").await;
    assert_eq!(test.store.opening(one).await.unwrap(), None);
    test.store.give_openings(&[(one, "first".to_owned())]).await.unwrap();
    let nonces = [(one, "second".to_owned()), (other, "third".to_owned())];
    test.store.give_openings(&nonces).await.unwrap();
    assert_eq!(test.store.opening(one).await.unwrap().as_deref(), Some("first"));
    let known = test.store.openings_of_round(FIRST_ROUND).await.unwrap();
    let known: Vec<_> =
        known.iter().map(|known| (known.lp_id, known.api_key.as_str(), known.nonce.as_deref())).collect();
    assert_eq!(known, [(one, "alice", Some("first")), (other, "bob", Some("third"))]);
    assert_eq!(test.store.openings_of_round(FIRST_ROUND + 60).await.unwrap(), []);
}

#[tokio::test]
async fn a_sample_that_replaces_one_of_the_same_instant_is_later_than_it() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let submit = |mark: &'static str| test.store.submit(test.sample(lp_id, "btc", 1, mark));
    let (first, second) = (submit("a").await.unwrap(), submit("b").await.unwrap());
    assert_eq!(second.at_ms, first.at_ms + 1);
    let (third, fourth) = tokio::join!(submit("c"), submit("d"));
    let (third, fourth) = (third.unwrap(), fourth.unwrap());
    assert_ne!(third.at_ms, fourth.at_ms);
    let stored = test.store.samples(FIRST_ROUND).await.unwrap();
    assert_eq!(stored[0].submitted_at_ms, third.at_ms.max(fourth.at_ms));
}

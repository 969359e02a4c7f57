//! What was answered stays answered.

use std::sync::Arc;

use alp_store::StoreError;
use tokio::task::JoinSet;

use crate::support::{FIRST_ROUND, entry, record};
use super::open_for_test;

#[tokio::test]
async fn a_restart_loses_nothing_that_was_answered() {
    let Some(test) = open_for_test().await else { return };
    let alice = test.lp("alice", "btc").await;
    test.credit(FIRST_ROUND - 60, vec![entry(alice, "btc", 41)]).await;
    test.set_clock(FIRST_ROUND);
    test.submit(alice, "btc", 3, "walls").await;
    let before = (
        test.store.samples(FIRST_ROUND).await.unwrap(),
        test.store.stats_of("alice").await.unwrap(),
        test.store.orders_of("alice", 100).await.unwrap(),
        test.store.pool_status().await.unwrap(),
        test.store.find_lp("bittrex", "alice").await.unwrap(),
    );
    assert_eq!(before.0.len(), 1);

    let test = test.restart().await;
    let after = (
        test.store.samples(FIRST_ROUND).await.unwrap(),
        test.store.stats_of("alice").await.unwrap(),
        test.store.orders_of("alice", 100).await.unwrap(),
        test.store.pool_status().await.unwrap(),
        test.store.find_lp("bittrex", "alice").await.unwrap(),
    );
    assert_eq!(after, before);
    assert_eq!(test.lp("alice", "btc").await, alice);
    assert_ne!(test.lp("bob", "btc").await, alice);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn closing_writes_what_was_sent_and_every_answer_is_true_afterwards() {
    let Some(test) = open_for_test().await.map(Arc::new) else { return };
    let mut lps = Vec::new();
    for index in 0..100 {
        lps.push(test.lp(&format!("key-{index}"), "btc").await);
    }
    let first = lps[0];
    let mut calls = JoinSet::new();
    for lp_id in lps {
        let test = Arc::clone(&test);
        calls.spawn(async move { (lp_id, test.store.submit(test.sample(lp_id, "btc", 1, "x")).await) });
    }
    test.store.close().await;
    let mut placed = Vec::new();
    for (lp_id, outcome) in calls.join_all().await {
        match outcome {
            Ok(_) => placed.push(lp_id),
            Err(StoreError::Closed) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let refused = test.store.submit(test.sample(first, "btc", 1, "late")).await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
    let refused = test.store.record_round(&test.lease, &record(FIRST_ROUND, Vec::new())).await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
    test.store.close().await;

    let test = Arc::into_inner(test).unwrap().restart().await;
    let stored = test.store.samples(FIRST_ROUND).await.unwrap();
    placed.sort_unstable();
    assert_eq!(stored.iter().map(|stored| stored.sample.lp_id).collect::<Vec<_>>(), placed);
}

#[tokio::test]
async fn what_was_sent_before_closing_is_written() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let (placed, ()) =
        tokio::join!(test.store.submit(test.sample(lp_id, "btc", 1, "in time")), test.store.close(),);
    assert_eq!(placed.unwrap().round_start, FIRST_ROUND);
}

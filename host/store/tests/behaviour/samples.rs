//! Which round a sample goes into, and what it replaces.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_store::{Closed, MAX_ORDERS_BYTES, Placed, StoreError};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::{FIRST_ROUND, ROUND_SECONDS, record};
use super::open_for_test;

#[tokio::test]
async fn a_sample_goes_into_the_round_of_the_clock_and_is_read_back_as_it_was() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.set_clock(FIRST_ROUND + ROUND_SECONDS - 1);
    let mut sample = test.sample(lp_id, "btc", 3, "\u{e9}\u{1f30a}'; --");
    sample.maybe_truncated = true;
    let placed = test.store.submit(sample.clone()).await.unwrap();
    assert_eq!(placed, Placed { round_start: FIRST_ROUND, at_ms: (FIRST_ROUND + ROUND_SECONDS - 1) * 1000 });
    let stored = test.store.samples(FIRST_ROUND).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].sample, sample);
    assert_eq!(stored[0].exchange, "bittrex");
    assert_eq!(stored[0].submitted_at_ms, (FIRST_ROUND + ROUND_SECONDS - 1) * 1000);

    test.set_clock(FIRST_ROUND + ROUND_SECONDS);
    assert_eq!(test.submit(lp_id, "btc", 1, "later").await, FIRST_ROUND + ROUND_SECONDS);
}

#[tokio::test]
async fn pb_11_the_last_sample_of_an_lp_and_unit_in_a_round_replaces_the_earlier_ones() {
    let Some(test) = open_for_test().await else { return };
    let alice = test.lp("alice", "btc").await;
    test.lp("alice", "ppc").await;
    let bob = test.lp("bob", "btc").await;
    test.submit(alice, "btc", 5, "first").await;
    test.submit(alice, "ppc", 2, "other unit").await;
    test.submit(bob, "btc", 1, "other lp").await;
    test.submit(alice, "btc", 2, "second").await;
    let stored = test.store.samples(FIRST_ROUND).await.unwrap();
    let seen: Vec<_> = stored
        .iter()
        .map(|stored| (stored.sample.lp_id, stored.sample.unit.as_str(), stored.sample.order_count))
        .collect();
    assert_eq!(seen, [(alice, "btc", 2), (bob, "btc", 1), (alice, "ppc", 2)]);
    assert_eq!(stored[0].sample.orders, r#"["second-0","second-1"]"#);
}

#[tokio::test]
async fn an_empty_sample_replaces_one_with_orders() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.submit(lp_id, "btc", 5, "walls").await;
    test.submit(lp_id, "btc", 0, "gone").await;
    let stored = test.store.samples(FIRST_ROUND).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].sample.orders, "[]");
}

#[tokio::test]
async fn samples_come_in_the_order_of_exchange_unit_and_lp_however_they_were_submitted() {
    let Some(test) = open_for_test().await else { return };
    let mut lps = Vec::new();
    for (exchange, user) in [("poloniex", "z"), ("bittrex", "y"), ("poloniex", "x"), ("Bter", "w")] {
        for unit in ["ppc", "btc"] {
            lps.push((exchange, unit, test.lp_on(exchange, user, unit).await));
        }
    }
    for (_, unit, lp_id) in lps.iter().rev() {
        test.submit(*lp_id, unit, 1, "x").await;
    }
    let stored = test.store.samples(FIRST_ROUND).await.unwrap();
    let seen: Vec<_> =
        stored.iter().map(|s| (s.exchange.as_str(), s.sample.unit.as_str(), s.sample.lp_id)).collect();
    lps.sort_unstable();
    assert_eq!(seen, lps);
}

#[tokio::test]
async fn a_sample_goes_into_the_next_round_when_its_own_is_closed() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.set_clock(FIRST_ROUND + ROUND_SECONDS);
    assert_eq!(
        test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap(),
        Closed::Closed { round_seconds: ROUND_SECONDS }
    );
    // The clock is set back a little, as time servers do.
    test.set_clock(FIRST_ROUND + ROUND_SECONDS - 2);
    assert_eq!(test.submit(lp_id, "btc", 1, "late").await, FIRST_ROUND + ROUND_SECONDS);
    assert!(test.store.samples(FIRST_ROUND).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_clock_that_went_far_back_is_reported_and_nothing_is_stored() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.set_clock(FIRST_ROUND + 2 * ROUND_SECONDS);
    test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();
    test.store.close_round(&test.lease, FIRST_ROUND + ROUND_SECONDS).await.unwrap();
    test.set_clock(FIRST_ROUND + 5);
    let refused = test.store.submit(test.sample(lp_id, "btc", 1, "x")).await;
    assert!(matches!(refused, Err(StoreError::ClockBehind { round_start: FIRST_ROUND })), "{refused:?}");
    assert!(test.store.samples(FIRST_ROUND).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sample_committed_while_the_round_closes_is_in_exactly_one_round() {
    let Some(test) = open_for_test().await.map(Arc::new) else { return };
    let next = FIRST_ROUND + ROUND_SECONDS;
    let mut lps = Vec::new();
    for index in 0..200 {
        lps.push(test.lp(&format!("key-{index}"), "btc").await);
    }
    test.set_clock(next - 1);
    let barrier = Arc::new(Barrier::new(lps.len() + 1));
    let mut calls = JoinSet::new();
    for lp_id in lps.clone() {
        let (test, barrier) = (Arc::clone(&test), Arc::clone(&barrier));
        calls.spawn(async move {
            barrier.wait().await;
            (lp_id, test.submit(lp_id, "btc", 1, "x").await)
        });
    }
    barrier.wait().await;
    test.set_clock(next);
    test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();
    let when_closed = test.store.samples(FIRST_ROUND).await.unwrap();
    let answered: BTreeMap<i64, u64> = calls.join_all().await.into_iter().collect();
    assert_eq!(answered.len(), lps.len());

    assert_eq!(test.store.samples(FIRST_ROUND).await.unwrap(), when_closed);
    let mut stored = BTreeMap::new();
    for round_start in [FIRST_ROUND, next] {
        for sample in test.store.samples(round_start).await.unwrap() {
            assert_eq!(stored.insert(sample.sample.lp_id, round_start), None);
        }
    }
    assert_eq!(stored, answered);
}

#[tokio::test]
async fn a_sample_of_an_lp_not_registered_for_the_unit_is_refused_and_harms_nobody_beside_it() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let store = &test.store;
    // All are sent before the task that writes gets its turn, so they share a transaction.
    let (good, other_unit, nobody, no_terms, also_good) = tokio::join!(
        store.submit(test.sample(lp_id, "btc", 1, "first")),
        store.submit(test.sample(lp_id, "ppc", 1, "x")),
        store.submit(test.sample(999, "btc", 1, "x")),
        store.submit({
            let mut sample = test.sample(lp_id, "btc", 1, "x");
            sample.terms_id = "0".repeat(64);
            sample
        }),
        store.submit(test.sample(lp_id, "btc", 2, "last")),
    );
    for refused in [other_unit, nobody, no_terms] {
        assert!(matches!(refused, Err(StoreError::Contradicts(_))), "{refused:?}");
    }
    assert!(good.is_ok() && also_good.is_ok());
    let stored = store.samples(FIRST_ROUND).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].sample.order_count, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pb_33_three_hundred_submissions_at_once_share_commits_and_all_are_kept() {
    let Some(test) = open_for_test().await.map(Arc::new) else { return };
    let mut lps = Vec::new();
    for index in 0..300 {
        lps.push(test.lp(&format!("key-{index}"), "btc").await);
    }
    let before = test.store.commits();
    let barrier = Arc::new(Barrier::new(lps.len()));
    let mut calls = JoinSet::new();
    for lp_id in lps {
        let (test, barrier) = (Arc::clone(&test), Arc::clone(&barrier));
        calls.spawn(async move {
            barrier.wait().await;
            test.submit(lp_id, "btc", 1, "x").await
        });
    }
    assert!(calls.join_all().await.into_iter().all(|round_start| round_start == FIRST_ROUND));
    let commits = test.store.commits() - before;
    assert!((1..100).contains(&commits), "{commits} commits for 300 samples");
    assert_eq!(test.store.samples(FIRST_ROUND).await.unwrap().len(), 300);
}

#[tokio::test]
async fn more_than_the_queue_holds_is_told_to_come_back_and_the_rest_is_kept() {
    let Some(test) = open_for_test().await.map(Arc::new) else { return };
    let lp_id = test.lp("alice", "btc").await;
    // On one thread all of these are sent before the task that writes gets its turn.
    let mut calls = JoinSet::new();
    for _ in 0..6000 {
        let test = Arc::clone(&test);
        calls.spawn(async move { test.store.submit(test.sample(lp_id, "btc", 1, "x")).await });
    }
    let outcomes = calls.join_all().await;
    let busy = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Busy))).count();
    let placed = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!(busy > 0 && placed > 0);
    assert_eq!(busy + placed, 6000);
    assert_eq!(test.submit(lp_id, "btc", 2, "afterwards").await, FIRST_ROUND);
}

#[tokio::test]
async fn pb_30_a_sample_beyond_a_limit_is_refused() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let mut sample = test.sample(lp_id, "btc", 1, "x");
    sample.orders = format!("[{}]", "1,".repeat(MAX_ORDERS_BYTES / 2));
    let refused = test.store.submit(sample).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
    let mut sample = test.sample(lp_id, "btc", 1, "x");
    sample.price = "\"\0\"".to_owned();
    let refused = test.store.submit(sample).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_credited_round_takes_no_sample_either() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.submit(lp_id, "btc", 1, "x").await;
    test.set_clock(FIRST_ROUND + ROUND_SECONDS);
    test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();
    test.store.record_round(&test.lease, &record(FIRST_ROUND, Vec::new())).await.unwrap();
    test.set_clock(FIRST_ROUND + 59);
    assert_eq!(test.submit(lp_id, "btc", 1, "x").await, FIRST_ROUND + ROUND_SECONDS);
}

//! Rounds are closed once, credited once, and found again if they were not.

use std::sync::Arc;

use alp_store::{Closed, Recorded, StoreError};
use tokio::task::JoinSet;

use crate::support::{FIRST_ROUND, ROUND_SECONDS, entry, record};
use super::open_for_test;

const SECOND_ROUND: u64 = FIRST_ROUND + ROUND_SECONDS;
const THIRD_ROUND: u64 = SECOND_ROUND + ROUND_SECONDS;

#[tokio::test]
async fn a_round_whose_end_is_ahead_cannot_be_closed() {
    let Some(test) = open_for_test().await else { return };
    test.set_clock(SECOND_ROUND - 1);
    let refused = test.store.close_round(&test.lease, FIRST_ROUND).await;
    assert!(
        matches!(refused, Err(StoreError::RoundStillOpen { round_start: FIRST_ROUND, remaining_ms: 1000 })),
        "{refused:?}"
    );
    test.set_clock(SECOND_ROUND);
    assert_eq!(
        test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap(),
        Closed::Closed { round_seconds: ROUND_SECONDS }
    );
}

#[tokio::test]
async fn a_round_is_closed_once_and_says_what_became_of_it() {
    let Some(test) = open_for_test().await else { return };
    test.set_clock(SECOND_ROUND);
    assert_eq!(
        test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap(),
        Closed::Closed { round_seconds: ROUND_SECONDS }
    );
    assert_eq!(
        test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap(),
        Closed::AlreadyClosed { round_seconds: ROUND_SECONDS }
    );
    test.store.record_round(&test.lease, &record(FIRST_ROUND, Vec::new())).await.unwrap();
    assert_eq!(test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap(), Closed::AlreadyCredited);
}

#[tokio::test]
async fn a_round_that_was_not_closed_cannot_be_recorded() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let refused = test.store.record_round(&test.lease, &record(FIRST_ROUND, vec![entry(lp_id, "btc", 5)])).await;
    assert!(matches!(refused, Err(StoreError::RoundNotClosed { .. })), "{refused:?}");
    assert_eq!(test.balance_e8(lp_id).await, 0);
}

#[tokio::test]
async fn pb_08_recording_a_round_again_writes_nothing() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.credit(FIRST_ROUND, vec![entry(lp_id, "btc", 500)]).await;
    let status = test.store.pool_status().await.unwrap();
    let again = test.store.record_round(&test.lease, &record(FIRST_ROUND, vec![entry(lp_id, "btc", 900)])).await;
    assert_eq!(again.unwrap(), Recorded::AlreadyRecorded);
    assert_eq!(test.balance_e8(lp_id).await, 500);
    assert_eq!(test.store.pool_status().await.unwrap(), status);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pb_09_of_eight_servers_recording_a_round_at_once_one_does() {
    let Some(test) = open_for_test().await.map(Arc::new) else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.set_clock(SECOND_ROUND);
    test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let test = Arc::clone(&test);
        calls.spawn(async move {
            test.store.record_round(&test.lease, &record(FIRST_ROUND, vec![entry(lp_id, "btc", 500)])).await.unwrap()
        });
    }
    let outcomes = calls.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Recorded::Recorded).count(), 1);
    assert_eq!(test.balance_e8(lp_id).await, 500);
}

#[tokio::test]
async fn an_unfinished_round_is_found_until_it_is_credited_oldest_first() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    for round_start in [FIRST_ROUND, SECOND_ROUND, THIRD_ROUND] {
        test.set_clock(round_start);
        test.submit(lp_id, "btc", 1, "x").await;
        test.submit(lp_id, "btc", 2, "y").await;
    }
    let unfinished = |now_s: u64| test.store.unfinished_rounds(now_s * 1000);
    assert_eq!(unfinished(SECOND_ROUND - 1).await.unwrap(), [0_u64; 0]);
    assert_eq!(unfinished(SECOND_ROUND).await.unwrap(), [FIRST_ROUND]);
    assert_eq!(unfinished(THIRD_ROUND + 1).await.unwrap(), [FIRST_ROUND, SECOND_ROUND]);

    // Closed is not finished; and a later round that is finished does not hide an earlier one.
    test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();
    test.credit(SECOND_ROUND, vec![entry(lp_id, "btc", 1)]).await;
    assert_eq!(unfinished(THIRD_ROUND).await.unwrap(), [FIRST_ROUND]);
    test.store.record_round(&test.lease, &record(FIRST_ROUND, vec![entry(lp_id, "btc", 1)])).await.unwrap();
    assert_eq!(unfinished(THIRD_ROUND).await.unwrap(), [0_u64; 0]);
    assert_eq!(unfinished(THIRD_ROUND + ROUND_SECONDS).await.unwrap(), [THIRD_ROUND]);
}

#[tokio::test]
async fn a_round_broken_off_between_closing_and_recording_is_finished_after_a_restart() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.submit(lp_id, "btc", 4, "walls").await;
    test.set_clock(SECOND_ROUND + 7);
    test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();

    let test = test.restart().await;
    let now_ms = test.store.clock_ms().await.unwrap();
    assert_eq!(test.store.unfinished_rounds(now_ms).await.unwrap(), [FIRST_ROUND]);
    assert_eq!(
        test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap(),
        Closed::AlreadyClosed { round_seconds: ROUND_SECONDS }
    );
    let samples = test.store.samples(FIRST_ROUND).await.unwrap();
    assert_eq!(samples[0].sample.order_count, 4);
    let finished = record(FIRST_ROUND, vec![entry(lp_id, "btc", 77)]);
    assert_eq!(test.store.record_round(&test.lease, &finished).await.unwrap(), Recorded::Recorded);

    let test = test.restart().await;
    assert_eq!(test.store.unfinished_rounds(now_ms).await.unwrap(), [0_u64; 0]);
    assert_eq!(test.store.record_round(&test.lease, &finished).await.unwrap(), Recorded::AlreadyRecorded);
    assert_eq!(test.balance_e8(lp_id).await, 77);
}

#[tokio::test]
async fn a_round_in_which_the_pool_did_not_run_stays_visible_as_a_gap() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let at = |rounds: u64| FIRST_ROUND + rounds * ROUND_SECONDS;
    assert_eq!(test.store.gaps(at(9) * 1000, 100).await.unwrap(), [0_u64; 0]);
    test.credit(at(0), Vec::new()).await;
    test.credit(at(3), Vec::new()).await;
    test.set_clock(at(5));
    test.submit(lp_id, "btc", 1, "unfinished").await;
    // The round that runs is no gap, and neither is one that only waits to be credited.
    let now_ms = (at(7) + 30) * 1000;
    assert_eq!(test.store.gaps(now_ms, 100).await.unwrap(), [at(1), at(2), at(4), at(6)]);
    assert_eq!(test.store.gaps(now_ms, 3).await.unwrap(), [at(4), at(6)]);
    assert_eq!(test.store.gaps(now_ms, 0).await.unwrap(), [0_u64; 0]);
}

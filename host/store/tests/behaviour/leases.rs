//! Who leads, and what becomes of one who only believes it.

use std::sync::Arc;

use alp_store::{Acquired, Closed, Lease, Recorded, Store, StoreError};
use tokio::task::JoinSet;

use super::open_for_test;
use crate::support::{CONFIGURATION, FIRST_ROUND, ROUND_SECONDS, TestStore, entry, record};

async fn ask(store: &Store, holder: &str) -> Acquired {
    let digest = Store::configuration_digest(CONFIGURATION);
    store.acquire_lease("rounds", holder, 10_000, &digest).await.unwrap()
}

async fn granted(store: &Store, holder: &str) -> Lease {
    match ask(store, holder).await {
        Acquired::Granted(lease) => lease,
        held @ Acquired::HeldBy { .. } => panic!("{held:?}"),
    }
}

/// A round with a sample of one LP, whose time is over.
async fn round_that_is_due(test: &TestStore) -> i64 {
    let lp_id = test.lp("alice", "btc").await;
    test.submit(lp_id, "btc", 1, "x").await;
    test.set_clock(FIRST_ROUND + ROUND_SECONDS);
    lp_id
}

#[tokio::test]
async fn a_lease_is_for_one_until_its_time_is_over_or_it_is_given_back() {
    let Some(test) = open_for_test().await else { return };
    let second = test.another_server().await;
    test.store.release_lease(&test.lease).await.unwrap();
    let lease = granted(&test.store, "one").await;
    let held = Acquired::HeldBy { holder: "one".to_owned(), remaining_ms: 10_000 };
    assert_eq!(ask(&second, "two").await, held);
    test.set_clock(FIRST_ROUND + 9);
    test.store.renew_lease(&lease, 10_000).await.unwrap();
    test.set_clock(FIRST_ROUND + 18);
    assert!(matches!(ask(&second, "two").await, Acquired::HeldBy { remaining_ms: 1000, .. }));
    test.set_clock(FIRST_ROUND + 19);
    let second_lease = granted(&second, "two").await;
    assert!(second_lease.epoch() > lease.epoch());
    let refused = test.store.renew_lease(&lease, 10_000).await;
    assert!(matches!(refused, Err(StoreError::NotLeader { .. })), "{refused:?}");
    // Giving back what one no longer has takes nothing from anybody.
    test.store.release_lease(&lease).await.unwrap();
    assert!(matches!(ask(&test.store, "one").await, Acquired::HeldBy { .. }));
    second.release_lease(&second_lease).await.unwrap();
    granted(&test.store, "one").await;
}

#[tokio::test]
async fn a_server_that_was_killed_and_started_again_does_not_wait_for_itself() {
    let Some(test) = open_for_test().await else { return };
    let again = test.another_server().await;
    let lease = granted(&again, "first").await;
    assert!(lease.epoch() > test.lease.epoch());
    let refused = test.store.renew_lease(&test.lease, 1000).await;
    assert!(matches!(refused, Err(StoreError::NotLeader { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_eight_servers_that_ask_at_once_one_leads() {
    let Some(test) = open_for_test().await else { return };
    test.store.release_lease(&test.lease).await.unwrap();
    let mut calls = JoinSet::new();
    for server in 0..8 {
        let store = if server % 2 == 0 { test.store.clone() } else { test.another_server().await };
        calls.spawn(async move { ask(&store, &format!("server-{server}")).await });
    }
    let outcomes = calls.join_all().await;
    let leaders = outcomes.iter().filter(|outcome| matches!(outcome, Acquired::Granted(_))).count();
    assert_eq!(leaders, 1, "{outcomes:?}");
}

#[tokio::test]
async fn a_leader_that_wakes_up_late_can_neither_close_nor_credit_nor_renew() {
    let Some(test) = open_for_test().await else { return };
    let second = test.another_server().await;
    let lp_id = round_that_is_due(&test).await;
    // The first closes the round, is paused, and its time is over.
    test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();
    let credits = record(FIRST_ROUND, vec![entry(lp_id, "btc", 500)]);
    let lease = granted(&second, "second").await;

    let refused = test.store.record_round(&test.lease, &credits).await;
    assert!(matches!(refused, Err(StoreError::NotLeader { .. })), "{refused:?}");
    assert_eq!(test.balance_e8(lp_id).await, 0);
    let closed = second.close_round(&lease, FIRST_ROUND).await.unwrap();
    assert_eq!(closed, Closed::AlreadyClosed { round_seconds: ROUND_SECONDS });
    assert_eq!(second.record_round(&lease, &credits).await.unwrap(), Recorded::Recorded);

    test.set_clock(FIRST_ROUND + 2 * ROUND_SECONDS);
    let refused = test.store.close_round(&test.lease, FIRST_ROUND + ROUND_SECONDS).await;
    assert!(matches!(refused, Err(StoreError::NotLeader { .. })), "{refused:?}");
    assert_eq!(test.balance_e8(lp_id).await, 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_both_believe_they_lead_one_credits_and_once() {
    let Some(test) = open_for_test().await.map(Arc::new) else { return };
    let second = test.another_server().await;
    let lp_id = round_that_is_due(&test).await;
    test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..4 {
        let (test, second) = (Arc::clone(&test), second.clone());
        calls.spawn(async move {
            let credits = record(FIRST_ROUND, vec![entry(lp_id, "btc", 500)]);
            let lease = granted(&second, "second").await;
            let late = test.store.record_round(&test.lease, &credits).await;
            assert!(matches!(late, Err(StoreError::NotLeader { .. })), "{late:?}");
            second.record_round(&lease, &credits).await
        });
    }
    let outcomes = calls.join_all().await;
    let recorded = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Recorded::Recorded))).count();
    assert_eq!(recorded, 1, "{outcomes:?}");
    assert_eq!(test.balance_e8(lp_id).await, 500);
}

#[tokio::test]
async fn a_lease_without_a_configuration_in_force_or_without_an_end_is_refused() {
    let Some(test) = open_for_test().await else { return };
    let digest = Store::configuration_digest(CONFIGURATION);
    for ttl_ms in [0, u64::MAX] {
        let refused = test.store.acquire_lease("rounds", "one", ttl_ms, &digest).await;
        assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
    }
}

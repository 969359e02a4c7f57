//! Rounds that are interrupted, repeated, missed or run by two servers.

use alp_server::fail_at::FailAt;
use alp_server::loops::rounds_once;
use alp_server::record::SharedPublisher;
use alp_server::rounds::{RoundError, RoundOutcome, run_due_rounds, run_round};
use alp_store::{Acquired, Closed, Store, StoreError};
use alp_tests::{START_S, TestPool, wait_until};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pb_08_a_round_that_is_run_twice_at_once_pays_once() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.pass(60_000);
    let app = pool.app();
    let (one, two) = tokio::join!(rounds_once(app), rounds_once(app));
    assert_eq!((one, two), (Ok(()), Ok(())));
    rounds_once(app).await.unwrap();
    let lease = app.lead().await.unwrap().unwrap();
    assert_eq!(
        run_round(&app.store, &app.publisher, &lease, START_S, &FailAt::default()).await.unwrap(),
        RoundOutcome::AlreadyCredited
    );
    assert_eq!(pool.reward_of(&lp).await, "0.03");
}

/// Runs what is due if the second server gets to lead, as it does when the first one's lease is over.
async fn rounds_of_a_second_server(store: &Store, publisher: &SharedPublisher) {
    let Some(in_force) = store.configuration_in_force().await.unwrap() else { return };
    match store.acquire_lease("rounds", "second", 10_000, &in_force.digest).await.unwrap() {
        Acquired::HeldBy { .. } => {}
        Acquired::Granted(lease) => {
            match run_due_rounds(store, publisher, &lease, &FailAt::default()).await {
                Ok(_) | Err(RoundError::Store(StoreError::NotLeader { .. })) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pb_09_two_servers_on_one_database_credit_a_round_once() {
    let pool = TestPool::start().await;
    let mut lps = Vec::new();
    for number in 0..20 {
        lps.push(pool.lp_with(&format!("lp-{number}"), &["ask 75 0.004"]).await);
    }
    let second = pool.second_store(60).await;
    for _ in 0..3 {
        for lp in &lps {
            pool.submit_btc(lp).await;
        }
        pool.pass(60_000);
        let (first, ()) =
            tokio::join!(rounds_once(pool.app()), rounds_of_a_second_server(&second, &pool.app().publisher));
        // One that loses the lease in the middle of a round says so, and nothing is credited twice.
        let _ = first;
        pool.pass(30_000);
        rounds_once(pool.app()).await.unwrap();
    }
    for lp in &lps {
        assert_eq!(pool.reward_of(lp).await, "0.0045");
    }
    second.close().await;
}

#[tokio::test]
async fn a_restart_loses_nothing_and_runs_the_missed_round_once() {
    let mut pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.stop().await;
    pool.pass(600_000);
    pool.restart().await;
    assert_eq!(pool.reward_of(&lp).await, "0");
    assert_eq!(pool.orders_of(&lp).await.len(), 1);
    pool.run_rounds().await;
    pool.run_rounds().await;
    assert_eq!(pool.reward_of(&lp).await, "0.03");
    pool.restart().await;
    pool.run_rounds().await;
    assert_eq!(pool.reward_of(&lp).await, "0.03");
}

#[tokio::test]
async fn a_round_that_was_closed_and_not_recorded_is_finished_after_the_restart() {
    let mut pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.pass(60_000);
    // What a server leaves behind that is killed between the two steps of a round.
    let lease = pool.app().lead().await.unwrap().unwrap();
    let closed = pool.app().store.close_round(&lease, START_S).await.unwrap();
    assert_eq!(closed, Closed::Closed { round_seconds: 60 });
    pool.restart().await;
    pool.submit_btc(&lp).await;
    pool.run_rounds().await;
    assert_eq!(pool.reward_of(&lp).await, "0.03");
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0.06");
}

#[tokio::test]
async fn the_server_itself_runs_the_missed_round_when_it_starts() {
    let mut pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.pass(60_000);
    pool.set_loops(true);
    pool.restart().await;
    wait_until("the missed round is credited", async || pool.reward_of(&lp).await == "0.03").await;
}

#[tokio::test]
async fn a_submission_after_a_round_was_closed_early_goes_into_the_next_one() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.pass(60_000);
    let lease = pool.app().lead().await.unwrap().unwrap();
    pool.app().store.close_round(&lease, START_S).await.unwrap();
    // The clock is set back into the round that is closed.
    pool.set_back(60_000);
    pool.submit_btc(&lp).await;
    assert!(pool.app().store.samples(START_S).await.unwrap().is_empty());
    assert_eq!(pool.app().store.samples(START_S + 60).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_round_without_submissions_is_a_gap_and_not_a_round() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    for _ in 0..3 {
        pool.end_round().await;
    }
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    let history = pool.get(&format!("/{}/stats", lp.key)).await.json()["message"]["history"].clone();
    let rounds: Vec<u64> =
        history.as_array().unwrap().iter().map(|round| round["round_time"].as_u64().unwrap()).collect();
    assert_eq!(rounds, [START_S + 180, START_S]);
    assert_eq!(pool.reward_of(&lp).await, "0.06");
    let gaps = pool.app().store.gaps(pool.now_ms(), 60).await.unwrap();
    assert_eq!(gaps, [START_S + 60, START_S + 120]);
}

#[tokio::test]
async fn rounds_that_were_missed_are_run_by_the_terms_of_their_time() {
    let mut pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.stop().await;
    pool.edit(&pool.exchange_file("test_exchange"), "reward = 0.05", "reward = 500");
    pool.pass(60_000);
    pool.restart().await;
    pool.run_rounds().await;
    assert_eq!(pool.reward_of(&lp).await, "0.03");
}

#[tokio::test]
async fn what_was_answered_with_success_is_there_when_the_server_is_killed() {
    let mut pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.copy_database_as_after_a_kill().await;
    pool.pass(60_000);
    pool.restart().await;
    pool.run_rounds().await;
    assert_eq!(pool.reward_of(&lp).await, "0.03");
}

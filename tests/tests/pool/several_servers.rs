//! Several servers on one database: each takes submissions, one credits, and any of them may go at any time.

use std::collections::BTreeSet;

use alp_store::UserStats;
use alp_tests::{Lp, SharedPool, wait_until};

/// The pot of the asks of one round: 60 % of the 166666e-8 that two seconds of 0.05 a minute are, to the nearest 1e-8.
const POT_E8: i64 = 100_000;

async fn stats(pool: &SharedPool, lp: &Lp) -> UserStats {
    pool.store.stats_of(&lp.key).await.unwrap().unwrap()
}

/// Submits at a server until the LP was credited for that many more rounds.
async fn earn(pool: &SharedPool, lp: &Lp, at: usize, rounds: usize) {
    let before = stats(pool, lp).await.history.len();
    let goal = before + rounds;
    wait_until("rounds are credited", async || {
        pool.submit(lp, at).await.accepted();
        stats(pool, lp).await.history.len() >= goal
    })
    .await;
}

/// Every round was credited once, and in all of them together exactly their pots.
async fn assert_exact(pool: &SharedPool, lps: &[&Lp]) {
    let now_ms = pool.store.clock_ms().await.unwrap() + 60_000;
    wait_until("no round is left to do", async || {
        pool.store.unfinished_rounds(now_ms).await.unwrap().is_empty()
    })
    .await;
    let mut rounds = BTreeSet::new();
    let mut paid_e8 = 0;
    for lp in lps {
        let stats = stats(pool, lp).await;
        let history_e8: i64 = stats.history.iter().map(|round| round.amount_e8).sum();
        assert_eq!(stats.total_e8, history_e8);
        rounds.extend(stats.history.iter().map(|round| round.round_start));
        paid_e8 += history_e8;
    }
    assert!(!rounds.is_empty());
    assert_eq!(paid_e8, POT_E8 * i64::try_from(rounds.len()).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_take_submissions_and_every_round_is_credited_once() {
    let Some(pool) = SharedPool::start(2).await else { return };
    let (alice, bob) = (pool.lp("alice", 0).await, pool.lp("bob", 1).await);
    tokio::join!(earn(&pool, &alice, 0, 3), earn(&pool, &bob, 1, 3));
    // Who registered at one server submits at the other.
    tokio::join!(earn(&pool, &alice, 1, 2), earn(&pool, &bob, 0, 2));
    assert_exact(&pool, &[&alice, &bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_the_server_that_leads_is_killed_the_other_takes_over() {
    let Some(mut pool) = SharedPool::start(2).await else { return };
    let leader = pool.leader().await.unwrap();
    let other = 1 - leader;
    let alice = pool.lp("alice", other).await;
    earn(&pool, &alice, leader, 1).await;
    pool.submit(&alice, leader).await.accepted();
    pool.servers[leader].kill();
    earn(&pool, &alice, other, 3).await;
    assert_eq!(pool.leader().await, Some(other));
    assert_exact(&pool, &[&alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_led_and_wakes_up_late_credits_nothing_any_more() {
    let Some(pool) = SharedPool::start(2).await else { return };
    let leader = pool.leader().await.unwrap();
    let other = 1 - leader;
    let alice = pool.lp("alice", other).await;
    earn(&pool, &alice, leader, 1).await;
    pool.servers[leader].pause();
    earn(&pool, &alice, other, 2).await;
    assert_eq!(pool.leader().await, Some(other));
    pool.servers[leader].wake();
    wait_until("the server that was paused answers", async || pool.answers(&pool.servers[leader]).await)
        .await;
    // It takes submissions again, and the other one goes on crediting.
    earn(&pool, &alice, leader, 2).await;
    assert_eq!(pool.leader().await, Some(other));
    assert_exact(&pool, &[&alice]).await;
}

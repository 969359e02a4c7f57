//! Several servers on one database: where samples go, and who is registered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alp_store::{RegisterOutcome, StoreError};
use tokio::task::JoinSet;

use super::open_for_test;
use crate::support::{FIRST_ROUND, ROUND_SECONDS, entry, record};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_identical_registrations_at_two_servers_at_once_exactly_one_is_new() {
    let Some(test) = open_for_test().await else { return };
    let second = test.another_server().await;
    let mut calls = JoinSet::new();
    for user in 0..10 {
        for store in [&test.store, &second] {
            for _ in 0..4 {
                let (store, user) = (store.clone(), format!("key-{user}"));
                calls.spawn(async move {
                    let address = format!("B{user}");
                    (user.clone(), store.register("bittrex", &user, &address, "btc").await.unwrap())
                });
            }
        }
    }
    let mut lp_ids: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    let mut new = 0;
    for (user, outcome) in calls.join_all().await {
        let lp_id = match outcome {
            RegisterOutcome::Registered { lp_id } => {
                new += 1;
                lp_id
            }
            RegisterOutcome::AlreadyRegistered { lp_id } => lp_id,
            RegisterOutcome::OtherAddress { address } => panic!("{address}"),
        };
        lp_ids.entry(user).or_default().insert(lp_id);
    }
    assert_eq!(new, 10);
    assert!(lp_ids.values().all(|of_user| of_user.len() == 1), "{lp_ids:?}");
    assert_eq!(test.store.pool_status().await.unwrap().number_of_users, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_the_edge_of_a_round_a_sample_is_in_the_round_that_was_answered_whichever_server_took_it() {
    let Some(test) = open_for_test().await.map(Arc::new) else { return };
    let servers = [test.store.clone(), test.another_server().await, test.another_server().await];
    let mut lps = Vec::new();
    for index in 0..30 {
        lps.push(test.lp(&format!("key-{index}"), "btc").await);
    }
    for round in 0..8 {
        let this = FIRST_ROUND + round * ROUND_SECONDS;
        let next = this + ROUND_SECONDS;
        test.set_clock(next - 1);
        let mut calls = JoinSet::new();
        for (lp_id, server) in lps.iter().zip(servers.iter().cycle()) {
            let (sample, server) = (test.sample(*lp_id, "btc", 1, &round.to_string()), server.clone());
            let lp_id = *lp_id;
            calls.spawn(async move { (lp_id, server.submit(sample).await.unwrap().round_start) });
        }
        tokio::task::yield_now().await;
        test.set_clock(next);
        test.store.close_round(&test.lease, this).await.unwrap();
        let when_closed = test.store.samples(this).await.unwrap();
        let answered: BTreeMap<i64, u64> = calls.join_all().await.into_iter().collect();
        assert_eq!(answered.len(), lps.len());
        assert_eq!(test.store.samples(this).await.unwrap(), when_closed);
        for (lp_id, round_start) in answered {
            assert!([this, next].contains(&round_start), "{round_start}");
            let stored = test.store.samples(round_start).await.unwrap();
            let mark = format!(r#"["{round}-0"]"#);
            let found = stored.iter().any(|s| s.sample.lp_id == lp_id && s.sample.orders == mark);
            assert!(found, "the sample of {lp_id} is not in {round_start}");
        }
        let credits = when_closed.iter().map(|s| entry(s.sample.lp_id, "btc", 7)).collect();
        test.store.record_round(&test.lease, &record(this, credits)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_lp_at_two_servers_at_once_has_one_sample() {
    let Some(test) = open_for_test().await.map(Arc::new) else { return };
    let second = test.another_server().await;
    let mut lps = Vec::new();
    for index in 0..20 {
        lps.push(test.lp(&format!("key-{index}"), "btc").await);
    }
    let mut calls = JoinSet::new();
    for repeat in 0..6 {
        for (index, lp_id) in lps.iter().enumerate() {
            // The servers see the LPs in opposite orders.
            let lp_id = if repeat % 2 == 0 { *lp_id } else { lps[lps.len() - 1 - index] };
            let store = if repeat % 2 == 0 { test.store.clone() } else { second.clone() };
            let sample = test.sample(lp_id, "btc", 1, &repeat.to_string());
            calls.spawn(async move { store.submit(sample).await });
        }
    }
    for outcome in calls.join_all().await {
        assert_eq!(outcome.unwrap().round_start, FIRST_ROUND);
    }
    assert_eq!(test.store.samples(FIRST_ROUND).await.unwrap().len(), lps.len());
}

#[tokio::test]
async fn a_round_whose_leader_died_is_credited_late_with_what_was_stored_in_it() {
    let Some(test) = open_for_test().await else { return };
    let second = test.another_server().await;
    let lp_id = test.lp("alice", "btc").await;
    test.submit(lp_id, "btc", 3, "walls").await;
    test.set_clock(FIRST_ROUND + ROUND_SECONDS);
    test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();
    // The first dies here, and its lease runs out.
    test.set_clock(FIRST_ROUND + 2 * ROUND_SECONDS);
    let lease = crate::support::lead(&second, "second").await;
    let now_ms = second.clock_ms().await.unwrap();
    assert_eq!(second.unfinished_rounds(now_ms).await.unwrap(), [FIRST_ROUND]);
    assert_eq!(second.samples(FIRST_ROUND).await.unwrap()[0].sample.order_count, 3);
    second.record_round(&lease, &record(FIRST_ROUND, vec![entry(lp_id, "btc", 9)])).await.unwrap();
    assert_eq!(test.balance_e8(lp_id).await, 9);
}

#[tokio::test]
async fn nobody_closes_a_round_ahead_of_the_databases_clock() {
    let Some(test) = open_for_test().await else { return };
    test.set_clock(FIRST_ROUND + ROUND_SECONDS - 1);
    let refused = test.another_server().await.close_round(&test.lease, FIRST_ROUND).await;
    assert!(matches!(refused, Err(StoreError::RoundStillOpen { .. })), "{refused:?}");
    // Nothing is left behind that would make a round of it.
    let later_ms = (FIRST_ROUND + 2 * ROUND_SECONDS) * 1000;
    assert_eq!(test.store.unfinished_rounds(later_ms).await.unwrap(), [0_u64; 0]);
}

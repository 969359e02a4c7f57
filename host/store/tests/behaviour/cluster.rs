//! What only a server of databases has: connections that break, transactions of others, a clock of its own.

use std::time::{SystemTime, UNIX_EPOCH};

use alp_store::testing::{cluster, postgres_database};
use alp_store::{Clock, Store, StoreError, StoreOptions};
use sqlx::{AnyConnection, Connection, Executor};

use crate::support::{FIRST_ROUND, ROUND_SECONDS, entry, open_on_postgres, open_url, record};

/// A connection beside the store's, as another server has it.
async fn beside(url: &str) -> AnyConnection {
    AnyConnection::connect(&url.replace("alp@/", "alp@localhost/")).await.unwrap()
}

#[tokio::test]
async fn the_clock_of_the_database_is_in_milliseconds() {
    let Some(url) = postgres_database().await else { return };
    let store = open_url(&url, Clock::Database).await;
    let system_ms =
        || u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let before = system_ms();
    let read = store.clock_ms().await.unwrap();
    assert!((before..=system_ms()).contains(&read));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_refused_and_one_without_schema_gets_it() {
    let Some(cluster) = cluster().await else { return };
    let options = |name| StoreOptions { url: cluster.url(name), round_seconds: 60, clock: Clock::Database };
    let refused = Store::open(options("nothing_here")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    cluster.execute("CREATE DATABASE an_empty_one").await;
    let store = Store::open(options("an_empty_one")).await.unwrap();
    assert_eq!(store.pool_status().await.unwrap().number_of_users, 0);
    store.close().await;
}

#[tokio::test]
async fn a_store_whose_connections_were_cut_goes_on_with_new_ones() {
    let Some(test) = open_on_postgres().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.submit(lp_id, "btc", 1, "before").await;
    let mut other = beside(test.url()).await;
    other
        .execute(
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await
        .unwrap();
    test.submit(lp_id, "btc", 2, "after").await;
    assert_eq!(test.store.samples(FIRST_ROUND).await.unwrap()[0].sample.order_count, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_round_is_closed_only_after_a_server_that_writes_into_it_is_done() {
    let Some(test) = open_on_postgres().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.submit(lp_id, "btc", 1, "x").await;
    // Another server's transaction is about to commit a sample into the round.
    let mut other = beside(test.url()).await;
    other.execute("BEGIN").await.unwrap();
    other.execute("SELECT round_start FROM uncredited_rounds FOR SHARE").await.unwrap();
    other.execute("UPDATE samples SET order_count = 42").await.unwrap();
    test.set_clock(FIRST_ROUND + ROUND_SECONDS);
    let (store, lease) = (test.store.clone(), test.lease.clone());
    let closing = tokio::spawn(async move { store.close_round(&lease, FIRST_ROUND).await });
    wait_for_a_lock(test.url()).await;
    assert!(!closing.is_finished());
    other.execute("COMMIT").await.unwrap();
    closing.await.unwrap().unwrap();
    assert_eq!(test.store.samples(FIRST_ROUND).await.unwrap()[0].sample.order_count, 42);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_leader_paused_within_a_transaction_is_cut_off_and_the_next_one_credits() {
    let Some(test) = open_on_postgres().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.submit(lp_id, "btc", 1, "x").await;
    test.set_clock(FIRST_ROUND + ROUND_SECONDS);
    test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();
    // What a paused leader leaves: a transaction that holds the lease and the ledger, and says nothing more. The
    // database ends it, since every connection that writes asks for that.
    let mut paused = beside(test.url()).await;
    paused.execute("SET idle_in_transaction_session_timeout = 1000").await.unwrap();
    paused.execute("BEGIN").await.unwrap();
    paused.execute("SELECT name FROM leases FOR SHARE").await.unwrap();
    paused.execute("SELECT name FROM locks FOR UPDATE").await.unwrap();
    test.set_clock(FIRST_ROUND + 2 * ROUND_SECONDS);
    let second = test.another_server().await;
    let lease = crate::support::lead(&second, "second").await;
    second.record_round(&lease, &record(FIRST_ROUND, vec![entry(lp_id, "btc", 5)])).await.unwrap();
    assert!(paused.execute("COMMIT").await.is_err());
    assert_eq!(test.balance_e8(lp_id).await, 5);
}

/// Waits until some transaction of the database waits for another one.
async fn wait_for_a_lock(url: &str) {
    let mut connection = beside(url).await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let waiting = connection
            .fetch_optional(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
                 AND wait_event_type = 'Lock'",
            )
            .await
            .unwrap();
        if waiting.is_some() {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "nobody waits");
        tokio::task::yield_now().await;
    }
}

//! Who is an LP.

use std::collections::BTreeSet;

use alp_store::{Lp, RegisterOutcome, StoreError};
use tokio::task::JoinSet;

use super::open_for_test;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pb_03_of_sixteen_identical_registrations_at_once_exactly_one_is_new() {
    let Some(test) = open_for_test().await else { return };
    for attempt in 0..6 {
        let mut calls = JoinSet::new();
        for _ in 0..16 {
            let store = test.store.clone();
            let user = format!("key-{attempt}");
            calls.spawn(async move { store.register("bittrex", &user, "Baddress", "btc").await.unwrap() });
        }
        let outcomes = calls.join_all().await;
        let new = outcomes.iter().filter(|outcome| matches!(outcome, RegisterOutcome::Registered { .. }));
        assert_eq!(new.count(), 1);
        let known =
            outcomes.iter().filter(|outcome| matches!(outcome, RegisterOutcome::AlreadyRegistered { .. }));
        assert_eq!(known.count(), 15);
    }
    assert_eq!(test.store.pool_status().await.unwrap().number_of_users, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pb_02_of_sixteen_addresses_at_once_exactly_one_is_kept() {
    let Some(test) = open_for_test().await else { return };
    let mut calls = JoinSet::new();
    for index in 0..16 {
        let store = test.store.clone();
        calls.spawn(async move {
            let (address, unit) = (format!("B{index}"), format!("unit-{index}"));
            store.register("bittrex", "key", &address, &unit).await.unwrap()
        });
    }
    let outcomes = calls.join_all().await;
    let lp = test.store.find_lp("bittrex", "key").await.unwrap().unwrap();
    assert_eq!(lp.units.len(), 1);
    let refused = RegisterOutcome::OtherAddress { address: lp.address };
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == refused).count(), 15);
}

#[tokio::test]
async fn pb_02_a_key_with_an_address_is_refused_with_another_for_the_same_and_any_other_unit() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    for unit in ["btc", "ppc"] {
        let outcome = test.store.register("bittrex", "alice", "Bthief", unit).await.unwrap();
        assert_eq!(outcome, RegisterOutcome::OtherAddress { address: "Balice".to_owned() });
    }
    let expected = Lp { lp_id, address: "Balice".to_owned(), units: vec!["btc".to_owned()] };
    assert_eq!(test.store.find_lp("bittrex", "alice").await.unwrap(), Some(expected));
}

#[tokio::test]
async fn an_lp_can_be_registered_for_several_units_and_keeps_its_number() {
    let Some(test) = open_for_test().await else { return };
    let first = test.lp("alice", "ppc").await;
    let second = test.lp("alice", "btc").await;
    assert_eq!(first, second);
    let lp = test.store.find_lp("bittrex", "alice").await.unwrap().unwrap();
    assert_eq!(lp.units, ["btc", "ppc"]);
    assert_eq!(test.store.pool_status().await.unwrap().number_of_users, 2);
}

#[tokio::test]
async fn the_same_key_on_another_exchange_is_another_lp_that_may_have_another_address() {
    let Some(test) = open_for_test().await else { return };
    let bittrex = test.lp("alice", "btc").await;
    let outcome = test.store.register("poloniex", "alice", "Bother", "btc").await.unwrap();
    let RegisterOutcome::Registered { lp_id: poloniex } = outcome else { panic!("{outcome:?}") };
    assert_ne!(bittrex, poloniex);
    assert_eq!(test.store.find_lp("bittrex", "alice").await.unwrap().unwrap().address, "Balice");
    assert_eq!(test.store.find_lp("poloniex", "alice").await.unwrap().unwrap().address, "Bother");
}

#[tokio::test]
async fn pb_15_an_lp_is_registered_for_its_own_units_and_exchange_only() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    // Twice: the second answer comes from memory.
    for _ in 0..2 {
        let found = |exchange, user, unit| test.store.registered_lp(exchange, user, unit);
        assert_eq!(found("bittrex", "alice", "btc").await.unwrap(), Some(lp_id));
        assert_eq!(found("bittrex", "alice", "ppc").await.unwrap(), None);
        assert_eq!(found("poloniex", "alice", "btc").await.unwrap(), None);
        assert_eq!(found("bittrex", "bob", "btc").await.unwrap(), None);
        assert_eq!(found("bittrexa", "lice", "btc").await.unwrap(), None);
    }
    test.lp("alice", "ppc").await;
    assert_eq!(test.store.registered_lp("bittrex", "alice", "ppc").await.unwrap(), Some(lp_id));
}

#[tokio::test]
async fn numbers_of_lps_are_given_out_once() {
    let Some(test) = open_for_test().await else { return };
    let mut lp_ids = BTreeSet::new();
    for user in ["a", "b", "c", "d"] {
        for exchange in ["bittrex", "poloniex"] {
            lp_ids.insert(test.lp_on(exchange, user, "btc").await);
        }
    }
    assert_eq!(lp_ids.len(), 8);
}

#[tokio::test]
async fn pb_30_an_empty_overlong_or_unstorable_name_is_refused_and_nothing_is_kept() {
    let Some(test) = open_for_test().await else { return };
    let long = "k".repeat(50_000);
    for user in ["", long.as_str(), "a\0b"] {
        let outcome = test.store.register("bittrex", user, "Baddress", "btc").await;
        assert!(matches!(outcome, Err(StoreError::Invalid { what: "user", .. })), "{outcome:?}");
    }
    assert_eq!(test.store.pool_status().await.unwrap().number_of_users, 0);
    assert_eq!(test.store.find_lp("bittrex", "a\0b").await.unwrap(), None);
}

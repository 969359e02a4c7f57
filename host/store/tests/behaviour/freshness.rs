//! One signed request, once; one order, one owner: on one server and on two.

use alp_store::{Claim, Owned, Submitted, UsedRequest, Uses};

use crate::support::{FIRST_ROUND, ROUND_SECONDS, TestStore};
use super::open_for_test;

fn rising(number: u64) -> Uses {
    Uses { rising: Some((number, number)), requests: Vec::new() }
}

fn once(digest: &str, expires_at_ms: Option<u64>) -> Uses {
    Uses { rising: None, requests: vec![UsedRequest { digest: digest.to_owned(), expires_at_ms }] }
}

fn claim(lp_id: i64, unit: &str, identities: &[&str]) -> Claim {
    let identities = identities.iter().map(|identity| (*identity).to_owned()).collect();
    Claim { exchange: "bittrex".to_owned(), unit: unit.to_owned(), lp_id, identities, held_rounds: 2 }
}

async fn owned(test: &TestStore, claim: Claim) -> Vec<bool> {
    test.store.claim_orders(claim).await.unwrap().iter().map(Option::is_some).collect()
}

#[tokio::test]
async fn pb_27_a_number_that_does_not_rise_stores_nothing_also_after_a_restart() {
    let Some(mut test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let other = test.lp("bob", "btc").await;
    for (number, order_count, fresh) in [(7, 1, true), (7, 2, false), (6, 3, false), (8, 4, true)] {
        let sample = test.sample(lp_id, "btc", order_count, "x");
        let submitted = test.store.submit_once(sample, rising(number)).await.unwrap();
        assert_eq!(submitted != Submitted::Repeated, fresh, "{number}");
    }
    assert_eq!(test.store.samples(FIRST_ROUND).await.unwrap()[0].sample.order_count, 4);
    assert!(test.store.use_up(other, rising(3)).await.unwrap());
    test = test.restart().await;
    assert_eq!(test.store.highest_rising(lp_id).await.unwrap(), Some(8));
    assert!(!test.store.use_up(lp_id, rising(8)).await.unwrap());
    assert!(test.store.use_up(lp_id, rising(9)).await.unwrap());
    assert!(test.store.use_up(lp_id, rising(i64::MAX as u64 + 1)).await.is_err());
}

#[tokio::test]
async fn the_lowest_of_several_numbers_has_to_rise_and_the_highest_is_kept() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let several = |lowest, highest| Uses { rising: Some((lowest, highest)), requests: Vec::new() };
    assert!(test.store.use_up(lp_id, several(5, 9)).await.unwrap());
    assert!(!test.store.use_up(lp_id, several(9, 20)).await.unwrap());
    assert!(test.store.use_up(lp_id, several(10, 20)).await.unwrap());
    assert_eq!(test.store.highest_rising(lp_id).await.unwrap(), Some(20));
}

#[tokio::test]
async fn of_what_arrives_together_each_counts_in_its_order_and_on_two_servers_once() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let store = &test.store;
    // All are sent before the task that writes gets its turn, so they share a transaction.
    let (first, second, third) =
        tokio::join!(store.use_up(lp_id, rising(2)), store.use_up(lp_id, rising(1)), store.use_up(lp_id, rising(3)));
    assert_eq!((first.unwrap(), second.unwrap(), third.unwrap()), (true, false, true));

    let another = test.another_server().await;
    for number in 10..20 {
        let sample = || test.sample(lp_id, "btc", 1, "x");
        let (here, there) =
            tokio::join!(store.submit_once(sample(), rising(number)), another.submit_once(sample(), rising(number)));
        let repeated = [here.unwrap(), there.unwrap()].iter().filter(|s| **s == Submitted::Repeated).count();
        assert_eq!(repeated, 1, "{number}");
    }
}

#[tokio::test]
async fn a_request_without_a_number_is_used_once_until_it_expires() {
    let Some(test) = open_for_test().await else { return };
    let (alice, bob) = (test.lp("alice", "btc").await, test.lp("bob", "btc").await);
    let store = &test.store;
    assert!(store.use_up(alice, once("a", Some(1000))).await.unwrap());
    assert!(!store.use_up(alice, once("a", Some(1000))).await.unwrap());
    assert!(store.use_up(bob, once("a", None)).await.unwrap());
    assert_eq!(store.forget_expired_requests(1000).await.unwrap(), 0);
    assert_eq!(store.forget_expired_requests(1001).await.unwrap(), 1);
    assert!(!store.was_used(alice, "a").await.unwrap());
    assert!(store.was_used(bob, "a").await.unwrap(), "for ever");
}

#[tokio::test]
async fn all_servers_share_one_key() {
    let Some(test) = open_for_test().await else { return };
    let another = test.another_server().await;
    let first = test.store.pool_key("requests", "first").await.unwrap();
    assert_eq!((first.as_str(), another.pool_key("requests", "second").await.unwrap().as_str()), ("first", "first"));
}

#[tokio::test]
async fn pb_11_an_order_is_its_first_lps_until_it_was_not_seen_for_so_many_rounds() {
    let Some(test) = open_for_test().await else { return };
    let (alice, bob) = (test.lp("alice", "btc").await, test.lp("bob", "btc").await);
    test.lp("bob", "ppc").await;
    assert_eq!(owned(&test, claim(alice, "btc", &["1", "2"])).await, [true, true]);
    assert_eq!(owned(&test, claim(bob, "btc", &["2", "3"])).await, [false, true]);
    assert_eq!(owned(&test, claim(bob, "ppc", &["1"])).await, [true], "another market, another order");
    test.set_clock(FIRST_ROUND + 2 * ROUND_SECONDS);
    let first_seen_ms = (FIRST_ROUND + 1) * 1000;
    let lapses_round = FIRST_ROUND + 5 * ROUND_SECONDS;
    let again = test.store.claim_orders(claim(alice, "btc", &["1"])).await.unwrap();
    assert_eq!(again, [Some(Owned { first_seen_ms, lapses_round })]);
    test.set_clock(FIRST_ROUND + 3 * ROUND_SECONDS);
    assert_eq!(owned(&test, claim(bob, "btc", &["1", "2"])).await, [false, true]);
    assert_eq!(owned(&test, claim(alice, "btc", &["2"])).await, [false]);
    test.set_clock(FIRST_ROUND + 6 * ROUND_SECONDS);
    assert_eq!(test.store.forget_lapsed_owners(FIRST_ROUND + 6 * ROUND_SECONDS).await.unwrap(), 3);
    assert_eq!(owned(&test, claim(bob, "btc", &["1"])).await, [true]);
}

#[tokio::test]
async fn of_two_lps_that_claim_orders_at_once_each_order_has_one_owner() {
    let Some(test) = open_for_test().await else { return };
    let (alice, bob) = (test.lp("alice", "btc").await, test.lp("bob", "btc").await);
    let another = test.another_server().await;
    let ids: Vec<String> = (0..300).map(|id| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let backwards: Vec<&str> = ids.iter().rev().copied().collect();
    for unit in ["btc", "ppc", "usd"] {
        let store = &test.store;
        let (here, beside, there) = tokio::join!(
            store.claim_orders(claim(alice, unit, &ids)),
            store.claim_orders(claim(bob, unit, &backwards)),
            another.claim_orders(claim(bob, unit, &ids)),
        );
        let (here, mut beside, there) = (here.unwrap(), beside.unwrap(), there.unwrap());
        beside.reverse();
        assert_eq!(beside.iter().map(Option::is_some).collect::<Vec<_>>(), there.iter().map(Option::is_some).collect::<Vec<_>>());
        assert!(here.iter().zip(&there).all(|(here, there)| here.is_some() != there.is_some()));
    }
}

//! Which configuration is in force, and at what price orders are judged.

use alp_store::{Acquired, Quote, Store, StoreError};

use super::open_for_test;
use crate::support::{CONFIGURATION, FIRST_ROUND, ROUND_SECONDS, record};

const OTHER: &str = r#"{"markets":["other"]}"#;

#[tokio::test]
async fn the_first_configuration_is_in_force_and_a_second_only_when_it_is_put_there() {
    let Some(test) = open_for_test().await else { return };
    let first = Store::configuration_digest(CONFIGURATION);
    let other = Store::configuration_digest(OTHER);
    assert_eq!(test.store.begin_configuration(OTHER).await.unwrap(), first);
    let in_force = test.store.configuration_in_force().await.unwrap().unwrap();
    assert_eq!((in_force.digest.as_str(), in_force.document.as_str()), (first.as_str(), CONFIGURATION));
    assert_eq!(test.store.put_configuration_in_force(OTHER).await.unwrap(), other);
    let in_force = test.store.configuration_in_force().await.unwrap().unwrap();
    assert_eq!((in_force.digest, in_force.document.as_str()), (other, OTHER));
    assert_eq!(in_force.configuration_id, 2);
}

#[tokio::test]
async fn a_server_with_another_configuration_cannot_lead_and_is_told_both() {
    let Some(test) = open_for_test().await else { return };
    let second = test.another_server().await;
    let other = Store::configuration_digest(OTHER);
    test.store.release_lease(&test.lease).await.unwrap();
    let refused = second.acquire_lease("rounds", "second", 1000, &other).await;
    let Err(StoreError::OtherConfiguration { own, in_force }) = refused else { panic!("{refused:?}") };
    assert_eq!((own, in_force), (other.clone(), Store::configuration_digest(CONFIGURATION)));

    second.put_configuration_in_force(OTHER).await.unwrap();
    let granted = second.acquire_lease("rounds", "second", 1000, &other).await.unwrap();
    assert!(matches!(granted, Acquired::Granted(_)), "{granted:?}");
}

#[tokio::test]
async fn who_leads_by_a_configuration_that_was_replaced_leads_no_more() {
    let Some(test) = open_for_test().await else { return };
    test.set_clock(FIRST_ROUND + ROUND_SECONDS);
    test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();
    // The same one again is no change.
    test.store.put_configuration_in_force(CONFIGURATION).await.unwrap();
    test.store.renew_lease(&test.lease, 1000).await.unwrap();

    test.another_server().await.put_configuration_in_force(OTHER).await.unwrap();
    let refused = test.store.record_round(&test.lease, &record(FIRST_ROUND, Vec::new())).await;
    assert!(matches!(refused, Err(StoreError::NotLeader { .. })), "{refused:?}");
    assert_eq!(test.store.pool_status().await.unwrap().last_credit, None);
}

#[tokio::test]
async fn every_server_reads_the_newest_price_and_only_the_one_that_leads_sets_it() {
    let Some(test) = open_for_test().await else { return };
    let second = test.another_server().await;
    test.store.put_price(&test.lease, "btc", "0.004", "").await.unwrap();
    test.store.put_price(&test.lease, "usd", "1", "").await.unwrap();
    test.set_clock(FIRST_ROUND + 30);
    test.store.put_price(&test.lease, "btc", "0.0041", r#"["a"]"#).await.unwrap();
    let quotes = second.prices().await.unwrap();
    assert_eq!(quotes.len(), 2);
    let newest = Quote { price: "0.0041".to_owned(), quotes: r#"["a"]"#.to_owned(), at_ms: (FIRST_ROUND + 30) * 1000 };
    assert_eq!(quotes["btc"], newest);

    test.store.put_configuration_in_force(OTHER).await.unwrap();
    let refused = test.store.put_price(&test.lease, "btc", "9", "").await;
    assert!(matches!(refused, Err(StoreError::NotLeader { .. })), "{refused:?}");
    assert_eq!(second.prices().await.unwrap()["btc"], newest);
}

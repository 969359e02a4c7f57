//! Samples of a round that is cut into slices, and what a round takes over from the one before.

use alp_store::Sample;

use crate::support::{FIRST_ROUND, ROUND_SECONDS, TestStore, entry};
use super::open_for_test;

const SECOND_ROUND: u64 = FIRST_ROUND + ROUND_SECONDS;

async fn submit(test: &TestStore, lp_id: i64, slices: u32, mark: &str) -> u64 {
    let sample = Sample { slices, ..test.sample(lp_id, "btc", 1, mark) };
    test.store.submit(sample).await.unwrap().round_start
}

/// Slice and orders of each sample of a round.
async fn stored(test: &TestStore, round_start: u64) -> Vec<(u32, String)> {
    let samples = test.store.samples(round_start).await.unwrap();
    samples.into_iter().map(|stored| (stored.slice, stored.sample.orders)).collect()
}

#[tokio::test]
async fn the_last_sample_of_each_slice_is_kept() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    for (second, mark) in [(0, "a"), (9, "b"), (10, "c"), (59, "d")] {
        test.set_clock(FIRST_ROUND + second);
        submit(&test, lp_id, 6, mark).await;
    }
    let expected = [(0, "b"), (1, "c"), (5, "d")].map(|(slice, mark)| (slice, format!("[\"{mark}-0\"]")));
    assert_eq!(stored(&test, FIRST_ROUND).await, expected);
    let late = test.store.samples_since(FIRST_ROUND, (FIRST_ROUND + 50) * 1000).await.unwrap();
    assert_eq!(late.iter().map(|stored| stored.slice).collect::<Vec<_>>(), [5]);
    let shown = test.store.orders_of("alice", 100).await.unwrap().unwrap();
    assert_eq!(shown.len(), 1, "of a round the page shows what was shown last");
    assert_eq!(shown[0].orders, r#"["d-0"]"#);
}

#[tokio::test]
async fn what_is_written_at_the_edge_of_a_round_counts_in_the_first_slice_of_the_next() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.credit(FIRST_ROUND, Vec::new()).await;
    test.set_clock(FIRST_ROUND + ROUND_SECONDS - 1);
    assert_eq!(submit(&test, lp_id, 60, "late").await, SECOND_ROUND);
    assert_eq!(stored(&test, SECOND_ROUND).await, [(0, "[\"late-0\"]".to_owned())]);
}

#[tokio::test]
async fn minimal_rates_are_read_back_as_they_were() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let ask_rate = Some("0.0025".to_owned());
    let sample = Sample { ask_rate, bid_rate: None, ..test.sample(lp_id, "btc", 1, "a") };
    test.store.submit(sample.clone()).await.unwrap();
    assert_eq!(test.store.samples(FIRST_ROUND).await.unwrap()[0].sample, sample);
}

#[tokio::test]
async fn a_round_finds_the_statistics_of_the_credited_round_before_it() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.submit(lp_id, "btc", 1, "a").await;
    assert_eq!(test.store.statistics_before(SECOND_ROUND).await.unwrap(), None);
    test.credit(FIRST_ROUND, vec![entry(lp_id, "btc", 5)]).await;
    let statistics = format!(r#"{{"round":{FIRST_ROUND}}}"#);
    assert_eq!(test.store.statistics_before(SECOND_ROUND).await.unwrap(), Some(statistics));
    assert_eq!(test.store.statistics_before(FIRST_ROUND).await.unwrap(), None);
}

#[tokio::test]
async fn the_newest_orders_of_an_lp_are_found_in_this_round_and_the_one_before() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let newest = async |rounds| {
        let found = test.store.newest_orders(lp_id, "btc", rounds).await.unwrap();
        found.map(|found| (found.submitted_at_ms, found.orders))
    };
    assert_eq!(newest([SECOND_ROUND, FIRST_ROUND]).await, None);
    submit(&test, lp_id, 6, "a").await;
    test.set_clock(FIRST_ROUND + 30);
    submit(&test, lp_id, 6, "b").await;
    let expected = Some(((FIRST_ROUND + 30) * 1000, r#"["b-0"]"#.to_owned()));
    assert_eq!(newest([SECOND_ROUND, FIRST_ROUND]).await, expected);
    assert_eq!(newest([SECOND_ROUND + ROUND_SECONDS, SECOND_ROUND]).await, None);
}

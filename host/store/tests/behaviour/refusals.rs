//! What became of submissions: what was accepted and what was refused, of the last rounds.

use alp_store::{MAX_REFUSALS, Refusal, Refused};

use super::open_for_test;
use crate::support::{FIRST_ROUND, ROUND_SECONDS};

fn at(round: u64) -> u64 {
    FIRST_ROUND + round * ROUND_SECONDS
}

fn refused(lp_id: i64, rejected: &[(u64, u64)], at_ms: &[u64]) -> Refused {
    let refusal =
        |at_ms: &u64| Refusal { at_ms: *at_ms, who_acts: "bot".to_owned(), sentence: format!("no {at_ms}") };
    let refusals = at_ms.iter().map(refusal).collect();
    Refused { lp_id, unit: "btc".to_owned(), rejected: rejected.to_vec(), refusals }
}

#[tokio::test]
async fn an_lp_is_told_what_was_accepted_and_refused_whoever_wrote_it_down() {
    let Some(test) = open_for_test().await else { return };
    let (alice, bob) = (test.lp("alice", "btc").await, test.lp("bob", "btc").await);
    for (round, lp_id) in [(0, alice), (1, alice), (1, bob), (3, alice)] {
        test.set_clock(at(round));
        test.submit(lp_id, "btc", 1, "x").await;
    }
    let store = &test.store;
    store.add_refused(&[refused(alice, &[(at(1), 2), (at(2), 1)], &[7, 5])]).await.unwrap();
    store.add_refused(&[refused(bob, &[(at(1), 9)], &[6]), refused(alice, &[(at(2), 4)], &[8])]).await.unwrap();
    let became = store.became(alice, at(1)).await.unwrap();
    assert_eq!(became.len(), 1);
    assert_eq!(became[0].accepted, [(at(3), 1), (at(1), 1)]);
    assert_eq!(became[0].rejected, [(at(2), 5), (at(1), 2)]);
    let sentences: Vec<&str> = became[0].refusals.iter().map(|refusal| refusal.sentence.as_str()).collect();
    assert_eq!(sentences, ["no 8", "no 7", "no 5"]);
    assert_eq!(store.became(77, 0).await.unwrap(), []);
}

#[tokio::test]
async fn the_last_refusals_stay_and_old_counts_go() {
    let Some(test) = open_for_test().await else { return };
    let alice = test.lp("alice", "btc").await;
    let store = &test.store;
    for at_ms in 0..u64::from(MAX_REFUSALS) + 5 {
        store.add_refused(&[refused(alice, &[(at(at_ms), 1)], &[at_ms])]).await.unwrap();
    }
    let became = store.became(alice, 0).await.unwrap().remove(0);
    assert_eq!(became.refusals.len(), 20);
    assert_eq!((became.refusals[0].at_ms, became.refusals[19].at_ms), (24, 5));
    assert_eq!(store.forget_rejections(at(10)).await.unwrap(), 10);
    assert_eq!(store.became(alice, 0).await.unwrap()[0].rejected.len(), 15);
}

#[tokio::test]
async fn what_is_too_much_or_of_nobody_is_refused() {
    let Some(test) = open_for_test().await else { return };
    let alice = test.lp("alice", "btc").await;
    let too_many: Vec<u64> = (0..=u64::from(MAX_REFUSALS)).collect();
    assert!(test.store.add_refused(&[refused(alice, &[], &too_many)]).await.is_err());
    assert!(test.store.add_refused(&[refused(77, &[(at(1), 1)], &[1])]).await.is_err());
    let mut long = refused(alice, &[(at(1), 1)], &[1]);
    long.refusals[0].sentence = "x".repeat(5_000);
    assert!(test.store.add_refused(&[long]).await.is_err());
    assert_eq!(test.store.became(alice, 0).await.unwrap(), []);
}

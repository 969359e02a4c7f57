//! Credits and balances are exact, or nothing is written at all.

use alp_store::{Recorded, RoundRecord, StoreError};

use crate::support::{FIRST_ROUND, ROUND_SECONDS, TestStore, entry, record};
use super::open_for_test;

async fn with_closed_round() -> Option<TestStore> {
    let test = open_for_test().await?;
    test.set_clock(FIRST_ROUND + ROUND_SECONDS);
    test.store.close_round(&test.lease, FIRST_ROUND).await.unwrap();
    Some(test)
}

/// A refused record must leave the round as it was: still to be recorded, and nobody richer.
async fn assert_refused(test: &TestStore, refused: &RoundRecord, lp_id: i64) -> StoreError {
    let error = test.store.record_round(&test.lease, refused).await.unwrap_err();
    assert_eq!(test.balance_e8(lp_id).await, 0);
    assert_eq!(test.store.pool_status().await.unwrap().last_credit, None);
    let sound = record(FIRST_ROUND, vec![entry(lp_id, "btc", 3)]);
    assert_eq!(test.store.record_round(&test.lease, &sound).await.unwrap(), Recorded::Recorded);
    assert_eq!(test.balance_e8(lp_id).await, 3);
    error
}

#[tokio::test]
async fn pb_06_running_balances_are_exact_over_many_rounds_and_units() {
    let Some(test) = open_for_test().await else { return };
    let alice = test.lp("alice", "btc").await;
    test.lp("alice", "ppc").await;
    let bob = test.lp("bob", "btc").await;
    let (mut alice_e8, mut bob_e8) = (0, 0);
    for round in 0..40_u64 {
        let amount = i64::try_from(round * round * 1_000_003 + 1).unwrap();
        let mut credits = vec![entry(alice, "ppc", amount), entry(alice, "btc", 7 * amount)];
        alice_e8 += 8 * amount;
        if round % 3 == 0 {
            credits.insert(0, entry(bob, "btc", 10_000_000));
            bob_e8 += 10_000_000;
        }
        test.credit(FIRST_ROUND + round * ROUND_SECONDS, credits).await;
        assert_eq!(test.balance_e8(alice).await, alice_e8);
        assert_eq!(test.balance_e8(bob).await, bob_e8);
    }
    let stats = test.store.stats_of("alice").await.unwrap().unwrap();
    assert_eq!(stats.total_e8, alice_e8);
}

#[tokio::test]
async fn a_late_round_adds_to_the_balance_that_stands_when_it_is_recorded() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.credit(FIRST_ROUND + ROUND_SECONDS, vec![entry(lp_id, "btc", 10)]).await;
    test.credit(FIRST_ROUND, vec![entry(lp_id, "btc", 5)]).await;
    assert_eq!(test.balance_e8(lp_id).await, 15);
    test.credit(FIRST_ROUND + 2 * ROUND_SECONDS, vec![entry(lp_id, "btc", 1)]).await;
    assert_eq!(test.balance_e8(lp_id).await, 16);
}

#[tokio::test]
async fn credits_that_do_not_add_up_are_refused_whole() {
    let Some(test) = with_closed_round().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let mut wrong = record(FIRST_ROUND, vec![entry(lp_id, "btc", 500)]);
    wrong.paid_e8 = 499;
    let error = assert_refused(&test, &wrong, lp_id).await;
    assert!(matches!(error, StoreError::Unbalanced { .. }), "{error:?}");
}

#[tokio::test]
async fn more_than_the_reward_is_refused_whole() {
    let Some(test) = with_closed_round().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let mut wrong = record(FIRST_ROUND, vec![entry(lp_id, "btc", 500)]);
    wrong.reward_e8 = 499;
    let error = assert_refused(&test, &wrong, lp_id).await;
    assert!(matches!(error, StoreError::Unbalanced { .. }), "{error:?}");
}

#[tokio::test]
async fn a_negative_credit_is_refused_whole() {
    let Some(test) = with_closed_round().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let wrong = record(FIRST_ROUND, vec![entry(lp_id, "btc", 500), entry(lp_id, "ppc", -1)]);
    let error = assert_refused(&test, &wrong, lp_id).await;
    assert!(matches!(error, StoreError::Invalid { .. }), "{error:?}");
}

#[tokio::test]
async fn two_credits_of_an_lp_for_the_same_unit_and_round_are_refused_whole() {
    let Some(test) = with_closed_round().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let wrong = record(FIRST_ROUND, vec![entry(lp_id, "btc", 500), entry(lp_id, "btc", 1)]);
    let error = assert_refused(&test, &wrong, lp_id).await;
    assert!(matches!(error, StoreError::Contradicts(_)), "{error:?}");
}

#[tokio::test]
async fn pb_15_a_credit_for_a_unit_the_lp_is_not_registered_for_is_refused_whole() {
    let Some(test) = with_closed_round().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    let wrong = record(FIRST_ROUND, vec![entry(lp_id, "btc", 500), entry(lp_id, "ppc", 1)]);
    let error = assert_refused(&test, &wrong, lp_id).await;
    assert!(matches!(error, StoreError::Contradicts(_)), "{error:?}");
}

#[tokio::test]
async fn a_balance_beyond_the_largest_number_is_refused_whole() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.credit(FIRST_ROUND, vec![entry(lp_id, "btc", i64::MAX)]).await;
    let next = FIRST_ROUND + ROUND_SECONDS;
    test.set_clock(next + ROUND_SECONDS);
    test.store.close_round(&test.lease, next).await.unwrap();
    let refused = test.store.record_round(&test.lease, &record(next, vec![entry(lp_id, "btc", 1)])).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
    assert_eq!(test.balance_e8(lp_id).await, i64::MAX);
}

#[tokio::test]
async fn pb_10_a_round_of_more_credits_than_one_statement_holds_is_written_whole() {
    let Some(test) = with_closed_round().await else { return };
    let mut credits = Vec::new();
    for index in 0..203 {
        credits.push(entry(test.lp(&format!("key-{index}"), "btc").await, "btc", index + 1));
    }
    test.store.record_round(&test.lease, &record(FIRST_ROUND, credits.clone())).await.unwrap();
    let balances = test.store.balances(0, 1000).await.unwrap();
    let expected: Vec<_> = credits.iter().map(|credit| (credit.lp_id, credit.amount_e8)).collect();
    let seen: Vec<_> = balances.iter().map(|balance| (balance.lp_id, balance.balance_e8)).collect();
    assert_eq!(seen, expected);
    assert_eq!(balances[5].address, "Bkey-5");

    let page = test.store.balances(balances[99].lp_id, 50).await.unwrap();
    assert_eq!(page, balances[100..150]);
}

//! When a submission is judged: once, when the exchange's reply is in, by what is in force at that moment.

use alp_sandbox::Snapshot;
use alp_simulated_exchange::Behaviour;
use alp_tests::{Answer, DEADLINE, Lp, START_S, TestPool, another_build};
use serde_json::json;

/// Submits, and has `meanwhile` done after the exchange has got the request and before it answers.
async fn submit_and_meanwhile(pool: &TestPool, lp: &Lp, meanwhile: impl AsyncFnOnce()) -> Answer {
    pool.exchange().set_behaviour(Behaviour::Hang);
    let wanted = pool.exchange_calls() + 1;
    let then = async {
        tokio::time::timeout(DEADLINE, pool.exchange().wait_for_requests(wanted)).await.unwrap();
        meanwhile().await;
        pool.exchange().set_behaviour(Behaviour::Normal);
    };
    let (answer, ()) = tokio::join!(pool.submit(lp, "btc"), then);
    answer
}

#[tokio::test]
async fn a_price_that_changes_while_the_exchange_answers_is_the_one_that_judges() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    let answer = submit_and_meanwhile(&pool, &lp, async || {
        pool.edit(&pool.pool_file(), "fixed = 0.004\n", "fixed = 0.005\n");
        pool.reload().await.unwrap();
    });
    answer.await.accepted();
    let order = pool.orders_of(&lp).await[0].clone();
    assert_eq!((&order["server_price"], &order["deviation"]), (&json!(0.005), &json!(0.2)));
    assert_eq!(order["rank"], "");
}

#[tokio::test]
async fn a_unit_that_is_gone_when_the_exchange_answers_takes_nothing() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    let answer = submit_and_meanwhile(&pool, &lp, async || {
        let file = pool.exchange_file("test_exchange");
        pool.edit(&file, "units.btc", "units.gone");
        pool.edit(&pool.pool_file(), "prices.btc", "prices.gone");
        pool.reload().await.unwrap();
    });
    assert_eq!(answer.await.refusal(), "btc is not supported on test_exchange");
    assert!(pool.app().store.samples(START_S).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_submission_counts_in_the_round_in_which_it_was_answered() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    let answer = submit_and_meanwhile(&pool, &lp, async || {
        pool.end_round().await;
    });
    answer.await.accepted();
    assert!(pool.app().store.samples(START_S).await.unwrap().is_empty());
    assert_eq!(pool.app().store.samples(START_S + 60).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_call_under_way_ends_on_the_adapter_that_began_it() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    let sha256 = || pool.app().adapters.snapshot().get("test_exchange").unwrap().sha256().to_owned();
    let old = sha256();
    let answer = submit_and_meanwhile(&pool, &lp, async || {
        pool.plug_in("test_exchange", &another_build("test_exchange", 1));
        let replaced = |snapshot: &Snapshot| snapshot.get("test_exchange").unwrap().sha256() != old;
        pool.app().adapters.wait_for(DEADLINE, replaced).await.unwrap();
    });
    answer.await.accepted();
    let judged_by = pool.app().store.samples(START_S).await.unwrap()[0].sample.adapter_sha256.clone();
    assert_eq!(judged_by, old);
    pool.submit_btc(&lp).await;
    let judged_by = pool.app().store.samples(START_S).await.unwrap()[0].sample.adapter_sha256.clone();
    assert_eq!(judged_by, sha256());
    assert_ne!(judged_by, old);
}

#[tokio::test]
async fn what_a_submission_was_judged_by_is_kept_with_it() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    let stored = pool.app().store.samples(START_S).await.unwrap()[0].clone();
    let terms = pool.app().store.terms(&stored.sample.terms_id).await.unwrap().unwrap();
    assert!(terms.contains("\"target\":\"1500\"") && terms.contains("\"fills_target\":\"all\""), "{terms}");
    assert_eq!((stored.exchange.as_str(), stored.sample.order_count), ("test_exchange", 1));
    assert_eq!(stored.sample.reply_sha256.len(), 64);
    assert!(stored.sample.price.contains("0.004"), "{}", stored.sample.price);
}

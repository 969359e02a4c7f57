//! One signature, once; and one request of a key at a time.

use alp_simulated_exchange::Behaviour;
use alp_tests::{DEADLINE, Lp, Settings, TestPool, wait_until};

#[tokio::test]
async fn pb_27_the_same_message_twice_is_refused_without_asking_the_exchange_also_after_a_restart() {
    let mut pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    let early = pool.signed_body(&lp, "test_exchange", "btc").await;
    let body = pool.signed_body(&lp, "test_exchange", "btc").await;
    pool.post("/liquidity", &body).await.accepted();
    for restart in [false, true] {
        if restart {
            pool.restart().await;
        }
        for (replayed, number) in [(&body, "1760000045002"), (&early, "1760000045001")] {
            let told = pool.post("/liquidity", replayed).await.refusal();
            let expected = format!(
                "a request of this key with 1760000045002 was seen, and this one has {number}: sign each one with a \
                 larger number than the one before"
            );
            assert_eq!(told, expected);
        }
    }
    assert_eq!(pool.exchange_calls(), 1);
    pool.submit_btc(&lp).await;
    assert_eq!(pool.orders_of(&lp).await.len(), 1);
}

#[tokio::test]
async fn a_message_is_sent_once_whatever_became_of_it() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    let body = pool.signed_body(&lp, "test_exchange", "btc").await;
    pool.exchange().set_behaviour(Behaviour::Outage);
    assert!(pool.post("/liquidity", &body).await.refusal().contains("unavailable"));
    pool.exchange().set_behaviour(Behaviour::Normal);
    let told = pool.post("/liquidity", &body).await.refusal();
    assert_eq!(told, "this signed request was sent before, and each is sent once: sign a new one");
    assert_eq!(pool.exchange_calls(), 1);
    pool.submit_btc(&lp).await;
}

#[tokio::test]
async fn junk_with_a_large_nonce_under_an_lps_key_does_not_lock_the_lp_out() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    let nonce = u64::try_from(i64::MAX).unwrap();
    let req = format!("{{\"market\":\"NBT_BTC\",\"nonce\":{nonce},\"timestamp\":{}}}", pool.now_ms());
    let junk = pool.body(&lp.key, &req, &format!("\"{}\"", "0".repeat(64)), "test_exchange", "btc");
    assert!(pool.post("/liquidity", &junk).await.refusal().contains("bad-signature"));
    pool.submit_btc(&lp).await;
}

#[tokio::test]
async fn requests_of_one_key_go_out_one_at_a_time_and_those_of_others_do_not_wait() {
    let pool = TestPool::start().await;
    let (alice, bob) =
        (pool.lp_with("alice", &["ask 5 0.004"]).await, pool.lp_with("bob", &["ask 5 0.004"]).await);
    pool.exchange().set_behaviour(Behaviour::Hang);
    let looked = async {
        let all_are_in = async || pool.app().turns.submissions() == 4 && pool.exchange_calls() >= 2;
        wait_until("all are in", all_are_in).await;
        let calls = pool.exchange_calls();
        pool.exchange().set_behaviour(Behaviour::Normal);
        calls
    };
    let of_alice = async {
        tokio::join!(pool.submit(&alice, "btc"), pool.submit(&alice, "btc"), pool.submit(&alice, "btc"))
    };
    let (calls, of_bob, of_alice) = tokio::join!(looked, pool.submit(&bob, "btc"), of_alice);
    assert_eq!(calls, 2, "one of each key");
    of_bob.accepted();
    let told = [of_alice.0.message(), of_alice.1.message(), of_alice.2.message()];
    assert!(told.contains(&"orders saved for validation".to_owned()), "{told:?}");
    assert_eq!(pool.app().turns.lines(), 0);
}

#[tokio::test]
async fn a_key_with_too_many_submissions_under_way_is_told_so() {
    let pool = TestPool::start().await;
    let alice = pool.lp_with("alice", &["ask 5 0.004"]).await;
    pool.exchange().set_behaviour(Behaviour::Hang);
    let others = async {
        tokio::time::timeout(DEADLINE, pool.exchange().wait_for_requests(1)).await.unwrap();
        let many = (0..12).map(|_| pool.submit(&alice, "btc"));
        let told = futures_util::future::select_all(many.map(Box::pin)).await.0.refusal();
        pool.exchange().set_behaviour(Behaviour::Normal);
        told
    };
    let (_, told) = tokio::join!(pool.submit(&alice, "btc"), others);
    assert_eq!(told, "10 submissions of this key wait for the one before them: post one after the other");
}

#[tokio::test]
async fn a_key_lent_to_two_pools_shows_as_refusals_in_the_exchanges_words() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    let earlier = pool.signed_body(&lp, "test_exchange", "btc").await;
    pool.submit_btc(&lp).await;
    let mut settings = Settings::default();
    settings.exchanges[0].1 = settings.exchanges[0].1.replace("{endpoint}", &pool.exchange_origin());
    let other = TestPool::start_with(settings).await;
    other.register(&lp, "btc").await.accepted();
    let told = other.post("/liquidity", &earlier).await.refusal();
    assert_eq!(told, "error returned: nonce-too-small: the nonce has to be above 1760000045002");
}

#[tokio::test]
async fn a_request_signed_with_seconds_says_that_it_counts_seconds() {
    let pool = TestPool::start().await;
    let lp: Lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    let signed = async || {
        let (req, sign) =
            alp_tests::sign(&lp, "test_exchange", "BTC", pool.now_ms(), pool.now_ms() / 1000).await;
        pool.body(&lp.key, &req, &sign, "test_exchange", "btc")
    };
    pool.post("/liquidity", &signed().await).await.accepted();
    pool.pass(500);
    let told = pool.post("/liquidity", &signed().await).await.refusal();
    assert!(
        told.ends_with("than the one before; these count seconds, so post at most once a second"),
        "{told}"
    );
    pool.pass(500);
    pool.post("/liquidity", &signed().await).await.accepted();
}

#[tokio::test]
async fn an_exchange_whose_requests_live_for_ever_needs_the_operators_consent() {
    let pool = TestPool::start().await;
    let file = pool.exchange_file("test_exchange");
    pool.edit(&file, "lifetime_ms = 60000", "lifetime_ms = \"unlimited\"");
    let told = pool.reload().await.unwrap_err();
    assert!(
        told.contains("accept_repeatable_requests must be true if the grant says that a signed"),
        "{told}"
    );
    assert!(told.contains("whoever saw one"), "{told}");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("accept_repeatable_requests = true\n{text}")).unwrap();
    pool.reload().await.unwrap();
}

//! Who may register, with which address, for what.

use alp_tests::{Lp, Settings, TestPool, address};
use futures_util::future::join_all;

const REGISTERED: &str = "user successfully registered";
const ALREADY: &str = "user is already registered";

#[tokio::test]
async fn the_same_registration_again_is_already_registered() {
    let pool = TestPool::start().await;
    let lp = Lp::new("alice");
    assert_eq!(pool.register(&lp, "btc").await.accepted(), REGISTERED);
    assert_eq!(pool.register(&lp, "btc").await.refusal(), ALREADY);
    assert_eq!(pool.register(&lp, "usd").await.accepted(), REGISTERED);
    assert_eq!(pool.register(&lp, "usd").await.refusal(), ALREADY);
}

#[tokio::test]
async fn pb_02_another_address_for_a_key_is_refused_for_every_unit() {
    let pool = TestPool::start().await;
    let lp = Lp::new("alice");
    let thief = Lp { address: Lp::new("thief").address, ..lp.clone() };
    pool.register(&lp, "btc").await.accepted();
    let expected = "user key-of-alice is already registered on test_exchange with another address; \
                    an API key has one payout address";
    for unit in ["btc", "usd"] {
        assert_eq!(pool.register(&thief, unit).await.refusal(), expected);
    }
    assert_eq!(pool.register(&lp, "btc").await.refusal(), ALREADY);
    let known = pool.app().store.find_lp("test_exchange", &lp.key).await.unwrap().unwrap();
    assert_eq!((known.address, known.units), (lp.address, vec!["btc".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pb_03_of_sixteen_registrations_at_once_one_succeeds() {
    let pool = TestPool::start().await;
    for turn in 0..6 {
        let lp = Lp::new(&format!("lp-{turn}"));
        let answers = join_all((0..16).map(|_| pool.register(&lp, "btc"))).await;
        let messages: Vec<String> = answers.iter().map(alp_tests::Answer::message).collect();
        let succeeded = messages.iter().filter(|message| *message == REGISTERED).count();
        let already = messages.iter().filter(|message| *message == ALREADY).count();
        assert_eq!((succeeded, already), (1, 15), "{messages:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pb_03_of_sixteen_addresses_at_once_one_is_taken() {
    let pool = TestPool::start().await;
    let lps: Vec<Lp> =
        (0..16).map(|n| Lp { key: "one-key".into(), ..Lp::new(&format!("address-{n}")) }).collect();
    let answers = join_all(lps.iter().map(|lp| pool.register(lp, "btc"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.success()).count(), 1);
    let other = answers.iter().filter(|answer| answer.message().contains("with another address")).count();
    assert_eq!(other, 15);
}

#[tokio::test]
async fn pb_07_only_addresses_of_the_right_version_and_length_are_taken() {
    let pool = TestPool::start().await;
    let right = ["BMJ2PJ1TNMwnTYUopQVxBrAPmmJjJjhd96", "Bdoa6XJzzfFrMgwysASZGmvSMoXGPmQD6R"];
    for (number, address) in right.into_iter().enumerate() {
        let user = format!("right-{number}");
        pool.register_with(&user, address, "test_exchange", "btc").await.accepted();
    }
    let versions = [(24, [0xff_u8; 20]), (27, [0; 20])];
    for (version, payload) in versions {
        let address = address(version, &payload);
        let refusal = pool.register_with("wrong", &address, "test_exchange", "btc").await.refusal();
        let reason = format!("Its version is {version} where 25 or 26 is right");
        assert_eq!(refusal, format!("{address} is not a valid NBT address. {reason}"));
    }
    for length in [19, 21] {
        // The first byte is what makes an address of another length begin with a B.
        let address = (0..=255)
            .map(|version| address(version, &vec![7; length]))
            .find(|address| address.starts_with('B'))
            .unwrap();
        let refusal = pool.register_with("wrong", &address, "test_exchange", "btc").await.refusal();
        assert_eq!(refusal, format!("{address} is not a valid NBT address. It has another length"));
    }
    for (test_net, letter) in [("bPwdoprYd3SRHqUCG5vCcEY68g8UfGC1d9", 'b'), (&address(63, &[1; 20]), 'S')] {
        assert!(test_net.starts_with(letter), "{test_net}");
        let refusal = pool.register_with("wrong", test_net, "test_exchange", "btc").await.refusal();
        assert_eq!(refusal, format!("{test_net} is not a valid NBT address. It should start with a 'B'"));
    }
    assert_eq!(pool.get("/wrong/stats").await.refusal(), "user wrong is not registered");
}

#[tokio::test]
async fn pb_07_an_address_with_a_blank_in_it_is_refused() {
    let pool = TestPool::start().await;
    let right = Lp::new("alice").address;
    let blanks =
        [format!("{} {}", &right[..10], &right[10..]), format!("{right} "), format!("{right}\u{a0}")];
    for address in blanks {
        let refusal = pool.register_with("k", &address, "test_exchange", "btc").await.refusal();
        assert!(refusal.contains("is not a valid NBT address. The checksum doesn't match"), "{refusal}");
    }
}

#[tokio::test]
async fn pb_31_an_address_with_letters_outside_base58_fails_its_checksum() {
    let pool = TestPool::start().await;
    let right = "BMJ2PJ1TNMwnTYUopQVxBrAPmmJjJjhd96";
    for letter in ['0', 'O', 'I', 'l', 'é', '💰', '+'] {
        let address = format!("{}{letter}{}", &right[..5], &right[6..]);
        let refusal = pool.register_with("k", &address, "test_exchange", "btc").await.refusal();
        assert_eq!(refusal, format!("{address} is not a valid NBT address. The checksum doesn't match"));
    }
    let refusal = pool.register_with("k", "éB", "test_exchange", "btc").await.refusal();
    assert_eq!(refusal, "éB is not a valid NBT address. It should start with a 'B'");
}

#[tokio::test]
async fn addresses_of_another_coin_are_a_matter_of_configuration() {
    let coin = "[address]\nletter = \"b\"\nversions = [85, 86]";
    let pool = TestPool::start_with(Settings::default().top(&format!("currency = \"NUT\"\n{coin}"))).await;
    let right = "bPwdoprYd3SRHqUCG5vCcEY68g8UfGC1d9";
    pool.register_with("k", right, "test_exchange", "btc").await.accepted();
    let wrong = "BMJ2PJ1TNMwnTYUopQVxBrAPmmJjJjhd96";
    let refusal = pool.register_with("other", wrong, "test_exchange", "btc").await.refusal();
    assert_eq!(refusal, format!("{wrong} is not a valid NUT address. It should start with a 'b'"));
}

#[tokio::test]
async fn pb_15_a_key_registered_for_one_unit_cannot_submit_for_another() {
    let pool = TestPool::start().await;
    let lp = pool.lp("alice");
    pool.register(&lp, "btc").await.accepted();
    pool.place(&lp, "NBT_USD", "ask 1 1");
    let refusal = pool.submit(&lp, "usd").await.refusal();
    assert_eq!(refusal, "user key-of-alice is not registered");
    assert_eq!(pool.exchange_calls(), 0);
    pool.register(&lp, "usd").await.accepted();
    assert_eq!(pool.submit(&lp, "usd").await.accepted(), "orders saved for validation");
}

#[tokio::test]
async fn pb_01_a_credit_counts_once_however_many_units_a_key_is_registered_for() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.register(&lp, "usd").await.accepted();
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0.03");
}

#[tokio::test]
async fn a_registration_survives_a_restart() {
    let mut pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1 0.004"]).await;
    pool.restart().await;
    assert_eq!(pool.register(&lp, "btc").await.refusal(), ALREADY);
    pool.submit_btc(&lp).await;
}

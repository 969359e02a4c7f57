//! What the pool before this one did wrong in its payouts, by the number of the fault, against a whole pool.

use std::collections::BTreeMap;

use alp_pool::money::Coins;
use alp_server::payouts::{DAY_MS, payouts_once};
use alp_tests::{Lp, Settings, TestPool, WalletDouble, address_of};
use tokio::net::TcpListener;

use crate::books::assert_books;

/// A pool that pays 300 coins a round to who fills the asks, once a day, from this wallet.
fn settings(method: &str, wallet: &str) -> Settings {
    let section = format!(
        "[payouts]\npool_id = \"test\"\nmethod = {method:?}\nwallet_url = {wallet:?}\nwallet_user = \"alp\"\n\
         wallet_password_file = \"wallet.password\"\nconfirmations = 1\n"
    );
    let pool = Settings::changed("reward = 0.05", "reward = 500").sections(&section);
    pool.file("wallet.password", "secret\n")
}

/// A pool whose first payout is due in a day, and its wallet.
async fn pool(method: &str) -> (WalletDouble, TestPool) {
    let wallet = WalletDouble::start().await;
    let pool = TestPool::start_with(settings(method, wallet.origin())).await;
    begin(&wallet, &pool).await;
    (wallet, pool)
}

/// The first look only notes that payouts begin.
async fn begin(wallet: &WalletDouble, pool: &TestPool) {
    wallet.mine_at_looks();
    look(pool).await;
    wallet.set(pool.now_ms() / 1000, "1000000");
}

async fn look(pool: &TestPool) {
    pool.app().lead().await.unwrap().unwrap();
    payouts_once(pool.app()).await;
}

/// Lets a day pass, and payouts be made.
async fn payout(pool: &TestPool) {
    pool.pass(DAY_MS);
    look(pool).await;
}

async fn credited_e8(pool: &TestPool, lp: &Lp) -> u64 {
    Coins::parse(&pool.reward_of(lp).await).unwrap().e8()
}

#[tokio::test]
async fn pb_01_an_lp_with_two_units_is_paid_once() {
    let (wallet, pool) = pool("plain").await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.register(&lp, "usd").await.accepted();
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    payout(&pool).await;
    assert_eq!(credited_e8(&pool, &lp).await, 30_000_000_000);
    assert_eq!(wallet.paid(), BTreeMap::from([(lp.address, 30_000_000_000)]));
}

#[tokio::test]
async fn pb_02_who_registers_the_key_of_another_is_paid_nothing() {
    let (wallet, pool) = pool("plain").await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    let thief = address_of("thief");
    for unit in ["btc", "usd"] {
        assert!(!pool.register_with(&lp.key, &thief, "test_exchange", unit).await.success(), "{unit}");
    }
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    payout(&pool).await;
    assert_eq!(wallet.paid(), BTreeMap::from([(lp.address, 30_000_000_000)]));
}

#[tokio::test]
async fn pb_05_a_wallet_that_is_down_when_a_payout_is_due_pays_when_it_is_up_without_a_restart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let wallet = listener.local_addr().unwrap();
    drop(listener);
    let pool = TestPool::start_with(settings("prepared", &format!("http://{wallet}"))).await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    for _ in 0..3 {
        payout(&pool).await;
        let state = &pool.app().health.states()["payouts"];
        assert!(state.outcome.as_ref().is_err_and(|why| why.contains("cannot be reached")), "{state:?}");
    }
    let wallet = WalletDouble::start_on(TcpListener::bind(wallet).await.unwrap());
    begin(&wallet, &pool).await;
    payout(&pool).await;
    assert_eq!(wallet.paid(), BTreeMap::from([(lp.address, 30_000_000_000)]));
    assert!(pool.app().health.states()["payouts"].outcome.is_ok());
}

#[tokio::test]
async fn pb_06_what_is_credited_is_sent_or_still_owed_to_the_last_digit() {
    let (wallet, pool) = pool("prepared").await;
    let mut lps = Vec::new();
    for (name, order) in
        [("alice", "ask 70.123456 0.004"), ("bob", "ask 110.7 0.004"), ("carol", "ask 131.000003 0.004")]
    {
        lps.push(pool.lp_with(name, &[order]).await);
    }
    for day in 0..4 {
        for lp in &lps[..3 - day % 2] {
            pool.submit_btc(lp).await;
        }
        pool.end_round().await;
        payout(&pool).await;
    }
    let store = &pool.app().store;
    let mut credited = 0;
    for lp in &lps {
        credited += credited_e8(&pool, lp).await;
    }
    let owed: i64 = store.owing(0, 100).await.unwrap().iter().map(|lp| lp.owed_e8).sum();
    let sent: u64 = wallet.paid().values().sum();
    assert!(owed > 0 && sent > 0, "some of it is below a step of 0.0001, and some is sent");
    assert_eq!(credited, sent + u64::try_from(owed).unwrap());
    assert_books(store, &wallet.paid()).await;
}

#[tokio::test]
async fn pb_07_an_address_that_the_wallet_refuses_keeps_nobody_else_from_being_paid() {
    for method in ["plain", "prepared"] {
        let (wallet, pool) = pool(method).await;
        let alice = pool.lp_with("alice", &["ask 700 0.004"]).await;
        let bob = pool.lp_with("bob", &["ask 800 0.004"]).await;
        wallet.refuse(&alice.address);
        for lp in [&alice, &bob] {
            pool.submit_btc(lp).await;
        }
        pool.end_round().await;
        payout(&pool).await;
        assert_eq!(wallet.paid(), BTreeMap::from([(bob.address, 16_000_000_000)]), "{method}");
        let status = pool.app().store.alarms().await.unwrap();
        assert!(status.iter().any(|alarm| alarm.kind == "held" && alarm.subject == alice.address));
    }
}

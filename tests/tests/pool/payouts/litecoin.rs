//! Payouts over a real daemon: real blocks, a real reorganisation, a kill, a wallet from before the payout.

use alp_pool::payout::Method;
use alp_server::payouts::{FailAt, Outcome};
use alp_tests::Litecoin;
use serde_json::json;

use super::bench::{Bench, Database};

/// A daemon, two addresses that are owed 5 and 3, and a payout that is due.
async fn due(method: Method) -> Option<(Litecoin, Bench, [String; 2])> {
    let daemon = Litecoin::start().await?;
    let addresses = [daemon.new_address("lps").await, daemon.new_address("lps").await];
    let lps = [("a", addresses[0].as_str(), 500_000_000), ("b", addresses[1].as_str(), 300_000_000)];
    let bench = Bench::open(Database::Sqlite, method, &daemon.wallet_url(), &lps).await.unwrap();
    bench.begin().await;
    Some((daemon, bench, addresses))
}

/// Lets blocks come until the payout is paid, and sees that each address has got its coins exactly once.
async fn assert_paid_once(daemon: &Litecoin, bench: &Bench, addresses: &[String; 2]) {
    for _ in 0..5 {
        bench.run_on().await;
        daemon.mine(1).await;
    }
    bench.run_on().await;
    assert_eq!(bench.stages().await, ["paid"]);
    let received = [daemon.received(&addresses[0]).await, daemon.received(&addresses[1]).await];
    assert_eq!(received, ["4.99", "2.99"]);
    let sent = addresses.iter().cloned().zip([499_000_000, 299_000_000]).collect();
    bench.assert_books(&sent).await;
}

/// Steps until the payout is in a stage.
async fn until(bench: &Bench, stage: &str) {
    let payer = bench.payer(FailAt::default());
    while !bench.stages().await.contains(&stage.to_owned()) {
        let outcome = payer.step(&bench.lease, bench.now_ms()).await.unwrap();
        assert!(outcome.goes_on(), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn litecoind_pays_each_address_once_by_either_method() {
    for method in [Method::Prepared, Method::Plain] {
        let Some((daemon, bench, addresses)) = due(method).await else { return };
        assert_paid_once(&daemon, &bench, &addresses).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_after_it_signed_locks_the_coins_again_and_pays_once() {
    let Some((mut daemon, bench, addresses)) = due(Method::Prepared).await else { return };
    until(&bench, "prepared").await;
    daemon.kill();
    let away = bench.run_on().await;
    assert!(matches!(&away, Outcome::Hindered(why) if why.contains("cannot be reached")), "{away:?}");
    daemon.run().await;
    assert_eq!(daemon.ask("pool", "listlockunspent", json!([])).await, json!([]));
    assert_paid_once(&daemon, &bench, &addresses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_are_undone_make_no_second_payout() {
    let Some((daemon, bench, addresses)) = due(Method::Prepared).await else { return };
    until(&bench, "sent").await;
    daemon.mine(1).await;
    bench.run_on().await;
    let tip = daemon.ask("", "getbestblockhash", json!([])).await;
    daemon.ask("", "invalidateblock", json!([tip])).await;
    assert_eq!(bench.run_on().await, Outcome::Waiting);
    assert_eq!(bench.stages().await, ["sent"]);
    assert_paid_once(&daemon, &bench, &addresses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_put_back_from_before_the_payout_pays_nobody_twice() {
    let Some((mut daemon, bench, addresses)) = due(Method::Prepared).await else { return };
    let (backup, wallet) = daemon.wallet_files();
    daemon.ask("pool", "backupwallet", json!([backup.display().to_string()])).await;
    until(&bench, "sent").await;
    daemon.stop().await;
    std::fs::copy(backup, wallet).unwrap();
    daemon.run().await;
    assert_paid_once(&daemon, &bench, &addresses).await;
}

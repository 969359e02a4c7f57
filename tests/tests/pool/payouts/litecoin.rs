//! Payouts over a real daemon: real blocks, a real reorganisation, a kill, a wallet or a database from before the payout.

use alp_pool::payout::Method;
use alp_server::payouts::{DAY_MS, Outcome, PayoutCommand};
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
    assert_ends_as(&["paid"], daemon, bench, addresses, "it was begun").await;
}

/// As [`assert_paid_once`], of payouts that end in these stages.
async fn assert_ends_as(
    stages: &[&str],
    daemon: &Litecoin,
    bench: &Bench,
    addresses: &[String; 2],
    what: &str,
) {
    for _ in 0..5 {
        bench.run_on().await;
        daemon.mine(1).await;
    }
    bench.run_on().await;
    assert_eq!(bench.stages().await, stages, "after {what}");
    let received = [daemon.received(&addresses[0]).await, daemon.received(&addresses[1]).await];
    assert_eq!(received, ["4.99", "2.99"], "after {what}");
    let sent = addresses.iter().cloned().zip([499_000_000, 299_000_000]).collect();
    bench.assert_books(&sent).await;
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
    bench.until("prepared").await;
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
    bench.until("sent").await;
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
    bench.until("sent").await;
    daemon.stop().await;
    std::fs::copy(backup, wallet).unwrap();
    daemon.run().await;
    assert_paid_once(&daemon, &bench, &addresses).await;
}

/// A payout to its end, and then the database as it was when the payout was in that stage, or not there yet. What the
/// ledger cannot know is adopted by a person.
async fn put_back_from(method: Method, stage: Option<&str>) -> Option<()> {
    let (daemon, mut bench, addresses) = due(method).await?;
    if let Some(stage) = stage {
        bench.until(stage).await;
    }
    let copy = bench.copy().await;
    assert_paid_once(&daemon, &bench, &addresses).await;
    bench.put_back(&copy).await;
    let outcome = bench.run_on().await;
    let unknown: Vec<_> =
        bench.store.alarms().await.unwrap().into_iter().filter(|alarm| alarm.kind == "unknown").collect();
    let case = format!("{method:?} put back from {stage:?}: {outcome:?}, {unknown:?}");
    // A transaction that the ledger knows by neither its id nor its comment is for a person to look at. One that was
    // signed first has no comment.
    let is_known = match method {
        Method::Prepared => stage == Some("prepared"),
        Method::Plain | Method::Manual => stage.is_some(),
    };
    assert_eq!(matches!(outcome, Outcome::Stopped(_)), !is_known, "{case}");
    assert_eq!(unknown.len(), usize::from(!is_known), "{case}");
    for alarm in unknown {
        bench.order(PayoutCommand::Adopt { txid: alarm.subject, foreign: false }).await.unwrap();
    }
    // What was only reserved is given back once what paid it is adopted.
    let stages: &[&str] = if stage.is_some() && !is_known { &["void", "paid"] } else { &["paid"] };
    assert_ends_as(stages, &daemon, &bench, &addresses, &case).await;
    bench.pass(DAY_MS);
    assert_ends_as(stages, &daemon, &bench, &addresses, &case).await;
    Some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_put_back_beside_a_daemon_that_paid_meanwhile_pays_nobody_twice() {
    let prepared = [None, Some("reserved"), Some("prepared")].map(|stage| (Method::Prepared, stage));
    let plain = [None, Some("reserved")].map(|stage| (Method::Plain, stage));
    for (method, stage) in prepared.into_iter().chain(plain) {
        if put_back_from(method, stage).await.is_none() {
            return;
        }
    }
}

//! A payer that is stopped at every write and before and after every call, once each, and another that goes on.

use std::collections::BTreeMap;

use alp_pool::payout::Method;
use alp_server::payouts::{FailAt, Outcome, PayoutCommand, StepError};
use alp_tests::WalletDouble;

use super::bench::{Bench, Database};

/// Three addresses in two payouts; two LPs share the first.
const LPS: [(&str, &str, i64); 4] = [
    ("a1", "Ba", 500_019_999),
    ("a2", "Ba", 300_000_000),
    ("b", "Bb", 200_000_000),
    ("c", "Bc", 700_000_000),
];

fn expected() -> BTreeMap<String, u64> {
    let paid = [("Ba", 799_010_000), ("Bb", 199_000_000), ("Bc", 699_000_000)];
    paid.into_iter().map(|(address, e8)| (address.to_owned(), e8)).collect()
}

/// Stops one at this point, and lets another go on until everybody is paid. Whether the point was reached; `None` where
/// the database is not installed.
async fn stopped_at(database: Database, method: Method, point: u64) -> Option<bool> {
    let wallet = WalletDouble::start().await;
    let bench = Bench::open(database, method, wallet.origin(), &LPS).await?;
    bench.begin().await;
    wallet.set(bench.now_ms() / 1000, "1000");
    let first = bench.payer(FailAt::point(point));
    let mut reached = false;
    for _ in 0..3 {
        match bench.run(&first).await {
            Ok(_) => wallet.mine(1),
            Err(StepError::StoppedByTest(_)) => {
                reached = true;
                break;
            }
            Err(error) => panic!("at {point}: {error}"),
        }
    }
    // Whatever was being written: the record and the ledger say the same of each LP, and payouts under way are in neither.
    bench.assert_record_is_the_ledger().await;
    wallet.restart();
    for _ in 0..10 {
        if let Outcome::Stopped(why) = bench.run_on().await {
            // A call that may not have reached the wallet: a person says so, once the call cannot be under way any more.
            assert!(method == Method::Plain && why.contains("resolve"), "at {point}: {why}");
            let open = bench.store.open_payouts().await.unwrap();
            let calling = open.iter().find(|payout| payout.stage == "calling").unwrap();
            let resolve = PayoutCommand::Resolve { id: calling.payout_id, txid: None };
            assert!(bench.order(resolve.clone()).await.is_err(), "too early at {point}");
            bench.pass(3_600_000);
            bench.order(resolve).await.unwrap();
        }
        wallet.mine(1);
    }
    assert!(
        bench.store.open_payouts().await.unwrap().is_empty(),
        "something waits for ever, stopped at {point}"
    );
    assert_eq!(wallet.paid(), expected(), "stopped at {point}");
    bench.assert_books(&wallet.paid()).await;
    assert!(bench.store.alarms().await.unwrap().is_empty(), "stopped at {point}");
    let left = bench.owed().await;
    assert_eq!(left.iter().sum::<i64>(), 9_999, "stopped at {point}");
    Some(reached)
}

async fn stopped_everywhere(database: Database, method: Method) {
    let mut points = 0;
    loop {
        match stopped_at(database, method, points).await {
            None => return,
            Some(true) => points += 1,
            Some(false) => break,
        }
    }
    assert!(points > 20, "only {points} points were reached");
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_04_whoever_is_stopped_at_any_point_of_a_prepared_payout_everybody_is_paid_once() {
    stopped_everywhere(Database::Sqlite, Method::Prepared).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_04_whoever_is_stopped_at_any_point_of_a_plain_payout_everybody_is_paid_once() {
    stopped_everywhere(Database::Sqlite, Method::Plain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_stopped_at_any_point_of_a_prepared_payout_everybody_is_paid_once_on_postgres() {
    stopped_everywhere(Database::Postgres, Method::Prepared).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_stopped_at_any_point_of_a_plain_payout_everybody_is_paid_once_on_postgres() {
    stopped_everywhere(Database::Postgres, Method::Plain).await;
}

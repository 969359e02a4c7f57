//! Retention that is stopped before and after every write, once each, and another that goes on.

use alp_server::payouts::FailAt;
use alp_server::retention::{RetentionError, Step};

use super::bench::{Bench, CONFIG, Database};

/// Stops retention at this point, and lets another go on. What is left then, and whether the point was reached; `None`
/// where the database is not installed.
async fn stopped_at(database: Database, point: u64) -> Option<(String, bool)> {
    let bench = Bench::open(database).await?;
    let (money, owed) = (bench.money().await, bench.owed_by_record().await);
    let reached = match bench.run(&bench.retention(FailAt::point(point)), CONFIG).await {
        Ok(_) => false,
        Err(RetentionError::Stopped(_)) => true,
        Err(error) => panic!("at {point}: {error}"),
    };
    assert_eq!(bench.money().await, money, "stopped at {point}");
    assert_eq!(bench.owed_by_record().await, owed, "stopped at {point}");
    let did = bench.run(&bench.retention(FailAt::default()), CONFIG).await.unwrap();
    assert_eq!(bench.money().await, money, "went on from {point}");
    assert_eq!(bench.owed_by_record().await, owed, "went on from {point}");
    assert!(reached || did.is_empty(), "{did:?}");
    let credited: Vec<i64> =
        bench.store.balances(0, 10).await.unwrap().iter().map(|balance| balance.balance_e8).collect();
    assert_eq!(owed, credited, "the record says what the ledger says");
    Some((bench.left().await, reached))
}

async fn stopped_everywhere(database: Database) {
    let mut left = None;
    let mut points = 0;
    loop {
        let Some((now, reached)) = stopped_at(database, points).await else { return };
        // Wherever it was stopped, the same is left in the end.
        assert_eq!(*left.get_or_insert(now.clone()), now, "stopped at {points}");
        if !reached {
            break;
        }
        points += 1;
    }
    assert!(points > 10, "only {points} points were reached");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_stopped_at_any_write_the_same_is_forgotten_in_the_end_and_no_balance_changes() {
    stopped_everywhere(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_stopped_at_any_write_the_same_is_forgotten_in_the_end_on_postgres() {
    stopped_everywhere(Database::Postgres).await;
}

async fn planned_alike(database: Database) {
    let (Some(whole), Some(pruned)) = (Bench::open(database).await, Bench::open(database).await) else {
        return;
    };
    let did = pruned.run(&pruned.retention(FailAt::default()), CONFIG).await.unwrap();
    let done = |wanted: fn(&Step) -> bool| did.iter().any(wanted);
    assert!(
        done(|step| matches!(step, Step::Orders(_))) && done(|step| matches!(step, Step::Credits(_))),
        "{did:?}"
    );
    assert!(done(|step| matches!(step, Step::Records(_))) && done(|step| *step == Step::Carried), "{did:?}");
    assert_eq!(whole.planned().await, pruned.planned().await);
}

#[tokio::test]
async fn the_same_payouts_are_planned_with_old_credits_and_without() {
    planned_alike(Database::Sqlite).await;
}

#[tokio::test]
async fn the_same_payouts_are_planned_with_old_credits_and_without_on_postgres() {
    planned_alike(Database::Postgres).await;
}

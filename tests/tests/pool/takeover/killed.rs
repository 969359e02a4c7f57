//! A takeover that is stopped before each of its steps, and run again.

use std::process::Stdio;

use alp_server::takeover::{Step, TakenOver, TakeoverFault};
use alp_store::testing::{ForeignDatabase, postgres_database};
use alp_store::{Clock, Store, StoreOptions};
use alp_tests::wait_until;

use super::evening::{import, import_command, told};
use super::old_pool::{EXPECTED_HELD_E8, NewPool, OldPool, Target, choices, expected};

async fn stopped_before(step: Step, target: Target) -> Option<()> {
    let old = OldPool::start().await?;
    let new = NewPool::open(target, old.folder()).await?;
    let stopped = old.take_over(&new, &choices(), Some(step)).await;
    assert!(matches!(stopped, Err(TakeoverFault::StoppedByTest)), "{step:?}: {stopped:?}");
    // Nobody is owed by both.
    let (payable, owed) = (old.payable().await, new.owed().await);
    assert!(owed.is_empty(), "{step:?}: {owed:?}");
    assert_eq!(payable > 0.0, step != Step::Entering, "{step:?}: the old server could pay {payable}");

    assert_eq!(old.take_over(&new, &choices(), None).await.unwrap(), TakenOver::Done, "{step:?}");
    assert_eq!(old.take_over(&new, &choices(), None).await.unwrap(), TakenOver::Before, "{step:?}");
    assert!(old.payable().await == 0.0, "{step:?}");
    assert_eq!((new.owed().await, new.held_e8().await), (expected(), EXPECTED_HELD_E8), "{step:?}");
    Some(())
}

async fn stopped_everywhere(target: Target) {
    for step in [Step::Registering, Step::TakingTheRole, Step::Entering] {
        if stopped_before(step, target).await.is_none() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_stopped_before_each_step_never_do_both_owe_and_nothing_is_lost() {
    stopped_everywhere(Target::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_stopped_before_each_step_never_do_both_owe_and_nothing_is_lost_on_postgres() {
    stopped_everywhere(Target::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_takeovers_at_once_enter_one() {
    let Some(old) = OldPool::start().await else { return };
    let Some(new) = NewPool::open(Target::Sqlite, old.folder()).await else { return };
    let found = old.look(&choices()).await.unwrap();
    let choices = choices();
    let (first, second) =
        tokio::join!(old.take(&new, &found, &choices, None), old.take(&new, &found, &choices, None));
    let done = [&first, &second].into_iter().filter(|one| matches!(one, Ok(TakenOver::Done))).count();
    assert_eq!(done, 1, "{first:?} {second:?}");
    assert_eq!(new.owed().await, expected());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_killed_between_both_databases_is_started_again_and_enters_what_it_took() {
    let Some(old) = OldPool::start().await else { return };
    let Some(url) = postgres_database().await else { return };
    let out = old.folder().join("new");
    let written = import(&old, &["--out", out.to_str().unwrap(), "--new-database", &url]).await;
    assert!(written.status.success(), "{}", told(&written));
    let pool_file = out.join("pool.toml");
    let commit = ["--config", pool_file.to_str().unwrap(), "--commit", "--old-server-stopped"];

    // Somebody writes the ledger, so the program waits right before it enters what it took from the old server.
    let target = ForeignDatabase::at(&url);
    let writing = target.in_the_middle_of("SELECT name FROM locks WHERE name = 'ledger' FOR UPDATE").await;
    let mut command = import_command(&old, &commit).await;
    let mut program = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let waiting = "SELECT CAST(COUNT(*) AS TEXT) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_until("it waits to enter", async || target.text(waiting).await != "0").await;
    program.kill().unwrap();
    program.wait().unwrap();
    drop(writing);
    assert!(old.payable().await == 0.0, "the old server's role is taken");
    assert_eq!(target.text("SELECT CAST(COUNT(*) AS TEXT) FROM ledger_entries").await, "0");

    let again = import(&old, &commit).await;
    assert!(again.status.success() && told(&again).contains("taken over as import"), "{}", told(&again));
    let store = Store::open(StoreOptions { url, round_seconds: 60, clock: Clock::Database }).await.unwrap();
    let owed: i64 = store.owing(0, 100).await.unwrap().iter().map(|lp| lp.owed_e8).sum();
    assert_eq!(owed, expected().values().sum::<i64>());
}

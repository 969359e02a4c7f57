//! A takeover that is stopped before each of its steps, and run again.

use alp_server::takeover::{Step, TakenOver, TakeoverFault};

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

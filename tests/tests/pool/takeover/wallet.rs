//! PB-04: what the old wallet sent and nobody recorded.

use alp_server::takeover::{Choices, Report, Sent, TakenOver, TakeoverFault};
use alp_tests::{WalletFault, address_of};

use super::old_pool::{NewPool, OldPool, PAID_UNTIL_S, Target, choices, expected};

/// A pool whose wallet sent two coins to honest and answered nobody.
async fn with_a_lost_payout() -> Option<OldPool> {
    let old = OldPool::start().await?;
    old.wallet.set(u64::try_from(PAID_UNTIL_S).unwrap() + 3_600, "1000000");
    old.wallet.send(&address_of("honest"), "2", "");
    Some(old)
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_04_a_payout_that_was_sent_and_not_recorded_stops_the_takeover_until_somebody_says_what_it_was() {
    let Some(old) = with_a_lost_payout().await else { return };
    let new = NewPool::open(Target::Sqlite, old.folder()).await.unwrap();
    let refused = old.take_over(&new, &choices(), None).await;
    let Err(TakeoverFault::Hindered { sentences }) = refused else { panic!("{refused:?}") };
    assert!(
        sentences[0].contains("1 transactions") && sentences[0].contains("--sent subtract"),
        "{sentences:?}"
    );
    let report = Report::new(&old.look(&choices()).await.unwrap(), Vec::new(), &choices());
    assert_eq!(report.wallet.unrecorded[0].1, [(address_of("honest"), "2".to_owned())].into());
    assert!(report.table().contains("was sent and not recorded (PB-04)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_04_what_was_sent_is_taken_off_what_is_owed_if_the_operator_says_so() {
    let Some(old) = with_a_lost_payout().await else { return };
    let new = NewPool::open(Target::Sqlite, old.folder()).await.unwrap();
    let subtract = Choices { sent: Sent::Subtract, ..choices() };
    assert_eq!(old.take_over(&new, &subtract, None).await.unwrap(), TakenOver::Done);
    let mut left = expected();
    left.insert(address_of("honest"), 130_000_000);
    assert_eq!(new.owed().await, left);
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_04_what_paid_something_else_changes_nothing() {
    let Some(old) = with_a_lost_payout().await else { return };
    let new = NewPool::open(Target::Sqlite, old.folder()).await.unwrap();
    let keep = Choices { sent: Sent::Keep, ..choices() };
    assert_eq!(old.take_over(&new, &keep, None).await.unwrap(), TakenOver::Done);
    assert_eq!(new.owed().await, expected());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_does_not_answer_stops_the_takeover_unless_the_operator_goes_on_without() {
    let Some(old) = OldPool::start().await else { return };
    old.wallet.fail("listsinceblock", WalletFault::DropBefore);
    let found = old.look(&choices()).await.unwrap();
    assert!(found.hindrances[0].contains("--without-wallet"), "{:?}", found.hindrances);
    let without = Choices { without_wallet: true, ..choices() };
    let found = old.look(&without).await.unwrap();
    assert!(found.hindrances.is_empty() && found.wallet.is_none());
}

//! What keeps a takeover from being made.

use alp_server::takeover::{Choices, Step, TakenOver, TakeoverFault, list_holds, release_hold};
use alp_tests::address_of;
use tokio::net::TcpListener;

use super::old_pool::{NewPool, OldPool, Target, choices, expected};

/// Why it is not made, in sentences.
async fn hindrances(old: &OldPool, choices: &Choices) -> Vec<String> {
    let new = NewPool::open(Target::Sqlite, old.folder()).await.unwrap();
    let found = old.look(choices).await.unwrap();
    let refused = old.take(&new, &found, choices, None).await;
    assert!(matches!(refused, Err(TakeoverFault::Hindered { .. })), "{refused:?}");
    assert!(new.owed().await.is_empty() && old.payable().await > 0.0);
    found.hindrances
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_said_to_be_stopped_is_not_taken_over() {
    let Some(old) = OldPool::start().await else { return };
    let unsaid = Choices { old_server_stopped: false, ..choices() };
    assert!(hindrances(&old, &unsaid).await[0].contains("--old-server-stopped"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ran_a_round_a_minute_ago_is_not_taken_over() {
    let Some(old) = OldPool::start().await else { return };
    old.database
        .execute(
            "UPDATE info SET value = CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp())) - 60 AS TEXT) \
             WHERE key = 'last_credit_time'",
        )
        .await;
    assert!(hindrances(&old, &choices()).await[0].contains("its last round was"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_still_listens_is_not_taken_over() {
    let Some(old) = OldPool::start().await else { return };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listening = Choices { old_listen: Some(listener.local_addr().unwrap()), ..choices() };
    assert!(hindrances(&old, &listening).await[0].contains("still takes connections"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_the_middle_of_a_payout_is_seen_and_its_tables_are_not_taken() {
    let Some(old) = OldPool::start().await else { return };
    let new = NewPool::open(Target::Sqlite, old.folder()).await.unwrap();
    let found = old.look(&choices()).await.unwrap();
    // The original has looked for what is unpaid and is about to send.
    let paying = old.database.in_the_middle_of("SELECT * FROM credits").await;
    let taken = old.take(&new, &found, &choices(), None).await;
    assert!(matches!(taken, Err(TakeoverFault::InUse)), "{taken:?}");
    assert!(new.owed().await.is_empty() && old.payable().await > 0.0);
    drop(paying);
    assert_eq!(old.take_over(&new, &choices(), None).await.unwrap(), TakenOver::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_that_came_after_the_reading_stops_the_takeover() {
    let Some(old) = OldPool::start().await else { return };
    let new = NewPool::open(Target::Sqlite, old.folder()).await.unwrap();
    let found = old.look(&choices()).await.unwrap();
    old.database
        .execute("INSERT INTO credits (time, key, reward, paid) VALUES (1460009999, 'steady', 1, 0)")
        .await;
    let changed = old.take(&new, &found, &choices(), None).await;
    assert!(matches!(changed, Err(TakeoverFault::Changed)), "{changed:?}");
    assert!(new.owed().await.is_empty() && old.payable().await > 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_pool_took_over_another_one_does_not() {
    let Some(old) = OldPool::start().await else { return };
    let new = NewPool::open(Target::Sqlite, old.folder()).await.unwrap();
    let stopped = old.take_over(&new, &choices(), Some(Step::Entering)).await;
    assert!(matches!(stopped, Err(TakeoverFault::StoppedByTest)), "{stopped:?}");
    let elsewhere = tempfile::tempdir().unwrap();
    let other = NewPool::open(Target::Sqlite, elsewhere.path()).await.unwrap();
    let refused = old.take_over(&other, &choices(), None).await;
    assert!(matches!(refused, Err(TakeoverFault::TakenByAnother { .. })), "{refused:?}");
    assert!(other.owed().await.is_empty());
    assert_eq!(old.take_over(&new, &choices(), None).await.unwrap(), TakenOver::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn marked_credits_that_somebody_changed_are_not_taken_for_those_that_were_marked() {
    let Some(old) = OldPool::start().await else { return };
    let new = NewPool::open(Target::Sqlite, old.folder()).await.unwrap();
    let _ = old.take_over(&new, &choices(), Some(Step::Entering)).await;
    old.database.execute("UPDATE credits SET reward = 100 WHERE key = 'steady' AND paid = 2").await;
    let refused = old.take_over(&new, &choices(), None).await;
    assert!(matches!(refused, Err(TakeoverFault::TakenChanged)), "{refused:?}");
    assert!(new.owed().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_database_restored_from_a_backup_is_not_imported_again() {
    let Some(old) = OldPool::start().await else { return };
    let new = NewPool::open(Target::Sqlite, old.folder()).await.unwrap();
    assert_eq!(old.take_over(&new, &choices(), None).await.unwrap(), TakenOver::Done);
    // As it was before, and a minute of credits further.
    old.database
        .execute(
            "ALTER TABLE credits DROP CONSTRAINT taken_over_by_alp; UPDATE credits SET paid = 0 WHERE paid = 2; \
             DELETE FROM info WHERE key LIKE 'alp_import%'",
        )
        .await;
    assert_eq!(old.take_over(&new, &choices(), None).await.unwrap(), TakenOver::Before);
    assert!(old.payable().await == 0.0, "its role is taken again");
    old.database
        .execute(
            "ALTER TABLE credits DROP CONSTRAINT taken_over_by_alp; UPDATE credits SET paid = 0 WHERE paid = 2; \
             DELETE FROM info WHERE key LIKE 'alp_import%'; \
             INSERT INTO credits (time, key, reward, paid) VALUES (1460009999, 'steady', 1, 0)",
        )
        .await;
    let refused = old.take_over(&new, &choices(), None).await;
    assert!(matches!(refused, Err(TakeoverFault::TookAnother)), "{refused:?}");
    assert_eq!(new.owed().await, expected());
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_02_what_several_addresses_claim_waits_until_the_operator_names_one() {
    let Some(old) = OldPool::start().await else { return };
    let new = NewPool::open(Target::Sqlite, old.folder()).await.unwrap();
    assert_eq!(old.take_over(&new, &choices(), None).await.unwrap(), TakenOver::Done);
    let list = list_holds(&new.store).await.unwrap();
    assert!(list.contains(&address_of("victim")) && list.contains(&address_of("attacker")), "{list}");
    let holds = new.store.import_holds().await.unwrap();
    let victim = holds.iter().find(|hold| hold.hold.user == "victim").unwrap();
    assert_eq!(victim.hold.amount_e8, 400_000_000);
    assert!(!list.contains("key victim"), "keys are not shown");

    let rules = choices().addresses;
    let release = async |address: &str| {
        release_hold(&new.store, &new.publisher, victim.hold_no, address, &rules)
            .await
            .map_err(|error| error.to_string())
    };
    assert!(release("Bad").await.unwrap_err().contains("no address"));
    let told = release(&address_of("victim")).await.unwrap();
    assert!(told.starts_with("4 are owed"), "{told}");
    assert!(release(&address_of("attacker")).await.unwrap_err().contains("no hold"));
    assert_eq!(new.owed().await.get(&address_of("victim")), Some(&400_000_000));
    assert_eq!(new.owed().await.get(&address_of("attacker")), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_registered_here_under_another_address_waits() {
    let Some(old) = OldPool::start().await else { return };
    let new = NewPool::open(Target::Sqlite, old.folder()).await.unwrap();
    new.store.register("bter", "steady", &address_of("elsewhere"), "btc").await.unwrap();
    assert_eq!(old.take_over(&new, &choices(), None).await.unwrap(), TakenOver::Done);
    assert_eq!(new.owed().await.get(&address_of("steady")), None);
    let holds = new.store.import_holds().await.unwrap();
    let steady = holds.iter().find(|hold| hold.hold.user == "steady").unwrap();
    assert_eq!(steady.hold.amount_e8, 260_000_000);
    assert!(steady.hold.why.contains(&address_of("elsewhere")));
}

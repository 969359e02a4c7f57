//! A pool that was put back from a backup goes on in a new epoch, pays nobody twice, and starts on nothing that is not
//! right.

use std::fs;

use alp_record::chain::Digest;
use alp_server::audit::audit;
use alp_server::backup::{self, BackupError, PublishedSince};
use alp_server::payouts::{DAY_MS, PayoutCommand};
use alp_server::server::StartError;
use alp_store::testing::execute_in;

use super::audits::Heard;
use super::paying_pool::{Database, PayingPool, write_secret};

/// What the outside world saw last of the pool.
async fn published(paying: &PayingPool) -> PublishedSince {
    let head = paying.pool.app().store.record_head().await.unwrap().unwrap();
    let rounds = paying.pool.app().store.recorded_rounds(0, 1_000).await.unwrap();
    let round = rounds.last().unwrap().round_start.unwrap();
    PublishedSince::UpTo { head: Digest::parse(&head.digest).unwrap(), round }
}

/// A backup after so many steps of a payout, then the payout to its end, and then the pool of the backup. Whether there
/// are so many steps. `None` where the database is not installed.
async fn restored_after(database: Database, method: &str, steps: usize) -> Option<bool> {
    let mut paying = PayingPool::start(database, method).await?;
    paying.let_a_payout_be_due().await;
    let mut taken = 0;
    while taken < steps && paying.step().await {
        taken += 1;
    }
    let what = format!("{method} after {taken} steps on {database:?}");
    paying.back_up("backup").await;
    paying.pay().await;
    let paid = paying.wallet.paid();
    assert_eq!(paid.values().collect::<Vec<_>>(), [&3_000_000], "{what}");
    let last = published(&paying).await;

    let restored = paying.restore("backup", last).await;
    assert_eq!(restored.epoch.unwrap().epoch, 2);
    paying.pool.try_start().await.unwrap();
    paying.pool.pass(2 * DAY_MS);
    paying.pay().await;
    assert_eq!(paying.wallet.paid(), paid, "nothing is paid before a person has looked: {what}");
    let alarms = paying.pool.app().store.alarms().await.unwrap();
    assert!(alarms.iter().any(|alarm| alarm.kind == "restored"), "{alarms:?}");
    for alarm in alarms.iter().filter(|alarm| alarm.kind == "unknown") {
        let refused = paying.order(PayoutCommand::Resume).await.unwrap_err();
        assert!(refused.contains(&alarm.subject), "{refused}");
        let adopt = PayoutCommand::Adopt { txid: alarm.subject.clone(), foreign: false };
        paying.order(adopt).await.unwrap();
    }
    assert_eq!(paying.order(PayoutCommand::Resume).await.as_deref(), Ok("payouts go on"));
    paying.pay().await;
    paying.pool.pass(2 * DAY_MS);
    paying.pay().await;
    assert_eq!(paying.wallet.paid(), paid, "nobody is paid twice: {what}");
    assert_eq!(paying.owed_e8().await, 0, "{what}");
    assert!(paying.pool.app().store.open_payouts().await.unwrap().is_empty(), "{what}");
    assert!(paying.pool.app().store.alarms().await.unwrap().is_empty(), "{what}");

    // What is earned from now on is paid, once.
    paying.earn().await;
    paying.pool.pass(DAY_MS);
    paying.pay().await;
    assert_eq!(paying.wallet.paid().values().collect::<Vec<_>>(), [&6_000_000], "{what}");
    let mut heard = Heard::default();
    let audited = audit(&paying.config(), true, &mut heard).await.unwrap();
    assert_eq!((heard.findings(), audited.wallet_failed), (Vec::<String>::new(), None), "{what}");
    Some(taken == steps)
}

async fn restored_after_every_step(database: Database, method: &str) {
    let mut steps = 0;
    while let Some(true) = restored_after(database, method, steps).await {
        steps += 1;
        assert!(steps < 20, "payouts have no end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_04_a_database_put_back_from_any_moment_of_a_prepared_payout_pays_nobody_twice() {
    restored_after_every_step(Database::Sqlite, "prepared").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_04_a_database_put_back_from_any_moment_of_a_plain_payout_pays_nobody_twice() {
    restored_after_every_step(Database::Sqlite, "plain").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_postgres_put_back_from_the_middle_of_a_payout_pays_nobody_twice() {
    for steps in [1, 2] {
        for method in ["prepared", "plain"] {
            if restored_after(Database::Postgres, method, steps).await.is_none() {
                return;
            }
        }
    }
}

async fn a_restored_pool_waits_for_its_epoch(database: Database) {
    let Some(mut paying) = PayingPool::start(database, "prepared").await else { return };
    paying.back_up("backup").await;
    // A round that was published after the backup: its samples are lost, and it is not signed again.
    paying.earn().await;
    let last = published(&paying).await;
    let restored = paying.restore("backup", PublishedSince::NotKnown).await;
    assert_eq!(restored.epoch, None);
    let refused = paying.pool.try_start().await;
    assert!(
        matches!(refused, Err(StartError::Restored { .. })),
        "{:?}",
        refused.map_err(|error| error.to_string())
    );

    let PublishedSince::UpTo { head, round } = last else { panic!("{last:?}") };
    let (head, round) = (head.to_string(), round.to_string());
    let arguments = ["epoch", "--reason", "a test", "--last-published", &head, "--last-round", &round];
    let (code, text) = super::backups::alp(&arguments, &paying.pool.pool_file());
    assert_eq!(code, 0, "{text}");
    paying.pool.try_start().await.unwrap();
    assert_eq!(paying.pool.reward_of(&paying.alice).await, "0.03");
    paying.pool.pass(60_000);
    paying.earn().await;
    assert_eq!(paying.pool.reward_of(&paying.alice).await, "0.06");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_pool_waits_for_its_epoch_on_sqlite() {
    a_restored_pool_waits_for_its_epoch(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_pool_waits_for_its_epoch_on_postgres() {
    a_restored_pool_waits_for_its_epoch(Database::Postgres).await;
}

async fn nothing_is_put_in_place_that_is_not_right(database: Database) {
    let Some(mut paying) = PayingPool::start(database, "prepared").await else { return };
    paying.back_up("backup").await;
    paying.pool.stop().await;
    let (config, from) = (paying.config(), paying.outside.path().join("backup"));
    let none = PublishedSince::NotKnown;
    // The database is there, with or without a pool that runs.
    let refused = backup::restore(&config, &from, None, &none, backup::unseen()).await.unwrap_err();
    let in_the_way =
        matches!(&refused, BackupError::InTheWay { .. }) || refused.to_string().contains("it has tables");
    assert!(in_the_way, "{refused}");

    let to = paying.empty_place().await;
    let whole = fs::read(&from).unwrap();
    for damage in ["cut", "changed", "another key", "another pool's"] {
        let signing = fs::read(&config.signing_key).unwrap();
        match damage {
            "cut" => fs::write(&from, &whole[..whole.len() - 100]).unwrap(),
            "changed" => {
                let mut changed = whole.clone();
                changed[whole.len() / 2] ^= 1;
                fs::write(&from, changed).unwrap();
            }
            "another key" => write_secret(&paying.outside.path().join("backup.key"), &[8; 32]),
            _ => write_secret(&config.signing_key, "ab".repeat(32).as_bytes()),
        }
        let refused = backup::restore(&config, &from, Some(&to), &none, backup::unseen()).await.unwrap_err();
        let right = if damage == "another pool's" {
            matches!(refused, BackupError::Record(_))
        } else {
            matches!(refused, BackupError::NotOpened { .. })
        };
        assert!(right, "{damage}: {refused}");
        fs::write(&from, &whole).unwrap();
        write_secret(&paying.outside.path().join("backup.key"), &[9; 32]);
        fs::write(&config.signing_key, signing).unwrap();
        if let Some(path) = to.strip_prefix("sqlite:") {
            let folder = std::path::Path::new(path).parent().unwrap();
            assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "{damage}");
        }
    }
    let newest = alp_tests::START_S;
    let before = PublishedSince::UpTo { head: Digest::NOTHING, round: newest - 60 };
    let refused = backup::restore(&config, &from, Some(&to), &before, backup::unseen()).await.unwrap_err();
    assert!(matches!(refused, BackupError::RoundBefore { newest: round } if round == newest), "{refused}");
    // After all of that the place is as empty as it was.
    backup::restore(&config, &from, Some(&to), &none, backup::unseen()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_put_in_place_that_is_not_right_on_sqlite() {
    nothing_is_put_in_place_that_is_not_right(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_put_in_place_that_is_not_right_on_postgres() {
    nothing_is_put_in_place_that_is_not_right(Database::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_into_postgres_that_was_broken_off_lets_no_pool_start() {
    let Some(mut paying) = PayingPool::start(Database::Postgres, "prepared").await else { return };
    paying.pool.stop().await;
    // What a restore leaves that is killed on its way: the mark, beside whatever was put back so far.
    execute_in(&paying.config().database, "CREATE TABLE restore_unfinished (nothing BIGINT)").await;
    let refused = paying.pool.try_start().await.map_err(|error| error.to_string());
    assert!(refused.as_ref().is_err_and(|why| why.contains("being restored")), "{refused:?}");
}

//! Backups: made beside a running pool, sealed, and without any secret.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use alp_server::backup::{self, BackupError, Engine, PublishedSince};
use alp_tests::{profile_folder, wait_until};

use super::paying_pool::{Database, PayingPool, WALLET_PASSWORD, write_secret};

/// Whether these bytes stand somewhere in others.
pub(super) fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The database in a backup, as it was before it was sealed.
pub(super) fn opened(paying: &PayingPool, name: &str) -> (Engine, Vec<u8>) {
    let (key, from) = (paying.outside.path().join("backup.key"), paying.outside.path().join(name));
    let mut bytes = Vec::new();
    let (engine, _) = backup::read_whole(&key, &from, &mut bytes, |_, _| {}).unwrap();
    (engine, bytes)
}

/// The names of all files in a folder.
fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

async fn a_backup_is_sealed_and_holds_no_secret(database: Database) {
    let Some(paying) = PayingPool::start(database, "prepared").await else { return };
    let manifest = paying.back_up("backup").await;
    let file = paying.outside.path().join("backup");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!((manifest.rows["lps"], manifest.rows["credits"]), (1, 1));
    let head = paying.pool.app().store.record_head().await.unwrap().unwrap();
    assert_eq!(manifest.head.unwrap().digest, head.digest);
    assert_eq!(manifest.newest_round, alp_tests::START_S);

    let (engine, open) = opened(&paying, "backup");
    assert_eq!(engine == Engine::Sqlite, database == Database::Sqlite);
    let key = paying.alice.key.as_bytes();
    // What is compressed in the dump of a server is looked for in the other database's backup.
    assert!(database == Database::Postgres || holds(&open, key), "the database knows the LP");
    let sealed = fs::read(&file).unwrap();
    assert!(!holds(&sealed, key) && !holds(&sealed, b"CREATE TABLE"));
    let signing = fs::read_to_string(paying.pool.folder().join("alp.key")).unwrap();
    for secret in [signing.trim().as_bytes(), WALLET_PASSWORD.as_bytes(), &[9; 32]] {
        assert!(!holds(&open, secret) && !holds(&sealed, secret));
    }
    let names = files_in(paying.outside.path());
    assert_eq!(names, ["backup", "backup.key", "wallet.password"], "nothing else is left");
    let beside = files_in(paying.pool.folder());
    assert!(!beside.iter().any(|name| name.ends_with(".backup")), "{beside:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_sealed_and_holds_no_secret_on_sqlite() {
    a_backup_is_sealed_and_holds_no_secret(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_sealed_and_holds_no_secret_on_postgres() {
    a_backup_is_sealed_and_holds_no_secret(Database::Postgres).await;
}

async fn bots_are_answered_while_backups_are_made(database: Database) {
    let Some(mut paying) = PayingPool::start(database, "prepared").await else { return };
    let made = tokio::sync::Mutex::new(0);
    let submitting = async {
        let mut answered = 0;
        while *made.lock().await < 3 || answered < 10 {
            paying.pool.submit_btc(&paying.alice).await;
            answered += 1;
        }
    };
    let backing_up = async {
        for name in ["one", "two", "three"] {
            paying.back_up(name).await;
            *made.lock().await += 1;
        }
    };
    tokio::join!(submitting, backing_up);
    // Each of them is a whole database: what is in it is counted when it is put back.
    for name in ["one", "two", "three"] {
        let restored = paying.restore(name, PublishedSince::Nothing).await;
        assert_eq!(restored.manifest.rows["lps"], 1);
        paying.pool.try_start().await.unwrap();
        assert_eq!(paying.pool.reward_of(&paying.alice).await, "0.03");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bots_are_answered_while_backups_are_made_on_sqlite() {
    bots_are_answered_while_backups_are_made(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bots_are_answered_while_backups_are_made_on_postgres() {
    bots_are_answered_while_backups_are_made(Database::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_cannot_be_made_leaves_nothing_and_overwrites_nothing() {
    let paying = PayingPool::start(Database::Sqlite, "prepared").await.unwrap();
    let (folder, config) = (paying.outside.path(), paying.config());
    let taken = folder.join("taken");
    fs::write(&taken, "something").unwrap();
    let refused = backup::make(&config, &taken, backup::unseen()).await;
    assert!(matches!(refused, Err(BackupError::InTheWay { .. })), "{refused:?}");
    assert_eq!(fs::read_to_string(&taken).unwrap(), "something");
    let refused = backup::make(&config, &folder.join("not/there"), backup::unseen()).await;
    assert!(matches!(refused, Err(BackupError::File { .. })), "{refused:?}");
    let mut nowhere = config.clone();
    nowhere.database = format!("sqlite:{}", folder.join("no.db").display());
    let refused = backup::make(&nowhere, &folder.join("b"), backup::unseen()).await;
    assert!(matches!(refused, Err(BackupError::Store(_))), "{refused:?}");
    let mut without = config;
    without.backup = None;
    let refused = backup::make(&without, &folder.join("b"), backup::unseen()).await;
    assert!(matches!(refused, Err(BackupError::NotConfigured)), "{refused:?}");
    assert_eq!(files_in(folder), ["backup.key", "taken", "wallet.password"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_backup_left_is_in_nobodys_way() {
    let paying = PayingPool::start(Database::Sqlite, "prepared").await.unwrap();
    fs::write(paying.pool.folder().join(".alp.db.backup"), "half a copy").unwrap();
    fs::write(paying.outside.path().join(".backup.part"), "half a backup").unwrap();
    paying.back_up("backup").await;
    assert!(!paying.pool.folder().join(".alp.db.backup").exists());
    assert!(!paying.outside.path().join(".backup.part").exists());
}

/// What the program says and how it ends.
pub(super) fn alp(arguments: &[&str], config: &Path) -> (i32, String) {
    let program: PathBuf = profile_folder().join("alp-tests-server");
    let output = Command::new(program).args(arguments).arg("--config").arg(config).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_makes_a_backup_of_a_running_pool_and_looks_into_it() {
    let paying = PayingPool::start(Database::Sqlite, "prepared").await.unwrap();
    let config = paying.pool.pool_file();
    let file = paying.outside.path().join("backup");
    let file = file.to_str().unwrap();
    let (code, text) = alp(&["backup", "--to", file], &config);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("its newest round is 1760000040"), "{text}");
    let (code, text) = alp(&["restore", "--check", "--from", file], &config);
    assert_eq!(code, 0, "{text}");
    // The pool runs, and its database is where it is.
    let (code, text) = alp(&["restore", "--from", file], &config);
    assert_eq!((code, text.contains("the pool is running")), (1, true), "{text}");
    write_secret(&paying.outside.path().join("backup.key"), &[8; 32]);
    let (code, text) = alp(&["restore", "--check", "--from", file], &config);
    assert_eq!((code, text.contains("sealed with another key")), (1, true), "{text}");
    wait_until("the pool still answers", async || paying.pool.get("/status").await.status == 200).await;
}

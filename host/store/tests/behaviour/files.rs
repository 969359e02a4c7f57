//! What only a database in a file can promise.

use std::os::unix::fs::PermissionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

use alp_store::{Clock, Store, StoreError};

use crate::support::{FIRST_ROUND, open_file, open_on_a_file, options};

#[tokio::test]
async fn what_was_answered_is_in_the_files_before_the_store_is_closed() {
    let test = open_on_a_file().await;
    let lp_id = test.lp("alice", "btc").await;
    test.submit(lp_id, "btc", 3, "walls").await;
    // A copy of the file and its log, taken while the store runs, is what a killed server leaves.
    let copy = tempfile::tempdir().unwrap();
    for name in ["pool.db", "pool.db-wal"] {
        std::fs::copy(test.path().with_file_name(name), copy.path().join(name)).unwrap();
    }
    let left = open_file(&copy.path().join("pool.db"), test.clock()).await;
    let samples = left.samples(FIRST_ROUND).await.unwrap();
    assert_eq!(samples, test.store.samples(FIRST_ROUND).await.unwrap());
    assert_eq!(samples.len(), 1);
}

#[tokio::test]
async fn a_missing_file_is_made_with_its_folder_for_this_user_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a folder/100% #\u{e9}/pool.db");
    let refused = Store::open(options(&path, Clock::Database)).await;
    assert!(matches!(refused, Err(StoreError::Address { .. })), "{refused:?}");

    let path = folder.path().join("a folder/100% \u{e9}/pool.db");
    let store = open_file(&path, Clock::Database).await;
    for name in ["pool.db", "pool.db-wal"] {
        let mode = std::fs::metadata(path.with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let mode = std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    store.close().await;
}

#[tokio::test]
async fn the_clock_of_the_database_is_in_milliseconds() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_file(&folder.path().join("pool.db"), Clock::Database).await;
    let system_ms =
        || u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let before = system_ms();
    let read = store.clock_ms().await.unwrap();
    // The database rounds to the nearest millisecond.
    assert!((before.saturating_sub(1)..=system_ms() + 1).contains(&read));
}

#[tokio::test]
async fn an_address_that_is_not_understood_is_refused_with_what_would_be_right() {
    for url in ["", "pool.db", "mysql://x", "sqlite:", "sqlite::memory:", "sqlite:pool.db?mode=ro"] {
        let mut options = options("unused".as_ref(), Clock::Database);
        options.url = url.to_owned();
        let refused = Store::open(options).await;
        assert!(matches!(refused, Err(StoreError::Address { .. })), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "in the way").unwrap();
    let refused = Store::open(options(&folder.path().join("file/pool.db"), Clock::Database)).await;
    let Err(StoreError::Location { path, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(path, folder.path().join("file"));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pool.db");
    let words = "not a database at all, but long enough to have the header of one. ".repeat(100);
    std::fs::write(&path, &words).unwrap();
    let refused = Store::open(options(&path, Clock::Database)).await;
    assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), words);
}

#[tokio::test]
async fn a_round_of_no_length_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder.path().join("pool.db"), Clock::Database);
    options.round_seconds = 0;
    let refused = Store::open(options).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
}

#[tokio::test]
async fn samples_of_a_database_from_before_rounds_had_slices_are_kept_in_the_first() {
    use sqlx::{Connection, Executor};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pool.db");
    let mut before = sqlx::migrate!();
    before.migrations = before.migrations.iter().filter(|step| step.version < 30).cloned().collect();
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}?mode=rwc", path.display());
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    before.run(&mut connection).await.unwrap();
    let rows = "INSERT INTO users VALUES (1, 'alice'); \
        INSERT INTO lps VALUES (1, 1, 'bittrex', 'Balice', 5); \
        INSERT INTO lp_units VALUES (1, 1, 'btc', 5); \
        INSERT INTO terms VALUES ('t', '{}', 5); \
        INSERT INTO samples VALUES (60, 1, 'btc', 1, 61000, 't', 'a', 'r', 1, 2, 'p', '[1,2]');";
    connection.execute(rows).await.unwrap();
    connection.close().await.unwrap();

    let store = open_file(&path, Clock::Database).await;
    let samples = store.samples(60).await.unwrap();
    assert_eq!(samples.len(), 1);
    let alp_store::StoredSample { exchange, submitted_at_ms, slice, sample } = &samples[0];
    assert_eq!((exchange.as_str(), *submitted_at_ms, *slice), ("bittrex", 61_000, 0));
    assert_eq!((sample.orders.as_str(), sample.price.as_str(), sample.maybe_truncated), ("[1,2]", "p", true));
    assert_eq!((sample.order_count, &sample.ask_rate, &sample.bid_rate), (2, &None, &None));
    assert_eq!(store.orders_of("alice", 10).await.unwrap().unwrap().len(), 1);
    store.close().await;
}

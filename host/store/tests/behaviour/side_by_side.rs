//! Two versions of the program on one database: the newer one has made a step of the schema that the older one does not
//! know. Steps only expand, so the one that runs goes on; it is refused when it starts again.

use alp_store::{Store, StoreError, StoreOptions};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};

use super::open_for_test;
use crate::support::{FIRST_ROUND, ROUND_SECONDS, entry};

/// A step as the release after this one could have it: tables, columns and indexes beside those that are there.
const NEXT_STEP: &str = "CREATE TABLE of_the_next_release (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL); \
     ALTER TABLE samples ADD COLUMN next_text TEXT NOT NULL DEFAULT ''; \
     ALTER TABLE credits ADD COLUMN next_number BIGINT; \
     ALTER TABLE lps ADD COLUMN next_text TEXT NOT NULL DEFAULT ''; \
     ALTER TABLE ledger_entries ADD COLUMN next_number BIGINT NOT NULL DEFAULT 0; \
     ALTER TABLE payouts ADD COLUMN next_text TEXT NOT NULL DEFAULT ''; \
     ALTER TABLE records ADD COLUMN next_number BIGINT; \
     ALTER TABLE rounds ADD COLUMN next_number BIGINT; \
     CREATE INDEX of_the_next_release_too ON credits (next_number);";

fn steps_of_the_next_release() -> Migrator {
    let mut schema = sqlx::migrate!();
    let next = Migration::new(
        9_999,
        "the next release".into(),
        MigrationType::Simple,
        sqlx::SqlStr::from_static(NEXT_STEP),
        false,
    );
    schema.migrations = schema.migrations.iter().cloned().chain([next]).collect();
    schema
}

async fn beside(url: &str, path: Option<std::path::PathBuf>) -> AnyConnection {
    let address = match path {
        Some(path) => format!("sqlite://{}", path.display()),
        None => url.replace("alp@/", "alp@localhost/"),
    };
    AnyConnection::connect(&address).await.unwrap()
}

#[tokio::test]
async fn a_server_goes_on_while_a_newer_one_expands_the_schema_and_is_refused_at_its_next_start() {
    let Some(test) = open_for_test().await else { return };
    let (alice, bob) = (test.lp("alice", "btc").await, test.lp("bob", "btc").await);
    test.submit(alice, "btc", 3, "before").await;
    let path = (!test.url().starts_with("postgres")).then(|| test.path());
    let mut newer = beside(test.url(), path).await;
    steps_of_the_next_release().run(&mut newer).await.unwrap();

    // What the older one has prepared before the step goes on working, and so does what it does for the first time.
    test.submit(alice, "btc", 5, "after").await;
    test.submit(bob, "btc", 1, "after").await;
    let carol = test.lp("carol", "usd").await;
    test.submit(carol, "usd", 2, "after").await;
    let counts: Vec<u64> =
        test.store.samples(FIRST_ROUND).await.unwrap().iter().map(|stored| stored.sample.order_count).collect();
    assert_eq!(counts, [5, 1, 2]);
    test.credit(FIRST_ROUND, vec![entry(alice, "btc", 41), entry(bob, "btc", 7)]).await;
    test.store.correct(&test.lease, bob, -2, "a test").await.unwrap();
    let owed: Vec<i64> = test.store.owing(0, 10).await.unwrap().iter().map(|lp| lp.owed_e8).collect();
    assert_eq!(owed, [41, 5, 0]);

    // The newer one sees what the older one wrote, with what its own step says of it.
    let seen = sqlx::query("SELECT COUNT(*) AS credits FROM credits WHERE next_number IS NULL");
    let seen: i64 = seen.fetch_one(&mut newer).await.unwrap().try_get("credits").unwrap();
    assert_eq!(seen, 2);
    sqlx::query(AssertSqlSafe("UPDATE credits SET next_number = 1")).execute(&mut newer).await.unwrap();

    let options =
        StoreOptions { url: test.url().to_owned(), round_seconds: ROUND_SECONDS, clock: test.clock() };
    let refused = Store::open(options).await;
    assert!(matches!(refused, Err(StoreError::NewerSchema { version: 9_999 })), "{refused:?}");
    let read = alp_store::Snapshot::begin(test.url()).await.map(|_| ());
    assert!(matches!(read, Err(StoreError::NewerSchema { version: 9_999 })), "{read:?}");
}

/// The steps that were made before there was a release to run beside: they may do what they like.
const BEFORE_THE_FIRST_RELEASE: i64 = 40;

#[test]
fn every_step_of_the_schema_only_expands() {
    for step in sqlx::migrate!().iter().filter(|step| step.version > BEFORE_THE_FIRST_RELEASE) {
        let sql: String = step.sql.as_str().lines().filter(|line| !line.trim_start().starts_with("--")).collect();
        for statement in sql.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            let words: Vec<&str> = statement.split_whitespace().collect();
            let expands = match words[..] {
                ["CREATE", "TABLE" | "INDEX" | "UNIQUE", ..] | ["INSERT", "INTO", ..] => true,
                // A column that the older version does not name has to do without it.
                ["ALTER", "TABLE", _, "ADD", "COLUMN", ..] => {
                    !statement.contains("NOT NULL") || statement.contains("DEFAULT")
                }
                _ => false,
            };
            assert!(expands, "step {} does not only expand: {statement}", step.version);
        }
    }
}

//! Which databases a program opens.

use alp_store::{Store, StoreError, StoreOptions};

use super::open_for_test;
use crate::support::ROUND_SECONDS;

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let Some(test) = open_for_test().await else { return };
    let postgres = test.url().starts_with("postgres");
    let (address, success, checksum) = if postgres {
        (test.url().replace("alp@/", "alp@localhost/"), "TRUE", "'\\x00'::bytea")
    } else {
        (format!("sqlite://{}", test.path().display()), "1", "x'00'")
    };
    let mut connection = <sqlx::AnyConnection as sqlx::Connection>::connect(&address).await.unwrap();
    let insert = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'from the future', {success}, {checksum}, 0)"
    );
    sqlx::query(sqlx::AssertSqlSafe(insert)).execute(&mut connection).await.unwrap();
    let url = test.url().to_owned();
    let options = StoreOptions { url, round_seconds: ROUND_SECONDS, clock: test.clock() };
    let refused = Store::open(options).await;
    assert!(matches!(refused, Err(StoreError::NewerSchema { version: 9999 })), "{refused:?}");
}

#[tokio::test]
async fn servers_that_start_at_once_make_the_schema_once() {
    let Some(test) = open_for_test().await else { return };
    let (one, two) = tokio::join!(test.another_server(), test.another_server());
    assert_eq!(one.pool_status().await.unwrap(), two.pool_status().await.unwrap());
}

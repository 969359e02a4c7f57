//! Which databases a program opens.

use alp_store::{Store, StoreError, StoreOptions};

use super::open_for_test;
use crate::support::ROUND_SECONDS;

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let Some(test) = open_for_test().await else { return };
    let postgres = test.url().starts_with("postgres");
    let (success, checksum) = if postgres { ("TRUE", "'\\x00'::bytea") } else { ("1", "x'00'") };
    test.statement(&format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'from the future', {success}, {checksum}, 0)"
    ))
    .await;
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

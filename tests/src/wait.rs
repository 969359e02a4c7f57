//! Waiting for what has to come.

use std::time::{Duration, Instant};

/// How long anything may take to come about, on a machine that is busy with other tests: several times as long as the
/// pool's loops wait between two looks.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(10);

/// Waits until the condition holds.
///
/// # Panics
/// With `what`, if it does not hold within [`DEADLINE`].
pub async fn wait_until(what: &str, condition: impl AsyncFnMut() -> bool) {
    wait_or_say(|| what.to_owned(), condition).await;
}

/// As [`wait_until`], with words that are made when it is too late.
pub(crate) async fn wait_or_say(what: impl Fn() -> String, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < end, "{}: it did not come about", what());
        tokio::time::sleep(EVERY).await;
    }
}

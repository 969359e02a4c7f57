//! Waiting for what has to come.

use std::time::{Duration, Instant};

/// How long anything may take to come about, on a machine that is busy with other tests.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(10);

/// Waits until the condition holds.
///
/// # Panics
/// With `what`, if it does not hold within [`DEADLINE`].
pub async fn wait_until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let end = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < end, "it did not come about: {what}");
        tokio::time::sleep(EVERY).await;
    }
}

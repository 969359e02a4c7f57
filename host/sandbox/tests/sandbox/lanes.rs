//! A slow adapter holds up none of the threads that serve requests.

use std::sync::Arc;

use alp_sandbox::{Limits, Sandbox};

use crate::guests::{FOR_EVER, Guest};
use crate::{compiler, load, submission};

/// How many calls run at once, as many as one adapter may.
const CALLS: u32 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_calls_that_loop_hold_up_neither_of_two_workers() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { concurrent_calls: CALLS, ..Limits::default() };
    let ticks = limits.ticks_per_call * CALLS;
    let sandbox = Sandbox::new(limits, compiler(folder.path())).unwrap();
    let endless = load(&sandbox, Guest::starting(FOR_EVER).component()).await;
    let looping: Vec<_> = (0..CALLS)
        .map(|_| {
            let endless = Arc::clone(&endless);
            tokio::spawn(async move { endless.start(&submission()).await })
        })
        .collect();
    let mut answered = 0;
    while looping.iter().any(|call| !call.is_finished()) {
        // What a trivial endpoint is to the runtime: a task that waits for a free worker.
        tokio::spawn(async {}).await.unwrap();
        answered += 1;
    }
    // On the workers themselves a task would wait for several ticks, each time.
    assert!(answered > ticks, "{answered} answers while {ticks} ticks passed");
    for call in looping {
        let error = call.await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "hostile 0.1.0: start: took longer than 200 ms");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_call_and_a_quick_one_of_the_same_adapter_both_end_as_they_should() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(Limits { concurrent_calls: 4, ..Limits::default() }, compiler(folder.path()));
    let adapter = load(&sandbox.unwrap(), Guest::starting(FOR_EVER).component()).await;
    for _ in 0..3 {
        adapter.start(&submission()).await.unwrap_err();
        adapter.resume(&submission(), b"", &crate::reply("")).await.unwrap().unwrap();
    }
}

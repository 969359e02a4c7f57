//! Where a call runs: on the thread that asked for it, or, if it is slow, where it holds up nobody.
//! It knows nothing of what a call does, only how often it came back unfinished.
//!
//! A call comes back unfinished at each tick. A quick one never does, or once if a tick happened to fall into it; it
//! runs where it is, because handing it over would cost more than the call. One that comes back a second time has run
//! for a whole tick: from then on each of its ticks runs on a thread that serves nothing else, in turn with those of
//! all other slow calls, and so do the next calls of the same adapter from their beginning, until one is quick again.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

/// How often a quick call may come back unfinished.
const QUICK_TICKS: u32 = 1;

/// The threads that slow calls take turns on.
pub(crate) struct SlowLane(Semaphore);

impl SlowLane {
    /// Half as many as there are cores, and at least one: the other half stays with those who serve requests.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Semaphore::new((cores / 2).max(1)))
    }

    /// Runs a call. `slow` is what is known of its adapter, and is kept current.
    pub(crate) async fn run<F: Future>(&self, slow: &AtomicBool, call: F) -> F::Output {
        let mut call = pin!(call);
        let mut ticks = 0_u32;
        loop {
            let aside = ticks > QUICK_TICKS || slow.load(Ordering::Relaxed);
            // The semaphore is fair: each slow call gets a tick in its turn. It is never closed.
            let turn = if aside && can_step_aside() { self.0.acquire().await.ok() } else { None };
            let polled = poll_fn(|context| {
                let mut poll = || call.as_mut().poll(context);
                Poll::Ready(if turn.is_some() { tokio::task::block_in_place(poll) } else { poll() })
            })
            .await;
            drop(turn);
            match polled {
                Poll::Ready(output) => {
                    slow.store(ticks > QUICK_TICKS, Ordering::Relaxed);
                    return output;
                }
                Poll::Pending => {
                    ticks = ticks.saturating_add(1);
                    if ticks > QUICK_TICKS {
                        slow.store(true, Ordering::Relaxed);
                    }
                    woken().await;
                }
            }
        }
    }
}

/// Gives way until whatever the call waits for wakes this task.
async fn woken() {
    let mut first = true;
    poll_fn(|_| if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }).await;
}

/// A runtime of one thread has no other to go on with.
fn can_step_aside() -> bool {
    Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
}

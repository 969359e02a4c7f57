//! A folder of adapters kept current: hints and a regular sweep lead to passes of [`FolderScan`].

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::admission::Admission;
use crate::load::Sandbox;
use crate::scan::{FolderScan, Pass, Published, system_now_ms};
use crate::snapshot::Snapshot;
use crate::watch::FolderWatch;

/// After a hint, a pass waits for this long without another: copying a file gives many hints.
const QUIET: Duration = Duration::from_millis(300);

/// No hint puts a pass off for longer than this: somebody may be writing there all the time.
const QUIET_AT_MOST: Duration = Duration::from_secs(3);

/// Without any hint there is a pass this often: hints get lost.
const SWEEP: Duration = Duration::from_secs(30);

/// A folder that cannot be read is tried again this often: nothing hints that it is back.
const RETRY: Duration = Duration::from_secs(1);

/// Most calls of [`AdapterFolder::reconsider`] that wait for each other. 16: configurations are read one at a time.
const MAX_ASKED: usize = 16;

/// Tells the time in Unix milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A folder of adapters and the task that keeps it current. Dropping it ends the task.
pub struct AdapterFolder {
    published: Arc<Published>,
    reconsider: mpsc::Sender<oneshot::Sender<()>>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// Why waiting for a snapshot failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// It did not come in time.
    #[error("no such snapshot came in time")]
    TimedOut,
    /// The folder is no longer kept current.
    #[error("the folder of adapters is no longer watched")]
    Stopped,
}

impl AdapterFolder {
    /// Loads what is in the folder, then keeps it current. A folder that is missing is no error: it is told
    /// in the snapshot and waited for.
    pub async fn open(folder: &Path, sandbox: Sandbox, admission: Arc<dyn Admission>) -> Self {
        Self::open_with_clock(folder, sandbox, admission, Arc::new(system_now_ms)).await
    }

    /// As [`AdapterFolder::open`], with another clock.
    pub async fn open_with_clock(
        folder: &Path,
        sandbox: Sandbox,
        admission: Arc<dyn Admission>,
        clock: Clock,
    ) -> Self {
        let mut scan = FolderScan::new(folder, sandbox, admission);
        let published = scan.published();
        let mut watch = FolderWatch::new(folder);
        watch.renew();
        let first = scan.scan_once(clock()).await;
        let (stop, stopped) = oneshot::channel();
        let (reconsider, asked) = mpsc::channel(MAX_ASKED);
        let task = tokio::spawn(async move {
            tokio::select! {
                // Also when the sender is dropped.
                _ = stopped => {}
                () = keep_current(scan, watch, clock, first, asked) => {}
            }
        });
        Self { published, reconsider, stop: Some(stop), task }
    }

    /// The snapshot that is current. Cheap enough for every request.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.published.current()
    }

    /// Has the admission asked again about the adapters that serve or wait, because what it decides by has changed.
    /// It is done when this returns, unless the folder is no longer kept current.
    pub async fn reconsider(&self) {
        let (done, is_done) = oneshot::channel();
        if self.reconsider.send(done).await.is_ok() {
            let _ = is_done.await;
        }
    }

    /// Changes its value with each new snapshot.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.published.subscribe()
    }

    /// Waits until a snapshot is as wanted, and returns it.
    ///
    /// # Errors
    /// [`FolderError`] if none comes within `deadline`, or none can come any more.
    pub async fn wait_for(
        &self,
        deadline: Duration,
        mut wanted: impl FnMut(&Snapshot) -> bool,
    ) -> Result<Arc<Snapshot>, FolderError> {
        let mut changes = self.changes();
        let waiting = async {
            loop {
                changes.borrow_and_update();
                let snapshot = self.snapshot();
                if wanted(&snapshot) {
                    return Ok(snapshot);
                }
                if self.task.is_finished() || changes.changed().await.is_err() {
                    return Err(FolderError::Stopped);
                }
            }
        };
        timeout(deadline, waiting).await.unwrap_or(Err(FolderError::TimedOut))
    }

    /// Stops keeping it current; what is being loaded is given up. Adapters in use stay usable.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        // It only fails if the task was cancelled, which is as good as its end.
        let _ = (&mut self.task).await;
    }
}

impl Drop for AdapterFolder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep_current(
    mut scan: FolderScan,
    mut watch: FolderWatch,
    clock: Clock,
    first: Pass,
    mut asked: mpsc::Receiver<oneshot::Sender<()>>,
) {
    let mut pass = first;
    loop {
        tokio::select! {
            Some(done) = asked.recv() => {
                scan.reconsider(clock()).await;
                let _ = done.send(());
                continue;
            }
            () = watch.hint() => quiet(&watch).await,
            () = sleep(pause(pass)) => {}
        }
        // The watch first: what changes after it gives a hint, what changed before it is seen.
        watch.renew();
        pass = scan.scan_once(clock()).await;
    }
}

/// How long to wait for a hint.
fn pause(pass: Pass) -> Duration {
    let regular = if pass.readable { SWEEP } else { RETRY };
    pass.again_in_ms.map_or(regular, |ms| regular.min(Duration::from_millis(ms)))
}

/// Waits until there was no hint for a while.
async fn quiet(watch: &FolderWatch) {
    let end = Instant::now() + QUIET_AT_MOST;
    loop {
        tokio::select! {
            () = watch.hint() => {}
            () = sleep(QUIET) => return,
            () = sleep_until(end) => return,
        }
    }
}

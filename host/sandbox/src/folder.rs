//! A folder of adapters kept current: hints and a regular sweep lead to passes of [`FolderScan`].

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::admission::Admission;
use crate::hold::Hold;
use crate::load::Sandbox;
use crate::scan::{FolderScan, Pass};
use crate::snapshot::{Published, Snapshot};
use crate::watch::FolderWatch;

/// After a hint, a pass waits for this long without another: copying a file gives many hints.
const QUIET: Duration = Duration::from_millis(300);

/// No hint puts a pass off for longer than this: somebody may be writing there all the time.
const QUIET_AT_MOST: Duration = Duration::from_secs(3);

/// A folder that cannot be read is tried again this often: nothing hints that it is back.
const RETRY: Duration = Duration::from_secs(1);

/// A load that takes longer is shown as going on: only components that carry an interpreter take that long.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// Most orders that wait to be carried out: an operator has two hands.
const WAITING_ORDERS: usize = 16;

/// Tells the time in Unix milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A folder of adapters and the task that keeps it current. Dropping it ends the task.
pub struct AdapterFolder {
    published: Arc<Published>,
    orders: mpsc::Sender<Order>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// What the operator orders about a name.
enum Order {
    Hold(String, Box<Hold>, oneshot::Sender<()>),
    Release(String, oneshot::Sender<bool>),
    Reconsider(oneshot::Sender<()>),
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
        Self::start(folder, FolderScan::new(folder, sandbox, admission), clock).await
    }

    /// As [`AdapterFolder::open`], with names that are held to a version from the first moment on.
    pub async fn open_holding(
        folder: &Path,
        sandbox: Sandbox,
        admission: Arc<dyn Admission>,
        holds: Vec<(String, Hold)>,
    ) -> Self {
        let mut scan = FolderScan::new(folder, sandbox, admission);
        for (name, hold) in holds {
            scan.hold(&name, hold, system_now_ms()).await;
        }
        Self::start(folder, scan, Arc::new(system_now_ms)).await
    }

    async fn start(folder: &Path, mut scan: FolderScan, clock: Clock) -> Self {
        let published = scan.published();
        let mut watch = FolderWatch::new(folder);
        watch.renew();
        scan.say(watch.notice());
        let first = scan.scan_once(clock()).await;
        let (stop, stopped) = oneshot::channel();
        let (orders, ordered) = mpsc::channel(WAITING_ORDERS);
        let current = Current { scan, watch, clock, ordered };
        let task = tokio::spawn(async move {
            tokio::select! {
                // Also when the sender is dropped.
                _ = stopped => {}
                () = current.keep(first) => {}
            }
        });
        Self { published, orders, stop: Some(stop), task }
    }

    /// Holds a name to one version, from when this returns. A file in the folder is loaded and checked, and waits.
    ///
    /// # Errors
    /// [`FolderError::Stopped`].
    pub async fn hold(&self, name: &str, hold: Hold) -> Result<(), FolderError> {
        let (done, held) = oneshot::channel();
        let order = Order::Hold(name.to_owned(), Box::new(hold), done);
        self.orders.send(order).await.map_err(|_| FolderError::Stopped)?;
        held.await.map_err(|_| FolderError::Stopped)
    }

    /// Ends a hold; what the folder has serves again. Answers whether there was a hold.
    ///
    /// # Errors
    /// [`FolderError::Stopped`].
    pub async fn release(&self, name: &str) -> Result<bool, FolderError> {
        let (done, released) = oneshot::channel();
        let order = Order::Release(name.to_owned(), done);
        self.orders.send(order).await.map_err(|_| FolderError::Stopped)?;
        released.await.map_err(|_| FolderError::Stopped)
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
        if self.orders.send(Order::Reconsider(done)).await.is_ok() {
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

/// What the task that keeps a folder current works with.
struct Current {
    scan: FolderScan,
    watch: FolderWatch,
    clock: Clock,
    ordered: mpsc::Receiver<Order>,
}

impl Current {
    async fn keep(mut self, first: Pass) {
        let mut due = Instant::now() + self.pause(first);
        // Until when hints may put the next pass off, once one came.
        let mut at_most = None;
        let mut shown_at = None;
        loop {
            tokio::select! {
                Some(order) = self.ordered.recv() => {
                    self.carry_out(order).await;
                    due = Instant::now();
                }
                Some(loaded) = self.scan.next_loaded(), if self.scan.is_loading() => {
                    let pass = self.scan.take_in(loaded, (self.clock)()).await;
                    due = due.min(Instant::now() + self.pause(pass));
                }
                () = sleep_until(shown_at.unwrap_or(due)), if shown_at.is_some() && self.scan.is_loading() => {
                    self.scan.show_loading();
                    shown_at = None;
                }
                () = self.watch.hint() => {
                    let end = *at_most.get_or_insert_with(|| Instant::now() + QUIET_AT_MOST);
                    due = end.min(Instant::now() + QUIET);
                }
                () = sleep_until(due) => {
                    at_most = None;
                    // The watch first: what changes after it gives a hint, what changed before it is seen.
                    self.watch.renew();
                    self.scan.say(self.watch.notice());
                    let pass = self.scan.begin((self.clock)()).await;
                    due = Instant::now() + self.pause(pass);
                    shown_at = Some(Instant::now() + SHOWN_AFTER);
                }
            }
        }
    }

    /// How long to wait for a hint.
    fn pause(&self, pass: Pass) -> Duration {
        let regular = if pass.readable { self.watch.sweep() } else { RETRY };
        pass.again_in_ms.map_or(regular, |ms| regular.min(Duration::from_millis(ms)))
    }

    async fn carry_out(&mut self, order: Order) {
        // Nobody may be waiting for the answer any more, which changes nothing.
        match order {
            Order::Hold(name, hold, done) => {
                self.scan.hold(&name, *hold, (self.clock)()).await;
                let _ = done.send(());
            }
            Order::Reconsider(done) => {
                self.scan.reconsider((self.clock)()).await;
                let _ = done.send(());
            }
            Order::Release(name, done) => {
                let _ = done.send(self.scan.release(&name, (self.clock)()).await);
            }
        }
    }
}

impl FolderScan {
    /// Has the snapshot tell what the operator should know of the folder, and the log, once.
    fn say(&mut self, notice: Option<String>) {
        if self.notice == notice {
            return;
        }
        match &notice {
            Some(notice) => tracing::warn!("the folder of adapters: {notice}"),
            None => tracing::info!("the folder of adapters: changes show at once"),
        }
        self.notice = notice;
        self.publish();
    }
}

/// The system's clock in Unix milliseconds.
fn system_now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

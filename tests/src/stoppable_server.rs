//! A pool in a process of its own that ends or pauses at a named point of a round or a payout, by a real SIGKILL or SIGSTOP,
//! and the test's hold of that process. The pool's own program has no such switch: the points are handed in here.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alp_server::cli::told_to_stop;
use alp_server::config::Config;
use alp_server::fail_at::{FailAt, Moment};
use alp_server::server::{Running, Start, system_clock};
use alp_store::Clock;
use rustix::process::{Pid, Signal, getpid, kill_process};

use crate::components::{compiler, profile_folder};
use crate::torn_writes::{DatabaseWrite, noted, preload};
use crate::wait::wait_or_say;

/// The file that lets a server go on which has paused.
const WOKEN: &str = "woken";

/// How often the clock is moved on that is ahead of the machine's, and how often that file is looked for.
const TICK: Duration = Duration::from_millis(1);

/// The word by which it ends at its point.
const ENDS: &str = "ends";

/// The word by which it pauses there.
const PAUSES: &str = "pauses";

/// A point of a round or a payout: the step, the side of it, and how often it was passed before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedPoint {
    /// The step's name.
    pub step: String,
    /// Whether the step was done.
    pub done: bool,
    /// How often the point was passed before.
    pub earlier: usize,
}

impl NamedPoint {
    fn line(&self) -> String {
        format!("{}\t{}\t{}", self.step, self.done, self.earlier)
    }

    fn read(line: &str) -> Option<Self> {
        let mut parts = line.split('\t');
        let (step, done, earlier) = (parts.next()?.to_owned(), parts.next()?, parts.next()?);
        Some(Self { step, done: done == "true", earlier: earlier.parse().ok()? })
    }
}

/// How such a server is started.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Where it ends; nowhere without.
    pub at: Option<NamedPoint>,
    /// Whether it pauses there in place of ending.
    pub pauses: bool,
    /// How far the pool's clock is ahead of the machine's, in milliseconds.
    pub ahead_ms: u64,
    /// The write to its SQLite database, or the sync of it, that it does not survive: all of them together are counted, from
    /// 0. A write is then half done, a sync not at all.
    pub torn: Option<usize>,
}

/// The server's process.
pub struct StoppableServer {
    process: Mutex<Child>,
    folder: PathBuf,
}

impl StoppableServer {
    /// Starts it on a folder with a `pool.toml`.
    pub fn start(folder: &Path, stop: &Stop) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
        let mut server = Command::new(profile_folder().join("alp-tests-stoppable-server"));
        preload(&mut server, folder, stop.torn);
        let process = server
            .arg(folder)
            .arg(compiler())
            .arg(stop.ahead_ms.to_string())
            .arg(if stop.pauses { PAUSES } else { ENDS })
            .args(stop.at.as_ref().map(NamedPoint::line))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { process: Mutex::new(process), folder: folder.to_owned() }
    }

    /// Whether it has ended, by a SIGKILL.
    ///
    /// # Panics
    /// If it ended in another way.
    pub fn has_ended(&self) -> bool {
        let Some(status) = self.status() else { return false };
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{status}\n{}", self.log());
        true
    }

    /// Whether it could not start, said so, and ended.
    pub fn did_not_start(&self) -> bool {
        self.status().is_some_and(|status| status.code() == Some(1))
    }

    fn status(&self) -> Option<ExitStatus> {
        self.process.lock().unwrap().try_wait().unwrap()
    }

    /// What kills it, from wherever.
    pub fn killer(&self) -> impl FnOnce() + Send + 'static {
        let process = self.pid();
        move || kill_process(process, Signal::KILL).unwrap()
    }

    /// Whether it has paused itself.
    pub fn is_paused(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid().as_raw_nonzero()))
            .unwrap_or_default();
        status.lines().any(|line| line.starts_with("State:") && line.contains("T (stopped)"))
    }

    /// Lets it go on.
    pub fn wake(&self) {
        std::fs::write(self.folder.join(WOKEN), "").unwrap();
        kill_process(self.pid(), Signal::CONT).unwrap();
    }

    /// Kills it, and waits until it is gone.
    pub async fn kill(&self) {
        self.process.lock().unwrap().kill().unwrap();
        self.wait_until_it_ends("it is killed").await;
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// With `why` and its log, if it does not in time.
    pub async fn wait_until_it_ends(&self, why: &str) {
        let say = || format!("{}\nthe server ends: {why}", self.log());
        wait_or_say(say, async || self.has_ended()).await;
    }

    /// Waits until the condition holds, while it runs.
    ///
    /// # Panics
    /// With `what` and its log, if it does not hold in time or the server ends.
    pub async fn wait_until(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        let say = || format!("{}\n{what}", self.log());
        wait_or_say(say, async || {
            assert!(!self.has_ended(), "{}", say());
            condition().await
        })
        .await;
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process.lock().unwrap())
    }

    /// Every point that servers of this folder have passed, in order.
    pub fn passed(folder: &Path) -> Vec<NamedPoint> {
        let text = std::fs::read_to_string(folder.join("passed")).unwrap_or_default();
        text.lines().map(|line| NamedPoint::read(line).unwrap()).collect()
    }

    /// Every write to the SQLite database that servers of this folder began, and each time they made them durable.
    pub fn writes(folder: &Path) -> Vec<DatabaseWrite> {
        noted(folder)
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for StoppableServer {
    fn drop(&mut self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// The process's own part: the folder, the compiler, how far ahead the clock is, and the point, if there is one.
pub fn run_stoppable_server() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next();
    let (Some(folder), Some(compiler), Some(ahead_ms), Some(way)) = (next(), next(), next(), next()) else {
        eprintln!("usage: alp-tests-stoppable-server FOLDER COMPILER AHEAD_MS {ENDS}|{PAUSES} [POINT]");
        return ExitCode::from(64);
    };
    let at = next().map(|line| NamedPoint::read(&line).expect("a point"));
    let folder = PathBuf::from(folder);
    let ahead_ms: u64 = ahead_ms.parse().expect("milliseconds");
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let pool_file = folder.join("pool.toml");
        let system = system_clock();
        let start = Start {
            config: Config::read(&pool_file).unwrap_or_else(|faults| panic!("{faults}")),
            pool_file,
            compiler: (compiler.into(), Vec::new()),
            host_clock: Arc::new(move || system() + ahead_ms),
            store_clock: if ahead_ms == 0 { Clock::Database } else { clock_ahead(ahead_ms) },
            loops: true,
            fail_at: stop_at(&folder, at, way == PAUSES),
        };
        match Running::start(start).await {
            Ok(running) => {
                told_to_stop().await;
                running.stop().await;
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    })
}

/// How often each step was begun or done, by its name and whether it was done.
type Passed = BTreeMap<(String, bool), usize>;

/// Notes each point in a file, and at one of them ends this process as a loss of power would, or pauses it.
fn stop_at(folder: &Path, at: Option<NamedPoint>, pauses: bool) -> FailAt {
    let file = OpenOptions::new().create(true).append(true).open(folder.join("passed")).unwrap();
    let woken = folder.join(WOKEN);
    let state = Mutex::new((file, Passed::new()));
    FailAt::watched(move |step, moment| {
        let mut state = state.lock().unwrap();
        let (file, counts) = &mut *state;
        let done = moment == Moment::After;
        let count = counts.entry((step.to_owned(), done)).or_insert(0);
        let point = NamedPoint { step: step.to_owned(), done, earlier: *count };
        *count += 1;
        file.write_all(format!("{}\n", point.line()).as_bytes()).unwrap();
        if at.as_ref() == Some(&point) && pauses {
            kill_process(getpid(), Signal::STOP).unwrap();
            // This thread goes no further, should it be the last one that the signal reaches.
            while !woken.exists() {
                std::thread::sleep(TICK);
            }
        } else if at.as_ref() == Some(&point) {
            kill_process(getpid(), Signal::KILL).unwrap();
            // Nothing is done any more while the signal is on its way.
            loop {
                std::thread::park();
            }
        }
        Ok(())
    })
}

/// A clock that goes as the machine's does, some time ahead of it.
fn clock_ahead(ahead_ms: u64) -> Clock {
    let system = system_clock();
    let now_ms = Arc::new(AtomicU64::new(system() + ahead_ms));
    let moved = Arc::clone(&now_ms);
    std::thread::spawn(move || {
        loop {
            moved.store(system() + ahead_ms, Ordering::SeqCst);
            std::thread::sleep(TICK);
        }
    });
    Clock::Fixed(now_ms)
}

//! Replies that are kept, sealed, for some days, so that a dispute can be run again.
//!
//! Writing is off the way of a submission: a bounded queue and one task. What does not fit is dropped and counted.

mod record;
mod replay;
mod sealed;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::app::HostClock;
use crate::config::KeepConfig;

pub use record::KeptSubmission;
pub use replay::{ReplayError, Replayed, kept_of, read_again};
pub(crate) use sealed::read_key;
pub use sealed::{KeyError, SealError, SealingKey};

/// Most submissions that wait to be written: a second's worth of a busy pool, and 128 MiB if each had the largest
/// reply.
const QUEUE: usize = 64;

/// How often folders of days that are over are looked for, also while nothing comes in.
const SWEEP: Duration = Duration::from_secs(600);

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// Where submissions go to be kept. Cheap to ask; nothing happens in a pool that keeps none.
#[derive(Clone, Default)]
pub struct KeptReplies {
    queue: Option<mpsc::Sender<Box<KeptSubmission>>>,
    dropped: Arc<AtomicU64>,
}

/// The other end of the queue: what writes.
pub struct Keeper {
    queue: mpsc::Receiver<Box<KeptSubmission>>,
    dropped: Arc<AtomicU64>,
    folder: Arc<Mutex<Folder>>,
}

/// The folder and what is known of it.
struct Folder {
    config: KeepConfig,
    key: SealingKey,
    /// The bytes of all files in it.
    bytes: u64,
}

impl KeptReplies {
    /// Opens the folder and reads the key.
    ///
    /// # Errors
    /// [`KeyError`] about the key's file.
    pub fn open(config: &KeepConfig) -> Result<(Self, Keeper), KeyError> {
        let key = SealingKey::read(&config.key_file)?;
        let (queue, receiver) = mpsc::channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let bytes = size_of(&config.folder);
        let folder = Arc::new(Mutex::new(Folder { config: config.clone(), key, bytes }));
        let keeper = Keeper { queue: receiver, dropped: Arc::clone(&dropped), folder };
        Ok((Self { queue: Some(queue), dropped }, keeper))
    }

    /// Whether anything is kept at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.queue.is_some()
    }

    /// Has a submission kept; none is one whose notes hold what is never kept.
    pub fn keep(&self, submission: Option<KeptSubmission>) {
        let Some(queue) = &self.queue else { return };
        let taken = submission.is_some_and(|submission| queue.try_send(Box::new(submission)).is_ok());
        if !taken {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many submissions were not kept since the pool started, although they should have been.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Keeper {
    /// Writes what comes, and deletes what is over, until told to stop; then what waits is written still.
    pub async fn run(mut self, clock: HostClock, mut stop: watch::Receiver<bool>) {
        loop {
            let now_ms = clock();
            self.work(move |folder| folder.forget(now_ms)).await;
            tokio::select! {
                Some(submission) = self.queue.recv() => self.write(submission).await,
                () = tokio::time::sleep(SWEEP) => {}
                () = told(&mut stop) => break,
            }
        }
        while let Ok(submission) = self.queue.try_recv() {
            self.write(submission).await;
        }
    }

    /// Writes one submission. A failure is said once and counted; the submission itself stands.
    async fn write(&self, submission: Box<KeptSubmission>) {
        let written = self.work(move |folder| folder.write(&submission)).await;
        if let Some(Err(error)) = written
            && self.dropped.fetch_add(1, Ordering::Relaxed) == 0
        {
            tracing::error!(%error, "replies are not kept; `alp status` counts them from here on");
        }
    }

    /// Does something with the folder where waiting for the disk holds nobody up.
    async fn work<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Folder) -> T + Send + 'static,
    ) -> Option<T> {
        let folder = Arc::clone(&self.folder);
        let done = tokio::task::spawn_blocking(move || {
            what(&mut folder.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await.ok()
    }
}

impl Folder {
    /// Writes one file into the folder of its day, whole or not at all, for this user only. The same is kept once.
    fn write(&mut self, submission: &KeptSubmission) -> io::Result<()> {
        let day = self.config.folder.join(day_of(submission.now_ms).to_string());
        let name = submission.file_name();
        let path = day.join(&name);
        if path.exists() {
            return Ok(());
        }
        let text = serde_json::to_vec(submission).map_err(io::Error::other)?;
        let sealed = self.key.seal(&submission.reply_sha256, text).map_err(io::Error::other)?;
        let bytes = self.bytes.saturating_add(u64::try_from(sealed.len()).unwrap_or(u64::MAX));
        if bytes > self.config.max_bytes {
            return Err(io::Error::other("keep_replies.max_megabytes is reached"));
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&day)?;
        let part = day.join(format!(".{name}.part"));
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(&sealed)?;
        fs::rename(&part, &path)?;
        self.bytes = bytes;
        Ok(())
    }

    /// Deletes the folders of days that are over.
    fn forget(&mut self, now_ms: u64) {
        let oldest = day_of(now_ms).saturating_sub(self.config.days);
        let mut deleted = false;
        for (day, path) in days(&self.config.folder) {
            if day < oldest {
                deleted = true;
                if let Err(error) = fs::remove_dir_all(&path) {
                    tracing::error!(%error, "kept replies of a day that is over cannot be deleted");
                }
            }
        }
        if deleted {
            self.bytes = size_of(&self.config.folder);
        }
    }
}

/// Completes when the pool is told to stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The day of a time, counted from 1970-01-01 UTC: what folders are called by.
fn day_of(now_ms: u64) -> u64 {
    now_ms / DAY_MS
}

/// The folders of days; none if there is no folder yet.
fn days(folder: &Path) -> Vec<(u64, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let days = entries.flatten().filter_map(|entry| {
        let day = entry.file_name().to_str()?.parse().ok()?;
        Some((day, entry.path()))
    });
    days.collect()
}

/// The bytes of all that is kept.
fn size_of(folder: &Path) -> u64 {
    let files = days(folder).into_iter().filter_map(|(_, day)| fs::read_dir(day).ok()).flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}

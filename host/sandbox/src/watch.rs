//! The operating system's hints that the folder changed. A hint says "look", never what to see: events are
//! merged, lost, and differ with every way of copying a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// Without any hint there is a pass this often: hints get lost.
const SWEEP: Duration = Duration::from_secs(30);

/// The same where hints do not come. A pass over a folder in which nothing changed reads no file.
const SWEEP_WITHOUT_HINTS: Duration = Duration::from_secs(2);

/// File systems whose content can change without this system knowing, by the numbers in Linux's `magic.h` and in
/// the sources of each file system: another machine or another program writes there.
const CHANGED_ELSEWHERE: [(i128, &str); 8] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x0102_1997, "9P"),
    (0x6573_5546, "FUSE"),
    (0x00C3_6400, "Ceph"),
    (0x5346_414F, "AFS"),
];

/// A watch on one folder.
pub(crate) struct FolderWatch {
    folder: PathBuf,
    /// `None` where the system grants no watch; then the regular passes have to do.
    watcher: Option<RecommendedWatcher>,
    hint: Arc<Notify>,
    /// Why hints do not come, if they do not.
    silent_because: Option<String>,
}

impl FolderWatch {
    pub(crate) fn new(folder: &Path) -> Self {
        let hint = Arc::new(Notify::new());
        let wake = Arc::clone(&hint);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.map_or(true, |event| is_hint(event.kind)) {
                wake.notify_one();
            }
        });
        let (watcher, silent_because) = match watcher {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { folder: folder.to_owned(), watcher, hint, silent_because }
    }

    /// Watches whatever folder is at the path now. To be called before each pass: after a folder was
    /// replaced, the old watch is silent for ever and nothing says so.
    pub(crate) fn renew(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        // There may be none yet.
        let _ = watcher.unwatch(&self.folder);
        let watched = watcher.watch(&self.folder, RecursiveMode::NonRecursive);
        self.silent_because = match watched {
            Ok(()) => changed_elsewhere(&self.folder).map(|kind| {
                format!(
                    "it is on a file system, {kind}, which does not tell of changes that were made elsewhere"
                )
            }),
            // That the folder is missing is for the pass to tell.
            Err(error) if self.folder.is_dir() => Some(error.to_string()),
            Err(_) => None,
        };
    }

    /// What the operator should know: that changes are found by looking, and why.
    pub(crate) fn notice(&self) -> Option<String> {
        let why = self.silent_because.as_ref()?;
        let seconds = SWEEP_WITHOUT_HINTS.as_secs();
        Some(format!("{}: changes are looked for every {seconds} s, because {why}", self.folder.display()))
    }

    /// How often to look without a hint.
    pub(crate) fn sweep(&self) -> Duration {
        if self.silent_because.is_some() { SWEEP_WITHOUT_HINTS } else { SWEEP }
    }

    /// Waits for the next hint. Hints that came meanwhile are one.
    pub(crate) async fn hint(&self) {
        self.hint.notified().await;
    }
}

/// The name of the folder's file system, if its content can change without a hint.
fn changed_elsewhere(folder: &Path) -> Option<&'static str> {
    let kind = i128::from(rustix::fs::statfs(folder).ok()?.f_type);
    CHANGED_ELSEWHERE.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

/// Reading a file is an event as well, and our own passes read files: without this they would never end.
fn is_hint(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}

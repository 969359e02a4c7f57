//! The operating system's hints that the folder changed. A hint says "look", never what to see: events are
//! merged, lost, and differ with every way of copying a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

const NOT_WATCHED: &str = "the folder of adapters is not watched; changes take longer to show";

/// A watch on one folder.
pub(crate) struct FolderWatch {
    folder: PathBuf,
    /// `None` where the system grants no watch; then the regular passes have to do.
    watcher: Option<RecommendedWatcher>,
    hint: Arc<Notify>,
    /// Whether the operator was told that watching fails.
    told: bool,
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
        let watcher = watcher
            .inspect_err(|error| {
                tracing::warn!(%error, "{NOT_WATCHED}");
            })
            .ok();
        Self { folder: folder.to_owned(), watcher, hint, told: false }
    }

    /// Watches whatever folder is at the path now. To be called before each pass: after a folder was
    /// replaced, the old watch is silent for ever and nothing says so.
    pub(crate) fn renew(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        // There may be none yet.
        let _ = watcher.unwatch(&self.folder);
        let watched = watcher.watch(&self.folder, RecursiveMode::NonRecursive);
        match watched {
            Ok(()) => self.told = false,
            // That the folder is missing is for the pass to tell.
            Err(error) if self.folder.is_dir() && !self.told => {
                self.told = true;
                tracing::warn!(%error, "{NOT_WATCHED}");
            }
            Err(_) => {}
        }
    }

    /// Waits for the next hint. Hints that came meanwhile are one.
    pub(crate) async fn hint(&self) {
        self.hint.notified().await;
    }
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

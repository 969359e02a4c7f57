//! Which adapters there are at one moment: immutable, shared, replaced as a whole.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::call::Adapter;

/// The adapters at one moment. Holding it keeps them usable whatever happens to the folder.
#[derive(Debug, Default)]
pub struct Snapshot {
    entries: Vec<Entry>,
    folder_error: Option<String>,
    folder_notice: Option<String>,
}

/// One file of the folder and the adapter it gave.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The exchange's id, which is also the file's name without `.wasm`.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// Whether it serves.
    pub state: EntryState,
    /// The adapter, unless the file was refused and none served before.
    pub adapter: Option<Arc<Adapter>>,
    /// An adapter that loaded and may not serve yet.
    pub candidate: Option<Arc<Adapter>>,
    /// Why it may not: what the operator has to do.
    pub waits_because: Option<String>,
    /// Why the file as it is now was refused. With `state` serving: an earlier version of the file serves.
    pub last_error: Option<String>,
    /// That the operator holds this name to one version, which serves whatever the file is; a sentence.
    pub held: Option<String>,
    /// Whether the file as it is now is still being loaded: one that carries an interpreter compiles for seconds.
    pub loading: bool,
    /// When the adapter was loaded, in Unix milliseconds.
    pub loaded_at_ms: Option<u64>,
}

/// Whether an adapter serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// It does.
    Serving,
    /// It does, but its file is gone: it ends in a few seconds unless a new file comes.
    Leaving,
    /// It loaded but does not serve yet, and nothing else does.
    Waiting,
    /// It is being loaded for the first time, and takes long.
    Loading,
    /// It does not: its file was refused and nothing was there before.
    Refused,
}

impl Snapshot {
    /// The adapter of an exchange, if one serves.
    #[must_use]
    pub fn get(&self, exchange: &str) -> Option<Arc<Adapter>> {
        let found = self.entries.binary_search_by(|entry| entry.name.as_str().cmp(exchange)).ok()?;
        self.entries.get(found)?.adapter.clone()
    }

    /// All entries, by name.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of this name.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// What is wrong with the folder as a whole. What was loaded before keeps serving.
    #[must_use]
    pub fn folder_error(&self) -> Option<&str> {
        self.folder_error.as_deref()
    }

    /// What the operator should know of the folder though nothing is wrong: that changes take longer to show.
    #[must_use]
    pub fn folder_notice(&self) -> Option<&str> {
        self.folder_notice.as_deref()
    }

    pub(crate) fn new(
        mut entries: Vec<Entry>,
        folder_error: Option<String>,
        folder_notice: Option<String>,
    ) -> Self {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Self { entries, folder_error, folder_notice }
    }
}

/// The snapshot that is current, and who waits for the next.
#[derive(Default)]
pub(crate) struct Published {
    current: ArcSwap<Snapshot>,
    count: watch::Sender<u64>,
}

impl Published {
    pub(crate) fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }

    pub(crate) fn replace(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
        self.count.send_modify(|count| *count = count.wrapping_add(1));
    }
}

//! One pass over the folder: what is there, what changed, what is to be loaded. The truth is the folder's
//! content and its hashes; passing over it again changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use arc_swap::ArcSwap;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::admission::{Admission, Verdict};
use crate::call::Adapter;
use crate::file::hex;
use crate::known::Known;
use crate::listing::{Found, list, read_unchanged};
use crate::load::Sandbox;
use crate::load_error::LoadError;
use crate::scrub::clean_text;
use crate::snapshot::Snapshot;

/// A file modified more recently is left for the next pass: somebody may be writing it.
const SETTLED_MS: u64 = 300;

/// How long an adapter serves after its file is gone. 5 s: copying a new one into place takes less.
const GRACE_MS: u64 = 5_000;

/// An error's text in characters, with its cause.
pub(crate) const ERROR_CHARS: usize = 1_000;

/// The folder as of the last pass, and the adapters that came of it.
pub struct FolderScan {
    folder: PathBuf,
    sandbox: Sandbox,
    admission: Arc<dyn Admission>,
    files: BTreeMap<String, Known>,
    folder_error: Option<String>,
    published: Arc<Published>,
}

/// What a pass leaves to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Whether it published a new snapshot.
    pub changed: bool,
    /// Whether the folder could be read.
    pub readable: bool,
    /// In how many milliseconds another pass has something to do, whatever happens to the folder.
    pub again_in_ms: Option<u64>,
}

/// The snapshot that is current, and who waits for the next.
pub(crate) struct Published {
    current: ArcSwap<Snapshot>,
    count: watch::Sender<u64>,
}

impl FolderScan {
    /// A scan of `folder`, which need not exist yet. Nothing is read before the first pass.
    #[must_use]
    pub fn new(folder: &Path, sandbox: Sandbox, admission: Arc<dyn Admission>) -> Self {
        let (count, _) = watch::channel(0);
        Self {
            folder: folder.to_owned(),
            sandbox,
            admission,
            files: BTreeMap::new(),
            folder_error: None,
            published: Arc::new(Published { current: ArcSwap::default(), count }),
        }
    }

    /// The snapshot that is current.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.published.current()
    }

    /// Passes over the folder once and loads what changed. `now_ms` is the time in Unix milliseconds.
    pub async fn scan_once(&mut self, now_ms: u64) -> Pass {
        let folder = self.folder.clone();
        let known = self.files.keys().cloned().collect();
        let listed = match tokio::task::spawn_blocking(move || list(&folder, &known)).await {
            Ok(listed) => listed,
            Err(error) => Err(std::io::Error::other(error)),
        };
        let mut pass = Pass { readable: listed.is_ok(), ..Pass::default() };
        let (found, complaint) = match listed {
            Ok(listed) => (listed.files, listed.complaint),
            Err(error) => {
                // Everything stays as it is, and the operator is told.
                let text = format!("{}: {error}", self.folder.display());
                pass.changed = self.set_folder_error(Some(text));
                return pass;
            }
        };
        pass.changed |= self.set_folder_error(complaint);
        pass.changed |= self.mark_gone(&found, now_ms, &mut pass.again_in_ms);
        for file in found {
            pass.changed |= self.look_at(file, now_ms, &mut pass.again_in_ms).await;
        }
        pass
    }

    /// Asks the admission again about every adapter that serves or waits: what it decides by has changed.
    pub async fn reconsider(&mut self, now_ms: u64) {
        let mut changed = false;
        for (name, known) in &mut self.files {
            changed |= known.reconsider(name, self.admission.as_ref(), now_ms).await;
        }
        self.publish_if(changed);
    }

    pub(crate) fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published)
    }

    fn set_folder_error(&mut self, error: Option<String>) -> bool {
        if self.folder_error == error {
            return false;
        }
        match &error {
            Some(error) => tracing::error!(%error, "the folder of adapters"),
            None => tracing::info!("the folder of adapters is readable"),
        }
        self.folder_error = error;
        self.publish();
        true
    }

    /// Notes which files are gone, and ends the adapters whose grace is over.
    fn mark_gone(&mut self, found: &[Found], now_ms: u64, again: &mut Option<u64>) -> bool {
        let mut changed = false;
        self.files.retain(|name, known| {
            if found.iter().any(|found| &found.name == name) {
                return true;
            }
            let since_ms = *known.gone_since_ms.get_or_insert_with(|| {
                changed = true;
                // A file of the same content that comes back is new all the same.
                known.stamp = None;
                now_ms
            });
            let left_ms = GRACE_MS.saturating_sub(now_ms.saturating_sub(since_ms));
            let stays = (known.adapter.is_some() || known.candidate.is_some()) && left_ms > 0;
            if stays {
                sooner(again, left_ms);
            } else {
                changed = true;
                tracing::info!(adapter = %name, "removed");
            }
            stays
        });
        if changed {
            self.publish();
        }
        changed
    }

    /// Loads one file if it is new or has changed.
    async fn look_at(&mut self, found: Found, now_ms: u64, again: &mut Option<u64>) -> bool {
        let known = self.files.get(&found.name);
        if known.is_some_and(|known| known.stamp == Some(found.stamp)) {
            return false;
        }
        if now_ms.abs_diff(found.modified_ms()) < SETTLED_MS {
            sooner(again, SETTLED_MS);
            return false;
        }
        let (path, stamp) = (found.path.clone(), found.stamp);
        let limit = self.sandbox.limits().file_bytes;
        let read = tokio::task::spawn_blocking(move || {
            let bytes = read_unchanged(&path, stamp, limit)?;
            Ok::<_, std::io::Error>(bytes.map(|bytes| (<[u8; 32]>::from(Sha256::digest(&bytes)), bytes)))
        });
        match read.await.map_err(std::io::Error::other).and_then(|read| read) {
            Ok(Some((hash, bytes))) => self.take_in(found, hash, bytes, now_ms).await,
            Ok(None) => {
                sooner(again, SETTLED_MS);
                false
            }
            Err(error) => self.refuse(&found, None, &LoadError::Unreadable(error)),
        }
    }

    async fn take_in(&mut self, found: Found, hash: [u8; 32], bytes: Vec<u8>, now_ms: u64) -> bool {
        let known = self.files.entry(found.name.clone()).or_default();
        known.file = found.path.clone();
        let was_gone = known.gone_since_ms.take().is_some();
        let serves_it = known.adapter.as_ref().is_some_and(|adapter| adapter.sha256() == hex(&hash));
        if serves_it {
            known.stamp = Some(found.stamp);
            known.tried = Some(hash);
            let had_more = known.last_error.take().is_some() | known.candidate.take().is_some();
            return self.publish_if(was_gone || had_more);
        }
        if known.tried == Some(hash) {
            known.stamp = Some(found.stamp);
            return self.publish_if(was_gone);
        }
        let loaded = self.sandbox.load(bytes).await.and_then(|adapter| named(adapter, &found.name));
        let adapter = match loaded {
            Ok(adapter) => adapter,
            Err(error) => return self.refuse(&found, Some(hash), &error),
        };
        match self.admission.judge(&adapter).await {
            Verdict::Serve => self.serve(found, hash, adapter, now_ms),
            Verdict::Wait(reason) => self.hold_back(found, hash, adapter, &reason),
            Verdict::Refuse(reason) => self.refuse(&found, Some(hash), &LoadError::SelfCheck(reason)),
        }
    }

    fn serve(&mut self, found: Found, hash: [u8; 32], adapter: Arc<Adapter>, now_ms: u64) -> bool {
        let description = adapter.description();
        tracing::info!(
            adapter = %found.name,
            version = %description.version,
            sha256 = %adapter.sha256(),
            "loaded"
        );
        self.files.insert(
            found.name,
            Known {
                file: found.path,
                stamp: Some(found.stamp),
                tried: Some(hash),
                adapter: Some(adapter),
                loaded_at_ms: Some(now_ms),
                ..Known::default()
            },
        );
        self.publish_if(true)
    }

    /// Keeps an adapter that may not serve yet, beside the one that does.
    fn hold_back(&mut self, found: Found, hash: [u8; 32], adapter: Arc<Adapter>, reason: &str) -> bool {
        let known = self.files.entry(found.name.clone()).or_default();
        known.file = found.path;
        known.stamp = Some(found.stamp);
        known.tried = Some(hash);
        known.last_error = None;
        known.gone_since_ms = None;
        known.wait(&found.name, adapter, reason);
        self.publish_if(true)
    }

    /// Keeps what served before, and the reason. Without a hash, or if the machine was at fault, the same
    /// file is tried again by a later pass.
    fn refuse(&mut self, found: &Found, hash: Option<[u8; 32]>, error: &LoadError) -> bool {
        let text = clean_text(&with_causes(error), ERROR_CHARS);
        let known = self.files.entry(found.name.clone()).or_default();
        known.file = found.path.clone();
        let was_gone = known.gone_since_ms.take().is_some();
        if !error.is_passing() {
            known.candidate = None;
            known.stamp = Some(found.stamp);
            // The compiler's limits may strike an innocent on a busy machine: touching the file is enough
            // to have it tried again. For all else it takes another content.
            known.tried = hash.filter(|_| !matches!(error, LoadError::Stopped(_)));
        }
        if known.last_error.as_ref() == Some(&text) {
            return self.publish_if(was_gone);
        }
        let serving = known.adapter.is_some();
        tracing::error!(adapter = %found.name, error = %text, still_serving = serving, "refused");
        known.last_error = Some(text);
        self.publish_if(true)
    }

    fn publish_if(&self, changed: bool) -> bool {
        if changed {
            self.publish();
        }
        changed
    }

    fn publish(&self) {
        let entries = self.files.iter().filter_map(|(name, known)| known.entry(name)).collect();
        self.published.replace(Snapshot::new(entries, self.folder_error.clone()));
    }
}

impl Published {
    pub(crate) fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }

    fn replace(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
        self.count.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// An adapter under another name could take over an exchange that its file does not name.
fn named(adapter: Arc<Adapter>, file_stem: &str) -> Result<Arc<Adapter>, LoadError> {
    if adapter.description().exchange == file_stem {
        return Ok(adapter);
    }
    Err(LoadError::Name {
        file_stem: clean_text(file_stem, ERROR_CHARS),
        exchange: adapter.description().exchange.clone(),
    })
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}

fn sooner(again: &mut Option<u64>, in_ms: u64) {
    *again = Some(again.map_or(in_ms, |earlier| earlier.min(in_ms)));
}

/// The system's clock in Unix milliseconds.
pub(crate) fn system_now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

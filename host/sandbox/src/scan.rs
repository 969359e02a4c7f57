//! One pass over the folder: what is there, what changed, what is to be loaded. The truth is the folder's
//! content and its hashes; passing over it again changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::{Id, JoinSet};

use crate::admission::{Admission, Verdict};
use crate::call::Adapter;
use crate::file::hex;
use crate::known::{Candidate, Known};
use crate::listing::{Found, list};
use crate::load::Sandbox;
use crate::load_error::{LoadError, with_causes};
use crate::loading::{Attempt, Loader, Outcome};
use crate::scrub::clean_text;
use crate::snapshot::{Published, Snapshot};

/// A file modified more recently is left for the next pass: somebody may be writing it.
const SETTLED_MS: u64 = 300;

/// How long an adapter serves after its file is gone. 5 s: copying a new one into place takes less.
const GRACE_MS: u64 = 5_000;

/// An error's text in characters, with its cause.
pub(crate) const ERROR_CHARS: usize = 1_000;

/// The folder as of the last pass, and the adapters that came of it.
pub struct FolderScan {
    pub(crate) folder: PathBuf,
    pub(crate) admission: Arc<dyn Admission>,
    pub(crate) files: BTreeMap<String, Known>,
    loader: Loader,
    loads: JoinSet<(Found, Outcome)>,
    /// The names of the files that are being loaded: one load of a name at a time.
    under_way: Vec<(Id, String)>,
    /// Whether a pass left a file alone because of that: then another pass is due.
    passed_over: bool,
    folder_error: Option<String>,
    /// What the operator should know of the folder though nothing is wrong.
    pub(crate) notice: Option<String>,
    published: Arc<Published>,
}

/// A load that has ended, in whatever way.
pub(crate) struct Loaded(Result<(Id, (Found, Outcome)), Id>);

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

impl FolderScan {
    /// A scan of `folder`, which need not exist yet. Nothing is read before the first pass.
    #[must_use]
    pub fn new(folder: &Path, sandbox: Sandbox, admission: Arc<dyn Admission>) -> Self {
        Self {
            folder: folder.to_owned(),
            admission: Arc::clone(&admission),
            files: BTreeMap::new(),
            loader: Loader::new(sandbox, admission),
            loads: JoinSet::new(),
            under_way: vec![],
            folder_error: None,
            notice: None,
            published: Arc::default(),
            passed_over: false,
        }
    }

    /// The snapshot that is current.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.published.current()
    }

    /// Passes over the folder once and loads what changed. `now_ms` is the time in Unix milliseconds.
    pub async fn scan_once(&mut self, now_ms: u64) -> Pass {
        let mut pass = self.begin(now_ms).await;
        while let Some(loaded) = self.next_loaded().await {
            let ended = self.take_in(loaded, now_ms).await;
            pass.changed |= ended.changed;
            if let Some(in_ms) = ended.again_in_ms {
                sooner(&mut pass.again_in_ms, in_ms);
            }
        }
        pass
    }

    /// Looks at the folder, and begins to load what changed in it.
    pub(crate) async fn begin(&mut self, now_ms: u64) -> Pass {
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
            self.look_at(file, now_ms, &mut pass.again_in_ms);
        }
        pass
    }

    /// The next load that ends; `None` if none is under way. Nothing is lost if this is not waited for to the end.
    pub(crate) async fn next_loaded(&mut self) -> Option<Loaded> {
        let ended = self.loads.join_next_with_id().await?;
        Some(Loaded(ended.map_err(|error| error.id())))
    }

    /// Takes in what a load gave. The pass that is answered says whether another is due.
    pub(crate) async fn take_in(&mut self, loaded: Loaded, now_ms: u64) -> Pass {
        let mut pass = Pass { readable: true, ..Pass::default() };
        let (Ok((id, _)) | Err(id)) = &loaded.0;
        self.end_load(*id);
        if std::mem::take(&mut self.passed_over) {
            pass.again_in_ms = Some(0);
        }
        let Ok((_, (found, outcome))) = loaded.0 else {
            // The next pass finds the file unloaded and tries again.
            sooner(&mut pass.again_in_ms, SETTLED_MS);
            return pass;
        };
        pass.changed = match outcome {
            Outcome::Same(hash) => self.same(found, hash),
            Outcome::Unsettled => {
                sooner(&mut pass.again_in_ms, SETTLED_MS);
                false
            }
            Outcome::Failed(hash, error) => self.refuse(&found, hash, &error),
            Outcome::Judged { hash, component, adapter, verdict } => {
                self.obey(
                    found,
                    hash,
                    Candidate { adapter, reason: String::new(), component: Some(component) },
                    verdict,
                    now_ms,
                )
                .await
            }
        };
        pass
    }

    /// Whether anything is being loaded.
    pub(crate) fn is_loading(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Has the snapshot tell what is being loaded, which matters only if it takes long.
    pub(crate) fn show_loading(&mut self) {
        let mut changed = false;
        for (_, name) in &self.under_way {
            let known = self.files.entry(name.clone()).or_default();
            changed |= !known.loading;
            known.loading = true;
            if known.file.as_os_str().is_empty() {
                known.file = self.folder.join(format!("{name}.wasm"));
            }
        }
        self.publish_if(changed);
    }

    /// Asks the admission again about every adapter that serves or waits: what it decides by has changed.
    pub async fn reconsider(&mut self, now_ms: u64) {
        let mut changed = false;
        let mut began = vec![];
        for (name, known) in &mut self.files {
            let outcome = known.reconsider(name, self.admission.as_ref(), now_ms).await;
            changed |= outcome.changed;
            began.push(outcome.began);
        }
        self.publish_if(changed);
        for began in began {
            self.note(began).await;
        }
    }

    /// Tells the admission who has begun to serve.
    pub(crate) async fn note(&self, began: Option<(Arc<Adapter>, Arc<[u8]>)>) {
        if let Some((adapter, component)) = began {
            self.admission.serves(&adapter, &component).await;
        }
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
            if known.held.is_some() {
                // The operator holds the name to a version of its own; what the file was is of no more use.
                changed |= known.candidate.take().is_some() | known.last_error.take().is_some();
                known.tried = None;
                return true;
            }
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

    /// Begins to load one file if it is new or has changed.
    fn look_at(&mut self, found: Found, now_ms: u64, again: &mut Option<u64>) {
        let known = self.files.get(&found.name);
        let is_current = known.is_some_and(|known| known.stamp == Some(found.stamp));
        if is_current {
            return;
        }
        if self.under_way.iter().any(|(_, name)| name == &found.name) {
            self.passed_over = true;
            return;
        }
        if now_ms.abs_diff(found.modified_ms()) < SETTLED_MS {
            sooner(again, SETTLED_MS);
            return;
        }
        let serving = known.and_then(|known| known.adapter.as_ref()).map(|it| it.sha256().to_owned());
        let tried = known.and_then(|known| known.tried);
        let name = found.name.clone();
        let load = self.loads.spawn(self.loader.clone().load(Attempt { found, serving, tried }));
        self.under_way.push((load.id(), name));
    }

    fn end_load(&mut self, id: Id) {
        let Some(at) = self.under_way.iter().position(|(under_way, _)| *under_way == id) else { return };
        let (_, name) = self.under_way.swap_remove(at);
        let known = self.files.get_mut(&name);
        let shown = known.is_some_and(|known| std::mem::take(&mut known.loading));
        self.publish_if(shown);
    }

    /// Takes note that a file's content is what serves, or what was tried before.
    fn same(&mut self, found: Found, hash: [u8; 32]) -> bool {
        let known = self.files.entry(found.name).or_default();
        known.file = found.path;
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
        }
        self.publish_if(was_gone)
    }

    async fn obey(
        &mut self,
        found: Found,
        hash: [u8; 32],
        loaded: Candidate,
        verdict: Verdict,
        now_ms: u64,
    ) -> bool {
        let held = self.files.get(&found.name).and_then(|known| known.held.as_ref());
        let another_is_held = held.filter(|held| !held.is(&hash)).map(|held| held.hold.reason.clone());
        match (verdict, another_is_held) {
            (Verdict::Serve, None) => self.serve(found, hash, loaded, now_ms).await,
            (Verdict::Serve, Some(reason)) | (Verdict::Wait(reason), _) => {
                self.hold_back(found, hash, Candidate { reason, ..loaded })
            }
            (Verdict::Refuse(reason), _) => self.refuse(&found, Some(hash), &LoadError::SelfCheck(reason)),
        }
    }

    async fn serve(&mut self, found: Found, hash: [u8; 32], loaded: Candidate, now_ms: u64) -> bool {
        let Candidate { adapter, component, .. } = loaded;
        let description = adapter.description();
        tracing::info!(
            adapter = %found.name,
            version = %description.version,
            sha256 = %adapter.sha256(),
            "loaded"
        );
        let known = self.files.entry(found.name).or_default();
        let held = known.held.take();
        *known = Known {
            file: found.path,
            stamp: Some(found.stamp),
            tried: Some(hash),
            adapter: Some(Arc::clone(&adapter)),
            held,
            loaded_at_ms: Some(now_ms),
            ..Known::default()
        };
        self.publish();
        self.note(component.map(|component| (adapter, component))).await;
        true
    }

    /// Keeps an adapter that may not serve yet, beside the one that does.
    fn hold_back(&mut self, found: Found, hash: [u8; 32], waits: Candidate) -> bool {
        let known = self.files.entry(found.name.clone()).or_default();
        known.file = found.path;
        known.stamp = Some(found.stamp);
        known.tried = Some(hash);
        known.last_error = None;
        known.gone_since_ms = None;
        known.wait(&found.name, waits);
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

    pub(crate) fn publish_if(&self, changed: bool) -> bool {
        if changed {
            self.publish();
        }
        changed
    }

    pub(crate) fn publish(&self) {
        let entries = self.files.iter().filter_map(|(name, known)| known.entry(name)).collect();
        self.published.replace(Snapshot::new(entries, self.folder_error.clone(), self.notice.clone()));
    }
}

fn sooner(again: &mut Option<u64>, in_ms: u64) {
    *again = Some(again.map_or(in_ms, |earlier| earlier.min(in_ms)));
}

//! What is known of one file of the folder: the adapter that serves, the one that waits, and why.

use std::path::PathBuf;
use std::sync::Arc;

use crate::admission::{Admission, Verdict};
use crate::call::Adapter;
use crate::listing::Stamp;
use crate::scan::ERROR_CHARS;
use crate::scrub::clean_text;
use crate::snapshot::{Entry, EntryState};

/// What is known of one file by its name without `.wasm`.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) file: PathBuf,
    pub(crate) stamp: Option<Stamp>,
    /// The hash of what was tried last; it is not tried again.
    pub(crate) tried: Option<[u8; 32]>,
    pub(crate) adapter: Option<Arc<Adapter>>,
    /// The adapter that waits, and the reason.
    pub(crate) candidate: Option<(Arc<Adapter>, String)>,
    pub(crate) loaded_at_ms: Option<u64>,
    pub(crate) last_error: Option<String>,
    pub(crate) gone_since_ms: Option<u64>,
}

impl Known {
    /// The file as the operator sees it.
    pub(crate) fn entry(&self, name: &str) -> Option<Entry> {
        let state = match (&self.adapter, self.gone_since_ms, &self.candidate, &self.last_error) {
            (Some(_), None, _, _) => EntryState::Serving,
            (Some(_), Some(_), _, _) => EntryState::Leaving,
            (None, _, Some(_), _) => EntryState::Waiting,
            (None, _, None, Some(_)) => EntryState::Refused,
            // Being loaded for the first time.
            (None, _, None, None) => return None,
        };
        let (candidate, waits_because) = self.candidate.clone().unzip();
        Some(Entry {
            name: name.to_owned(),
            file: self.file.clone(),
            state,
            adapter: self.adapter.clone(),
            candidate,
            waits_because,
            last_error: self.last_error.clone(),
            loaded_at_ms: self.loaded_at_ms,
        })
    }

    /// Lets an adapter wait.
    pub(crate) fn wait(&mut self, name: &str, adapter: Arc<Adapter>, reason: &str) {
        let reason = clean_text(reason, ERROR_CHARS);
        let version = &adapter.description().version;
        let serving = self.adapter.is_some();
        tracing::warn!(
            adapter = %name, %version, sha256 = %adapter.sha256(), %reason, another_serves = serving, "waiting"
        );
        self.candidate = Some((adapter, reason));
    }

    /// Asks again about what serves and what waits. Answers whether anything changed.
    pub(crate) async fn reconsider(&mut self, name: &str, admission: &dyn Admission, now_ms: u64) -> bool {
        let mut changed = false;
        if let Some(adapter) = &self.adapter
            && let Verdict::Wait(reason) | Verdict::Refuse(reason) = admission.judge(adapter).await
        {
            let adapter = Arc::clone(adapter);
            self.adapter = None;
            self.loaded_at_ms = None;
            changed = true;
            // A candidate was loaded later: what served goes for good.
            if self.candidate.is_none() {
                self.wait(name, adapter, &reason);
            }
        }
        let Some((adapter, before)) = &self.candidate else { return changed };
        match admission.judge(adapter).await {
            Verdict::Serve => {
                tracing::info!(adapter = %name, sha256 = %adapter.sha256(), "no longer waiting");
                self.adapter = Some(Arc::clone(adapter));
                self.candidate = None;
                self.loaded_at_ms = Some(now_ms);
                self.last_error = None;
                true
            }
            Verdict::Wait(reason) | Verdict::Refuse(reason) if &reason != before => {
                let adapter = Arc::clone(adapter);
                self.wait(name, adapter, &reason);
                true
            }
            Verdict::Wait(_) | Verdict::Refuse(_) => changed,
        }
    }
}

//! What is known of one file of the folder: the adapter that serves, the one that waits, and why.

use std::path::PathBuf;
use std::sync::Arc;

use crate::admission::{Admission, Verdict};
use crate::call::Adapter;
use crate::hold::Held;
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
    pub(crate) candidate: Option<Candidate>,
    /// The version that the operator holds the name to.
    pub(crate) held: Option<Held>,
    pub(crate) loading: bool,
    pub(crate) loaded_at_ms: Option<u64>,
    pub(crate) last_error: Option<String>,
    pub(crate) gone_since_ms: Option<u64>,
}

/// An adapter that waits.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) adapter: Arc<Adapter>,
    pub(crate) reason: String,
    /// Its file, to be kept when it serves; of one that served before it is kept already.
    pub(crate) component: Option<Arc<[u8]>>,
}

/// What asking the admission again led to.
#[derive(Default)]
pub(crate) struct Reconsidered {
    pub(crate) changed: bool,
    /// Who began to serve, with the component, if it is not kept yet.
    pub(crate) began: Option<(Arc<Adapter>, Arc<[u8]>)>,
}

impl Known {
    /// The file as the operator sees it.
    pub(crate) fn entry(&self, name: &str) -> Option<Entry> {
        let state = match (&self.adapter, self.gone_since_ms, &self.candidate, &self.last_error) {
            (Some(_), Some(_), _, _) if self.held.is_none() => EntryState::Leaving,
            (Some(_), _, _, _) => EntryState::Serving,
            (None, _, Some(_), _) => EntryState::Waiting,
            (None, _, None, _) if self.held.is_some() => EntryState::Waiting,
            (None, _, None, Some(_)) => EntryState::Refused,
            (None, _, None, None) if self.loading => EntryState::Loading,
            // Being loaded for the first time.
            (None, _, None, None) => return None,
        };
        let candidate = self.candidate.clone();
        let (candidate, reason) = candidate.map(|waits| (waits.adapter, waits.reason)).unzip();
        let blocked = self.held.as_ref().and_then(|held| held.blocked.clone());
        Some(Entry {
            name: name.to_owned(),
            file: self.file.clone(),
            state,
            adapter: self.adapter.clone(),
            candidate,
            waits_because: blocked.or(reason),
            last_error: self.last_error.clone(),
            held: self.held.as_ref().map(|held| held.hold.reason.clone()),
            loading: self.loading,
            loaded_at_ms: self.loaded_at_ms,
        })
    }

    /// Lets an adapter wait.
    pub(crate) fn wait(&mut self, name: &str, waits: Candidate) {
        let Candidate { adapter, reason, component } = waits;
        let reason = clean_text(&reason, ERROR_CHARS);
        let version = &adapter.description().version;
        let serving = self.adapter.is_some();
        tracing::warn!(
            adapter = %name, %version, sha256 = %adapter.sha256(), %reason, another_serves = serving, "waiting"
        );
        self.candidate = Some(Candidate { adapter, reason, component });
    }

    /// Asks again about what serves and what waits.
    pub(crate) async fn reconsider(
        &mut self,
        name: &str,
        admission: &dyn Admission,
        now_ms: u64,
    ) -> Reconsidered {
        let mut outcome = Reconsidered::default();
        if self.held.is_some() {
            outcome.changed |= self.reconsider_held(admission, now_ms).await;
        } else if let Some(adapter) = &self.adapter
            && let Verdict::Wait(reason) | Verdict::Refuse(reason) = admission.judge(adapter).await
        {
            let adapter = Arc::clone(adapter);
            self.adapter = None;
            self.loaded_at_ms = None;
            outcome.changed = true;
            // A candidate was loaded later: what served goes for good.
            if self.candidate.is_none() {
                self.wait(name, Candidate { adapter, reason, component: None });
            }
        }
        let Some(Candidate { adapter, reason: before, .. }) = &self.candidate else { return outcome };
        let verdict = match (admission.judge(adapter).await, &self.held) {
            (Verdict::Serve, Some(held)) => Verdict::Wait(clean_text(&held.hold.reason, ERROR_CHARS)),
            (verdict, _) => verdict,
        };
        match verdict {
            Verdict::Serve => {
                outcome.changed = true;
                outcome.began = self.begin_candidate(name, now_ms);
            }
            Verdict::Wait(reason) | Verdict::Refuse(reason) if &reason != before => {
                if let Some(waits) = self.candidate.take() {
                    self.wait(name, Candidate { reason, ..waits });
                }
                outcome.changed = true;
            }
            Verdict::Wait(_) | Verdict::Refuse(_) => {}
        }
        outcome
    }

    /// The one that waited serves.
    fn begin_candidate(&mut self, name: &str, now_ms: u64) -> Option<(Arc<Adapter>, Arc<[u8]>)> {
        let Candidate { adapter, component, .. } = self.candidate.take()?;
        tracing::info!(adapter = %name, sha256 = %adapter.sha256(), "no longer waiting");
        self.adapter = Some(Arc::clone(&adapter));
        self.loaded_at_ms = Some(now_ms);
        self.last_error = None;
        Some((adapter, component?))
    }
}

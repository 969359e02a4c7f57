//! Holds: an operator binds a name to one version, and whatever the folder has waits until the name is released.

use std::sync::Arc;

use crate::admission::{Admission, Verdict};
use crate::call::Adapter;
use crate::file::hex;
use crate::known::Known;
use crate::scan::{ERROR_CHARS, FolderScan};
use crate::scrub::clean_text;

/// The version that a name is held to.
#[derive(Clone, Debug)]
pub struct Hold {
    /// The SHA-256 of its component, in lower-case hexadecimal.
    pub sha256: String,
    /// The version, loaded; or why it cannot be. Then nothing serves under the name: the operator took the file in
    /// the folder out of service, and only the operator puts it back.
    pub adapter: Result<Arc<Adapter>, String>,
    /// The sentence that is shown: for what waits, it is the reason.
    pub reason: String,
}

/// A hold in force.
pub(crate) struct Held {
    pub(crate) hold: Hold,
    /// Why the version that is held may not serve.
    pub(crate) blocked: Option<String>,
}

impl Held {
    /// Whether a component of this hash is the version that is held.
    pub(crate) fn is(&self, hash: &[u8; 32]) -> bool {
        self.hold.sha256 == hex(hash)
    }
}

impl FolderScan {
    /// Holds a name to one version, which serves from now on if the admission lets it.
    pub async fn hold(&mut self, name: &str, hold: Hold, now_ms: u64) {
        let file = self.folder.join(format!("{name}.wasm"));
        let known = self.files.entry(name.to_owned()).or_default();
        known.file = file;
        tracing::warn!(adapter = %name, sha256 = %hold.sha256, "held to one version");
        // What serves now is to be loaded afresh when the name is released.
        known.stamp = None;
        known.tried = None;
        known.adapter = None;
        known.held = Some(Held { hold, blocked: None });
        known.reconsider(name, self.admission.as_ref(), now_ms).await;
        self.publish();
    }

    /// Ends a hold. What waited because of it serves; what was held serves on if nothing waits, and has the usual
    /// grace if the folder has no file. Answers whether there was a hold.
    pub async fn release(&mut self, name: &str, now_ms: u64) -> bool {
        let Some(known) = self.files.get_mut(name) else { return false };
        let Some(_) = known.held.take() else { return false };
        tracing::info!(adapter = %name, "no longer held to one version");
        known.gone_since_ms = None;
        let outcome = known.reconsider(name, self.admission.as_ref(), now_ms).await;
        self.publish();
        self.note(outcome.began).await;
        true
    }
}

impl Known {
    /// Asks again about the version that is held. Answers whether anything changed.
    pub(crate) async fn reconsider_held(&mut self, admission: &dyn Admission, now_ms: u64) -> bool {
        let Some(held) = &mut self.held else { return false };
        let verdict = match &held.hold.adapter {
            Ok(adapter) => admission.judge(adapter).await,
            Err(reason) => Verdict::Refuse(reason.clone()),
        };
        let (adapter, blocked) = match verdict {
            Verdict::Serve => (held.hold.adapter.as_ref().ok().cloned(), None),
            Verdict::Wait(reason) | Verdict::Refuse(reason) => (None, Some(clean_text(&reason, ERROR_CHARS))),
        };
        let changed = self.adapter.is_some() != adapter.is_some() || held.blocked != blocked;
        held.blocked = blocked;
        if changed {
            self.loaded_at_ms = adapter.is_some().then_some(now_ms);
            self.adapter = adapter;
        }
        changed
    }
}

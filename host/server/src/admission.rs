//! Which adapters may serve: those that pass the self-check.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::UNIX_EPOCH;

use alp_kit::{Wire, self_check};
use alp_sandbox::{Adapter, Admission, Judging, Sandbox, Verdict};

use crate::cli::ServerWire;

/// Most components that are remembered as right; beyond it they are checked again.
const MAX_REMEMBERED: usize = 10_000;

/// The pool's own admission.
#[derive(Default)]
pub struct PoolAdmission {
    /// Where it is noted which components passed, so that a start need not check them again.
    notes: Option<Sandbox>,
    /// SHA-256 of the components that passed: the same bytes pass again.
    passed: Mutex<BTreeSet<String>>,
}

impl PoolAdmission {
    /// One that notes beside the compiled adapters which of them passed.
    #[must_use]
    pub fn remembering(sandbox: Sandbox) -> Self {
        Self { notes: Some(sandbox), ..Self::default() }
    }

    async fn decide(&self, adapter: &Arc<Adapter>) -> Verdict {
        match self.checked(adapter).await {
            Ok(()) => Verdict::Serve,
            Err(reason) => Verdict::Refuse(reason),
        }
    }

    async fn checked(&self, adapter: &Arc<Adapter>) -> Result<(), String> {
        if self.passed().contains(adapter.sha256()) {
            return Ok(());
        }
        let noted = match &self.notes {
            Some(sandbox) => sandbox.remembers(&passed_here(), adapter).await,
            None => false,
        };
        if !noted {
            let wire: Arc<dyn Wire> = Arc::new(ServerWire);
            self_check(adapter, wire).await?;
            if let Some(sandbox) = &self.notes {
                sandbox.remember(&passed_here(), adapter).await;
            }
        }
        let mut passed = self.passed();
        if passed.len() >= MAX_REMEMBERED {
            passed.clear();
        }
        passed.insert(adapter.sha256().to_owned());
        Ok(())
    }

    fn passed(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission for PoolAdmission {
    fn judge<'a>(&'a self, adapter: &'a Arc<Adapter>) -> Judging<'a> {
        Box::pin(self.decide(adapter))
    }
}

/// The fact that a component passed the self-check of this very program: another build may check more, so its version
/// alone does not do, and neither does the size of the program's file; with the time of its last change they do.
fn passed_here() -> String {
    static FACT: OnceLock<String> = OnceLock::new();
    let fact = || {
        let found = std::env::current_exe().and_then(|program| program.metadata()).ok();
        let size = found.as_ref().map_or(0, std::fs::Metadata::len);
        let changed = found.and_then(|found| found.modified().ok());
        let changed = changed.and_then(|then| then.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        format!("passed the self-check of {} {size} {}", env!("CARGO_PKG_VERSION"), changed.as_nanos())
    };
    FACT.get_or_init(fact).clone()
}

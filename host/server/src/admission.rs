//! Which adapters may serve: those that pass the self-check.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use alp_kit::{Wire, self_check};
use alp_sandbox::{Adapter, Admission, Judging, Verdict};

use crate::cli::ServerWire;

/// Most components that are remembered as right; beyond it they are checked again.
const MAX_REMEMBERED: usize = 10_000;

/// The pool's own admission.
#[derive(Debug, Default)]
pub struct PoolAdmission {
    /// SHA-256 of the components that passed: the same bytes pass again.
    passed: Mutex<BTreeSet<String>>,
}

impl PoolAdmission {
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
        let wire: Arc<dyn Wire> = Arc::new(ServerWire);
        self_check(adapter, wire).await?;
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

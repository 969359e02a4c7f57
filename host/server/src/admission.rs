//! Which adapters may serve: those that pass the self-check and stay within what the operator granted.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::UNIX_EPOCH;

use alp_kit::{Wire, self_check};
use alp_sandbox::{Adapter, Admission, Judging, Sandbox, Verdict};
use arc_swap::ArcSwap;

use crate::app::InForce;
use crate::cli::ServerWire;
use crate::config::Config;
use crate::exchange::covers;

/// Most components that are remembered as right; beyond it they are checked again.
const MAX_REMEMBERED: usize = 10_000;

/// The pool's own admission.
pub struct PoolAdmission {
    /// The configuration that decides, always the one in force.
    in_force: Arc<ArcSwap<InForce>>,
    /// Where it is noted which components passed, so that a start need not check them again.
    notes: Sandbox,
    /// SHA-256 of the components that passed: the same bytes pass again.
    passed: Mutex<BTreeSet<String>>,
}

impl PoolAdmission {
    /// The admission of a pool with this configuration. It notes beside the compiled adapters which of them passed.
    #[must_use]
    pub fn new(in_force: Arc<ArcSwap<InForce>>, notes: Sandbox) -> Self {
        Self { in_force, notes, passed: Mutex::default() }
    }

    async fn decide(&self, adapter: &Arc<Adapter>) -> Verdict {
        match self.checked(adapter).await {
            Ok(()) => match granted(&self.in_force.load().config, adapter) {
                Ok(()) => Verdict::Serve,
                Err(reason) => Verdict::Wait(reason),
            },
            Err(reason) => Verdict::Refuse(reason),
        }
    }

    async fn checked(&self, adapter: &Arc<Adapter>) -> Result<(), String> {
        if self.passed().contains(adapter.sha256()) {
            return Ok(());
        }
        if !self.notes.remembers(&passed_here(), adapter).await {
            let wire: Arc<dyn Wire> = Arc::new(ServerWire);
            self_check(adapter, wire).await?;
            self.notes.remember(&passed_here(), adapter).await;
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

/// Whether the operator lets this adapter serve; if not, why: a sentence.
fn granted(config: &Config, adapter: &Adapter) -> Result<(), String> {
    let (description, exchange) = (adapter.description(), &adapter.description().exchange);
    let settings =
        config.exchanges.get(exchange).ok_or_else(|| "its exchange is not configured".to_owned())?;
    let grant = settings.grant.as_ref().ok_or_else(|| {
        format!(
            "it has no grant: look at it with `alp adapter inspect`, and paste the lines that it prints into \
             exchanges/{exchange}.toml"
        )
    })?;
    covers(grant, description, adapter.sha256()).map_err(|waits| waits.to_string())
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

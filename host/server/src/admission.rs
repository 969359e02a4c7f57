//! Which adapters may serve: those that pass the self-check and stay within what the operator granted.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use alp_kit::{Wire, self_check};
use alp_sandbox::{Adapter, Admission, Judging, Verdict};
use arc_swap::ArcSwap;

use crate::app::InForce;
use crate::cli::ServerWire;
use crate::config::Config;
use crate::exchange::covers;

/// Most components that are remembered as right; beyond it they are checked again.
const MAX_REMEMBERED: usize = 10_000;

/// The pool's own admission.
#[derive(Debug)]
pub struct PoolAdmission {
    /// The configuration that decides, always the one in force.
    in_force: Arc<ArcSwap<InForce>>,
    /// SHA-256 of the components that passed: the same bytes pass again.
    passed: Mutex<BTreeSet<String>>,
}

impl PoolAdmission {
    /// The admission of a pool with this configuration.
    #[must_use]
    pub fn new(in_force: Arc<ArcSwap<InForce>>) -> Self {
        Self { in_force, passed: Mutex::default() }
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

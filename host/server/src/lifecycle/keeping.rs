//! The admission of a running pool: it decides as the pool does, and keeps what has begun to serve.
//! The rules of who may serve it leaves to the admission within.

use std::sync::Arc;

use alp_sandbox::{Adapter, Admission, Judging, Noting};

use super::versions::{Version, Versions};
use crate::app::HostClock;

/// An admission that keeps versions.
pub(super) struct Keeping {
    pub(super) within: Arc<dyn Admission>,
    pub(super) versions: Versions,
    pub(super) clock: HostClock,
}

impl Admission for Keeping {
    fn judge<'a>(&'a self, adapter: &'a Arc<Adapter>) -> Judging<'a> {
        self.within.judge(adapter)
    }

    fn serves<'a>(&'a self, adapter: &'a Arc<Adapter>, component: &'a Arc<[u8]>) -> Noting<'a> {
        Box::pin(async move {
            let name = adapter.description().exchange.clone();
            let version = Version {
                sha256: adapter.sha256().to_owned(),
                version: adapter.description().version.clone(),
                served_from_ms: (self.clock)(),
            };
            let (versions, component, of) = (self.versions.clone(), Arc::clone(component), name.clone());
            let kept = tokio::task::spawn_blocking(move || versions.keep(&of, version, &component)).await;
            match kept {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(adapter = %name, error, "a version could not be kept to go back to");
                }
                Err(error) => tracing::error!(adapter = %name, %error, "a version could not be kept"),
            }
        })
    }
}

//! Reading kept replies again, with the adapter that read them first.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alp_sandbox::types::{Fault, Order, Step};
use alp_sandbox::{Adapter, CallError, LoadError, Sandbox};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{KeptSubmission, SealError, SealingKey, days};
use crate::config::KeepConfig;

/// Largest component that is looked at, in bytes; the sandbox has a limit of its own.
const MAX_COMPONENT_BYTES: u64 = 64 * 1024 * 1024;

/// What the adapter read in replies that were kept.
pub struct Replayed {
    /// What was kept.
    pub kept: KeptSubmission,
    /// The orders.
    pub orders: Vec<Order>,
}

/// Finds and opens what is kept of the replies with this hash: one for each market that they were read for.
///
/// # Errors
/// [`ReplayError`].
pub fn kept_of(config: &KeepConfig, reply_sha256: &str) -> Result<Vec<KeptSubmission>, ReplayError> {
    let key = SealingKey::read(&config.key_file)?;
    let begin = format!("{reply_sha256}.");
    let mut found = Vec::new();
    for (_, day) in days(&config.folder) {
        let unreadable = |source| ReplayError::Unreadable { path: day.clone(), source };
        for entry in fs::read_dir(&day).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if !path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&begin)) {
                continue;
            }
            let unreadable = |source| ReplayError::Unreadable { path: path.clone(), source };
            let opened = key.open(reply_sha256, &fs::read(&path).map_err(unreadable)?)?;
            let kept =
                serde_json::from_slice(&opened).map_err(|error| unreadable(io::Error::other(error)))?;
            found.push(kept);
        }
    }
    if found.is_empty() {
        Err(ReplayError::NotKept { reply_sha256: reply_sha256.to_owned() })
    } else {
        Ok(found)
    }
}

/// Reads what was kept again, with the adapter that read it first: from `component`, or else from among `plugins`.
///
/// # Errors
/// [`ReplayError`].
pub async fn read_again(
    kept: KeptSubmission,
    sandbox: &Sandbox,
    component: Option<&Path>,
    plugins: &Path,
) -> Result<Replayed, ReplayError> {
    let adapter = find_adapter(&kept, sandbox, component, plugins).await?;
    let (submission, state, reply) = kept.to_read_again().ok_or(ReplayError::Nothing)?;
    match adapter.resume(&submission, &state, &reply).await? {
        Ok(Step::Orders(list)) => Ok(Replayed { kept, orders: list.orders }),
        Ok(Step::Send(_) | Step::LookUp(_)) => Err(ReplayError::Goes),
        Err(fault) => Err(ReplayError::Fault(fault)),
    }
}

async fn find_adapter(
    kept: &KeptSubmission,
    sandbox: &Sandbox,
    component: Option<&Path>,
    plugins: &Path,
) -> Result<Arc<Adapter>, ReplayError> {
    let files = match component {
        Some(component) => vec![component.to_owned()],
        None => components_in(plugins)?,
    };
    for path in files {
        let unreadable = |source| ReplayError::Unreadable { path: path.clone(), source };
        if fs::metadata(&path).map_err(unreadable)?.len() > MAX_COMPONENT_BYTES {
            continue;
        }
        let bytes = fs::read(&path).map_err(unreadable)?;
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if digest == kept.adapter_sha256 {
            return Ok(sandbox.load(bytes).await?);
        }
    }
    Err(ReplayError::NoAdapter { sha256: kept.adapter_sha256.clone() })
}

fn components_in(plugins: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let unreadable = |source| ReplayError::Unreadable { path: plugins.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(plugins).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    Ok(files)
}

/// Why replies cannot be read again. The operator's.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The key.
    #[error(transparent)]
    Key(#[from] super::KeyError),
    /// A file or folder.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing of that hash.
    #[error("no replies with the hash {reply_sha256} are kept: their days are over, or they were dropped")]
    NotKept {
        /// The hash.
        reply_sha256: String,
    },
    /// Another key.
    #[error("a kept file cannot be opened")]
    Sealed(#[from] SealError),
    /// The component is not there.
    #[error("no component with the sha256 {sha256} is there: name its file with --adapter")]
    NoAdapter {
        /// Its hash.
        sha256: String,
    },
    /// The component does not load.
    #[error("the component does not load")]
    Load(#[from] LoadError),
    /// The component failed.
    #[error("the component failed")]
    Call(#[from] CallError),
    /// No signed reply was kept.
    #[error("no signed reply was kept of this submission")]
    Nothing,
    /// The adapter wanted more than was kept.
    #[error(
        "the adapter asks for more instead of reading the reply: it needs what is never kept of a submission"
    )]
    Goes,
    /// The adapter had a fault.
    #[error("the adapter finds fault with the reply: {0:?}")]
    Fault(Fault),
}

//! Loading one file of the folder: read, hashed, compiled, judged. It knows nothing of what serves but its hash.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::admission::{Admission, Verdict};
use crate::call::Adapter;
use crate::file::hex;
use crate::listing::{Found, read_unchanged};
use crate::load::Sandbox;
use crate::load_error::LoadError;
use crate::scrub::clean_text;

/// The name of an exchange that a file claims, in characters.
const NAME_CHARS: usize = 200;

/// Files that may be loaded at a time beyond one for each core. 2: as many may wait for their compiler's process.
const WAITING_FOR_COMPILERS: usize = 2;

/// A file to be loaded.
pub(crate) struct Attempt {
    pub(crate) found: Found,
    /// The SHA-256 of what serves under its name; the same content need not be loaded.
    pub(crate) serving: Option<String>,
    /// The hash of what was tried last, which need not be tried again.
    pub(crate) tried: Option<[u8; 32]>,
}

/// What came of it.
pub(crate) enum Outcome {
    /// The content is one that need not be loaded.
    Same([u8; 32]),
    /// Somebody wrote to the file meanwhile.
    Unsettled,
    /// It loaded, and the admission decided about it.
    Judged { hash: [u8; 32], component: Arc<[u8]>, adapter: Arc<Adapter>, verdict: Verdict },
    /// It did not load.
    Failed(Option<[u8; 32]>, LoadError),
}

/// What every attempt of a folder shares.
#[derive(Clone)]
pub(crate) struct Loader {
    pub(crate) sandbox: Sandbox,
    pub(crate) admission: Arc<dyn Admission>,
    turns: Arc<Semaphore>,
}

impl Loader {
    pub(crate) fn new(sandbox: Sandbox, admission: Arc<dyn Admission>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let turns = Arc::new(Semaphore::new(cores.saturating_add(WAITING_FOR_COMPILERS)));
        Self { sandbox, admission, turns }
    }

    pub(crate) async fn load(self, attempt: Attempt) -> (Found, Outcome) {
        let Attempt { found, serving, tried } = attempt;
        let outcome = self.outcome(&found, serving, tried).await;
        (found, outcome)
    }

    async fn outcome(&self, found: &Found, serving: Option<String>, tried: Option<[u8; 32]>) -> Outcome {
        let failed = |error| Outcome::Failed(None, LoadError::Unreadable(error));
        let _turn = match self.turns.acquire().await {
            Ok(turn) => turn,
            Err(error) => return failed(std::io::Error::other(error)),
        };
        let (path, stamp) = (found.path.clone(), found.stamp);
        let limit = self.sandbox.limits().file_bytes;
        let read = tokio::task::spawn_blocking(move || {
            let bytes = read_unchanged(&path, stamp, limit)?;
            Ok::<_, std::io::Error>(bytes.map(|bytes| (<[u8; 32]>::from(Sha256::digest(&bytes)), bytes)))
        });
        let (hash, component) = match read.await {
            Ok(Ok(Some((hash, bytes)))) => (hash, Arc::<[u8]>::from(bytes)),
            Ok(Ok(None)) => return Outcome::Unsettled,
            Ok(Err(error)) => return failed(error),
            Err(error) => return failed(std::io::Error::other(error)),
        };
        if serving.is_some_and(|serving| serving == hex(&hash)) || tried == Some(hash) {
            return Outcome::Same(hash);
        }
        let loaded = self.sandbox.load(Arc::clone(&component)).await;
        match loaded.and_then(|adapter| named(adapter, &found.name)) {
            Ok(adapter) => {
                let verdict = self.admission.judge(&adapter).await;
                Outcome::Judged { hash, component, adapter, verdict }
            }
            Err(error) => Outcome::Failed(Some(hash), error),
        }
    }
}

/// The adapter, if its file has the right name: an adapter under another name could take over an exchange that its
/// file does not name.
///
/// # Errors
/// [`LoadError::Name`].
pub fn named(adapter: Arc<Adapter>, file_stem: &str) -> Result<Arc<Adapter>, LoadError> {
    if adapter.description().exchange == file_stem {
        return Ok(adapter);
    }
    Err(LoadError::Name {
        file_stem: clean_text(file_stem, NAME_CHARS),
        exchange: adapter.description().exchange.clone(),
    })
}

//! Public replies of exchanges, kept for as long as the adapter allows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use alp_sandbox::types::Reply;

/// Most replies that are kept: a few for each exchange.
const MAX_KEPT: usize = 256;

/// Longest time for which any reply is kept, whatever an adapter says.
const MAX_AGE: Duration = Duration::from_secs(24 * 3600);

/// The replies.
#[derive(Debug, Default)]
pub struct LookUps(Mutex<BTreeMap<String, (u64, Reply)>>);

impl LookUps {
    /// The reply to this look-up, if it is still fresh at this instant (Unix milliseconds).
    pub fn get(&self, key: &str, now_ms: u64) -> Option<Reply> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|(until, _)| now_ms < *until).map(|(_, reply)| reply.clone())
    }

    /// Keeps a reply that succeeded. When there are too many, the one that ends first goes.
    pub fn keep(&self, key: String, reply: Reply, now_ms: u64, kept_for: Duration) {
        if reply.status != 200 {
            return;
        }
        let age_ms = u64::try_from(kept_for.min(MAX_AGE).as_millis()).unwrap_or(0);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(key, (now_ms.saturating_add(age_ms), reply));
        kept.retain(|_, (until, _)| now_ms < *until);
        if kept.len() > MAX_KEPT {
            let first = kept.iter().min_by_key(|(_, (until, _))| *until).map(|(key, _)| key.clone());
            first.and_then(|key| kept.remove(&key));
        }
    }
}

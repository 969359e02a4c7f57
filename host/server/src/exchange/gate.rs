//! How many submissions may wait for one exchange: a slow one fills its own queue and nobody else's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The entrance to one exchange.
#[derive(Debug)]
pub struct Gate {
    /// One permit for each call under way.
    calls: Arc<Semaphore>,
    /// One permit for each submission that is under way or waits.
    places: Arc<Semaphore>,
    concurrent: usize,
    waiting: usize,
}

impl Gate {
    /// A gate for so many calls at a time and so many submissions that wait.
    #[must_use]
    pub fn new(concurrent: usize, waiting: usize) -> Self {
        let places = concurrent.saturating_add(waiting).min(Semaphore::MAX_PERMITS);
        Self {
            calls: Arc::new(Semaphore::new(concurrent)),
            places: Arc::new(Semaphore::new(places)),
            concurrent,
            waiting,
        }
    }

    /// Waits for a turn, in order of arrival. The turn ends when what is returned is dropped.
    ///
    /// # Errors
    /// [`GateClosed::Full`] at once if too many wait; [`GateClosed::TooLong`] after `patience`.
    pub async fn enter(&self, patience: Duration) -> Result<Turn, GateClosed> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| GateClosed::Full)?;
        let turn = tokio::time::timeout(patience, Arc::clone(&self.calls).acquire_owned());
        match turn.await {
            Ok(Ok(call)) => Ok(Turn { _call: call, _place: place }),
            Ok(Err(_)) | Err(_) => Err(GateClosed::TooLong),
        }
    }
}

/// A turn at an exchange.
#[derive(Debug)]
pub struct Turn {
    _call: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

/// Why there is no turn. Nobody's fault: the bot comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GateClosed {
    /// Too many wait already.
    #[error("too many submissions are waiting for it")]
    Full,
    /// The wait would outlive the signed request.
    #[error("it is too slow to take more submissions")]
    TooLong,
}

/// The gates of all exchanges, made when first needed and made anew when their configuration changes.
#[derive(Debug, Default)]
pub struct Gates(Mutex<BTreeMap<String, Arc<Gate>>>);

impl Gates {
    /// The gate of one exchange. Callers name configured exchanges only, so there are never more than those.
    pub fn of(&self, exchange: &str, concurrent: usize, waiting: usize) -> Arc<Gate> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get(exchange)
            && (gate.concurrent, gate.waiting) == (concurrent, waiting)
        {
            return Arc::clone(gate);
        }
        let gate = Arc::new(Gate::new(concurrent, waiting));
        gates.insert(exchange.to_owned(), Arc::clone(&gate));
        gate
    }
}

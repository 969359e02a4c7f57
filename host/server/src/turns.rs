//! One request of an API key at a time, in the order of arrival: requests that overtake each other on their way would
//! reach the exchange with falling nonces. Knows neither what is asked nor where.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;

/// Most submissions of one LP that wait for the one before them: TLLP queued as many, and a bot waits for its answer.
pub const MAX_WAITING: usize = 10;

/// The lines of all LPs that have a submission under way. There are never more than connections.
#[derive(Debug, Default)]
pub struct Turns(Mutex<BTreeMap<i64, Line>>);

/// Those of one LP.
#[derive(Debug, Default)]
struct Line {
    turn: Arc<tokio::sync::Mutex<()>>,
    inside: usize,
}

impl Turns {
    /// Waits for the turn of an LP, who is on one exchange with one key. It ends when what is returned is dropped.
    ///
    /// # Errors
    /// [`NoTurn`] at once if too many wait, or after `patience`.
    pub async fn enter(&self, lp_id: i64, patience: Duration) -> Result<Turn<'_>, NoTurn> {
        // Dropped on the way, such as when the bot hangs up, it leaves the line as well.
        let (place, turn) = self.place(lp_id)?;
        let turn = tokio::time::timeout(patience, turn.lock_owned()).await.map_err(|_| NoTurn::TooLong)?;
        Ok(Turn { _turn: turn, _place: place })
    }

    /// How many LPs have a submission under way.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many submissions are under way or wait.
    #[must_use]
    pub fn submissions(&self) -> usize {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.values().map(|line| line.inside).sum()
    }

    fn place(&self, lp_id: i64) -> Result<(Place<'_>, Arc<tokio::sync::Mutex<()>>), NoTurn> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(lp_id).or_default();
        if line.inside > MAX_WAITING {
            return Err(NoTurn::Full);
        }
        line.inside = line.inside.saturating_add(1);
        Ok((Place { turns: self, lp_id }, Arc::clone(&line.turn)))
    }
}

/// An LP's turn.
#[derive(Debug)]
pub struct Turn<'t> {
    // The fields are dropped in this order: the next one's turn begins before this one's place is given up.
    _turn: tokio::sync::OwnedMutexGuard<()>,
    _place: Place<'t>,
}

#[derive(Debug)]
struct Place<'t> {
    turns: &'t Turns,
    lp_id: i64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut lines = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get_mut(&self.lp_id) {
            line.inside = line.inside.saturating_sub(1);
            if line.inside == 0 {
                lines.remove(&self.lp_id);
            }
        }
    }
}

/// Why there is no turn. The bot's: it posts more than its requests take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoTurn {
    /// Too many wait.
    #[error("{MAX_WAITING} submissions of this key wait for the one before them: post one after the other")]
    Full,
    /// The wait would outlive the signed request.
    #[error("the submissions of this key before this one take too long: post one after the other")]
    TooLong,
}

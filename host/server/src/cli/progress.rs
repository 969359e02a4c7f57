//! Long work shows on a terminal how far it is.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How wide the bar is, in characters.
const BAR: u64 = 40;

/// How often it is drawn at most.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// A line on the terminal that is drawn over. Nothing where there is no terminal.
pub(super) struct Bar(Option<Mutex<Drawn>>);

#[derive(Default)]
struct Drawn {
    at: Option<Instant>,
    what: String,
}

impl Bar {
    /// A bar, if somebody looks.
    pub(super) fn new() -> Self {
        Self(std::io::stderr().is_terminal().then(Mutex::default))
    }

    /// Draws how much of something is done; `all` is zero where nobody knows how much there is.
    pub(super) fn draw(&self, what: &str, done: u64, all: u64, unit: &str) {
        let Some(drawn) = &self.0 else { return };
        let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = drawn.what == what && drawn.at.is_some_and(|at| at.elapsed() < DRAW_EVERY);
        if fresh && done != all {
            return;
        }
        if drawn.what != what {
            if !drawn.what.is_empty() {
                let _ = writeln!(std::io::stderr());
            }
            what.clone_into(&mut drawn.what);
        }
        drawn.at = Some(Instant::now());
        let text = if all == 0 {
            format!("{what}: {done} {unit}")
        } else {
            let filled = done.saturating_mul(BAR).checked_div(all).unwrap_or(BAR);
            let bar: String = (0..BAR).map(|at| if at < filled { '#' } else { '.' }).collect();
            format!("{what}: {bar} {done} of {all} {unit}")
        };
        let _ = write!(std::io::stderr(), "\r{text}");
    }

    /// Leaves the line as it is, and begins a new one.
    pub(super) fn end(&self) {
        let Some(drawn) = &self.0 else { return };
        let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if !drawn.what.is_empty() {
            drawn.what.clear();
            let _ = writeln!(std::io::stderr());
        }
    }
}

//! Numbered and named points before and after each write, and each call to somebody else, of a round or a payout. A test
//! stops the work at one of them, or watches it pass; the program `alp` hands in none, and has no way to stop itself here.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

/// On which side of a write or a call a point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It is about to be done.
    Before,
    /// It was done, and nothing follows from it yet.
    After,
}

/// Who is told that work passes a point, and may stop it there.
type Watch = dyn Fn(&str, Moment) -> Result<(), Stopped> + Send + Sync;

/// What a test has handed in: nothing, as a rule.
#[derive(Clone, Default)]
pub struct FailAt(Option<Arc<Watch>>);

/// A test stopped the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a test stopped the work at this point")]
pub struct Stopped;

impl FailAt {
    /// Stops at the point of this number, the first of which is zero, and at every later one.
    #[must_use]
    pub fn point(number: u64) -> Self {
        let passed = AtomicU64::new(0);
        Self::watched(
            move |_, _| {
                if passed.fetch_add(1, Ordering::SeqCst) >= number { Err(Stopped) } else { Ok(()) }
            },
        )
    }

    /// Asks at every point, by the name of the step and the side of it.
    #[must_use]
    pub fn watched(watch: impl Fn(&str, Moment) -> Result<(), Stopped> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(watch)))
    }

    /// Does a write or a call between its two points.
    pub(crate) async fn around<T>(&self, step: &str, work: impl Future<Output = T>) -> Result<T, Stopped> {
        self.pass(step, Moment::Before)?;
        let done = work.await;
        self.pass(step, Moment::After)?;
        Ok(done)
    }

    /// Passes one point.
    pub(crate) fn pass(&self, step: &str, moment: Moment) -> Result<(), Stopped> {
        match &self.0 {
            Some(watch) => watch(step, moment),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for FailAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FailAt").field(&self.0.is_some()).finish()
    }
}

//! What an adapter was asked and answered in one submission, recorded while a candidate runs beside it.
//! It knows nothing of what becomes of the submission.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use alp_sandbox::types::{Fault, Reply, Started, Step, Submission};
use alp_sandbox::{Adapter, CallError};

use super::Shadow;
use super::compare::Answer;

/// An adapter as one submission uses it: the same from start to end, whatever happens to the folder meanwhile.
/// When this is dropped, at the end of the submission, what was recorded goes to the candidate; that never waits.
pub struct Recording {
    adapter: Arc<Adapter>,
    tape: Option<(Arc<Shadow>, Mutex<Option<Trace>>)>,
}

/// One submission with everything that the adapter answered.
pub(super) struct Trace {
    pub(super) submission: Submission,
    pub(super) started: Answer<Started>,
    pub(super) steps: Vec<(Reply, Answer<Step>)>,
}

impl Recording {
    /// Uses an adapter, and records for a candidate if there is one.
    #[must_use]
    pub fn new(adapter: Arc<Adapter>, shadow: Option<Arc<Shadow>>) -> Self {
        Self { adapter, tape: shadow.map(|shadow| (shadow, Mutex::default())) }
    }

    /// As [`Adapter::start`].
    ///
    /// # Errors
    /// As [`Adapter::start`].
    pub async fn start(&self, submission: &Submission) -> Result<Result<Started, Fault>, CallError> {
        let answer = self.adapter.start(submission).await;
        if let Some((_, trace)) = &self.tape {
            let (submission, started) = (submission.clone(), recorded(&answer));
            let trace = &mut *trace.lock().unwrap_or_else(PoisonError::into_inner);
            *trace = Some(Trace { submission, started, steps: Vec::new() });
        }
        answer
    }

    /// As [`Adapter::resume`].
    ///
    /// # Errors
    /// As [`Adapter::resume`].
    pub async fn resume(
        &self,
        submission: &Submission,
        state: &[u8],
        reply: &Reply,
    ) -> Result<Result<Step, Fault>, CallError> {
        let answer = self.adapter.resume(submission, state, reply).await;
        if let Some((_, trace)) = &self.tape
            && let Some(trace) = &mut *trace.lock().unwrap_or_else(PoisonError::into_inner)
        {
            trace.steps.push((reply.clone(), recorded(&answer)));
        }
        answer
    }
}

impl Deref for Recording {
    type Target = Adapter;

    fn deref(&self) -> &Adapter {
        &self.adapter
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Some((shadow, trace)) = self.tape.take()
            && let Some(trace) = trace.into_inner().unwrap_or_else(PoisonError::into_inner)
        {
            shadow.offer(trace);
        }
    }
}

impl Trace {
    /// About how much memory it takes, in bytes: replies and the submission's texts.
    pub(super) fn size(&self) -> usize {
        let replies = self.steps.iter().map(|(reply, _)| reply.body.len());
        replies.fold(self.submission.sign.len(), usize::saturating_add)
    }
}

fn recorded<T: Clone>(answer: &Result<Result<T, Fault>, CallError>) -> Answer<T> {
    answer.clone().map_err(|_| ())
}

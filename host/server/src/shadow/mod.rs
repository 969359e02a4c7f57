//! Candidates that run beside the adapter in service: on the same submissions and replies, after the bot was answered.
//! Nothing that a candidate asks for is ever sent, and no submission waits for one.

mod compare;
mod recording;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use alp_sandbox::types::{Started, Step};
use alp_sandbox::{Adapter, CallError};
use tokio::sync::mpsc;

use compare::Answer;
pub use recording::Recording;
use recording::Trace;

use crate::wire::Tree;

/// Most candidates at a time: an operator watches one or two. Each keeps its component in memory.
const MAX_SHADOWS: usize = 8;

/// Submissions that wait for a candidate; more are dropped and counted.
const QUEUE: usize = 64;

/// What those may take together, in bytes: a few of the largest replies.
const QUEUE_BYTES: usize = 16 * 1024 * 1024;

/// How many differences are shown, the last ones.
const DIFFERENCES: usize = 10;

/// The candidates by name.
#[derive(Default)]
pub struct Shadows(Mutex<BTreeMap<String, Arc<Shadow>>>);

/// One candidate.
pub struct Shadow {
    adapter: Arc<Adapter>,
    component: Arc<[u8]>,
    since_ms: u64,
    queue: mpsc::Sender<Trace>,
    count: Arc<Count>,
}

/// What came of it so far.
#[derive(Default)]
struct Count {
    tally: Mutex<Tally>,
    queued_bytes: AtomicUsize,
}

#[derive(Clone, Default)]
struct Tally {
    same: u64,
    different: u64,
    failed: u64,
    dropped: u64,
    last: VecDeque<String>,
}

enum Compared {
    Same,
    Different(String),
    Failed(String),
}

impl Shadows {
    /// The candidate beside an adapter.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<Arc<Shadow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Begins a candidate, in place of another of this name.
    ///
    /// # Errors
    /// A sentence, if there are too many.
    pub fn put(&self, name: &str, shadow: Arc<Shadow>) -> Result<(), String> {
        let mut shadows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shadows.len() >= MAX_SHADOWS && !shadows.contains_key(name) {
            return Err(format!("{MAX_SHADOWS} candidates run already: stop one first"));
        }
        shadows.insert(name.to_owned(), shadow);
        Ok(())
    }

    /// Ends a candidate.
    pub fn stop(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

impl Shadow {
    /// Starts a candidate. It ends when it is dropped by everybody.
    #[must_use]
    pub fn start(adapter: Arc<Adapter>, component: Arc<[u8]>, since_ms: u64) -> Arc<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let count = Arc::<Count>::default();
        tokio::spawn(work(Arc::clone(&adapter), waiting, Arc::clone(&count)));
        Arc::new(Self { adapter, component, since_ms, queue, count })
    }

    /// The candidate.
    #[must_use]
    pub fn adapter(&self) -> &Arc<Adapter> {
        &self.adapter
    }

    /// Its component's bytes.
    #[must_use]
    pub fn component(&self) -> &Arc<[u8]> {
        &self.component
    }

    /// How it compares, as text for the operator.
    #[must_use]
    pub fn report(&self) -> String {
        let Tally { same, different, failed, dropped, last } = self.count.tally().clone();
        let version = &self.adapter.description().version;
        let mut text = format!(
            "candidate {version}: {same} the same, {different} different, {failed} failed, {dropped} not compared\n"
        );
        for difference in last {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {difference}");
        }
        text
    }

    /// How it compares, for `GET /adapters`.
    pub(crate) fn shown(&self) -> Tree {
        let Tally { same, different, failed, dropped, last } = self.count.tally().clone();
        Tree::object([
            ("version", Tree::text(&self.adapter.description().version)),
            ("sha256", Tree::text(self.adapter.sha256())),
            ("since_ms", Tree::whole(self.since_ms)),
            ("same", Tree::whole(same)),
            ("different", Tree::whole(different)),
            ("failed", Tree::whole(failed)),
            ("not_compared", Tree::whole(dropped)),
            ("last_differences", Tree::List(last.into_iter().map(Tree::Text).collect())),
        ])
    }

    /// Queues a submission, or counts it as dropped. Never waits.
    fn offer(&self, trace: Trace) {
        let size = trace.size();
        let queued = self.count.queued_bytes.fetch_add(size, Ordering::SeqCst);
        let fits = queued.saturating_add(size) <= QUEUE_BYTES;
        if !fits || self.queue.try_send(trace).is_err() {
            self.count.queued_bytes.fetch_sub(size, Ordering::SeqCst);
            let mut tally = self.count.tally();
            tally.dropped = tally.dropped.saturating_add(1);
        }
    }
}

impl Count {
    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, compared: Compared) {
        let mut tally = self.tally();
        let (number, text) = match compared {
            Compared::Same => (&mut tally.same, None),
            Compared::Different(part) => (&mut tally.different, Some(format!("different: {part}"))),
            Compared::Failed(why) => (&mut tally.failed, Some(format!("failed: {why}"))),
        };
        *number = number.saturating_add(1);
        if let Some(text) = text {
            tally.last.push_back(text);
            if tally.last.len() > DIFFERENCES {
                tally.last.pop_front();
            }
        }
    }
}

/// Gives each submission to the candidate, one after the other, so that it takes one call's turn at most.
async fn work(adapter: Arc<Adapter>, mut waiting: mpsc::Receiver<Trace>, count: Arc<Count>) {
    while let Some(trace) = waiting.recv().await {
        let size = trace.size();
        let compared = replay(&adapter, &trace).await;
        count.queued_bytes.fetch_sub(size, Ordering::SeqCst);
        count.note(compared);
    }
}

/// Has the candidate do what the adapter in service did, up to the first difference.
async fn replay(candidate: &Adapter, trace: &Trace) -> Compared {
    let (started, broke) = answered(candidate.start(&trace.submission).await);
    if let Some(part) = compare::started(&trace.started, &started) {
        return unlike("start", part, broke);
    }
    let mut state = state_of(started.ok().and_then(Result::ok).map(|started: Started| started.step));
    for (number, (reply, expected)) in trace.steps.iter().enumerate() {
        let Some(before) = state else { break };
        let (answer, broke) = answered(candidate.resume(&trace.submission, &before, reply).await);
        if let Some(part) = compare::step(expected, &answer) {
            return unlike(&format!("reply {}", number.saturating_add(1)), part, broke);
        }
        state = state_of(answer.ok().and_then(Result::ok));
    }
    Compared::Same
}

fn unlike(when: &str, part: String, broke: Option<String>) -> Compared {
    match broke {
        Some(why) => Compared::Failed(format!("{when}: {why}")),
        None => Compared::Different(format!("{when}: {part}")),
    }
}

/// The answer, and why the candidate broke if it did.
fn answered<T>(
    answer: Result<Result<T, alp_sandbox::types::Fault>, CallError>,
) -> (Answer<T>, Option<String>) {
    match answer {
        Ok(answer) => (Ok(answer), None),
        Err(error) => (Err(()), Some(error.to_string())),
    }
}

fn state_of(step: Option<Step>) -> Option<Vec<u8>> {
    match step {
        Some(Step::Send(pending)) => Some(pending.state),
        Some(Step::LookUp(look_up)) => Some(look_up.state),
        Some(Step::Orders(_)) | None => None,
    }
}

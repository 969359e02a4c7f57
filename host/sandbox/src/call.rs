//! A loaded adapter and its calls: one call, one fresh instance, so nothing of one caller reaches the next.

use std::fmt::{Debug, Display, Formatter};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::Semaphore;
use wasmtime::component::{ComponentNamedList, Lift, Lower};
use wasmtime::{Store, Trap};

use crate::engine::{Guest, Runtime};
use crate::limits::Limits;
use crate::reply_check;
use crate::scrub::clean_text;
use crate::types::{Description, Fault, Reply, SignQuery, Signed, Started, Step, Submission};
use crate::v1::Exports;
use crate::v1::signature::{Describe, Described, Resume, ResumeAnswer, Sign, SignAnswer, Start, StartAnswer};

/// The engine's words when an answer is larger than `Limits::answer_bytes`; it has no type for it.
const ANSWER_TOO_LARGE: &str = "fuel allocated for hostcalls has been exhausted";

/// An adapter that was compiled, checked and asked who it is.
pub struct Adapter {
    runtime: Arc<Runtime>,
    exports: Exports,
    /// As many permits as one adapter may have calls running.
    turns: Semaphore,
    /// Whether its last call ran for longer than a tick.
    slow: AtomicBool,
    description: Description,
    sha256: String,
    size_bytes: u64,
    wit_version: String,
    load_ms: u64,
}

impl Adapter {
    /// What the adapter says about itself: checked, and its texts made fit for printing.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The SHA-256 of the component's file, in lower-case hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The version of the contract that it was built with, such as `1.0.0`.
    #[must_use]
    pub fn wit_version(&self) -> &str {
        &self.wit_version
    }

    /// The size of the component's file in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// How long loading it took in milliseconds, compiling included if it was not compiled before: some hundred for
    /// an adapter in Rust, some thousand for one that carries an interpreter.
    #[must_use]
    pub fn load_ms(&self) -> u64 {
        self.load_ms
    }

    /// Signs the request for open orders. For an LP's own machine and for tests: it takes the secret.
    ///
    /// # Errors
    /// [`CallError`] if the adapter broke or exceeded a limit; the inner `Fault` is its own refusal.
    pub async fn sign(&self, query: &SignQuery) -> Result<Result<Signed, Fault>, CallError> {
        let (answer,): SignAnswer = self.call::<Sign<'_>, _>(Function::Sign, (query,)).await?;
        self.checked(Function::Sign, answer, reply_check::signed)
    }

    /// Checks a submission and says what to send first.
    ///
    /// # Errors
    /// As [`Adapter::sign`].
    pub async fn start(&self, submission: &Submission) -> Result<Result<Started, Fault>, CallError> {
        let (answer,): StartAnswer = self.call::<Start<'_>, _>(Function::Start, (submission,)).await?;
        self.checked(Function::Start, answer, reply_check::started)
    }

    /// Takes the reply to the step before and says what comes next. `state` is that step's own.
    ///
    /// # Errors
    /// As [`Adapter::sign`].
    pub async fn resume(
        &self,
        submission: &Submission,
        state: &[u8],
        reply: &Reply,
    ) -> Result<Result<Step, Fault>, CallError> {
        let arguments = (submission, state, reply);
        let (answer,): ResumeAnswer = self.call::<Resume<'_>, _>(Function::Resume, arguments).await?;
        self.checked(Function::Resume, answer, reply_check::step)
    }

    pub(crate) fn new(
        runtime: Arc<Runtime>,
        exports: Exports,
        description: Description,
        identity: Identity,
    ) -> Self {
        let turns = runtime.limits.concurrent_calls_per_adapter.max(1);
        let turns = usize::try_from(turns).unwrap_or(1);
        let Identity { sha256, size_bytes, wit_version, load_ms } = identity;
        let turns = Semaphore::new(turns);
        let slow = AtomicBool::new(false);
        Self { runtime, exports, turns, slow, description, sha256, size_bytes, wit_version, load_ms }
    }

    async fn call<P, R>(&self, function: Function, arguments: P) -> Result<R, CallError>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        // The adapter's own turn first: whoever waits for it must not hold a slot that others could use.
        let _turn = self.turns.acquire().await.map_err(|_| self.error(function, closed()))?;
        call_export(&self.runtime, &self.exports, function, arguments, &self.slow)
            .await
            .map_err(|failure| self.error(function, failure))
    }

    fn checked<T>(
        &self,
        function: Function,
        answer: Result<T, Fault>,
        check: impl FnOnce(&mut T, &Limits) -> Result<(), CallFailure>,
    ) -> Result<Result<T, Fault>, CallError> {
        let limits = &self.runtime.limits;
        match answer {
            Ok(mut value) => {
                check(&mut value, limits).map(|()| Ok(value)).map_err(|failure| self.error(function, failure))
            }
            Err(fault) => Ok(Err(reply_check::fault(fault, limits))),
        }
    }

    fn error(&self, function: Function, failure: CallFailure) -> CallError {
        CallError {
            adapter: self.description.exchange.clone(),
            version: self.description.version.clone(),
            function,
            failure,
        }
    }
}

impl Debug for Adapter {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adapter")
            .field("exchange", &self.description.exchange)
            .field("version", &self.description.version)
            .field("sha256", &self.sha256)
            .finish_non_exhaustive()
    }
}

/// Which file an adapter was made from.
pub(crate) struct Identity {
    pub(crate) sha256: String,
    pub(crate) size_bytes: u64,
    pub(crate) wit_version: String,
    pub(crate) load_ms: u64,
}

/// A function of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `describe`.
    Describe,
    /// `sign`.
    Sign,
    /// `start`.
    Start,
    /// `resume`.
    Resume,
}

impl Function {
    /// The name in the contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Describe => "describe",
            Self::Sign => "sign",
            Self::Start => "start",
            Self::Resume => "resume",
        }
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A call that gave no answer. The adapter's author must act; to the bot it is "try again later".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{adapter} {version}: {function}: {failure}")]
pub struct CallError {
    /// The exchange's id.
    pub adapter: String,
    /// The adapter's own version.
    pub version: String,
    /// The function that was called.
    pub function: Function,
    /// What went wrong.
    pub failure: CallFailure,
}

/// What went wrong in a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// It ran longer than it may.
    #[error("took longer than {limit_ms} ms")]
    Time {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// It asked for more memory than it may have, and then gave up.
    #[error("wanted more than {limit_bytes} bytes of memory")]
    Memory {
        /// The limit in bytes.
        limit_bytes: usize,
    },
    /// It asked for a larger table than it may have, and then gave up.
    #[error("wanted more than {limit_elements} elements in a table")]
    Table {
        /// The limit in elements.
        limit_elements: usize,
    },
    /// It recursed too deeply.
    #[error("used more than {limit_bytes} bytes of stack")]
    Stack {
        /// The limit in bytes.
        limit_bytes: usize,
    },
    /// Its answer was larger than the host takes.
    #[error("answered more than {limit_bytes} bytes")]
    AnswerSize {
        /// The limit in bytes.
        limit_bytes: usize,
    },
    /// One part of its answer was larger than the host takes.
    #[error("answered {count} {what}, more than {limit}")]
    TooMuch {
        /// What there was too much of, in the plural.
        what: &'static str,
        /// How many there were.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// It stopped itself: a panic, an access outside its memory, a division by zero. The engine's words.
    #[error("stopped: {0}")]
    Trap(String),
    /// Its answer breaks the rules of the component model. The engine's words.
    #[error("broke the rules of components: {0}")]
    Invalid(String),
}

/// Runs one function in an instance of its own and returns what it answers. `slow` is what is known of its adapter.
pub(crate) async fn call_export<P, R>(
    runtime: &Runtime,
    exports: &Exports,
    function: Function,
    arguments: P,
    slow: &AtomicBool,
) -> Result<R, CallFailure>
where
    P: ComponentNamedList + Lower + Send + Sync,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    let _slot = runtime.slots.acquire().await.map_err(|_| closed())?;
    let mut store = runtime.store();
    let call = async {
        let instance = exports.instance.instantiate_async(&mut store).await?;
        let typed = instance.get_typed_func::<P, R>(&mut store, exports.index(function))?;
        typed.call_async(&mut store, arguments).await
    };
    let answer = runtime.slow_lane.run(slow, call).await;
    answer.map_err(|error| failure(&error, &store, &runtime.limits))
}

/// Instantiates, compares the types of all functions, and asks `describe`.
pub(crate) async fn probe(
    runtime: &Runtime,
    exports: &Exports,
) -> Result<Description, (Function, CallFailure)> {
    // Of a file that just came nothing is known: the worst is assumed.
    let slow = AtomicBool::new(true);
    {
        let _slot = runtime.slots.acquire().await.map_err(|_| (Function::Describe, closed()))?;
        let mut store = runtime.store();
        let instantiating = exports.instance.instantiate_async(&mut store);
        let instance = match runtime.slow_lane.run(&slow, instantiating).await {
            Ok(instance) => instance,
            Err(error) => {
                return Err((Function::Describe, failure(&error, &store, &runtime.limits)));
            }
        };
        exports
            .check_types(&mut store, &instance)
            .map_err(|(function, error)| (function, CallFailure::Invalid(words(&error, &runtime.limits))))?;
    }
    let (description,): Described =
        call_export::<Describe, _>(runtime, exports, Function::Describe, (), &slow)
            .await
            .map_err(|failure| (Function::Describe, failure))?;
    Ok(description)
}

/// Sorts the engine's error by the limit that was hit.
fn failure(error: &wasmtime::Error, store: &Store<Guest>, limits: &Limits) -> CallFailure {
    let guest = store.data();
    if guest.out_of_time {
        return CallFailure::Time { limit_ms: limits.call_ms() };
    }
    if guest.out_of_memory {
        return CallFailure::Memory { limit_bytes: limits.memory_bytes };
    }
    if guest.out_of_table {
        return CallFailure::Table { limit_elements: limits.table_elements };
    }
    let text = words(error, limits);
    if text.contains(ANSWER_TOO_LARGE) {
        return CallFailure::AnswerSize { limit_bytes: limits.answer_bytes };
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) if *trap == Trap::StackOverflow => CallFailure::Stack { limit_bytes: limits.stack_bytes },
        Some(_) => CallFailure::Trap(text),
        None => CallFailure::Invalid(text),
    }
}

/// The engine's words on one line. They may hold names that the guest chose.
fn words(error: &wasmtime::Error, limits: &Limits) -> String {
    clean_text(&format!("{error:#}"), limits.text.message_chars)
}

/// The semaphores are never closed; if one were, the call did not run.
fn closed() -> CallFailure {
    CallFailure::Trap("the sandbox is shutting down".to_owned())
}

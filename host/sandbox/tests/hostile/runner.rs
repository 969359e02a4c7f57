//! Runs hostile components one after the other beside a good adapter, and holds each against the same promises:
//! it is stopped by the limit expected, the operator gets one line about it, the good adapter answers meanwhile
//! and afterwards, and memory, descriptors, children and files are back where they were.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alp_sandbox::types::{Reply, Step, Submission};
use alp_sandbox::{Adapter, AdmitAll, CallError, CompileLimits, Compiler, FolderScan, Limits, Sandbox};
use tempfile::TempDir;

use crate::guests::Guest;
use crate::log;
use crate::measure::{Usage, forget_peak, peak, unfinished, usage};
use crate::table::{Row, add};
use crate::{query, reply, submission};

/// How much more memory may be resident after a component is gone than before it came. 16 MiB: what the allocator
/// of the process keeps for itself.
const GROWTH_BYTES: u64 = 16 << 20;

/// Time by the clock for compiling, in milliseconds. 8000: an innocent needs a twentieth of it, and the test does
/// not have the patience of a server.
const COMPILE_MS: u64 = 8_000;

/// How often `resume` is called with the state that it answered before.
const ROUNDS: usize = 64;

/// How long a pass over the folder goes on before the good adapter is asked again.
const BETWEEN_ANSWERS: Duration = Duration::from_millis(5);

/// When a component shows what it is.
#[derive(Clone, Copy)]
pub(crate) enum When {
    /// While it is loaded: it is never served.
    Load,
    /// In `sign`.
    Sign,
    /// In `start`.
    Start,
    /// In `resume`, be it the first or the tenth time.
    Resume,
    /// Never: it loads and answers, and whatever it tried had no effect.
    Never,
    /// Either while it is loaded or never.
    LoadOrNever,
}

/// One hostile component.
pub(crate) struct Case {
    /// What it is.
    pub(crate) name: &'static str,
    /// Its file.
    pub(crate) file: fn() -> Vec<u8>,
    /// When it is stopped.
    pub(crate) when: When,
    /// What stops it: words that the operator's line has to have, the limit among them.
    pub(crate) stopped_by: &'static [&'static str],
}

/// A sandbox with a good adapter in it, and a folder for the hostile one.
struct Bench {
    folder: TempDir,
    sandbox: Sandbox,
    scan: FolderScan,
    good: Arc<Adapter>,
    now_ms: u64,
}

/// Runs all of them, one after the other, and adds them to the table.
pub(crate) fn run(cases: &[Case]) {
    // Memory is the whole process's, so only one family runs at a time.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    log::keep();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows = runtime.block_on(async {
        let mut bench = Bench::new().await;
        let mut rows = vec![];
        for case in cases {
            rows.push(bench.run(case).await);
        }
        rows
    });
    add(&rows);
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let compile = CompileLimits { wall_ms: COMPILE_MS, ..CompileLimits::default() };
        let limits =
            Limits { concurrent_calls: 4, concurrent_calls_per_adapter: 2, compile, ..Limits::default() };
        let sandbox = Sandbox::new(limits, poor_compiler(folder.path())).unwrap();
        let plugins = folder.path().join("plugins");
        std::fs::create_dir(&plugins).unwrap();
        let scan = FolderScan::new(&plugins, sandbox.clone(), Arc::new(AdmitAll));
        let good = sandbox.load_file(&crate::built::test_exchange()).await.unwrap();
        let mut bench = Self { folder, sandbox, scan, good, now_ms: 2_000_000_000_000 };
        bench.warm_up().await;
        bench
    }

    /// Every slot of the pool is used once, as far as it can be: what the pool keeps is not growth.
    async fn warm_up(&mut self) {
        let greedy = Guest::starting(crate::running::TAKE_ALL).component();
        let adapters = [self.sandbox.load(greedy).await.unwrap(), Arc::clone(&self.good)];
        for _ in 0..4 {
            let submission = submission();
            let [one, two] = &adapters;
            let calls = (
                one.start(&submission),
                one.start(&submission),
                two.start(&submission),
                two.start(&submission),
            );
            let _ = tokio::join!(calls.0, calls.1, calls.2, calls.3);
        }
        drop(adapters);
        // The way through the folder once, with a file that is refused.
        self.place(b"nonsense");
        self.pass().await;
        self.remove().await;
        log::complaints();
    }

    async fn run(&mut self, case: &Case) -> Row {
        let file = (case.file)();
        let bytes = file.len();
        self.place(&file);
        drop(file);
        let before = usage();
        forget_peak();
        let stopped_by = self.attack(case).await;
        let peak = peak();
        self.remove().await;
        assert_eq!(log::complaints(), [] as [&str; 0], "{}: nothing is said twice", case.name);
        self.good_answers().await;
        let after = usage();
        self.check_left(case, before, peak, after);
        Row { name: case.name, bytes, stopped_by, before, peak, after }
    }

    /// Loads the file and calls it. The words that it was stopped with.
    async fn attack(&mut self, case: &Case) -> String {
        self.pass().await;
        let complaints = log::complaints();
        let loaded = self.scan.snapshot().get("hostile");
        match (case.when, loaded) {
            (When::Load, Some(adapter)) => panic!("{}: {adapter:?} was loaded", case.name),
            (When::Load | When::LoadOrNever, None) => {
                let error = self.scan.snapshot().entry("hostile").unwrap().last_error.clone().unwrap();
                let [line] = complaints.as_slice() else { panic!("{}: {complaints:?}", case.name) };
                check_line(case, line, &["refused", "adapter=hostile"]);
                assert!(line.contains(&error), "{}: {line} is not {error}", case.name);
                error
            }
            (_, None) => panic!("{}: it was refused: {complaints:?}", case.name),
            (When::Never | When::LoadOrNever, Some(adapter)) => {
                assert_eq!(complaints, [] as [&str; 0], "{}", case.name);
                if matches!(case.when, When::Never) {
                    self.harmless(case, &adapter).await;
                }
                "nothing: it does no harm".to_owned()
            }
            (When::Sign | When::Start | When::Resume, Some(adapter)) => {
                assert_eq!(complaints, [] as [&str; 0], "{}", case.name);
                let error = self.failure(case.when, adapter).await;
                let line = error.to_string();
                let function = error.function.name();
                check_line(case, &line, &["hostile 0.1.0", function]);
                format!("{function}: {}", error.failure)
            }
        }
    }

    /// Calls it until it fails, while the good adapter answers.
    async fn failure(&self, when: When, adapter: Arc<Adapter>) -> CallError {
        let call = tokio::spawn(async move { until_failure(when, &adapter).await });
        let over = call.abort_handle();
        loop {
            self.good_answers().await;
            if over.is_finished() {
                break;
            }
            tokio::task::yield_now().await;
        }
        call.await.unwrap()
    }

    async fn harmless(&self, case: &Case, adapter: &Adapter) {
        let said = adapter.description().clone();
        for _ in 0..3 {
            adapter.sign(&query()).await.unwrap().unwrap();
            adapter.start(&submission()).await.unwrap().unwrap();
            adapter.resume(&submission(), b"", &reply("")).await.unwrap().unwrap();
        }
        assert!(said == *adapter.description(), "{}: its description changed", case.name);
        self.good_answers().await;
    }

    /// One pass over the folder, during which the good adapter answers all the time.
    async fn pass(&mut self) {
        self.now_ms += 1;
        let Self { scan, good, now_ms, .. } = self;
        let mut pass = std::pin::pin!(scan.scan_once(*now_ms));
        loop {
            answers(good).await;
            // What compiles is another process, and needs the processor too.
            if tokio::time::timeout(BETWEEN_ANSWERS, &mut pass).await.is_ok() {
                return;
            }
        }
    }

    async fn good_answers(&self) {
        answers(&self.good).await;
    }

    fn place(&self, bytes: &[u8]) {
        let plugins = self.folder.path().join("plugins");
        std::fs::write(plugins.join("part"), bytes).unwrap();
        std::fs::rename(plugins.join("part"), plugins.join("hostile.wasm")).unwrap();
    }

    /// Takes the file away and passes until nothing of it is left.
    async fn remove(&mut self) {
        std::fs::remove_file(self.folder.path().join("plugins/hostile.wasm")).unwrap();
        for _ in 0..4 {
            self.now_ms += 60_000;
            self.scan.scan_once(self.now_ms).await;
        }
        assert!(self.scan.snapshot().entry("hostile").is_none(), "it is still there");
    }

    fn check_left(&self, case: &Case, before: Usage, peak: u64, after: Usage) {
        let name = case.name;
        let limits = self.sandbox.limits();
        // All that one call may take: its memory, and a copy of its answer.
        let call = u64::try_from(limits.memory_bytes + limits.answer_bytes).unwrap();
        // A file is held twice for a moment: as it was read, and as it is shared.
        let file = limits.file_bytes * 2;
        let (most, kept) = (before.memory + call.max(file) + GROWTH_BYTES, before.memory + GROWTH_BYTES);
        assert!(peak <= most, "{name}: the peak was {peak} bytes, {} before", before.memory);
        assert!(after.memory <= kept, "{name}: {} bytes are left, {} before", after.memory, before.memory);
        assert_eq!(after.descriptors, before.descriptors, "{name}: descriptors");
        assert_eq!(after.children, 0, "{name}: children");
        assert_eq!(unfinished(&self.folder.path().join("compiled")), 0, "{name}: unfinished files");
    }
}

/// One line that says who, where and what limit, and on which nothing of the component's own is forged.
fn check_line(case: &Case, line: &str, who: &[&str]) {
    for words in who.iter().chain(case.stopped_by) {
        assert!(line.contains(words), "{}: {line} does not say: {words}", case.name);
    }
    assert!(!line.contains(char::is_control), "{}: {line:?}", case.name);
    assert!(line.chars().count() < 1_500, "{}: {line}", case.name);
}

async fn until_failure(when: When, adapter: &Adapter) -> CallError {
    let submission = submission();
    match when {
        When::Sign => return adapter.sign(&query()).await.unwrap_err(),
        When::Start => return adapter.start(&submission).await.unwrap_err(),
        When::Resume | When::Load | When::Never | When::LoadOrNever => {}
    }
    let mut state = vec![];
    for _ in 0..ROUNDS {
        match adapter.resume(&submission, &state, &reply("")).await {
            Ok(Ok(Step::Send(pending))) => state = pending.state,
            Ok(other) => panic!("it answered: {}", other.is_ok()),
            Err(error) => return error,
        }
    }
    panic!("it goes on for ever")
}

/// The good adapter reads an order out of a reply, as always.
async fn answers(good: &Adapter) {
    let body = r#"{"orders": [{"id": "17", "market": "NBT_BTC", "side": "buy", "type": "limit",
        "price": "0.00000100", "amount": "250.5", "filled": "0.5", "opened_ms": "1760000000000"}]}"#;
    let (submission, reply): (Submission, Reply) = (submission(), reply(body));
    let step = good.resume(&submission, b"", &reply).await.unwrap().unwrap();
    let Step::Orders(list) = step else { panic!("{:?}", good) };
    assert_eq!((list.orders.len(), list.orders[0].id.as_str()), (1, "17"));
}

/// The compiling process of this crate, with less memory than a server gives it, so that using it up takes less
/// time and this machine has it.
fn poor_compiler(folder: &Path) -> Compiler {
    let script = r#"ulimit -v 600000; exec "$0" "$@""#;
    let program = env!("CARGO_BIN_EXE_alp-compile-adapter");
    let leading_args = ["-c".into(), script.into(), program.into()].into();
    Compiler { program: "/bin/sh".into(), leading_args, cache_dir: folder.join("compiled") }
}

//! An admission that refuses or delays: what it says never takes an adapter that works out of service.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use alp_sandbox::types::Step;
use alp_sandbox::{
    Adapter, Admission, EntryState, FolderScan, Hold, Judging, Noting, Sandbox, Snapshot, Verdict,
};
use tempfile::TempDir;

use crate::guests::Guest;
use crate::{load, reply, sandbox, submission};

/// Refuses what breaks in `resume`; lets the version `2.0.0` wait until the operator says `yes`.
#[derive(Default)]
struct Careful {
    yes: AtomicBool,
    served: Mutex<Vec<(String, usize)>>,
}

impl Admission for Careful {
    fn judge<'a>(&'a self, adapter: &'a Arc<Adapter>) -> Judging<'a> {
        Box::pin(async move {
            if let Err(error) = adapter.resume(&submission(), &[], &reply("[]")).await {
                return Verdict::Refuse(format!("resume: {error}"));
            }
            let asks = adapter.description().version == "2.0.0" && !self.yes.load(Ordering::SeqCst);
            if asks { Verdict::Wait("say yes first".to_owned()) } else { Verdict::Serve }
        })
    }

    fn serves<'a>(&'a self, adapter: &'a Arc<Adapter>, component: &'a Arc<[u8]>) -> Noting<'a> {
        let version = adapter.description().version.clone();
        self.served.lock().unwrap().push((version, component.len()));
        Box::pin(std::future::ready(()))
    }
}

struct Bench {
    _compiled: TempDir,
    plugins: TempDir,
    sandbox: Sandbox,
    admission: Arc<Careful>,
    scan: FolderScan,
    now_ms: u64,
}

impl Bench {
    fn new() -> Self {
        let (compiled, sandbox) = sandbox();
        let plugins = tempfile::tempdir().unwrap();
        let admission = Arc::<Careful>::default();
        let within: Arc<dyn Admission> = Arc::<Careful>::clone(&admission);
        let scan = FolderScan::new(plugins.path(), sandbox.clone(), within);
        Self { _compiled: compiled, plugins, sandbox, admission, scan, now_ms: 2_000_000_000_000 }
    }

    fn file(&self) -> PathBuf {
        self.plugins.path().join("good.wasm")
    }

    async fn place(&mut self, bytes: &[u8]) {
        let part = self.plugins.path().join("in-the-making.part");
        std::fs::write(&part, bytes).unwrap();
        std::fs::rename(part, self.file()).unwrap();
        self.pass_after(1).await;
    }

    async fn pass_after(&mut self, ms: u64) {
        self.now_ms += ms;
        self.scan.scan_once(self.now_ms).await;
    }

    async fn hold(&mut self, bytes: Vec<u8>) {
        let adapter = load(&self.sandbox, bytes).await;
        let hold = Hold { sha256: adapter.sha256().to_owned(), adapter: Ok(adapter), reason: "held".into() };
        self.scan.hold("good", hold, self.now_ms).await;
    }

    fn shown(&self) -> (Option<String>, EntryState) {
        let snapshot: Arc<Snapshot> = self.scan.snapshot();
        let version = snapshot.get("good").map(|adapter| adapter.description().version.clone());
        (version, snapshot.entry("good").unwrap().state)
    }

    fn serves(&self, version: &str) {
        assert_eq!(self.shown(), (Some(version.to_owned()), EntryState::Serving));
    }

    fn waits_because(&self) -> Option<String> {
        self.scan.snapshot().entry("good").unwrap().waits_because.clone()
    }
}

fn version(version: &str) -> Vec<u8> {
    Guest { version: version.into(), ..Guest::named("good") }.component()
}

/// One that loads, and breaks as soon as it is given a reply.
fn trapping() -> Vec<u8> {
    Guest { version: "6.6.6".into(), resume: "unreachable".into(), ..Guest::named("good") }.component()
}

#[tokio::test]
async fn a_component_that_loads_and_fails_the_check_never_displaces_the_one_that_works() {
    let mut bench = Bench::new();
    load(&bench.sandbox, trapping()).await;
    bench.place(&version("1.0.0")).await;
    bench.place(&trapping()).await;
    bench.serves("1.0.0");
    let error = bench.scan.snapshot().entry("good").unwrap().last_error.clone().unwrap();
    assert!(error.contains("resume"), "{error}");
    let serving = bench.scan.snapshot().get("good").unwrap();
    let step = serving.resume(&submission(), &[], &reply("[]")).await.unwrap().unwrap();
    assert!(matches!(step, Step::Orders(_)));
    bench.place(&version("1.1.0")).await;
    bench.serves("1.1.0");
    assert_eq!(bench.scan.snapshot().entry("good").unwrap().last_error, None);
}

#[tokio::test]
async fn where_nothing_served_a_component_that_fails_the_check_does_not_either() {
    let mut bench = Bench::new();
    bench.place(&trapping()).await;
    assert_eq!(bench.shown(), (None, EntryState::Refused));
    assert!(bench.admission.served.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_waits_serves_once_the_admission_lets_it_and_is_told_of_with_its_bytes() {
    let mut bench = Bench::new();
    bench.place(&version("1.0.0")).await;
    bench.place(&version("2.0.0")).await;
    bench.serves("1.0.0");
    assert_eq!(bench.waits_because().as_deref(), Some("say yes first"));
    bench.admission.yes.store(true, Ordering::SeqCst);
    bench.scan.reconsider(bench.now_ms).await;
    bench.serves("2.0.0");
    bench.admission.yes.store(false, Ordering::SeqCst);
    bench.scan.reconsider(bench.now_ms).await;
    assert_eq!(bench.shown(), (None, EntryState::Waiting));
    let served = bench.admission.served.lock().unwrap().clone();
    let expected = ["1.0.0", "2.0.0"].map(|it| (it.to_owned(), version(it).len()));
    assert_eq!(served, expected);
}

#[tokio::test]
async fn while_a_name_is_held_every_other_file_is_loaded_and_waits_until_the_release() {
    let mut bench = Bench::new();
    bench.place(&version("1.1.0")).await;
    bench.hold(version("1.0.0")).await;
    bench.serves("1.0.0");
    bench.pass_after(1).await;
    assert_eq!(bench.waits_because().as_deref(), Some("held"));
    bench.place(&version("1.2.0")).await;
    bench.serves("1.0.0");
    let waiting = bench.scan.snapshot().entry("good").unwrap().candidate.clone().unwrap();
    assert_eq!(waiting.description().version, "1.2.0");
    bench.scan.reconsider(bench.now_ms).await;
    bench.serves("1.0.0");
    assert!(bench.scan.release("good", bench.now_ms).await);
    bench.serves("1.2.0");
    assert_eq!(bench.scan.snapshot().entry("good").unwrap().held, None);
    assert!(!bench.scan.release("good", bench.now_ms).await);
}

#[tokio::test]
async fn a_held_name_serves_without_any_file_and_has_the_usual_grace_after_its_release() {
    let mut bench = Bench::new();
    bench.place(&version("1.0.0")).await;
    bench.hold(version("1.0.0")).await;
    std::fs::remove_file(bench.file()).unwrap();
    bench.pass_after(1).await;
    bench.pass_after(60_000).await;
    bench.serves("1.0.0");
    bench.scan.release("good", bench.now_ms).await;
    bench.pass_after(1).await;
    assert_eq!(bench.shown(), (Some("1.0.0".to_owned()), EntryState::Leaving));
    bench.pass_after(5_000).await;
    assert!(bench.scan.snapshot().entries().is_empty());
}

#[tokio::test]
async fn a_hold_whose_version_is_lost_lets_nothing_else_serve() {
    let mut bench = Bench::new();
    let hold = Hold { sha256: String::new(), adapter: Err("it is lost".into()), reason: "held".into() };
    bench.scan.hold("good", hold, bench.now_ms).await;
    bench.place(&version("1.0.0")).await;
    assert_eq!(bench.shown(), (None, EntryState::Waiting));
    assert_eq!(bench.waits_because().as_deref(), Some("it is lost"));
    bench.scan.release("good", bench.now_ms).await;
    bench.serves("1.0.0");
}

//! A folder kept current by itself.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use alp_sandbox::{
    Adapter, AdapterFolder, Admission, AdmitAll, EntryState, FolderError, Judging, Snapshot, Verdict,
};

use crate::guests::Guest;
use crate::sandbox;

/// Far more than anything here takes, and less than the sweep: what comes in time came by a hint.
const DEADLINE: Duration = Duration::from_secs(20);

fn version(version: &str) -> Vec<u8> {
    Guest { version: version.into(), ..Guest::named("good") }.component()
}

fn serves(wanted: &str) -> impl FnMut(&Snapshot) -> bool {
    move |snapshot| snapshot.get("good").is_some_and(|it| it.description().version == wanted)
}

fn replace(folder: &Path, bytes: &[u8]) {
    let part = folder.join("good.wasm.part");
    std::fs::write(&part, bytes).unwrap();
    std::fs::rename(part, folder.join("good.wasm")).unwrap();
}

#[tokio::test]
async fn files_come_are_replaced_and_go_while_the_server_runs() {
    let (_compiled, sandbox) = sandbox();
    let plugins = tempfile::tempdir().unwrap();
    let folder = AdapterFolder::open(plugins.path(), sandbox, Arc::new(AdmitAll)).await;
    assert!(folder.snapshot().entries().is_empty());

    std::fs::write(plugins.path().join("good.wasm"), version("1.0.0")).unwrap();
    folder.wait_for(DEADLINE, serves("1.0.0")).await.unwrap();

    replace(plugins.path(), &version("1.1.0"));
    folder.wait_for(DEADLINE, serves("1.1.0")).await.unwrap();

    replace(plugins.path(), b"broken");
    let failed = |snapshot: &Snapshot| snapshot.entry("good").unwrap().last_error.is_some();
    let snapshot = folder.wait_for(DEADLINE, failed).await.unwrap();
    assert!(serves("1.1.0")(&snapshot));

    std::fs::remove_file(plugins.path().join("good.wasm")).unwrap();
    let leaving =
        |snapshot: &Snapshot| snapshot.entry("good").is_some_and(|it| it.state == EntryState::Leaving);
    folder.wait_for(DEADLINE, leaving).await.unwrap();
    folder.wait_for(DEADLINE, |snapshot| snapshot.get("good").is_none()).await.unwrap();
    folder.shutdown().await;
}

#[tokio::test]
async fn a_slow_copy_is_loaded_once_it_is_whole_and_never_refused() {
    let (_compiled, sandbox) = sandbox();
    let plugins = tempfile::tempdir().unwrap();
    replace(plugins.path(), &version("1.0.0"));
    let folder = AdapterFolder::open(plugins.path(), sandbox, Arc::new(AdmitAll)).await;
    folder.wait_for(DEADLINE, serves("1.0.0")).await.unwrap();

    let bytes = version("1.1.0");
    let mut file = std::fs::File::create(plugins.path().join("good.wasm")).unwrap();
    let never_refused = |snapshot: &Snapshot| snapshot.entry("good").unwrap().last_error.is_none();
    for chunk in bytes.chunks(bytes.len() / 6 + 1) {
        file.write_all(chunk).unwrap();
        let pause = Duration::from_millis(100);
        let error = folder.wait_for(pause, |snapshot| !never_refused(snapshot)).await.unwrap_err();
        assert_eq!(error, FolderError::TimedOut);
    }
    drop(file);
    let snapshot = folder.wait_for(DEADLINE, serves("1.1.0")).await.unwrap();
    assert!(never_refused(&snapshot));
}

#[tokio::test]
async fn a_folder_made_later_is_found() {
    let (_compiled, sandbox) = sandbox();
    let parent = tempfile::tempdir().unwrap();
    let plugins = parent.path().join("plugins");
    let folder = AdapterFolder::open(&plugins, sandbox, Arc::new(AdmitAll)).await;
    assert!(folder.snapshot().folder_error().is_some());
    std::fs::create_dir(&plugins).unwrap();
    folder.wait_for(DEADLINE, |snapshot| snapshot.folder_error().is_none()).await.unwrap();
    replace(&plugins, &version("1.0.0"));
    folder.wait_for(DEADLINE, serves("1.0.0")).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_was_replaced_is_watched_again() {
    let (_compiled, sandbox) = sandbox();
    let parent = tempfile::tempdir().unwrap();
    let plugins = parent.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    replace(&plugins, &version("1.0.0"));
    let folder = AdapterFolder::open(&plugins, sandbox, Arc::new(AdmitAll)).await;
    folder.wait_for(DEADLINE, serves("1.0.0")).await.unwrap();

    std::fs::rename(&plugins, parent.path().join("before")).unwrap();
    std::fs::create_dir(&plugins).unwrap();
    replace(&plugins, &version("2.0.0"));
    folder.wait_for(DEADLINE, serves("2.0.0")).await.unwrap();
    replace(&plugins, &version("3.0.0"));
    folder.wait_for(DEADLINE, serves("3.0.0")).await.unwrap();
}

#[tokio::test]
async fn a_folder_where_nothing_happens_is_left_alone() {
    let (_compiled, sandbox) = sandbox();
    let plugins = tempfile::tempdir().unwrap();
    let passes = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&passes);
    let clock = move || {
        // Every pass asks for the time once. The time is late enough for every file to be settled.
        counted.fetch_add(1, Ordering::Relaxed);
        4_000_000_000_000
    };
    let folder =
        AdapterFolder::open_with_clock(plugins.path(), sandbox, Arc::new(AdmitAll), Arc::new(clock)).await;
    replace(plugins.path(), &version("1.0.0"));
    folder.wait_for(DEADLINE, serves("1.0.0")).await.unwrap();
    // Reading the file was an event too, and so was watching again: neither may lead to another pass.
    let after = passes.load(Ordering::Relaxed);
    folder.wait_for(Duration::from_millis(1_500), |_| false).await.unwrap_err();
    let more = passes.load(Ordering::Relaxed) - after;
    assert!(more <= 1, "{more} passes over a folder in which nothing happened");
}

#[tokio::test]
async fn waiting_for_what_never_comes_ends_at_the_deadline() {
    let (_compiled, sandbox) = sandbox();
    let plugins = tempfile::tempdir().unwrap();
    let folder = AdapterFolder::open(plugins.path(), sandbox, Arc::new(AdmitAll)).await;
    let waited = folder.wait_for(Duration::from_millis(50), |_| false).await;
    assert_eq!(waited.err(), Some(FolderError::TimedOut));
}

/// Lets adapters serve only while it is open.
struct Gate(AtomicBool);

impl Admission for Gate {
    fn judge<'a>(&'a self, _adapter: &'a Arc<Adapter>) -> Judging<'a> {
        let open = self.0.load(Ordering::SeqCst);
        Box::pin(
            async move { if open { Verdict::Serve } else { Verdict::Wait("the gate is closed".into()) } },
        )
    }
}

#[tokio::test]
async fn when_reconsidering_returns_it_is_done() {
    let (_compiled, sandbox) = sandbox();
    let plugins = tempfile::tempdir().unwrap();
    std::fs::write(plugins.path().join("good.wasm"), version("1.0.0")).unwrap();
    let gate = Arc::new(Gate(AtomicBool::new(true)));
    let folder = AdapterFolder::open(plugins.path(), sandbox, Arc::clone(&gate) as Arc<dyn Admission>).await;
    folder.wait_for(DEADLINE, serves("1.0.0")).await.unwrap();
    for open in [false, true, false, true] {
        gate.0.store(open, Ordering::SeqCst);
        folder.reconsider().await;
        assert_eq!(folder.snapshot().get("good").is_some(), open);
        let waits = folder.snapshot().entry("good").unwrap().waits_because.clone();
        assert_eq!(waits.is_some(), !open);
    }
}

/// Another way to the same files: what changes below gives no hint above.
struct Mounted(PathBuf);

impl Mounted {
    fn over(below: &Path, above: &Path) -> Option<Self> {
        let mount = Command::new("bindfs").arg("--no-allow-other").arg(below).arg(above).output();
        match mount {
            Ok(done) if done.status.success() => Some(Self(above.to_owned())),
            Ok(done) => skip(&String::from_utf8_lossy(&done.stderr)),
            Err(error) => skip(&error.to_string()),
        }
    }
}

/// Where the test cannot run it says so; with CI set that is a failure.
fn skip(why: &str) -> Option<Mounted> {
    eprintln!("\nSKIPPED: a folder without hints was NOT tested, because bindfs cannot mount one: {why}\n");
    assert!(std::env::var_os("CI").is_none(), "in CI bindfs has to be there, and a user who may mount");
    None
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("fusermount").arg("-uz").arg(&self.0).status();
    }
}

#[tokio::test]
async fn where_no_hints_come_the_folder_is_looked_through_and_the_operator_is_told() {
    let (_compiled, sandbox) = sandbox();
    let (below, above) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let Some(_mounted) = Mounted::over(below.path(), above.path()) else { return };
    let folder = AdapterFolder::open(above.path(), sandbox, Arc::new(AdmitAll)).await;
    let notice = folder.snapshot().folder_notice().unwrap().to_owned();
    assert!(notice.contains("FUSE") && notice.contains("every 2 s"), "{notice}");
    for wanted in ["1.0.0", "1.1.0"] {
        replace(below.path(), &version(wanted));
        folder.wait_for(DEADLINE, serves(wanted)).await.unwrap();
    }
    folder.shutdown().await;
}

#[tokio::test]
async fn where_hints_come_nothing_is_said_of_them() {
    let (_compiled, sandbox) = sandbox();
    let plugins = tempfile::tempdir().unwrap();
    let folder = AdapterFolder::open(plugins.path(), sandbox, Arc::new(AdmitAll)).await;
    assert_eq!(folder.snapshot().folder_notice(), None);
    folder.shutdown().await;
}

//! Passes over a folder, with the time as an argument.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use alp_sandbox::{AdmitAll, EntryState, FolderScan, Pass};
use tempfile::TempDir;

use crate::guests::Guest;
use crate::{sandbox, submission};

/// A folder of adapters, its scan, and the time.
struct Bench {
    _compiled: TempDir,
    plugins: TempDir,
    scan: FolderScan,
    now_ms: u64,
}

impl Bench {
    fn new() -> Self {
        let (compiled, sandbox) = sandbox();
        let plugins = tempfile::tempdir().unwrap();
        let scan = FolderScan::new(plugins.path(), sandbox, Arc::new(AdmitAll));
        Self { _compiled: compiled, plugins, scan, now_ms: 2_000_000_000_000 }
    }

    /// A pass so many milliseconds after the last.
    async fn pass_after(&mut self, ms: u64) -> Pass {
        self.now_ms += ms;
        self.scan.scan_once(self.now_ms).await
    }

    fn file(&self, name: &str) -> PathBuf {
        self.plugins.path().join(name)
    }

    /// Puts a file there at once, as `mv` does.
    fn place(&self, name: &str, bytes: &[u8]) {
        let part = self.file("in-the-making.part");
        std::fs::write(&part, bytes).unwrap();
        std::fs::rename(part, self.file(name)).unwrap();
    }

    fn version(&self, name: &str) -> Option<String> {
        Some(self.scan.snapshot().get(name)?.description().version.clone())
    }

    fn error(&self, name: &str) -> Option<String> {
        self.scan.snapshot().entry(name)?.last_error.clone()
    }

    fn state(&self, name: &str) -> Option<EntryState> {
        Some(self.scan.snapshot().entry(name)?.state)
    }
}

fn version(version: &str) -> Vec<u8> {
    Guest { version: version.into(), ..Guest::named("good") }.component()
}

#[tokio::test]
async fn a_file_copied_in_serves_after_one_pass_and_the_next_has_nothing_to_do() {
    let mut bench = Bench::new();
    assert!(!bench.pass_after(0).await.changed);
    bench.place("good.wasm", &version("1.0.0"));
    assert!(bench.pass_after(1).await.changed);
    assert_eq!(bench.version("good").as_deref(), Some("1.0.0"));
    let snapshot = bench.scan.snapshot();
    let entry = snapshot.entry("good").unwrap();
    assert_eq!(entry.state, EntryState::Serving);
    assert_eq!(entry.file, bench.file("good.wasm"));
    assert_eq!(entry.loaded_at_ms, Some(bench.now_ms));
    let pass = bench.pass_after(1).await;
    assert_eq!(pass, Pass { changed: false, readable: true, again_in_ms: None });
}

#[tokio::test]
async fn a_replaced_file_serves_the_new_version_and_the_old_one_ends_its_calls() {
    let mut bench = Bench::new();
    bench.place("good.wasm", &version("1.0.0"));
    bench.pass_after(0).await;
    let old = bench.scan.snapshot().get("good").unwrap();
    bench.place("good.wasm", &version("1.1.0"));
    assert!(bench.pass_after(1).await.changed);
    assert_eq!(bench.version("good").as_deref(), Some("1.1.0"));
    old.start(&submission()).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_same_content_written_again_changes_nothing() {
    let mut bench = Bench::new();
    bench.place("good.wasm", &version("1.0.0"));
    bench.pass_after(0).await;
    bench.place("good.wasm", &version("1.0.0"));
    assert!(!bench.pass_after(1).await.changed);
}

#[tokio::test]
async fn a_broken_file_is_refused_and_the_old_one_keeps_serving() {
    let mut bench = Bench::new();
    bench.place("good.wasm", &version("1.0.0"));
    bench.pass_after(0).await;
    bench.place("good.wasm", &version("1.1.0")[..300]);
    assert!(bench.pass_after(1).await.changed);
    assert_eq!(bench.version("good").as_deref(), Some("1.0.0"));
    assert_eq!(bench.state("good"), Some(EntryState::Serving));
    assert!(bench.error("good").unwrap().contains("damaged"));
    // It is not tried again, and says so no second time.
    assert!(!bench.pass_after(1).await.changed);
    // The old file back in place is no new version, and the error is gone.
    bench.place("good.wasm", &version("1.0.0"));
    assert!(bench.pass_after(1).await.changed);
    assert_eq!(bench.error("good"), None);
    // And a good one replaces it.
    bench.place("good.wasm", &version("1.2.0"));
    bench.pass_after(1).await;
    assert_eq!(bench.version("good").as_deref(), Some("1.2.0"));
}

#[tokio::test]
async fn a_broken_first_file_is_listed_with_its_reason() {
    let mut bench = Bench::new();
    bench.place("good.wasm", b"<html>");
    bench.pass_after(0).await;
    assert_eq!(bench.state("good"), Some(EntryState::Refused));
    assert!(bench.scan.snapshot().get("good").is_none());
    bench.place("good.wasm", &version("1.0.0"));
    bench.pass_after(1).await;
    assert_eq!(bench.state("good"), Some(EntryState::Serving));
}

#[tokio::test]
async fn a_file_still_being_written_is_left_for_the_next_pass() {
    let mut bench = Bench::new();
    let bytes = version("1.0.0");
    bench.now_ms = now_ms();
    std::fs::write(bench.file("good.wasm"), &bytes[..100]).unwrap();
    let pass = bench.pass_after(1).await;
    assert_eq!(pass, Pass { changed: false, readable: true, again_in_ms: Some(300) });
    assert!(bench.scan.snapshot().entries().is_empty());
    std::fs::write(bench.file("good.wasm"), &bytes).unwrap();
    bench.pass_after(10_000).await;
    assert_eq!(bench.version("good").as_deref(), Some("1.0.0"));
    assert_eq!(bench.error("good"), None);
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

#[tokio::test]
async fn a_removed_adapter_serves_for_its_grace_and_is_then_gone() {
    let mut bench = Bench::new();
    bench.place("good.wasm", &version("1.0.0"));
    bench.pass_after(0).await;
    std::fs::remove_file(bench.file("good.wasm")).unwrap();
    let pass = bench.pass_after(1).await;
    assert_eq!(pass, Pass { changed: true, readable: true, again_in_ms: Some(5_000) });
    assert_eq!(bench.state("good"), Some(EntryState::Leaving));
    let pass = bench.pass_after(4_999).await;
    assert_eq!(pass, Pass { changed: false, readable: true, again_in_ms: Some(1) });
    assert!(bench.scan.snapshot().get("good").is_some());
    assert!(bench.pass_after(1).await.changed);
    assert!(bench.scan.snapshot().get("good").is_none());
    assert!(bench.scan.snapshot().entries().is_empty());
}

#[tokio::test]
async fn a_successor_within_the_grace_ends_it() {
    let mut bench = Bench::new();
    for (successor, expected) in [("1.0.0", "1.0.0"), ("2.0.0", "2.0.0"), ("", "2.0.0")] {
        bench.place("good.wasm", &version("1.0.0"));
        bench.pass_after(0).await;
        if expected == "2.0.0" {
            bench.place("good.wasm", &version("2.0.0"));
            bench.pass_after(0).await;
        }
        std::fs::remove_file(bench.file("good.wasm")).unwrap();
        bench.pass_after(1).await;
        assert_eq!(bench.state("good"), Some(EntryState::Leaving));
        let bytes = if successor.is_empty() { b"broken".to_vec() } else { version(successor) };
        bench.place("good.wasm", &bytes);
        bench.pass_after(4_000).await;
        assert_eq!(bench.state("good"), Some(EntryState::Serving), "after {successor}");
        assert!(!bench.pass_after(4_000).await.changed);
        assert_eq!(bench.version("good").as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn an_adapter_in_a_file_of_another_name_is_refused_naming_both() {
    let mut bench = Bench::new();
    bench.place("good.wasm", &version("1.0.0"));
    bench.place("second.wasm", &version("6.6.6"));
    bench.pass_after(0).await;
    assert_eq!(bench.version("good").as_deref(), Some("1.0.0"));
    assert!(bench.scan.snapshot().get("second").is_none());
    let error = bench.error("second").unwrap();
    assert!(error.contains("second.wasm") && error.contains("`good`"), "{error}");
}

#[tokio::test]
async fn only_regular_wasm_files_without_a_dot_are_looked_at_and_links_are_followed() {
    let mut bench = Bench::new();
    bench.place("notes.txt", b"text");
    bench.place(".good.wasm", &version("1.0.0"));
    bench.place("good.wasm.part", &version("1.0.0"));
    std::fs::create_dir(bench.file("folder.wasm")).unwrap();
    make_pipe(&bench.file("pipe.wasm"));
    std::os::unix::fs::symlink("/nonexistent", bench.file("dangling.wasm")).unwrap();
    bench.pass_after(0).await;
    assert!(bench.scan.snapshot().entries().is_empty(), "{:?}", bench.scan.snapshot());
    std::os::unix::fs::symlink(".good.wasm", bench.file("good.wasm")).unwrap();
    bench.pass_after(0).await;
    assert_eq!(bench.version("good").as_deref(), Some("1.0.0"));
}

fn make_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[tokio::test]
async fn a_folder_that_is_gone_keeps_everything_and_says_so() {
    let mut bench = Bench::new();
    bench.place("good.wasm", &version("1.0.0"));
    bench.pass_after(0).await;
    let away = bench.plugins.path().with_extension("away");
    std::fs::rename(bench.plugins.path(), &away).unwrap();
    for (after_ms, changed) in [(1, true), (60_000, false)] {
        let pass = bench.pass_after(after_ms).await;
        assert_eq!(pass, Pass { changed, readable: false, again_in_ms: None });
        assert_eq!(bench.state("good"), Some(EntryState::Serving));
        assert!(bench.scan.snapshot().folder_error().unwrap().contains("No such file"));
    }
    std::fs::rename(&away, bench.plugins.path()).unwrap();
    assert!(bench.pass_after(1).await.changed);
    assert_eq!(bench.scan.snapshot().folder_error(), None);
    assert_eq!(bench.state("good"), Some(EntryState::Serving));
}

#[tokio::test]
async fn a_flood_of_files_does_not_end_what_serves() {
    let mut bench = Bench::new();
    bench.place("good.wasm", &version("1.0.0"));
    bench.pass_after(0).await;
    for number in 0..600 {
        std::fs::write(bench.file(&format!("a{number}.wasm")), b"").unwrap();
    }
    bench.pass_after(1).await;
    assert_eq!(bench.state("good"), Some(EntryState::Serving));
    assert_eq!(bench.scan.snapshot().entries().len(), 500);
    assert!(bench.scan.snapshot().folder_error().unwrap().contains("more than 500"));
}

#[tokio::test]
async fn a_file_or_a_dead_link_in_place_of_the_folder_is_told_and_ends_nothing() {
    let mut bench = Bench::new();
    bench.place("good.wasm", &version("1.0.0"));
    bench.pass_after(0).await;
    let folder = bench.plugins.path().to_owned();
    let away = folder.with_extension("away");
    std::fs::rename(&folder, &away).unwrap();
    std::fs::write(&folder, b"a file").unwrap();
    assert!(!bench.pass_after(1).await.readable);
    let told = bench.scan.snapshot().folder_error().unwrap().to_owned();
    assert!(told.contains(&folder.display().to_string()), "{told}");
    std::fs::remove_file(&folder).unwrap();
    std::os::unix::fs::symlink("/nonexistent", &folder).unwrap();
    assert!(!bench.pass_after(60_000).await.readable);
    assert_eq!(bench.state("good"), Some(EntryState::Serving));
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&away, &folder).unwrap();
    assert!(bench.pass_after(1).await.readable);
    assert_eq!(bench.scan.snapshot().folder_error(), None);
    assert_eq!(bench.state("good"), Some(EntryState::Serving));
}

#[tokio::test]
async fn of_five_hundred_files_that_are_no_adapters_each_says_why_and_the_good_one_serves() {
    let mut bench = Bench::new();
    for number in 0..499 {
        let content: &[u8] = if number % 2 == 0 { b"<html>" } else { b"\0asm\x01\0\0\0" };
        std::fs::write(bench.file(&format!("a{number}.wasm")), content).unwrap();
    }
    bench.place("good.wasm", &version("1.0.0"));
    bench.pass_after(0).await;
    let snapshot = bench.scan.snapshot();
    assert_eq!(snapshot.folder_error(), None);
    assert_eq!(snapshot.entries().len(), 500);
    assert_eq!(snapshot.entries().iter().filter(|entry| entry.last_error.is_some()).count(), 499);
    assert_eq!(bench.state("good"), Some(EntryState::Serving));
}

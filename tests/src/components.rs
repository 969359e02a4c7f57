//! The adapters as components, built as an author builds them, and what compiles them for the pools under test.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The adapters that come with the pool: every folder of `adapters/` but the SDK's.
pub fn adapter_names() -> Vec<String> {
    let folders = fs::read_dir(workspace().join("adapters")).unwrap();
    let mut names: Vec<String> =
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "sdk");
    names.sort();
    names
}

/// The file of an adapter's component. The first call for an adapter builds it.
pub fn component(exchange: &str) -> PathBuf {
    static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    // A build that failed in another test fails here again, in its own words.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !built.contains(exchange) {
        build(exchange);
        built.insert(exchange.to_owned());
    }
    target_folder().join(format!("wasm32-unknown-unknown/adapter/{exchange}.wasm"))
}

/// A component that does the same and has other bytes: what a new version of an adapter is to the pool.
pub fn another_build(exchange: &str, mark: u8) -> Vec<u8> {
    let mut bytes = fs::read(component(exchange)).unwrap();
    // A custom section: id 0, its length, the length of its name, its name, one byte.
    bytes.extend([0, 6, 4, b'm', b'a', b'r', b'k', mark]);
    bytes
}

/// Puts a file into a folder the way a careful operator does: written beside it, then renamed. Its time is set
/// back, because a file that was just written is left alone for a moment.
pub fn put_in_place(folder: &Path, name: &str, bytes: &[u8]) {
    let beside = folder.join(format!(".{name}.part"));
    fs::write(&beside, bytes).unwrap();
    let long_ago = SystemTime::now().checked_sub(Duration::from_secs(60)).unwrap();
    File::options().write(true).open(&beside).unwrap().set_modified(long_ago).unwrap();
    fs::rename(&beside, folder.join(name)).unwrap();
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The program that compiles adapters: cargo builds it together with the tests.
pub fn compiler() -> PathBuf {
    profile_folder().join("alp-tests-compile-adapter")
}

/// The folder of compiled adapters that all pools of a test run share, so that each is compiled once.
pub(crate) fn cache() -> PathBuf {
    profile_folder().join("alp-tests-cache")
}

fn build(exchange: &str) {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--profile", "adapter", "--target", "wasm32-unknown-unknown", "-p", exchange]);
    let built = cargo.arg("--target-dir").arg(target_folder()).current_dir(workspace()).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}

fn target_folder() -> PathBuf {
    profile_folder().parent().unwrap().to_owned()
}

/// `target/debug` or `target/release`, wherever the target folder is: this program lies in `deps` below it.
pub fn profile_folder() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned()
}

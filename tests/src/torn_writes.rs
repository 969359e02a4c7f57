//! What makes a server end half-way through a write to its SQLite database: a small library that is loaded before all
//! others, built by the compiler that built the tests.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::components::{profile_folder, workspace};

/// What a server did to the files of its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseWrite {
    /// Wrote into one of them.
    Write,
    /// Made durable what was written.
    Sync,
}

/// The notes of the servers of this folder.
fn notes(folder: &Path) -> PathBuf {
    folder.join("writes")
}

/// Has a server that is about to be started on this folder note its writes, and not survive one of them.
pub(crate) fn preload(server: &mut Command, folder: &Path, torn: Option<usize>) {
    server.env("LD_PRELOAD", library()).env("ALP_TORN_WRITES", notes(folder));
    server.envs(torn.map(|number| ("ALP_TORN_AT", number.to_string())));
}

/// Every write and sync that servers of this folder began, in order.
pub(crate) fn noted(folder: &Path) -> Vec<DatabaseWrite> {
    let text = std::fs::read_to_string(notes(folder)).unwrap_or_default();
    let read = |line| if line == "sync" { DatabaseWrite::Sync } else { DatabaseWrite::Write };
    text.lines().map(read).collect()
}

/// The library. The first call builds it.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let library = profile_folder().join("libalp_tests_torn_writes.so");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
        let built = Command::new(rustc)
            .args(["--edition=2024", "--crate-type=cdylib", "-Cpanic=abort", "-Dwarnings", "-o"])
            .arg(&library)
            .arg(workspace().join("tests/preloaded/torn_writes.rs"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        library
    })
}

//! A real adapter, built as an author builds it. It knows nothing of what is done with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The file of the test exchange's component, built once.
pub(crate) fn test_exchange() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

fn build() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let target = Path::new(env!("CARGO_BIN_EXE_alp-compile-adapter")).ancestors().nth(2).unwrap();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--profile", "adapter", "--target", "wasm32-unknown-unknown"])
        .args(["-p", "test_exchange", "--target-dir"])
        .arg(target)
        .current_dir(workspace)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    target.join("wasm32-unknown-unknown/adapter/test_exchange.wasm")
}

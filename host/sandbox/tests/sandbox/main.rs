//! The sandbox against real components, good and hostile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod admission;
mod built;
mod cache;
mod calling;
mod compiling;
mod describing;
mod folder;
mod guests;
mod lanes;
mod loading;
mod real;
mod scan;
mod secrets;

use std::path::Path;
use std::sync::Arc;

use alp_sandbox::types::{Market, Reply, Submission};
use alp_sandbox::{Adapter, Compiler, Limits, Sandbox};
use tempfile::TempDir;

/// The compiling process of this crate.
fn compiler(folder: &Path) -> Compiler {
    Compiler {
        program: env!("CARGO_BIN_EXE_alp-compile-adapter").into(),
        leading_args: vec![],
        cache_dir: folder.join("compiled"),
    }
}

/// A compiler that cannot be started: whatever loads with it was compiled before.
fn no_compiler(folder: &Path) -> Compiler {
    Compiler { program: "/nonexistent/compiler".into(), ..compiler(folder) }
}

/// A sandbox of few slots, so that many tests can have one each.
fn small() -> Limits {
    Limits { concurrent_calls: 4, concurrent_calls_per_adapter: 2, ..Limits::default() }
}

fn sandbox() -> (TempDir, Sandbox) {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(small(), compiler(folder.path())).unwrap();
    (folder, sandbox)
}

async fn load(sandbox: &Sandbox, component: Vec<u8>) -> Arc<Adapter> {
    sandbox.load(component).await.unwrap()
}

/// The sentence with which a file is refused.
async fn refusal(component: Vec<u8>) -> String {
    let (_folder, sandbox) = sandbox();
    match sandbox.load(component).await {
        Ok(adapter) => panic!("{adapter:?} was loaded"),
        Err(error) => error.to_string(),
    }
}

fn market() -> Market {
    Market { base: "NBT".into(), quote: "BTC".into(), parameters: vec![] }
}

fn submission() -> Submission {
    Submission {
        user: "key".into(),
        members: vec![],
        sign: "signature".into(),
        market: market(),
        endpoint: None,
        now_ms: 1_760_000_000_000,
        explain: false,
        extras: vec![],
    }
}

fn reply(body: &str) -> Reply {
    Reply { status: 200, headers: vec![], body: body.into() }
}

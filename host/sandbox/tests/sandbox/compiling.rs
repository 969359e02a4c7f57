//! The compiler, which is the part that a component can make use all memory.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use alp_sandbox::{CompileLimits, CompileStop, Compiler, Limits, LoadError, Sandbox};

use crate::guests::{Guest, compile_bomb};
use crate::{compiler, load, small};

/// The compiler in a process that may have less memory from the start, so that using it up takes less time.
fn poor_compiler(folder: &Path) -> Compiler {
    let usual = compiler(folder);
    let script = r#"ulimit -v 600000; exec "$0" "$@""#;
    let leading_args = ["-c".into(), script.into(), usual.program.into()].into();
    Compiler { program: "/bin/sh".into(), leading_args, cache_dir: usual.cache_dir }
}

#[tokio::test]
async fn a_compile_bomb_is_ended_by_the_limit_on_memory() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(small(), poor_compiler(folder.path())).unwrap();
    let bomb = compile_bomb(20);
    assert!(bomb.len() < 4_000, "{} bytes", bomb.len());
    let error = sandbox.load(bomb).await.unwrap_err();
    assert!(matches!(error, LoadError::Stopped(CompileStop::Memory(_))), "{error}");
    // And nothing is left behind but what a good adapter needs.
    load(&sandbox, Guest::named("good").component()).await;
    let left: Vec<_> = std::fs::read_dir(folder.path().join("compiled")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn the_compiling_process_limits_itself() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("bomb.wasm");
    std::fs::write(&input, compile_bomb(20)).unwrap();
    let mut process = Command::new(compiler(folder.path()).program)
        .args([&input, &folder.path().join("out")])
        .spawn()
        .unwrap();
    let limits = format!("/proc/{}/limits", process.id());
    // Core files are the last limit it sets.
    let last = ["Max core file size", "0", "0", "bytes"].join(" ");
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let begun = Instant::now();
    let text = loop {
        let lines: Vec<_> = std::fs::read_to_string(&limits).unwrap().lines().map(words).collect();
        if lines.contains(&last) || begun.elapsed() > Duration::from_secs(10) {
            break lines.join("\n");
        }
        std::thread::yield_now();
    };
    process.kill().unwrap();
    process.wait().unwrap();
    for wanted in [
        "Max address space 2147483648 2147483648 bytes",
        "Max cpu time 30 31 seconds",
        "Max file size 268435456 268435456 bytes",
        "Max open files 64 64 files",
        &last,
    ] {
        assert!(text.contains(wanted), "no {wanted} in\n{text}");
    }
}

#[tokio::test]
async fn a_compiler_that_takes_too_long_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { compile: CompileLimits { wall_ms: 100, ..CompileLimits::default() }, ..small() };
    let sandbox = Sandbox::new(limits, compiler(folder.path())).unwrap();
    let begun = Instant::now();
    let error = sandbox.load(compile_bomb(20)).await.unwrap_err();
    assert_eq!(error.to_string(), "compiling was stopped: it took longer than 100 ms");
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_compiler_that_cannot_be_started_is_the_machines_fault() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(small(), crate::no_compiler(folder.path())).unwrap();
    let error = sandbox.load(Guest::named("good").component()).await.unwrap_err();
    assert!(matches!(error, LoadError::Compiler(_)), "{error}");
    assert!(error.is_passing());
}

#[tokio::test]
async fn the_compiler_sees_nothing_of_the_servers_environment() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("environment");
    let script = format!("export -p > {}; exit 3", seen.display());
    let program = Compiler {
        program: "/bin/sh".into(),
        leading_args: ["-c".into(), script.into(), "sh".into()].into(),
        ..compiler(folder.path())
    };
    let sandbox = Sandbox::new(small(), program).unwrap();
    sandbox.load(Guest::named("good").component()).await.unwrap_err();
    let seen = std::fs::read_to_string(seen).unwrap();
    // A shell sets the first four by itself; the others bound the compiler's threads.
    let own = ["PWD=", "OLDPWD", "SHLVL=", "_=", "RAYON_NUM_THREADS=", "MALLOC_ARENA_MAX="];
    let others: Vec<_> = seen.lines().filter(|line| !own.iter().any(|name| line.contains(name))).collect();
    assert!(others.is_empty(), "{others:?}");
}

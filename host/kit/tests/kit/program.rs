//! The program `alp` and the crates that it writes and builds.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};

use alp_kit::Wire;
use alp_sandbox::{Compiler, Limits, Sandbox};
use alp_server::cli::ServerWire;

/// The pool's sources.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// The program, which cargo builds together with the tests of this package.
pub(crate) fn alp() -> PathBuf {
    let alp = profile_folder().join("examples/alp");
    assert!(alp.is_file(), "{} is missing: run `cargo test --package alp-kit` as a whole", alp.display());
    alp
}

/// A command in a folder, offline, with build folders of the tests' own that all of them share.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let with_alp = std::iter::once(alp().parent().unwrap().to_owned()).chain(std::env::split_paths(&paths));
    command
        .current_dir(folder)
        .env("PATH", std::env::join_paths(with_alp).unwrap())
        .env("CARGO_TARGET_DIR", target_folder().join("kit-scaffold"))
        .env("CARGO_NET_OFFLINE", "true")
        .env("XDG_CACHE_HOME", target_folder().join("kit-cache"));
    // What cargo tells its tests must not reach the cargo that they start.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_")
            || name == "RUSTFLAGS"
            || name == "CARGO_MANIFEST_DIR"
        {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `alp adapter` with these arguments.
pub(crate) fn adapter(folder: &Path, arguments: &[&str]) -> Output {
    command(alp(), folder).arg("adapter").args(arguments).output().unwrap()
}

/// What a program that ended well wrote.
pub(crate) fn text_of(output: Output) -> String {
    let (out, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{error}", output.status);
    out
}

/// What a program that ended with this status wrote to the standard error.
pub(crate) fn error_of(output: &Output, status: i32) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{}\n{error}", String::from_utf8_lossy(&output.stdout));
    error
}

/// The component of the test exchange's adapter.
pub(crate) fn test_exchange() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| component("test_exchange"))
}

/// The component of an adapter that comes with the pool, built as the kit builds it, where other tests build the same.
pub(crate) fn component(exchange: &str) -> PathBuf {
    let to = target_folder().join("kit-components");
    std::fs::create_dir_all(&to).unwrap();
    let crate_folder = workspace().join("adapters").join(exchange);
    let out = to.display().to_string();
    let arguments = [&crate_folder.display().to_string(), "--out", &out, "--profile", "adapter"];
    let mut build = command(alp(), workspace());
    build.args(["adapter", "build"]).args(arguments).args(["--", "--offline"]);
    text_of(build.env("CARGO_TARGET_DIR", target_folder()).output().unwrap());
    to.join(format!("{exchange}.wasm"))
}

/// The pool's sandbox, in this process.
pub(crate) fn sandbox() -> Sandbox {
    let compiler = Compiler {
        program: alp(),
        leading_args: vec!["compile-adapter".into()],
        cache_dir: target_folder().join("kit-cache/alp/compiled"),
    };
    Sandbox::new(Limits::default(), compiler).unwrap()
}

/// The pool's own rules for requests.
pub(crate) fn wire() -> Arc<dyn Wire> {
    Arc::new(ServerWire)
}

/// Says loudly that a test was left out because a tool is missing, and fails where nothing may be missing.
pub(crate) fn skipped(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    left_out(why);
}

/// Says loudly that a test was left out, wherever it runs.
pub(crate) fn left_out(why: &str) {
    // Unlike `eprintln!`, this is shown although the test passes.
    let mut shown = std::io::stderr();
    writeln!(shown, "SKIPPED: {why}").unwrap();
}

/// Whether there is a program of this name.
pub(crate) fn on_path(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// The build folder, wherever it is.
pub(crate) fn target_folder() -> PathBuf {
    profile_folder().parent().unwrap().to_owned()
}

/// `target/debug`, wherever the target folder is: this program lies in `deps` below it.
fn profile_folder() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned()
}

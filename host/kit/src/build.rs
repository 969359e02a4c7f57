//! `alp adapter build`: cargo, for the one target and with the one linker that make a component without imports.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

/// The target: no system, so there is nothing to import.
const TARGET: &str = "wasm32-unknown-unknown";

/// The linker that writes components; it comes with rustup's toolchains.
const LINKER: &str = "wasm-component-ld";

/// The variable by which cargo is told the linker of this target.
const LINKER_VARIABLE: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER";

/// What `build` is told.
#[derive(Debug, clap::Args)]
pub struct BuildArguments {
    /// The adapter's folder, with its Cargo.toml.
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Where the component goes: a file, or a folder, in which it is named after its exchange.
    #[arg(long, value_name = "FILE-OR-FOLDER", default_value = ".")]
    pub out: PathBuf,
    /// The profile to build with.
    #[arg(long, default_value = "release")]
    pub profile: String,
    /// Further arguments for cargo, such as --offline or --locked.
    #[arg(last = true, value_name = "CARGO-ARGUMENTS")]
    pub cargo: Vec<OsString>,
}

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    #[error("{0} is no folder of an adapter: it has no Cargo.toml. `alp adapter new NAME` writes one")]
    NoCrate(PathBuf),
    #[error("`{program}` cannot be started: install Rust with rustup, https://rustup.rs")]
    NoTool { program: &'static str, source: io::Error },
    #[error("`rustc` does not answer as expected, so the toolchain is unknown")]
    UnknownToolchain,
    #[error(
        "the target {TARGET} is not installed. Get it with\n    rustup target add {TARGET}\n\
         (for a toolchain that is not rustup's: its package of the standard library for {TARGET})"
    )]
    NoTarget,
    #[error(
        "the linker {LINKER} is missing. It comes with rustup's toolchains since Rust 1.82:\n    rustup update\n\
         (for a toolchain that is not rustup's: cargo install {LINKER})"
    )]
    NoLinker,
    #[error("cargo did not build it; what it says stands above")]
    Failed,
    #[error(
        "cargo built no WebAssembly file: Cargo.toml needs, under [lib], crate-type = [\"cdylib\", \"rlib\"]"
    )]
    NoArtifact,
    #[error("{path} cannot be read or written")]
    Io { path: PathBuf, source: io::Error },
}

/// Builds the crate, showing cargo's own progress. The file that cargo wrote.
pub(crate) fn compile(arguments: &BuildArguments, tell: impl Fn(&str)) -> Result<PathBuf, BuildError> {
    let dir = &arguments.dir;
    let manifest = dir.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(BuildError::NoCrate(dir.clone()));
    }
    check_toolchain(dir)?;
    tell(&format!("building {} for {TARGET}, profile {}", dir.display(), arguments.profile));
    let io = |source| BuildError::Io { path: manifest.clone(), source };
    let manifest = manifest.canonicalize().map_err(io)?;
    let mut cargo = Command::new(tool("CARGO", "cargo"));
    cargo.args(["build", "--target", TARGET, "--profile", &arguments.profile]);
    cargo.arg("--message-format=json-render-diagnostics").args(&arguments.cargo);
    if std::env::var_os(LINKER_VARIABLE).is_none() {
        cargo.env(LINKER_VARIABLE, LINKER);
    }
    let started = cargo.current_dir(dir).stdout(Stdio::piped()).spawn();
    let mut running = started.map_err(|source| BuildError::NoTool { program: "cargo", source })?;
    let mut artifact = None;
    if let Some(messages) = running.stdout.take() {
        for line in BufReader::new(messages).lines() {
            artifact = component_in(&line.map_err(io)?, &manifest).or(artifact);
        }
    }
    if !running.wait().map_err(io)?.success() {
        return Err(BuildError::Failed);
    }
    artifact.ok_or(BuildError::NoArtifact)
}

/// Puts the component where it was asked for: written beside, then renamed, so that no pool that watches the folder
/// reads half of it.
pub(crate) fn place(
    arguments: &BuildArguments,
    exchange: &str,
    component: &[u8],
) -> Result<PathBuf, BuildError> {
    let to = if arguments.out.is_dir() {
        arguments.out.join(format!("{exchange}.wasm"))
    } else {
        arguments.out.clone()
    };
    let io = |source| BuildError::Io { path: to.clone(), source };
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let mut beside = to.clone().into_os_string();
    beside.push(".part");
    fs::write(&beside, component).map_err(io)?;
    fs::rename(&beside, &to).map_err(io)?;
    Ok(to)
}

/// Says what is missing before cargo would, in words that do not help.
fn check_toolchain(dir: &Path) -> Result<(), BuildError> {
    let ask = |arguments: &[&str]| {
        let asked = Command::new(tool("RUSTC", "rustc")).args(arguments).current_dir(dir).output();
        let asked = asked.map_err(|source| BuildError::NoTool { program: "rustc", source })?;
        String::from_utf8(asked.stdout).map_err(|_| BuildError::UnknownToolchain)
    };
    let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?.trim());
    let version = ask(&["-vV"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let (true, Some(host)) = (sysroot.is_dir(), host) else { return Err(BuildError::UnknownToolchain) };
    let targets = sysroot.join("lib/rustlib");
    if !targets.join(TARGET).join("lib").is_dir() {
        return Err(BuildError::NoTarget);
    }
    let bundled = targets.join(host).join("bin").join(LINKER);
    let chosen = std::env::var_os(LINKER_VARIABLE).is_some();
    if chosen || bundled.is_file() || is_on_path() { Ok(()) } else { Err(BuildError::NoLinker) }
}

fn is_on_path() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(LINKER).is_file())
}

fn tool(variable: &str, program: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| program.into())
}

/// One line of what cargo writes for programs, as far as it matters.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

fn component_in(line: &str, manifest: &Path) -> Option<PathBuf> {
    let message: Message = serde_json::from_str(line).ok()?;
    if message.reason != "compiler-artifact" || message.manifest_path != manifest {
        return None;
    }
    message.filenames.into_iter().find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

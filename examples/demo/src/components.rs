//! Building the adapters and putting them where the pool looks for them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use thiserror::Error;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "adapter";

/// How long after it was copied a pool that starts takes a file for whole.
const SETTLED: Duration = Duration::from_millis(500);

/// The folder among the adapters that is none itself.
const SDK: &str = "sdk";

/// Builds every adapter of the workspace for WebAssembly and copies it into `plugins/`.
///
/// # Errors
/// [`BuildError`] says what is missing and how to get it.
pub(crate) fn build(root: &Path) -> Result<(), BuildError> {
    ensure_target()?;
    let names = adapter_names(&root.join("adapters"))?;
    say(&format!("Building {} adapters for WebAssembly …", names.len()));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    for alike in by_dependencies(&root.join("adapters"), &names)?.values() {
        let mut build = Command::new(&cargo);
        build.current_dir(root).args(["build", "--profile", PROFILE, "--target", TARGET]);
        for name in alike {
            build.args(["--package", name]);
        }
        run("cargo build", &mut build)?;
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    for name in &names {
        let built = folder.join(TARGET).join(PROFILE).join(format!("{name}.wasm"));
        // Under another name first: the running pool takes up whole files only.
        let part = root.join("plugins").join(format!("{name}.wasm.part"));
        let there = root.join("plugins").join(format!("{name}.wasm"));
        let copied = std::fs::copy(&built, &part).and_then(|_| std::fs::rename(&part, &there));
        copied.map_err(|source| BuildError::Copy { path: there, source })?;
    }
    // A pool leaves a file alone that was written a moment ago, as it may not be whole yet.
    std::thread::sleep(SETTLED);
    Ok(())
}

fn ensure_target() -> Result<(), BuildError> {
    let installed = Command::new("rustup").args(["target", "list", "--installed"]).output();
    let installed = installed.map_err(|source| BuildError::Start { program: "rustup", source })?;
    if String::from_utf8_lossy(&installed.stdout).lines().any(|line| line == TARGET) {
        return Ok(());
    }
    say(&format!("Adding the target {TARGET} …"));
    run("rustup", Command::new("rustup").args(["target", "add", TARGET]))
}

fn adapter_names(folder: &Path) -> Result<Vec<String>, BuildError> {
    let failed = |source| BuildError::Copy { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or(SDK);
        if name != SDK && path.join("Cargo.toml").is_file() {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The adapters by what they depend on, as it is written. Those that depend on the same are built together, and no others:
/// a feature that one asks of a library would be there for all that are built with it, and change their bytes, by which an
/// operator pins them.
fn by_dependencies(folder: &Path, names: &[String]) -> Result<BTreeMap<String, Vec<String>>, BuildError> {
    let mut alike = BTreeMap::<String, Vec<String>>::new();
    for name in names {
        let path = folder.join(name).join("Cargo.toml");
        let text = std::fs::read_to_string(&path).map_err(|source| BuildError::Copy { path, source })?;
        let from = text.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
        let dependencies: Vec<&str> = from.take_while(|line| !line.starts_with('[')).collect();
        alike.entry(dependencies.join("\n")).or_default().push(name.clone());
    }
    Ok(alike)
}

fn run(program: &'static str, command: &mut Command) -> Result<(), BuildError> {
    let status = command.status().map_err(|source| BuildError::Start { program, source })?;
    if status.success() { Ok(()) } else { Err(BuildError::Failed { program, status }) }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Why the adapters are not built.
#[derive(Debug, Error)]
pub(crate) enum BuildError {
    /// A program is not there.
    #[error("{program} cannot be started; is it installed and on the PATH?")]
    Start {
        /// The program.
        program: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A program failed; it said why itself.
    #[error("{program} failed ({status}); its own lines above say why")]
    Failed {
        /// The program.
        program: &'static str,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// A file could not be read or written.
    #[error("{} cannot be read or written", path.display())]
    Copy {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

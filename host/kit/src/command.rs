//! The command line of `alp adapter`.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use alp_sandbox::{Compiler, Limits, Sandbox, SandboxError};
use clap::Subcommand;

use crate::build::{self, BuildArguments, BuildError};
use crate::check::{Report, Verdict, check};
use crate::inspect::{self, InspectArguments};
use crate::new::{self, NewArguments, NewError};
use crate::record::{self, RecordArguments, RecordError};
use crate::wire::Wire;

/// The exit status for a file that a pool would refuse or that failed a check.
const EXIT_WRONG: u8 = 1;

/// How wide the column with the names of checks is.
const CHECK_WIDTH: usize = 52;

/// What an author of adapters can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a new adapter: a crate that builds, passes its own tests and is explained by its comments.
    New(NewArguments),
    /// Build an adapter to a component that imports no function, and put it where it is wanted.
    Build(BuildArguments),
    /// Show what a component is and what it may do, before anyone enables it.
    ///
    /// Nothing of it is sent anywhere: it is loaded into the pool's own sandbox and asked who it is. At the end stands
    /// an `exchanges/<id>.toml`, ready to be pasted and filled in, whose last lines are the grant without which a pool
    /// never asks the adapter. Exit status 1 if a pool would refuse the file.
    Inspect(InspectArguments),
    /// Run the conformance checks: every fixture, and hostile replies made from the good ones.
    ///
    /// The component runs in the pool's own sandbox, under its limits. Every signed call of every folder is compared
    /// byte for byte in both directions, every reply must give its orders or its fault, and replies that were cut,
    /// changed or blown up must end in orders that are right or in a fault with a name, never in a trap.
    /// Exit status 1 if anything failed.
    Check(CheckArguments),
    /// Make a fixture from a live call on this machine, with key, signature and secrets taken out.
    ///
    /// The adapter signs with your credentials, the request is sent once, and what comes back is written down with
    /// everything secret replaced. The secret itself is never written, nor sent anywhere but in the signature.
    Record(RecordArguments),
}

/// What `check` is told.
#[derive(Debug, clap::Args)]
pub struct CheckArguments {
    /// The component.
    #[arg(value_name = "FILE.wasm")]
    pub component: PathBuf,
    /// A folder of fixtures; give it once for each. Where one lacks markets.json or look_up.json, the first that has
    /// one stands in for it.
    #[arg(long = "cases", value_name = "DIR")]
    pub cases: Vec<PathBuf>,
    /// Write one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// What the program that the kit is part of provides.
pub struct Tools {
    /// The program to start for compiling, and what it is given before the two paths.
    pub compiler: (PathBuf, Vec<OsString>),
    /// How requests are held against the grant and sent.
    pub wire: Arc<dyn Wire>,
}

/// Runs a command, to be called on a runtime of several threads. What it has to say goes to the standard output,
/// progress and errors to the standard error.
pub async fn run(command: Command, tools: Tools) -> ExitCode {
    let done = match command {
        Command::New(arguments) => scaffold(&arguments),
        Command::Build(arguments) => build(&arguments, &tools).await,
        Command::Inspect(arguments) => inspect_file(&arguments, &tools).await,
        Command::Check(arguments) => check_file(&arguments, &tools).await,
        Command::Record(arguments) => record(&arguments, &tools).await,
    };
    done.unwrap_or_else(|error| {
        let mut text = format!("alp adapter: {error}");
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            text = format!("{}\n  because: {inner}", text.trim_end());
            cause = inner.source();
        }
        tell(&text);
        ExitCode::FAILURE
    })
}

/// Why a command could not be run.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    New(#[from] NewError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("the sandbox does not start")]
    Sandbox(#[from] SandboxError),
    #[error("{path} cannot be read")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path} cannot be loaded")]
    Refused { path: PathBuf, source: alp_sandbox::LoadError },
    #[error("the answer cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

fn scaffold(arguments: &NewArguments) -> Result<ExitCode, CommandError> {
    let written = new::scaffold(arguments)?;
    let folder = written.folder.display();
    let name = &arguments.name;
    show(&format!("wrote {} files to {folder}; begin with the comments of src/lib.rs. Next:", written.files));
    show(&format!("  cd {folder}"));
    show("  cargo native-test");
    show(&format!("  alp adapter build --out {name}.wasm"));
    show(&format!("  alp adapter check {name}.wasm --cases fixtures"));
    Ok(ExitCode::SUCCESS)
}

async fn build(arguments: &BuildArguments, tools: &Tools) -> Result<ExitCode, CommandError> {
    let artifact = build::compile(arguments, tell)?;
    tell(&format!("checking {}", artifact.display()));
    let component = read(&artifact)?;
    let refused = |source| CommandError::Refused { path: artifact.clone(), source };
    let adapter = sandbox(tools)?.load(component.clone()).await.map_err(refused)?;
    let placed = build::place(arguments, &adapter.description().exchange, &component)?;
    show(&format!(
        "{}: {} bytes, imports no function, sha256 {}",
        placed.display(),
        adapter.size_bytes(),
        adapter.sha256()
    ));
    Ok(ExitCode::SUCCESS)
}

async fn inspect_file(arguments: &InspectArguments, tools: &Tools) -> Result<ExitCode, CommandError> {
    let component = read(&arguments.component)?;
    let inspection = inspect::inspect(&sandbox(tools)?, component).await;
    let text = match inspection.grant().filter(|_| arguments.grant) {
        Some(grant) => format!("\n{grant}"),
        None if arguments.json => serde_json::to_string_pretty(&inspection)?,
        None => inspection.text(&arguments.component),
    };
    // What is not a grant must not end up in a file that grants are added to.
    if arguments.grant && inspection.refused.is_some() {
        tell(&text)
    } else {
        show(&text)
    }
    Ok(if inspection.refused.is_none() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_WRONG) })
}

async fn check_file(arguments: &CheckArguments, tools: &Tools) -> Result<ExitCode, CommandError> {
    let component = read(&arguments.component)?;
    let sandbox = sandbox(tools)?;
    let quiet = arguments.json;
    if !quiet {
        show(&format!("{:CHECK_WIDTH$} {:7} detail", "check", "result"));
    }
    let tell_line = move |line: &crate::check::Line| {
        if !quiet {
            show(&format!("{:CHECK_WIDTH$} {:7} {}", line.check, line.result.word(), line.detail));
        }
    };
    let report = check(&sandbox, Arc::clone(&tools.wire), component, &arguments.cases, tell_line).await;
    show(&if quiet { serde_json::to_string_pretty(&report)? } else { format!("\n{}", summary(&report)) });
    Ok(if report.is_right() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_WRONG) })
}

async fn record(arguments: &RecordArguments, tools: &Tools) -> Result<ExitCode, CommandError> {
    let path = &arguments.component;
    let component = read(path)?;
    let refused = |source| CommandError::Refused { path: path.clone(), source };
    let adapter = sandbox(tools)?.load(component).await.map_err(refused)?;
    let recorded = record::record(adapter, Arc::clone(&tools.wire), arguments, tell).await?;
    for file in &recorded.files {
        show(&format!("wrote {}", file.display()));
    }
    show(&recorded.advice);
    Ok(ExitCode::SUCCESS)
}

/// A sentence with the counts.
fn summary(report: &Report) -> String {
    format!(
        "{}: {} ok, {} failed, {} skipped; {} fixture cases and {} hostile replies ended as they should\nsha256 {}",
        if report.is_right() { "PASSED" } else { "FAILED" },
        report.count(Verdict::Ok),
        report.count(Verdict::Failed),
        report.count(Verdict::Skipped),
        report.cases,
        report.hostile_replies,
        report.sha256,
    )
}

/// The pool's sandbox with its own limits, and a folder of compiled components of this user's.
fn sandbox(tools: &Tools) -> Result<Sandbox, SandboxError> {
    let (program, leading_args) = tools.compiler.clone();
    Sandbox::new(Limits::default(), Compiler { program, leading_args, cache_dir: cache_folder() })
}

fn cache_folder() -> PathBuf {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = of("XDG_CACHE_HOME").or_else(|| of("HOME").map(|home| home.join(".cache")));
    caches.unwrap_or_else(std::env::temp_dir).join("alp").join("compiled")
}

/// The file's bytes. One that is too large for a pool is cut there, and refused by its length later.
fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    use std::io::Read;
    let unreadable = |source| CommandError::Unreadable { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(Limits::default().file_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// What was asked for. If nobody reads it, that is not our affair.
fn show(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end_matches('\n'));
}

/// Progress and errors.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end_matches('\n'));
}

//! The command line of `alp`.

mod adapter;
mod audit;
mod backup;
mod epoch;
mod import;
mod lps;
mod payouts;
mod progress;
mod replay;
mod rewards;
mod running;
mod simulate;
mod verify;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alp_sandbox::{Limits, compile_in_child};
use alp_store::Clock;
use clap::{Parser, Subcommand};

use crate::calendar;
use crate::config::Config;
use crate::control::{self, Command};
use crate::fail_at::FailAt;
use crate::server::{Running, Start, system_clock};

pub use adapter::ServerWire;
use running::AdapterAction;

/// The command by which the program starts itself to compile an adapter.
const COMPILE: &str = "compile-adapter";

/// A liquidity pool: verifies the orders that liquidity providers show at exchanges, and shares a reward among them.
#[derive(Debug, Parser)]
#[command(name = "alp", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run a pool until it is told to stop (Ctrl-C, SIGTERM, or `alp stop`).
    ///
    /// Exchanges are served by the adapters in the plugins folder: copy one in, replace it or remove it while the
    /// pool runs. Changes of the configuration are taken up within a second or two; one with a fault is refused, and
    /// the one before stays in force. ALP_LOG sets what is logged, such as ALP_LOG=debug.
    Serve(PoolFile),
    /// Read the configuration, say everything that is wrong with it, and end.
    CheckConfig(PoolFile),
    /// Show how the running pool is: rounds, gaps, prices, adapters, loops.
    Status(PoolFile),
    /// Have the running pool read its configuration now, and say what is wrong with it if it is refused.
    Reload(PoolFile),
    /// Have the running pool end in good order.
    Stop(PoolFile),
    /// Take over another pool's server: configuration, users, and what it owes.
    #[command(subcommand)]
    Import(import::ImportAction),
    /// Read replies that were kept again, by the hash that stands with what was judged, and show the orders.
    ///
    /// Works where `[keep_replies]` is configured, whether or not the pool runs. The adapter that read them first is
    /// looked for by its SHA-256 in the plugins folder.
    Replay(replay::ReplayArguments),
    /// Write, build, inspect and check adapters; bring back or try versions of them in a running pool.
    #[command(subcommand)]
    Adapter(running::AdapterAction),
    /// List payouts, approve, hold, resolve and adopt them in a running pool, and correct what LPs are owed.
    #[command(subcommand)]
    Payouts(payouts::PayoutsAction),
    /// List addresses of LPs that are about to change in a running pool, and stop a change.
    #[command(subcommand)]
    Lps(lps::LpsAction),
    /// Check a pool's published record: every signature, link, judgement, credit and sum, without trusting the pool.
    ///
    /// The exit status is 0 only if nothing is wrong. What no record can prove is said at the end.
    Verify(verify::VerifyArguments),
    /// Make a sealed backup of the pool's database, whether or not the pool runs.
    ///
    /// Needs `[backup]` in pool.toml. Nobody who writes is held up. Keys, passwords and the configuration are not in it:
    /// keep the signing key and the backup's own key elsewhere. A file database needs room for a second copy of itself.
    Backup(backup::BackupArguments),
    /// Put the pool's database back from a backup, where there is none. The pool must not run.
    ///
    /// Everything is checked before anything is put in place. The pool then goes on in a new epoch of its record, and
    /// pays nobody until `alp payouts resume`.
    Restore(backup::RestoreArguments),
    /// Recompute every balance from the ledger and the published rounds, and compare with the wallet's own history.
    ///
    /// Reads the database as it is at one moment, whether or not the pool runs. One line for each finding. The exit
    /// status is 0 if there is none, 1 if there is one, 2 if the books could not be read.
    Audit(audit::AuditArguments),
    /// Replay recorded rounds under another configuration, and compare what each LP was paid with what it would have been.
    ///
    /// What if the target were 2000: alp simulate https://pool.example --set binance.btc.target=2000. What if all were as in
    /// these files: alp simulate https://pool.example --exchanges exchanges. Nothing is sent to the pool but requests for
    /// its public record. What no replay can know is said at the end.
    Simulate(simulate::SimulateArguments),
    /// Go on with the record after the database was restored from a backup: it says so, and names the last head that was
    /// published. The pool must not run.
    Epoch(epoch::EpochArguments),
    /// Print the public key that the pool's record is signed with.
    Key(PoolFile),
    /// Run the sharing engines over cases, to see whether they still share as expected.
    #[command(subcommand)]
    Rewards(rewards::RewardsCommand),
    /// Compile one adapter. The server starts this by itself, as a program of its own with limits.
    #[command(name = COMPILE, hide = true)]
    CompileAdapter {
        /// The component.
        input: PathBuf,
        /// Where its machine code goes.
        output: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct PoolFile {
    /// The pool's configuration file. Paths in it are relative to its folder.
    #[arg(long, value_name = "FILE", default_value = "pool.toml")]
    config: PathBuf,
}

/// Runs the command that this program's arguments name.
#[must_use]
pub fn run() -> ExitCode {
    run_as(std::env::args_os().collect(), Vec::new())
}

/// Runs the command that `arguments` name, the first of which is the program's name. `leading` is what this
/// program has to be given before a command to come here: it starts itself to compile adapters.
#[must_use]
pub fn run_as(arguments: Vec<OsString>, leading: Vec<OsString>) -> ExitCode {
    let arguments = Arguments::parse_from(arguments);
    if let Action::CompileAdapter { input, output } = &arguments.action {
        return compile_in_child(input, output, &Limits::default());
    }
    if let Action::Rewards(command) = &arguments.action {
        return rewards::run(command);
    }
    start_log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let code = match arguments.action {
        Action::Serve(file) => runtime.block_on(serve(&file.config, leading)),
        Action::CheckConfig(file) => check_config(&file.config),
        Action::Adapter(AdapterAction::Kit(command)) => runtime.block_on(adapter::run(command, leading)),
        Action::Adapter(AdapterAction::Running(action)) => runtime.block_on(running::run(action)),
        Action::Payouts(action) => runtime.block_on(payouts::run(action)),
        Action::Lps(action) => runtime.block_on(lps::run(action)),
        Action::Import(action) => runtime.block_on(import::run(action)),
        Action::Replay(arguments) => runtime.block_on(replay::run(&arguments, leading)),
        Action::Backup(arguments) => runtime.block_on(backup::back_up(arguments)),
        Action::Restore(arguments) => runtime.block_on(backup::restore(arguments)),
        Action::Audit(arguments) => runtime.block_on(audit::run(arguments)),
        Action::Verify(arguments) => runtime.block_on(verify::run(arguments)),
        Action::Simulate(arguments) => runtime.block_on(simulate::run(arguments)),
        Action::Epoch(arguments) => runtime.block_on(epoch::run(arguments)),
        Action::Key(file) => verify::show_key(&file.config),
        Action::Status(file) => runtime.block_on(command(&file.config, Command::Status)),
        Action::Reload(file) => runtime.block_on(command(&file.config, Command::Reload)),
        Action::Stop(file) => runtime.block_on(command(&file.config, Command::Stop)),
        Action::CompileAdapter { .. } | Action::Rewards(_) => ExitCode::FAILURE,
    };
    // A look-up of a name that hangs must not hold the program.
    runtime.shutdown_background();
    code
}

fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ALP_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

async fn serve(pool_file: &Path, mut leading: Vec<OsString>) -> ExitCode {
    let config = match Config::read(pool_file) {
        Ok(config) => config,
        Err(faults) => return failed(&faults),
    };
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return failed(&error),
    };
    leading.push(COMPILE.into());
    let start = Start {
        config,
        pool_file: pool_file.to_owned(),
        compiler: (program, leading),
        host_clock: system_clock(),
        store_clock: Clock::Database,
        loops: true,
        fail_at: FailAt::default(),
    };
    let running = match Running::start(start).await {
        Ok(running) => running,
        Err(error) => return failed(&error),
    };
    tokio::select! {
        () = running.stopped() => {}
        () = told_to_stop() => {}
    }
    running.stop().await;
    ExitCode::SUCCESS
}

/// Completes at Ctrl-C or SIGTERM.
pub async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}

fn check_config(pool_file: &Path) -> ExitCode {
    match Config::read(pool_file) {
        Ok(config) => {
            let markets: usize = config.exchanges.values().map(|exchange| exchange.units.len()).sum();
            show(&format!(
                "the configuration is right: {} exchanges, {markets} markets",
                config.exchanges.len()
            ));
            show(&calendar::show_calendar(&config, system_clock()() / 1000));
            ExitCode::SUCCESS
        }
        Err(faults) => failed(&faults),
    }
}

async fn command(pool_file: &Path, command: Command) -> ExitCode {
    let config = match Config::read(pool_file) {
        Ok(config) => config,
        Err(faults) => return failed(&faults),
    };
    match control::ask(&config.pool.control_socket, command).await {
        Ok(answer) => {
            show(&answer.text);
            if answer.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => failed(&error),
    }
}

fn show(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{}\n  because: {inner}", text.trim_end());
        cause = inner.source();
    }
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
    ExitCode::FAILURE
}

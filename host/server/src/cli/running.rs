//! What `alp adapter` asks of a running pool: versions, rollback, release, shadow, promote.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::{PoolFile, command, failed};
use crate::control::Command;
use crate::lifecycle::AdapterCommand;

/// Everything that `alp adapter` does: what authors need, and what operators ask of a running pool.
#[derive(Debug, Subcommand)]
pub(super) enum AdapterAction {
    #[command(flatten)]
    Kit(alp_kit::Command),
    #[command(flatten)]
    Running(RunningAction),
}

#[derive(Debug, Subcommand)]
pub(super) enum RunningAction {
    /// List the versions of an adapter that served and are kept.
    Versions {
        /// The exchange's id.
        name: String,
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Bring a version back and hold the exchange to it until it is released, also beyond a restart.
    ///
    /// Without --to it is the version that served before the one in service. A file in the plugins folder is loaded and
    /// checked meanwhile, and waits.
    Rollback {
        /// The exchange's id.
        name: String,
        /// The beginning of the version's SHA-256, at least six digits.
        #[arg(long, value_name = "SHA256")]
        to: Option<String>,
        #[command(flatten)]
        pool: PoolFile,
    },
    /// End a hold: the file in the plugins folder serves again.
    Release {
        /// The exchange's id.
        name: String,
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Run a candidate beside the adapter in service, or show how one compares.
    ///
    /// The candidate gets the same submissions and the same replies after the bot was answered. Nothing that it asks
    /// for is sent. It ends with the pool.
    Shadow {
        /// The exchange's id.
        name: String,
        /// The candidate. Without it, the one that runs is shown.
        #[arg(value_name = "FILE.wasm", conflicts_with = "stop")]
        component: Option<PathBuf>,
        /// End the candidate.
        #[arg(long)]
        stop: bool,
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Put a candidate into service, and its file into the plugins folder.
    Promote {
        /// The exchange's id.
        name: String,
        #[command(flatten)]
        pool: PoolFile,
    },
}

/// Asks the running pool.
pub(super) async fn run(action: RunningAction) -> ExitCode {
    let (pool, order) = match action {
        RunningAction::Versions { name, pool } => (pool, AdapterCommand::Versions { name }),
        RunningAction::Rollback { name, to, pool } => (pool, AdapterCommand::Rollback { name, to }),
        RunningAction::Release { name, pool } => (pool, AdapterCommand::Release { name }),
        RunningAction::Promote { name, pool } => (pool, AdapterCommand::Promote { name }),
        RunningAction::Shadow { name, component: None, stop: true, pool } => {
            (pool, AdapterCommand::StopShadow { name })
        }
        RunningAction::Shadow { name, component: None, stop: false, pool } => {
            (pool, AdapterCommand::ShowShadow { name })
        }
        RunningAction::Shadow { name, component: Some(file), stop: _, pool } => {
            // The pool may have been started in another folder.
            match file.canonicalize() {
                Ok(component) => (pool, AdapterCommand::Shadow { name, component }),
                Err(error) => return failed(&error),
            }
        }
    };
    command(&pool.config, Command::Adapter(order)).await
}

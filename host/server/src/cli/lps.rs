//! `alp lps`: what an operator asks about the addresses of a running pool's LPs.

use std::process::ExitCode;

use clap::Subcommand;

use super::{PoolFile, command};
use crate::control::Command;
use crate::proof::LpsCommand;

#[derive(Debug, Subcommand)]
pub(super) enum LpsAction {
    /// List the addresses that are about to change, and how many are proven.
    List {
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Show everything that happened to the address of an LP since it registered.
    History {
        /// The LP's number, as `alp lps list` and `alp payouts statement` show it.
        lp: i64,
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Stop the change of an LP's address: it stays with the one in force, and is paid there again.
    Stop {
        /// The LP's number.
        lp: i64,
        /// Why. It is kept with what happened to the address.
        #[arg(long, value_name = "TEXT")]
        why: String,
        #[command(flatten)]
        pool: PoolFile,
    },
}

/// Asks the running pool.
pub(super) async fn run(action: LpsAction) -> ExitCode {
    let (pool, order) = match action {
        LpsAction::List { pool } => (pool, LpsCommand::List),
        LpsAction::History { lp, pool } => (pool, LpsCommand::History { lp }),
        LpsAction::Stop { lp, why, pool } => (pool, LpsCommand::Stop { lp, why }),
    };
    command(&pool.config, Command::Lps(order)).await
}

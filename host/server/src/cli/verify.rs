//! `alp verify` and `alp key`: the published record, checked by anybody, and the key it is signed with.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alp_record::chain::PublicKey;
use thiserror::Error;

use super::progress::Bar;
use super::{failed, show};
use crate::config::Config;
use crate::record::read_signing_key;
use crate::verify::{Verification, check_statement, report, statement_report, verify};

#[derive(Debug, clap::Args)]
pub(super) struct VerifyArguments {
    /// The address of a pool, such as https://pool.example, or a folder of entries that --save made.
    #[arg(value_name = "URL|FOLDER", required_unless_present = "statement")]
    record: Option<String>,
    /// The pool's public key, as its operator publishes it. Without it, the key is taken from the record.
    #[arg(long, value_name = "HEX")]
    key: Option<String>,
    /// A folder of receipts that a bot kept, one a line.
    #[arg(long, value_name = "FOLDER")]
    receipts: Option<PathBuf>,
    /// A file of heads that were seen before, one a line, each as the pool's /head shows it; or a folder of such files.
    #[arg(long, value_name = "FILE|FOLDER")]
    heads: Option<PathBuf>,
    /// Another address at which the pool or a mirror answers, to see whether both show the same record.
    #[arg(long, value_name = "URL")]
    peer: Option<String>,
    /// A folder to keep the entries in. What it has already is compared with what the pool shows, and stands for entries
    /// that the pool has forgotten.
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
    /// A statement as the pool served it, in any form. By itself, its signature and its sums are checked, offline; with a
    /// record beside it, each line of its accounts that name their pseudonym is looked for there.
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    /// Print what each LP was credited, corrected by, paid and is owed.
    #[arg(long)]
    balances: bool,
    /// How many entries are checked at a time. Default: as many as there are cores.
    #[arg(long, value_name = "COUNT", default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

/// Verifies: the exit status is 0 only if nothing is wrong.
pub(super) async fn run(arguments: VerifyArguments) -> ExitCode {
    let VerifyArguments { record, key, receipts, heads, peer, save, statement, balances, threads } =
        arguments;
    let key = match key.map(|key| PublicKey::parse(&key).ok_or(NotAKey)).transpose() {
        Ok(key) => key,
        Err(error) => return failed(&error),
    };
    if let Some(file) = &statement {
        match check_statement(file, key) {
            Ok(checked) => {
                show(&statement_report(&checked));
                if record.is_none() {
                    return if checked.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
                }
            }
            Err(error) => return failed(&error),
        }
    }
    let record = record.unwrap_or_default();
    let verification = Verification { record, key, receipts, heads, peer, save, statement, threads };
    let bar = Bar::new();
    let outcome = verify(&verification, |read, all| bar.draw("verifying", read, all, "entries")).await;
    bar.end();
    match outcome {
        Ok(outcome) => {
            if balances {
                show(&crate::verify::balances(&outcome));
            }
            show(&report(&outcome));
            if outcome.findings().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => failed(&error),
    }
}

/// Prints the public half of a pool's key.
pub(super) fn show_key(pool_file: &Path) -> ExitCode {
    let config = match Config::read(pool_file) {
        Ok(config) => config,
        Err(faults) => return failed(&faults),
    };
    match read_signing_key(&config.pool.signing_key) {
        Ok(key) => {
            show(&key.public().to_string());
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

#[derive(Debug, Error)]
#[error("a public key is 64 hexadecimal digits in lower case, as `alp key` prints them")]
struct NotAKey;

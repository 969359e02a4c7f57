//! `alp verify` and `alp key`: the published record, checked by anybody, and the key it is signed with.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alp_record::chain::PublicKey;
use thiserror::Error;

use super::{failed, show};
use crate::config::Config;
use crate::record::read_signing_key;
use crate::verify::{Verification, report, verify};

/// How wide the bar of progress is, in characters.
const BAR: u64 = 40;

#[derive(Debug, clap::Args)]
pub(super) struct VerifyArguments {
    /// The address of a pool, such as https://pool.example, or a folder of entries that --save made.
    #[arg(value_name = "URL|FOLDER")]
    record: String,
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
    /// A folder to keep the entries in.
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
    /// How many entries are checked at a time. Default: as many as there are cores.
    #[arg(long, value_name = "COUNT", default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

/// Verifies: the exit status is 0 only if nothing is wrong.
pub(super) async fn run(arguments: VerifyArguments) -> ExitCode {
    let VerifyArguments { record, key, receipts, heads, peer, save, threads } = arguments;
    let key = match key.map(|key| PublicKey::parse(&key).ok_or(NotAKey)).transpose() {
        Ok(key) => key,
        Err(error) => return failed(&error),
    };
    let verification = Verification { record, key, receipts, heads, peer, save, threads };
    let bar = std::io::stderr().is_terminal();
    let outcome = verify(&verification, |read, all| {
        if bar {
            show_progress(read, all);
        }
    });
    match outcome.await {
        Ok(outcome) => {
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

/// Draws the bar: after `read` of `all` entries.
pub(super) fn show_progress(read: u64, all: u64) {
    let done = read.saturating_mul(BAR).checked_div(all).unwrap_or(BAR);
    let bar: String = (0..BAR).map(|at| if at < done { '#' } else { '.' }).collect();
    let end = if read == all { "\n" } else { "" };
    let _ = write!(std::io::stderr(), "\r{bar} {read} of {all} entries{end}");
}

#[derive(Debug, Error)]
#[error("a public key is 64 hexadecimal digits in lower case, as `alp key` prints them")]
struct NotAKey;

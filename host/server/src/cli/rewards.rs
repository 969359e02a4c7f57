//! `alp rewards`: the sharing engines, run by hand.
//! It knows files and exit statuses; what a case is, and what is right, it leaves to others.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use thiserror::Error;

use super::{failed, show};
use crate::reward_cases::{self, CasesError, Row};

/// Largest file of cases that is read: thousands of cases, and nothing that fills the memory.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// What can be done with rewards.
#[derive(Debug, clap::Subcommand)]
pub(super) enum RewardsCommand {
    /// Run the engines over a file of cases, and show what was expected beside what came out.
    ///
    /// The file is a list in JSON, of cases of a fixed pot (members reward, target, ask, bid in config), of the TLLP
    /// auction (max_rate) or of the sigmoid curve (width). The exit status is 1 if anything differs by more than
    /// 1e-8, or a sum by anything at all.
    Check {
        /// The file of cases.
        #[arg(long, value_name = "FILE")]
        cases: PathBuf,
    },
}

/// Runs it.
pub(super) fn run(command: &RewardsCommand) -> ExitCode {
    let RewardsCommand::Check { cases } = command;
    match read(cases).and_then(|text| {
        reward_cases::check(&text).map_err(|source| CheckError::Cases { file: cases.clone(), source })
    }) {
        Ok(rows) => {
            show(&reward_cases::table(&rows));
            if rows.iter().all(Row::is_right) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => failed(&error),
    }
}

fn read(file: &Path) -> Result<String, CheckError> {
    let unread = |source| CheckError::Read { file: file.to_owned(), source };
    let mut text = String::new();
    // One byte more than is allowed, so that a file of just that size is told from a larger one.
    let limit = MAX_BYTES.saturating_add(1);
    let read = std::fs::File::open(file).and_then(|open| open.take(limit).read_to_string(&mut text));
    let length = read.map_err(unread)?;
    if u64::try_from(length).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(CheckError::TooLong { file: file.to_owned() });
    }
    Ok(text)
}

/// Why no table can be shown.
#[derive(Debug, Error)]
enum CheckError {
    #[error("{} cannot be read", file.display())]
    Read { file: PathBuf, source: std::io::Error },
    #[error("{} is longer than {MAX_BYTES} bytes", file.display())]
    TooLong { file: PathBuf },
    #[error("the cases of {} cannot be checked", file.display())]
    Cases { file: PathBuf, source: CasesError },
}

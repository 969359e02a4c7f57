//! `alp verify`: reads a pool's record from its address or a folder and has it checked, entry by entry.
//! It knows where entries come from; what is right is the record's own crate, which needs no pool.

pub(crate) mod ahead;
mod heads;
mod report;
mod saved;
pub(crate) mod source;
mod statement;

use std::path::PathBuf;

use alp_record::chain::{CheckedEntry, Finding, PublicKey, Verified, Verifier};
use thiserror::Error;

use heads::Heads;
pub use report::{balances, report};
use source::{Source, read_receipts};
use statement::Beside;
pub use statement::{CheckedStatement, check_statement, statement_report};

/// What is to be verified, and with what.
#[derive(Debug, Clone, Default)]
pub struct Verification {
    /// A pool's address, or a folder of entries.
    pub record: String,
    /// The pool's public key, if the caller knows it.
    pub key: Option<PublicKey>,
    /// A folder of receipts.
    pub receipts: Option<PathBuf>,
    /// A file of signed heads that were seen, one a line, or a folder of such files.
    pub heads: Option<PathBuf>,
    /// Another address at which the pool, or a mirror of it, answers.
    pub peer: Option<String>,
    /// A folder to put the entries into. What it has already is compared, and stands for what the pool has forgotten.
    pub save: Option<PathBuf>,
    /// A file of a statement, to be held against the record.
    pub statement: Option<PathBuf>,
    /// How many entries are checked at a time; 0 for as many as there are cores. What is found is the same.
    pub threads: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What the verifier says, and what the heads say.
    pub verified: Verified,
    /// How many receipts were given.
    pub receipts_given: usize,
    /// How many heads that were seen elsewhere were compared.
    pub heads_compared: usize,
    /// How many heads are older than the record's first entry.
    pub heads_too_old: usize,
    /// Whether the caller gave the key.
    pub key_given: bool,
    /// What the statement is by itself, if one was given.
    pub statement: Option<CheckedStatement>,
}

/// Verifies. `progress` is told after each entry how many were read, and of how many.
///
/// # Errors
/// [`VerifyError`] if the record cannot be read at all; what is wrong in it is a finding.
pub async fn verify(
    verification: &Verification,
    mut progress: impl FnMut(u64, u64),
) -> Result<Outcome, VerifyError> {
    let source = Source::open(&verification.record)?;
    let mut heads = Heads::default();
    if let Some(file) = &verification.heads {
        heads.read(file)?;
    }
    if let Some(peer) = &verification.peer {
        heads.ask(&Source::open(peer)?, peer).await?;
    }
    let receipts = verification.receipts.as_deref().map(read_receipts).transpose()?.unwrap_or_default();
    let receipts_given = receipts.len();
    let mut beside = Beside::open(verification.statement.as_deref(), verification.key)?;
    let mut verifier = Verifier::new(verification.key);
    verifier.expect_receipts(receipts);
    let numbers = source.numbers().await?;
    if let Some(folder) = &verification.save {
        std::fs::create_dir_all(folder).map_err(|source| file_error(folder, source))?;
        for text in saved::before(folder, &numbers, &mut heads)? {
            verifier.push(&text);
            beside.compare(&text);
        }
    }
    let (mut read, all) = (0_u64, u64::try_from(numbers.len()).unwrap_or(u64::MAX));
    let take = |number: u64, (text, checked): (String, CheckedEntry)| -> Result<(), VerifyError> {
        if let Some(folder) = &verification.save {
            saved::keep(folder, number, &text)?;
        }
        verifier.push_checked(checked);
        heads.compare(&text);
        beside.compare(&text);
        read = read.saturating_add(1);
        progress(read, all);
        Ok(())
    };
    let check = |text: String| {
        let checked = CheckedEntry::read(&text);
        (text, checked)
    };
    ahead::in_order(&source, &numbers, verification.threads, check, take).await?;
    let mut verified = verifier.finish();
    let (heads_compared, heads_too_old) = (heads.compared(), heads.too_old(verified.first));
    verified.findings.extend(heads.findings(verified.first));
    let (statement, wrong) = beside.end(verified.key);
    verified.findings.extend(wrong);
    let key_given = verification.key.is_some();
    Ok(Outcome { verified, receipts_given, heads_compared, heads_too_old, key_given, statement })
}

impl Outcome {
    /// What is wrong.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.verified.findings
    }
}

/// Why a record cannot be read. The caller's.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// A file.
    #[error("{} cannot be read or written", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A folder without entries.
    #[error("{} holds no entries of a record, which have names such as {}", path.display(), source::file_name(7))]
    NoEntries {
        /// The folder.
        path: PathBuf,
    },
    /// A file of receipts or heads.
    #[error("{} holds something that is no {what}, as line {line}", path.display())]
    NotOne {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// The line, from 1.
        line: usize,
    },
    /// More receipts or heads than are read.
    #[error("{} holds more than {limit} {what}", path.display())]
    TooMany {
        /// The file or folder.
        path: PathBuf,
        /// What of.
        what: &'static str,
        /// Most that are read.
        limit: usize,
    },
    /// An address.
    #[error("{address} cannot be asked: {reason}")]
    Address {
        /// The address.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The pool did not answer.
    #[error("{address} did not answer as a pool does: {reason}")]
    Pool {
        /// The address.
        address: String,
        /// What it did.
        reason: String,
    },
    /// The program ends, or a part of it ended.
    #[error("checking entry {number} was broken off: it can be tried again")]
    BrokenOff {
        /// The entry's number.
        number: u64,
    },
}

fn file_error(path: &std::path::Path, source: std::io::Error) -> VerifyError {
    VerifyError::File { path: path.to_owned(), source }
}

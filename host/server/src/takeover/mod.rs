//! Taking over an ALP-Server: its configuration, its users, and what it owes, each credit once.
//! Which credits count and to whom they belong is `alp_pool::takeover`'s; both databases are `alp_store`'s.
//!
//! First the LPs are registered here, which changes nothing for anybody. Then the old server's payout role is taken in its
//! own database, in one transaction. Only then are balances entered here, in one transaction with a mark. So whoever is
//! killed in between leaves credits that nobody pays, and the next run goes on; at no moment do both servers owe them.

mod entering;
mod files;
mod ini;
mod old_config;
mod proof;
mod reading;
mod release;
mod report;
mod wallet;
mod written;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use alp_pool::address::AddressRules;
use alp_pool::takeover::{Comparison, Doubles, Overpaid, Owing, TakeoverError, owing, subtract};
use alp_store::{AlpServerDatabase, Entered, Fingerprint, OldState, Store, StoreError, Taken, Unpaid};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::payouts::WalletError;
use crate::record::{PublishError, Publisher};

pub use old_config::{OldConfig, OldMarket, OldServerAt, OldSide};
pub use reading::Source;
pub use release::{list_holds, release_hold};
pub use report::Report;
pub use written::{ConversionChoices, Converted, ConvertedFile, convert};

/// What the operator says of transactions that the old wallet sent and that server did not record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Nothing was said: there must be none.
    Unsaid,
    /// They paid unpaid credits, and are taken off what is owed.
    Subtract,
    /// They paid something else.
    Keep,
}

/// What the operator chose.
#[derive(Debug, Clone)]
pub struct Choices {
    /// What becomes of credits that a fault had doubled.
    pub doubles: Doubles,
    /// What becomes of transactions that nobody recorded.
    pub sent: Sent,
    /// Whether the wallet need not be seen.
    pub without_wallet: bool,
    /// Where the old server listened; none if that is not looked at.
    pub old_listen: Option<SocketAddr>,
    /// Whether the operator says that it is stopped.
    pub old_server_stopped: bool,
    /// Whether this pool may have taken over another one before.
    pub another_pool: bool,
    /// Which payout addresses are right.
    pub addresses: AddressRules,
}

/// Before which step a test stops a takeover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Before LPs are registered here.
    Registering,
    /// Before the payout role is taken there.
    TakingTheRole,
    /// Before balances are entered here.
    Entering,
}

/// Everything that is known of an old server before anything is written.
pub struct Found {
    /// How it is.
    pub state: OldState,
    /// What was read.
    pub source: Source,
    /// The digests of it.
    pub fingerprint: Fingerprint,
    /// The id of the import.
    pub import_id: String,
    /// What is owed, after what was sent is taken off.
    pub owing: Owing,
    /// What the wallet sent; none if it was not asked.
    pub wallet: Option<Comparison>,
    /// What was sent beyond what is owed.
    pub overpaid: Vec<Overpaid>,
    /// Why nothing can be taken over yet, in sentences.
    pub hindrances: Vec<String>,
    /// Who has the payout role, if an import took it: the import and the pool.
    taken_by: Option<(String, String)>,
}

/// Looks at everything, and changes nothing.
///
/// # Errors
/// [`TakeoverFault`].
pub async fn look(
    old: &mut AlpServerDatabase,
    wallet: Option<&OldServerAt>,
    choices: &Choices,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Found, TakeoverFault> {
    let state = old.state().await?;
    let taken_by = state.taken_by.as_deref().map(read_marker);
    let unpaid = if taken_by.is_some() { Unpaid::Taken } else { Unpaid::Open };
    let (source, fingerprint) = reading::read(old, unpaid, progress).await?;
    if state.taken_credits.as_ref().is_some_and(|taken| *taken != fingerprint.credits) {
        return Err(TakeoverFault::TakenChanged);
    }
    let import_id = match &taken_by {
        Some((import_id, _)) => import_id.clone(),
        None => import_id_of(&fingerprint),
    };
    let mut owed = owing(&source.registrations, &source.credits, choices.doubles, &choices.addresses)?;
    let listens = match choices.old_listen {
        Some(at) => proof::listens(at).await.then_some(at),
        None => None,
    };
    let mut hindrances = proof::signs_of_life(&state, listens, choices.old_server_stopped);
    let wallet = match wallet {
        Some(at) if !choices.without_wallet => {
            match wallet::ask(at, &source.registrations.addresses(), state.paid_until_s).await {
                Ok(comparison) => Some(comparison),
                Err(error) => {
                    hindrances.push(format!(
                        "its wallet cannot be asked what it sent: {error}; --without-wallet goes on without"
                    ));
                    None
                }
            }
        }
        Some(_) => None,
        None if choices.without_wallet => None,
        None => {
            hindrances
                .push("pool_config names no wallet to be asked; --without-wallet goes on without".to_owned());
            None
        }
    };
    let overpaid = hold_against(&mut owed, wallet.as_ref(), choices.sent, &mut hindrances);
    Ok(Found { state, source, fingerprint, import_id, owing: owed, wallet, overpaid, hindrances, taken_by })
}

/// Takes off what was sent, or says that somebody has to decide.
fn hold_against(
    owed: &mut Owing,
    wallet: Option<&Comparison>,
    sent: Sent,
    hindrances: &mut Vec<String>,
) -> Vec<Overpaid> {
    let Some(wallet) = wallet.filter(|wallet| !wallet.unrecorded.is_empty()) else { return Vec::new() };
    match sent {
        Sent::Keep => Vec::new(),
        Sent::Subtract => subtract(owed, &wallet.unrecorded_by_address()),
        Sent::Unsaid => {
            hindrances.push(format!(
                "its wallet sent {} transactions to LPs that it did not record (PB-04): --sent subtract takes them off \
                 what is owed, --sent keep says that they paid something else",
                wallet.unrecorded.len()
            ));
            Vec::new()
        }
    }
}

/// What became of a takeover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenOver {
    /// It is done.
    Done,
    /// It was done before: nothing was changed.
    Before,
}

/// Takes over what was found. Killed at any point, it is run again.
///
/// # Errors
/// [`TakeoverFault`].
pub async fn take_over(
    old: &mut AlpServerDatabase,
    store: &Store,
    publisher: &Publisher,
    found: &Found,
    report: &Report,
    choices: &Choices,
    stop_before: Option<Step>,
) -> Result<TakenOver, TakeoverFault> {
    if let Some((_, pool)) = &found.taken_by
        && pool != publisher.pool()
    {
        return Err(TakeoverFault::TakenByAnother { pool: pool.clone() });
    }
    let imports = store.imports().await?;
    let done = imports.iter().any(|import| import.import_id == found.import_id);
    if done && found.taken_by.is_some() {
        return Ok(TakenOver::Before);
    }
    if !found.hindrances.is_empty() {
        return Err(TakeoverFault::Hindered { sentences: found.hindrances.clone() });
    }
    if !done && !imports.is_empty() && !choices.another_pool {
        return Err(TakeoverFault::TookAnother);
    }
    let stopped = |step| if stop_before == Some(step) { Err(TakeoverFault::StoppedByTest) } else { Ok(()) };
    stopped(Step::Registering)?;
    let entering = entering::register(store, found).await?;
    stopped(Step::TakingTheRole)?;
    if found.taken_by.is_none() {
        let marker = format!("{} {}", found.import_id, publisher.pool());
        match old.take_over(&marker, &found.fingerprint).await? {
            Taken::Taken => {}
            Taken::Before | Taken::Changed => return Err(TakeoverFault::Changed),
            Taken::InUse => return Err(TakeoverFault::InUse),
        }
    }
    stopped(Step::Entering)?;
    match entering::enter(store, publisher, found, entering, report, choices.another_pool).await? {
        Entered::Entered => Ok(TakenOver::Done),
        Entered::Before => Ok(TakenOver::Before),
        Entered::Other => Err(TakeoverFault::TookAnother),
        Entered::HeadMoved => Err(TakeoverFault::Publish(PublishError::HeadMoves)),
    }
}

/// The import and the pool that a marker names.
fn read_marker(marker: &str) -> (String, String) {
    let (import_id, pool) = marker.split_once(' ').unwrap_or((marker, ""));
    (import_id.to_owned(), pool.to_owned())
}

/// The same source has the same id.
fn import_id_of(fingerprint: &Fingerprint) -> String {
    let Fingerprint { credits, users } = fingerprint;
    let digest = Sha256::digest(format!("alp-server v1\n{credits}\n{users}\n"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the converted configuration into a new folder. The path of its `pool.toml`.
///
/// # Errors
/// [`TakeoverFault`].
pub fn write_configuration(folder: &Path, converted: &Converted) -> Result<PathBuf, TakeoverFault> {
    files::write_into(folder, converted)?;
    Ok(folder.join("pool.toml"))
}

/// Reads the folder of an old configuration and converts it; what is wrong with the result is among the notes. Folders
/// are as they are on this machine.
///
/// # Errors
/// [`TakeoverFault`].
pub fn convert_folder(
    folder: &Path,
    mut choices: ConversionChoices,
) -> Result<(OldConfig, Converted), TakeoverFault> {
    let old = OldConfig::read(folder)?;
    choices.plugins = std::path::absolute(&choices.plugins)
        .map_err(|source| TakeoverFault::Unreadable { path: choices.plugins.clone(), source })?;
    choices.adapters = files::adapters_in(&choices.plugins);
    let mut converted = convert(&old, &choices);
    if let Some(faults) = files::faults_of(&converted)? {
        let faults = faults.list().iter().map(|fault| {
            let name = fault.file.file_name().map(|name| name.to_string_lossy().into_owned());
            format!("to be mended in {}: {} {}", name.unwrap_or_default(), fault.key, fault.message)
        });
        converted.notes.extend(faults);
    }
    Ok((old, converted))
}

/// Sums by name, for a report.
pub(crate) type Sums = BTreeMap<&'static str, report::Sum>;

/// Why nothing was taken over, or not all of it. The operator's.
#[derive(Debug, Error)]
pub enum TakeoverFault {
    /// A database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is owed cannot be said.
    #[error(transparent)]
    Owing(#[from] TakeoverError),
    /// The published record.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The wallet.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// A file of the old configuration.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the old configuration.
    #[error("{} is not JSON of the form exchange, unit, market", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Too many files.
    #[error("{} has more files than a pool has exchanges", path.display())]
    TooManyFiles {
        /// The folder.
        path: PathBuf,
    },
    /// A file of this pool.
    #[error("{} cannot be written; a folder that is there is not written over", path.display())]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No randomness.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// Something speaks against it.
    #[error("nothing was taken over:{}", lines(sentences))]
    Hindered {
        /// What, in sentences.
        sentences: Vec<String>,
    },
    /// Somebody wrote meanwhile.
    #[error(
        "what is unpaid in the old server's database changed while it was read: is it stopped? Run this again"
    )]
    Changed,
    /// Somebody is at work.
    #[error(
        "somebody is at work in the old server's tables, as a payout would be: stop it, and run this again"
    )]
    InUse,
    /// The marked credits are not those that were marked.
    #[error(
        "the credits that an import marked in the old server's database are not those that it marked: somebody changed \
         them by hand; put them back as they were"
    )]
    TakenChanged,
    /// Another pool has the role.
    #[error(
        "the pool {pool} has taken over what this old server owes, and this is another one: give --config that pool's \
         pool.toml"
    )]
    TakenByAnother {
        /// That pool's id.
        pool: String,
    },
    /// This pool took over something else.
    #[error(
        "this pool has taken over an ALP-Server before, which owed something else; if this is another one, say \
         --another-pool"
    )]
    TookAnother,
    /// No hold of this number.
    #[error("{0}")]
    NoSuchHold(String),
    /// A test stopped it.
    #[error("the takeover was stopped by a test")]
    StoppedByTest,
}

fn lines(sentences: &[String]) -> String {
    sentences.iter().map(|sentence| format!("\n  {sentence}")).collect()
}

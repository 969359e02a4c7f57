//! `alp audit`: every balance again from the ledger and the published rounds, and every payout held against the wallet.
//! It knows where things are and in which order they are read; what adds up and what does not, pure functions say.
//!
//! The database is read as it is at one moment, in stretches of bounded length, so a pool may run meanwhile. The wallet is
//! looked at before that moment: what it has sent by then the database must know, since a payout is written down before
//! the wallet is called. Payouts that are known to be sent only since the look are not looked for in it.

mod payouts;
mod rounds;

use std::fmt;

use alp_record::chain::{PublicKey, Verifier};
use alp_store::{Snapshot, StoreError};
use thiserror::Error;

use crate::config::PoolConfig;
use crate::database::{PasswordError, database_url};
use crate::exchange::ClientError;
use crate::payouts::{Wallet, WalletError};
use crate::record::{SigningKeyError, read_signing_key};

use payouts::SeenInWallet;

/// Something in the books that is not as it has to be: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: a word for the part of the books, and a number in it.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What was read, and how much of it is not right.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Audited {
    /// Credits.
    pub credits: u64,
    /// Entries of the other half of the ledger.
    pub entries: u64,
    /// Entries of the published record.
    pub published: u64,
    /// Rounds whose credits were held against their published entry.
    pub rounds: u64,
    /// Rounds credited before the record began, or whose entry was deleted because of its age.
    pub unpublished: u64,
    /// Payouts.
    pub payouts: u64,
    /// Payouts that were held against the wallet's history; none if there is no wallet.
    pub in_wallet: Option<u64>,
    /// Why the wallet could not be asked, if it should have been.
    pub wallet_failed: Option<String>,
    /// How many findings there are.
    pub findings: u64,
}

/// Whom an audit tells of each finding, and of how far it is.
pub trait Listener {
    /// Something is not as it has to be.
    fn found(&mut self, finding: &Finding);
    /// So much of something was read, of so much.
    fn read(&mut self, what: &'static str, done: u64, all: u64);
}

/// An audit under way.
struct Audit<'l> {
    snapshot: Snapshot,
    audited: Audited,
    listener: &'l mut dyn Listener,
}

/// Audits the pool's books. `with_wallet` says whether the wallet is asked, where one is configured.
///
/// # Errors
/// [`AuditError`] if the books cannot be read; what is wrong in them is a finding.
pub async fn audit(
    pool: &PoolConfig,
    with_wallet: bool,
    listener: &mut dyn Listener,
) -> Result<Audited, AuditError> {
    let url = database_url(pool)?;
    let key = read_signing_key(&pool.signing_key)?.public();
    let seen = if with_wallet { look_at_wallet(pool, &url).await? } else { Seen::NoWallet };
    let snapshot = Snapshot::begin(&url).await?;
    snapshot.needs_newest_schema()?;
    let mut audit = Audit { snapshot, audited: Audited::default(), listener };
    audit.the_file().await?;
    audit.rounds(key).await?;
    let (wallet, failed) = match seen {
        Seen::NoWallet => (None, None),
        Seen::History(seen) => (Some(seen), None),
        Seen::Failed(why) => (None, Some(why)),
    };
    audit.audited.wallet_failed = failed;
    audit.payouts(wallet).await?;
    let Audit { snapshot, audited, .. } = audit;
    snapshot.end().await?;
    Ok(audited)
}

enum Seen {
    NoWallet,
    History(SeenInWallet),
    Failed(String),
}

async fn look_at_wallet(pool: &PoolConfig, url: &str) -> Result<Seen, AuditError> {
    let Some(config) = &pool.payouts else { return Ok(Seen::NoWallet) };
    let Some(wallet) = Wallet::of(config)? else { return Ok(Seen::NoWallet) };
    let mut before = Snapshot::begin(url).await?;
    let at_ms = before.now_ms().await?;
    before.end().await?;
    match wallet.history("").await {
        Ok(history) => Ok(Seen::History(SeenInWallet::new(&config.pool_id, history, at_ms))),
        Err(error) => Ok(Seen::Failed(error.to_string())),
    }
}

impl Audit<'_> {
    fn find(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.audited.findings = self.audited.findings.saturating_add(1);
        self.listener.found(&Finding { place: place.into(), what: what.into() });
    }

    async fn the_file(&mut self) -> Result<(), AuditError> {
        self.listener.read("the database's file", 0, 1);
        for fault in self.snapshot.faults_of_the_file().await? {
            self.find("database", fault);
        }
        self.listener.read("the database's file", 1, 1);
        Ok(())
    }

    /// What the published record says of itself.
    fn record(&mut self, verifier: Verifier) {
        let verified = verifier.finish();
        for finding in &verified.findings {
            self.find("record", finding.to_string());
        }
        if verified.more_findings > 0 {
            self.find("record", format!("{} findings more", verified.more_findings));
        }
    }
}

/// A verifier that trusts the pool's own key.
fn verifier(key: PublicKey) -> Verifier {
    Verifier::new(Some(key))
}

/// Why the books cannot be audited. The operator's.
#[derive(Debug, Error)]
pub enum AuditError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The password of the database.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The key of the record.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// The client for the wallet.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The wallet.
    #[error("the wallet cannot be asked")]
    Wallet(#[from] WalletError),
}

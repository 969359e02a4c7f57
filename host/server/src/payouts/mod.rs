//! Payouts: when they are due, what the wallet is asked, and what an operator may say about them.
//! Knows HTTP only through the wallet's calls; what may follow what is `alp_pool::payout`'s to decide.
//!
//! [`Payer::step`] does one step of one payout, and writes down what it is about to do before each call to the wallet.
//! Whoever is killed anywhere takes up the next step from what is written and from what the wallet says.

mod adopting;
mod command;
mod correct;
mod look;
mod make;
mod planning;
mod publish;
mod restored;
mod review;
mod rpc;
mod running;
mod schedule;
mod step;
mod waiting;
mod wallet;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alp_pool::money::Coins;
use alp_pool::payout::{Method, PayoutTerms, PlanError, WalletTerms};
use alp_store::{Lease, Store, StoreError};
use thiserror::Error;
use tokio::sync::{Mutex, Notify};

use crate::exchange::ClientError;
use crate::fail_at::Stopped;
use crate::network::OutboundGrant;
use crate::record::{PublishError, SharedPublisher};

pub use crate::fail_at::FailAt;
pub use command::PayoutCommand;
pub use correct::{CorrectCommand, correct};
pub(crate) use planning::digest_of_outputs;
pub(crate) use rpc::parameter;
pub use rpc::{Rpc, WalletError};
pub use running::{next_payout_time, payouts, payouts_once};
pub use schedule::{DAY_MS, Due, Every, due};
pub use wallet::{History, Spend, Wallet};

/// How long after a payout failed payouts are planned again, in milliseconds: what ALP-Server waited.
const RETRY_AFTER_MS: u64 = 120_000;

/// The operator's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutsConfig {
    /// By which comments of this pool's payouts are told from those of another pool with the same wallet.
    pub pool_id: String,
    /// How a payout is made.
    pub method: Method,
    /// The wallet; none for payouts by hand.
    pub wallet: Option<OutboundGrant>,
    /// Who is paid how much.
    pub terms: PayoutTerms,
    /// What the wallet can carry.
    pub wallet_terms: WalletTerms,
    /// When.
    pub every: Every,
    /// How many blocks make a payout paid.
    pub confirmations: u32,
    /// Below this balance of the wallet there is an alarm.
    pub low_below: Option<Coins>,
    /// How long a call to the wallet may take.
    pub timeout: Duration,
    /// Where payouts to be made by hand are written to.
    pub folder: PathBuf,
}

/// Makes payouts.
#[derive(Debug)]
pub struct Payer {
    store: Store,
    publisher: SharedPublisher,
    config: PayoutsConfig,
    wallet: Option<Wallet>,
    require_proof: AtomicBool,
    /// Whoever makes a step or does what the operator asks: neither decides by what the other is about to change.
    turn: Mutex<()>,
    /// Told when an operator's word may let payouts go on.
    word: Notify,
    fail_at: FailAt,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is to be done before this time, in Unix milliseconds.
    Idle {
        /// When payouts are planned next.
        until_ms: u64,
    },
    /// Payouts wait for blocks, or for somebody to pay by hand.
    Waiting,
    /// Payouts were planned: so many, which may be none.
    Planned(usize),
    /// A payout has gone on.
    Moved {
        /// Which.
        payout_id: u64,
        /// How far it is now.
        stage: &'static str,
    },
    /// Something keeps payouts from going on that may pass, or that the operator mends: a sentence.
    Hindered(String),
    /// No payout is made until a person has looked: a sentence.
    Stopped(String),
}

impl Outcome {
    /// Whether there may be another step to do at once.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        match self {
            Self::Planned(_) | Self::Moved { .. } => true,
            Self::Idle { .. } | Self::Waiting | Self::Hindered(_) | Self::Stopped(_) => false,
        }
    }
}

impl Payer {
    /// For a pool with these settings, whose record `publisher` signs.
    ///
    /// # Errors
    /// [`ClientError::Setup`].
    pub fn new(
        store: Store,
        publisher: SharedPublisher,
        config: PayoutsConfig,
        fail_at: FailAt,
    ) -> Result<Self, ClientError> {
        let wallet = Wallet::of(&config)?;
        let (require_proof, turn, word) = (AtomicBool::new(false), Mutex::new(()), Notify::new());
        Ok(Self { store, publisher, config, wallet, require_proof, turn, word, fail_at })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &PayoutsConfig {
        &self.config
    }

    /// From now on only proven addresses are paid, or others as well. It is told before each look, since the
    /// configuration changes while the pool runs.
    pub fn require_proof(&self, required: bool) {
        self.require_proof.store(required, Ordering::SeqCst);
    }

    /// Waits until the operator has said something by which payouts may go on.
    pub async fn word(&self) {
        self.word.notified().await;
    }

    /// A write, between two points at which a test may stop.
    async fn written<T>(
        &self,
        step: &str,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StepError> {
        Ok(self.fail_at.around(step, write).await??)
    }

    /// A call to the wallet, between two points at which a test may stop.
    async fn asked<T>(
        &self,
        step: &str,
        call: impl Future<Output = Result<T, WalletError>>,
    ) -> Result<Result<T, WalletError>, StepError> {
        Ok(self.fail_at.around(step, call).await?)
    }

    /// Raises an alarm, and says so in the log once.
    async fn alarm(&self, lease: &Lease, kind: &str, subject: &str, sentence: &str) -> Result<(), StepError> {
        let raised = self.store.alarms().await?;
        if raised.iter().any(|alarm| alarm.kind == kind && alarm.subject == subject) {
            return Ok(());
        }
        let short: String = sentence.chars().take(1_000).collect();
        self.written("raise an alarm", self.store.raise_alarm(lease, kind, subject, &short)).await?;
        tracing::error!(kind, subject, "payouts: {short}");
        Ok(())
    }

    async fn end_alarm(&self, lease: &Lease, kind: &str, subject: &str) -> Result<(), StepError> {
        let raised = self.store.alarms().await?;
        if raised.iter().any(|alarm| alarm.kind == kind && alarm.subject == subject) {
            self.written("end an alarm", self.store.clear_alarm(lease, kind, subject)).await?;
        }
        Ok(())
    }
}

/// Why a step broke off. What was written stands, and the next step goes on from it. The operator's.
#[derive(Debug, Error)]
pub enum StepError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The balances cannot be planned for.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The file of a payout to be made by hand.
    #[error("the file of a payout cannot be written: {path}")]
    File {
        /// The path.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is stored of a payout cannot be.
    #[error("payout {payout_id} is damaged in the database: {what}")]
    Damaged {
        /// Which.
        payout_id: u64,
        /// What of it.
        what: &'static str,
    },
    /// A test stopped the step.
    #[error(transparent)]
    StoppedByTest(#[from] Stopped),
}

//! Telling the currency's network what liquidity the pool's LPs provide: `liquidityinfo` to a custodian's wallet daemon, one
//! line for each rank of each market, from the newest committed round and only from that.
//!
//! It looks at the database by itself, so that no round waits for a wallet, and what a round came to is told only after it
//! is committed. A round that could not be told is not told late once there is a newer one.

mod amount;
mod calls;
mod lines;
mod read_back;
mod running;

use std::time::Duration;

use alp_record::judged::RecordError;
use alp_store::{Lease, Store, StoreError};
use thiserror::Error;

use crate::exchange::{ClientError, Timeouts};
use crate::fail_at::{FailAt, Stopped};
use crate::network::OutboundGrant;
use crate::payouts::{Rpc, WalletError};

pub use amount::NetworkAmount;
pub use calls::Custodian;
pub use lines::{Line, LineError, MAX_IDENTIFIER_BYTES, MAX_LINES, identifiers, lines};
pub use read_back::{Shown, differences, leftovers};
pub use running::{Told, liquidity_reports, report_once};

/// How long a connection to the wallet may take to be made: it is on this machine or the next one.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The kind of the alarm that is raised if the network shows something else.
const ALARM: &str = "liquidityinfo";

/// Which tier a rank is told as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tiers {
    /// Rank *n* is tier *n*.
    ByRank,
    /// Everything is tier 1, as ALP-Server told it.
    AlwaysOne,
}

/// The operator's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiquidityReportConfig {
    /// The wallet daemon.
    pub wallet: OutboundGrant,
    /// The custodian's address, which was granted. The wallet holds its key.
    pub grant_address: String,
    /// The letter of the currency.
    pub currency: char,
    /// Which tier a rank is told as.
    pub tiers: Tiers,
    /// The pool's name within identifiers.
    pub pool: String,
    /// How long a call may take.
    pub timeout: Duration,
}

/// Tells the network.
#[derive(Debug)]
pub struct LiquidityReporter {
    custodian: Custodian,
    config: LiquidityReportConfig,
    store: Store,
    fail_at: FailAt,
}

impl LiquidityReporter {
    /// For a pool with these settings.
    ///
    /// # Errors
    /// [`ClientError::Setup`].
    pub fn new(store: Store, config: LiquidityReportConfig, fail_at: FailAt) -> Result<Self, ClientError> {
        let timeouts = Timeouts { connect: CONNECT_WITHIN.min(config.timeout), call: config.timeout };
        let rpc = Rpc::new(config.wallet.clone(), timeouts)?;
        let custodian = Custodian::new(rpc, config.currency, config.grant_address.clone());
        Ok(Self { custodian, config, store, fail_at })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &LiquidityReportConfig {
        &self.config
    }

    /// Tells these lines, and what earlier ones of this pool are no longer among them as nothing; then reads back what the
    /// network shows. What of it differs, a sentence for each.
    ///
    /// # Errors
    /// [`ReportError`]. What was told until then stands; lines replace each other, so all of them may be told again.
    pub async fn tell(&self, lines: &[Line]) -> Result<Vec<String>, ReportError> {
        for line in lines {
            self.fail_at.around("liquidityinfo", self.custodian.tell(line)).await??;
        }
        let mut shown = self.fail_at.around("read liquidity back", self.custodian.shown()).await??;
        let old = leftovers(&shown, &self.config.pool, lines);
        for line in &old {
            self.fail_at.around("liquidityinfo", self.custodian.tell(line)).await??;
        }
        if !old.is_empty() {
            shown = self.fail_at.around("read liquidity back", self.custodian.shown()).await??;
        }
        Ok(differences(&shown, lines))
    }

    /// Raises the alarm, or ends it.
    async fn alarm(&self, lease: &Lease, sentence: Option<&str>) -> Result<(), ReportError> {
        let raised = self.store.alarms().await?.into_iter().any(|alarm| alarm.kind == ALARM);
        match sentence {
            Some(sentence) if !raised => {
                let write = self.store.raise_alarm(lease, ALARM, "network", sentence);
                self.fail_at.around("raise an alarm", write).await??;
                tracing::error!("liquidityinfo: {sentence}");
            }
            None if raised => {
                let write = self.store.clear_alarm(lease, ALARM, "network");
                self.fail_at.around("end an alarm", write).await??;
            }
            Some(_) | None => {}
        }
        Ok(())
    }
}

/// Why the network was not told. The operator's.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The wallet.
    #[error("{}", calls::sentence(.0))]
    Wallet(#[from] WalletError),
    /// What is stored of the round cannot be told.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The round's statistics.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The network shows something else.
    #[error("{0}")]
    Differs(String),
    /// A test stopped it.
    #[error(transparent)]
    StoppedByTest(#[from] Stopped),
}

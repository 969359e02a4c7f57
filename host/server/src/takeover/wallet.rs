//! Asking the old server's wallet what it sent.

use std::collections::BTreeSet;
use std::time::Duration;

use alp_pool::takeover::{Comparison, SentTransaction, compare};
use thiserror::Error;

use super::old_config::OldServerAt;
use crate::exchange::{ClientError, Timeouts};
use crate::network::{BasicAuth, OutboundGrant, UrlFault};
use crate::payouts::{Rpc, Wallet, WalletError};

/// How long the wallet may take: it lists all that it ever sent.
const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(5), call: Duration::from_secs(120) };

/// What it sent to registered addresses, held against the last recorded payout. Transactions that the network has given
/// up (below zero confirmations) paid nobody.
pub(super) async fn ask(
    at: &OldServerAt,
    registered: &BTreeSet<&str>,
    paid_until_s: Option<i64>,
) -> Result<Comparison, AskError> {
    let url = format!("http://{}:{}/", at.host, at.port);
    let auth = BasicAuth { user: at.user.clone(), password: at.password.clone() };
    let grant = OutboundGrant::post(&url)?.with_basic_auth(auth);
    let history = Wallet::new(Rpc::new(grant, TIMEOUTS)?).history("").await?;
    let standing = history.spends.into_iter().filter(|spend| spend.confirmations >= 0);
    let sent = standing.map(|spend| SentTransaction {
        txid: spend.txid,
        time_s: spend.time_s,
        outputs: spend.outputs,
    });
    Ok(compare(sent.collect(), registered, paid_until_s))
}

/// Why it cannot be asked.
#[derive(Debug, Error)]
pub(super) enum AskError {
    /// Its address.
    #[error("its address {0}")]
    Address(#[from] UrlFault),
    /// The client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Its answer.
    #[error(transparent)]
    Wallet(#[from] WalletError),
}

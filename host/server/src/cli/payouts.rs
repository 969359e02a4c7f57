//! `alp payouts`: what an operator asks of the payouts of a running pool.

use std::process::ExitCode;

use clap::Subcommand;

use super::{PoolFile, command};
use crate::control::Command;
use crate::payouts::{CorrectCommand, PayoutCommand};

#[derive(Debug, Subcommand)]
pub(super) enum PayoutsAction {
    /// List the newest payouts, alarms, and addresses that are held.
    List {
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Show one payout: all that happened to it, and what the wallet says of it.
    Show {
        /// Its number.
        id: u64,
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Show who was paid what of a payout.
    Statement {
        /// Its number.
        id: u64,
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Approve that an address is paid above the limit, once.
    Approve {
        /// The address.
        address: String,
        /// The most that is approved.
        up_to: String,
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Hold an address: it is not paid until it is released.
    Hold {
        /// The address.
        address: String,
        /// End the hold.
        #[arg(long)]
        release: bool,
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Say what became of a payout whose outcome is not known. Look at `alp payouts show` first.
    Resolve {
        /// Its number.
        id: u64,
        /// It was sent by this transaction.
        #[arg(long, value_name = "TXID", required_unless_present = "unsent", conflicts_with = "unsent")]
        txid: Option<String>,
        /// It was not sent: what it took is owed again.
        #[arg(long)]
        unsent: bool,
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Enter a transaction of the wallet that the ledger does not know as a payout.
    Adopt {
        /// The transaction's id; `all` with --foreign.
        txid: String,
        /// It is no payout of this pool.
        #[arg(long)]
        foreign: bool,
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Correct what an LP is owed. The amount, who corrected it and why are published for good, under its pseudonym.
    Correct {
        /// The exchange at which the LP is registered.
        #[arg(long)]
        exchange: String,
        /// Its API key. It is not published.
        #[arg(long)]
        user: String,
        /// By how much, in coins; with a minus sign, as in --amount=-0.5, it takes away. It cannot take more than is owed.
        #[arg(long, allow_hyphen_values = true)]
        amount: String,
        /// Who corrects it.
        #[arg(long)]
        who: String,
        /// Why: a sentence.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Let payouts go on after the database was put back from a backup.
    ///
    /// First let the wallet's daemon catch up with its network, and adopt what it sent since the backup. With payouts by
    /// hand, look through what you paid since.
    Resume {
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Tell the transaction of a payout that was made by hand.
    Sent {
        /// Its number.
        id: u64,
        /// The transaction's id.
        txid: String,
        #[command(flatten)]
        pool: PoolFile,
    },
}

/// Asks the running pool.
pub(super) async fn run(action: PayoutsAction) -> ExitCode {
    let (pool, order) = match action {
        PayoutsAction::Correct { exchange, user, amount, who, why, pool } => {
            let correction = CorrectCommand { exchange, user, amount, who, why };
            return command(&pool.config, Command::Correct(correction)).await;
        }
        PayoutsAction::List { pool } => (pool, PayoutCommand::List),
        PayoutsAction::Show { id, pool } => (pool, PayoutCommand::Show { id }),
        PayoutsAction::Statement { id, pool } => (pool, PayoutCommand::Statement { id }),
        PayoutsAction::Approve { address, up_to, pool } => (pool, PayoutCommand::Approve { address, up_to }),
        PayoutsAction::Hold { address, release, pool } => (pool, PayoutCommand::Hold { address, release }),
        PayoutsAction::Resolve { id, txid, unsent: _, pool } => (pool, PayoutCommand::Resolve { id, txid }),
        PayoutsAction::Adopt { txid, foreign, pool } => (pool, PayoutCommand::Adopt { txid, foreign }),
        PayoutsAction::Resume { pool } => (pool, PayoutCommand::Resume),
        PayoutsAction::Sent { id, txid, pool } => (pool, PayoutCommand::Sent { id, txid }),
    };
    command(&pool.config, Command::Payouts(order)).await
}

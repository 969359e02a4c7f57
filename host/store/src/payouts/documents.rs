//! What a caller hands over of a payout, and what of it is refused. Knows no SQL.

use std::collections::BTreeSet;

use super::{MAX_NOTE_BYTES, MAX_PAYOUT_OUTPUTS, MAX_TRANSACTION_BYTES};
use crate::error::StoreError;
use crate::rows::{check_name, check_text};

/// A payout to be reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayout {
    /// `plain`, `prepared` or `manual`.
    pub method: String,
    /// What its comment begins with: the payout's number and the digest follow, with colons between.
    pub comment_head: String,
    /// The digest of its outputs.
    pub digest: String,
    /// Its outputs, by rising address.
    pub outputs: Vec<PayoutOutput>,
}

/// An output, and whose balances it is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutOutput {
    /// Where to.
    pub address: String,
    /// How much, in 1e-8 of the coin.
    pub amount_e8: i64,
    /// What is taken from whom. What is paid adds up to the amount.
    pub debits: Vec<PayoutDebit>,
}

/// What is taken from an LP's balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayoutDebit {
    /// The LP.
    pub lp_id: i64,
    /// What it is paid, in 1e-8 of the coin.
    pub paid_e8: i64,
    /// What it is charged, in 1e-8 of the coin.
    pub fee_e8: i64,
}

/// A transaction that the operator adopts as a payout of this pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedPayout {
    /// Its number, as [`crate::Store::free_payout_id`] told it.
    pub payout_id: u64,
    /// Its comment, or what stands for one.
    pub comment: String,
    /// The id of its transaction.
    pub txid: String,
    /// Its outputs. Those of addresses that no LP has are in nobody's debit.
    pub outputs: Vec<PayoutOutput>,
    /// Why it is adopted.
    pub why: String,
}

/// What becomes of a payout. Empty texts leave what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayoutChange {
    /// The id of its transaction.
    pub txid: String,
    /// The signed transaction.
    pub hex: String,
    /// The coins it spends.
    pub inputs: String,
    /// A block from before the call.
    pub since_block: String,
    /// What happened, for who reads it later.
    pub note: String,
}

impl NewPayout {
    pub(super) fn check(&self) -> Result<(), StoreError> {
        check_name("the comment of a payout", &self.comment_head)?;
        check_name("the digest of a payout", &self.digest)?;
        check_outputs(&self.outputs)?;
        for output in &self.outputs {
            let paid: i128 = output.debits.iter().map(|debit| i128::from(debit.paid_e8)).sum();
            if paid != i128::from(output.amount_e8) {
                return Err(StoreError::invalid("an output", "its debits do not add up to it"));
            }
        }
        Ok(())
    }
}

pub(super) fn check_outputs(outputs: &[PayoutOutput]) -> Result<(), StoreError> {
    let invalid = |reason| Err(StoreError::invalid("a payout", reason));
    if outputs.is_empty() || outputs.len() > MAX_PAYOUT_OUTPUTS {
        return invalid("it has no outputs, or too many");
    }
    let mut lp_ids = BTreeSet::new();
    for output in outputs {
        check_name("the address", &output.address)?;
        if output.address.contains(['\n', ' ']) || output.amount_e8 <= 0 {
            return invalid("an output has a blank in its address, or no amount");
        }
        for debit in &output.debits {
            if debit.paid_e8 < 0 || debit.fee_e8 < 0 || !lp_ids.insert(debit.lp_id) {
                return invalid("a debit is negative, or an LP stands in it twice");
            }
        }
    }
    Ok(())
}

impl PayoutChange {
    pub(super) fn check(&self) -> Result<(), StoreError> {
        check_text("the transaction's id", &self.txid, 256)?;
        check_text("the block", &self.since_block, 256)?;
        check_text("the transaction", &self.hex, MAX_TRANSACTION_BYTES)?;
        check_text("the coins it spends", &self.inputs, MAX_TRANSACTION_BYTES)?;
        check_text("the note", &self.note, MAX_NOTE_BYTES)
    }
}

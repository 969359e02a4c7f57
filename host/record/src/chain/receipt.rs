//! Receipts: what the pool signs to an LP the moment it accepts a submission.

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::entry::{PoolKey, PublicKey, Signature};
use crate::judged::OrderRecord;

/// What stands before a receipt when it is signed, so that the signature is good for nothing else.
const SIGNED_AS: &str = "alp receipt v1\n";

/// That a submission was accepted, and what it was judged to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The pool's id.
    pub pool: String,
    /// The LP's pseudonym.
    pub lp: Digest,
    /// The exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
    /// The round it counts in: its start, in Unix seconds.
    pub round: u64,
    /// When it was taken, in Unix milliseconds.
    pub at_ms: u64,
    /// The digest of the message as the bot sent it.
    pub submission: Digest,
    /// The digest of the judged orders as they will stand in the round's entry.
    pub orders: Digest,
    /// The epoch of the newest entry at that moment.
    pub epoch: u64,
    /// The number of the newest entry at that moment.
    pub number: u64,
    /// The digest of that entry's header.
    pub head: Digest,
}

/// A receipt with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedReceipt {
    /// The receipt.
    pub receipt: Receipt,
    /// The pool's signature.
    pub signature: Signature,
}

impl Receipt {
    /// The digest of judged orders, their ids being commitments.
    #[must_use]
    pub fn orders_digest(orders: &[OrderRecord]) -> Digest {
        Digest::of(&[serde_json::to_string(orders).unwrap_or_default().as_bytes()])
    }

    /// Signs it.
    #[must_use]
    pub fn sign(self, key: &PoolKey) -> SignedReceipt {
        let signature = key.sign(SIGNED_AS, &self.line());
        SignedReceipt { receipt: self, signature }
    }

    fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl SignedReceipt {
    /// Whether `key` signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: PublicKey) -> bool {
        key.verifies(SIGNED_AS, &self.receipt.line(), &self.signature)
    }
}

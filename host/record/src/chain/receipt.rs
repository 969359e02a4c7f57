//! Receipts: what the pool signs to an LP the moment it accepts a submission.
//!
//! Those of one moment are signed together: the signature is that of the root of a tree over them, and each comes with
//! the way from itself to the root. One that is signed alone is its own root. Nobody learns anything of the others but
//! digests, and a pool under load makes one signature where it would have made dozens.

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::entry::{PoolKey, PublicKey, Signature};
use super::merkle::{self, Step};
use crate::judged::OrderRecord;

/// What stands before a receipt when it is signed, so that the signature is good for nothing else.
const SIGNED_AS: &str = "alp receipt v1\n";

/// Room for what most orders are written as.
const USUAL_ORDER: usize = 256;

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
    /// What it is joined with, from itself to the root that was signed; nothing if it was signed alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Step>,
    /// The pool's signature of the root.
    pub signature: Signature,
}

impl Receipt {
    /// The digest of judged orders, their ids being commitments.
    #[must_use]
    pub fn orders_digest(orders: &[OrderRecord]) -> Digest {
        let mut written = Vec::with_capacity(orders.len().saturating_mul(USUAL_ORDER));
        // Texts and numbers have no way to fail to be written.
        let _ = serde_json::to_writer(&mut written, orders);
        Digest::of(&[&written])
    }

    /// Signs it alone.
    #[must_use]
    pub fn sign(self, key: &PoolKey) -> SignedReceipt {
        let signature = key.sign(SIGNED_AS, &self.leaf().to_string());
        SignedReceipt { receipt: self, path: Vec::new(), signature }
    }

    /// Signs many with one signature. They come back in their order.
    #[must_use]
    pub fn sign_together(receipts: Vec<Self>, key: &PoolKey) -> Vec<SignedReceipt> {
        let leaves: Vec<Digest> = receipts.iter().map(Self::leaf).collect();
        let (root, paths) = merkle::root_with_paths(&leaves);
        let signature = key.sign(SIGNED_AS, &root.to_string());
        let signed = receipts.into_iter().zip(paths).map(|(receipt, path)| SignedReceipt {
            receipt,
            path,
            signature: signature.clone(),
        });
        signed.collect()
    }

    fn leaf(&self) -> Digest {
        merkle::leaf_digest(self.line().as_bytes())
    }

    fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl SignedReceipt {
    /// Whether `key` signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: PublicKey) -> bool {
        let root = merkle::climbed(self.receipt.leaf(), &self.path);
        key.verifies(SIGNED_AS, &root.to_string(), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(number: u64) -> Receipt {
        let (lp, submission) = (Digest([1; 32]), Digest([2; 32]));
        Receipt {
            pool: "test".to_owned(),
            lp,
            exchange: "x".to_owned(),
            unit: "btc".to_owned(),
            round: 60,
            at_ms: 60_000 + number,
            submission,
            orders: Digest::NOTHING,
            epoch: 0,
            number,
            head: Digest::NOTHING,
        }
    }

    #[test]
    fn each_of_many_signed_together_is_signed_and_none_of_them_in_anothers_place() {
        let (key, other) = (PoolKey::from_seed(&[7; 32]).unwrap(), PoolKey::from_seed(&[8; 32]).unwrap());
        for count in 1..20 {
            let signed = Receipt::sign_together((0..count).map(receipt).collect(), &key);
            for (number, one) in (0..count).zip(&signed) {
                assert_eq!(one.receipt, receipt(number));
                assert!(one.is_signed_by(key.public()) && !one.is_signed_by(other.public()));
                let changed = SignedReceipt { receipt: receipt(number + 1), ..one.clone() };
                assert!(!changed.is_signed_by(key.public()));
                let mut astray = one.clone();
                astray.path.push(Step::Left(Digest::NOTHING));
                assert!(!astray.is_signed_by(key.public()));
            }
        }
    }

    #[test]
    fn one_that_is_signed_alone_is_what_many_of_one_are() {
        let key = PoolKey::from_seed(&[7; 32]).unwrap();
        let alone = receipt(5).sign(&key);
        assert!(alone.is_signed_by(key.public()) && alone.path.is_empty());
        assert_eq!(Receipt::sign_together(vec![receipt(5)], &key), [alone]);
    }
}

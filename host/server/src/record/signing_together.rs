//! Receipts of one moment, signed together. Submissions that were stored in one commit go on at once, and a signature
//! takes a good part of what a submission takes the pool.

use std::sync::{Mutex, PoisonError};

use alp_record::chain::{PoolKey, Receipt, SignedReceipt};
use tokio::sync::oneshot::{Sender, channel};

/// Most receipts under one signature: their ways to the root are then six digests long, half a kilobyte of a header.
const MAX_TOGETHER: usize = 64;

/// Receipts that wait for their signature.
#[derive(Debug, Default)]
pub(super) struct SigningTogether(Mutex<Vec<Waiting>>);

#[derive(Debug)]
struct Waiting {
    receipt: Receipt,
    answer: Sender<SignedReceipt>,
}

impl SigningTogether {
    /// Signs a receipt with those of whoever is ready now. It waits one turn of the scheduler for them and no time.
    pub(super) async fn sign(&self, receipt: Receipt, key: &PoolKey) -> SignedReceipt {
        let (answer, signed) = channel();
        let alone = receipt.clone();
        self.lock().push(Waiting { receipt, answer });
        tokio::task::yield_now().await;
        // Whoever comes first signs for all. One that gave up meanwhile is signed for nothing.
        loop {
            let batch: Vec<Waiting> = {
                let mut waiting = self.lock();
                let count = waiting.len().min(MAX_TOGETHER);
                waiting.drain(..count).collect()
            };
            if batch.is_empty() {
                break;
            }
            let (receipts, answers): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|Waiting { receipt, answer }| (receipt, answer)).unzip();
            for (answer, signed) in answers.into_iter().zip(Receipt::sign_together(receipts, key)) {
                let _ = answer.send(signed);
            }
        }
        signed.await.unwrap_or_else(|_| alone.sign(key))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use alp_record::chain::Digest;

    use super::*;

    fn receipt(number: u64) -> Receipt {
        Receipt {
            pool: "test".to_owned(),
            lp: Digest::NOTHING,
            exchange: "x".to_owned(),
            unit: "btc".to_owned(),
            round: 60,
            at_ms: 60_000,
            submission: Digest::NOTHING,
            orders: Digest::NOTHING,
            epoch: 0,
            number,
            head: Digest::NOTHING,
        }
    }

    #[tokio::test]
    async fn those_that_are_ready_at_once_share_signatures_of_at_most_sixty_four_and_one_alone_has_its_own() {
        let key = PoolKey::from_seed(&[7; 32]).unwrap();
        let together = SigningTogether::default();
        let all = (0..100).map(|number| together.sign(receipt(number), &key));
        let signed = futures_util::future::join_all(all).await;
        let mut signatures: Vec<&str> = signed.iter().map(|one| one.signature.signature.as_str()).collect();
        signatures.dedup();
        assert_eq!(signatures.len(), 2);
        for (number, one) in (0..100).zip(&signed) {
            assert!(one.receipt == receipt(number) && one.is_signed_by(key.public()));
            assert!(one.path.len() <= 6);
        }
        assert!(together.sign(receipt(100), &key).await.path.is_empty());
    }

    #[tokio::test]
    async fn one_that_gave_up_keeps_no_other_from_its_receipt() {
        let key = PoolKey::from_seed(&[7; 32]).unwrap();
        let together = SigningTogether::default();
        {
            let mut given_up = Box::pin(together.sign(receipt(1), &key));
            let begun = std::future::poll_fn(|context| Poll::Ready(given_up.as_mut().poll(context)));
            assert!(begun.await.is_pending());
        }
        let signed = together.sign(receipt(2), &key).await;
        assert!(signed.receipt == receipt(2) && signed.is_signed_by(key.public()));
    }
}

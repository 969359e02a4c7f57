//! That a payout is sent, and by which transaction: written together with the entry of the record that tells of it.

use alp_record::chain::{Body, PayoutEntry};
use alp_store::{AdoptedPayout, Lease, PayoutChange, PayoutRow};

use super::{Payer, StepError};

impl Payer {
    /// Moves a payout to `sent`, or gives one that is sent another transaction. Whether it was where the caller saw it.
    pub(super) async fn publish_sent(
        &self,
        lease: &Lease,
        payout: &PayoutRow,
        change: &PayoutChange,
    ) -> Result<bool, StepError> {
        let (id, from) = (payout.payout_id, payout.stage.as_str());
        let txid = if change.txid.is_empty() { &payout.txid } else { &change.txid };
        let body = if from == "sent" {
            Body::Payout(PayoutEntry { payout: id.to_string(), txid: txid.clone(), lps: Vec::new() })
        } else {
            let body = self.publisher.payout_body(&self.store, id, txid);
            self.fail_at.around("name its LPs by their pseudonyms", body).await??
        };
        let write = |entry| async move {
            self.written("store that it is sent", self.store.publish_payout(lease, id, from, change, &entry))
                .await
        };
        Ok(self.publisher.publish::<StepError, _>(&self.store, body, write).await?.is_some())
    }

    /// Enters a transaction of the wallet as a payout. Its number.
    pub(super) async fn publish_adopted(
        &self,
        lease: &Lease,
        wanted: Option<u64>,
        mut adopted: AdoptedPayout,
    ) -> Result<u64, StepError> {
        loop {
            adopted.payout_id = self.store.free_payout_id(wanted).await?;
            let body = self.publisher.adopted_body(&self.store, &adopted).await?;
            let adopted = &adopted;
            let write = |entry| async move {
                self.written("adopt a payout", self.store.adopt_payout(lease, adopted, &entry)).await
            };
            // A number that was taken meanwhile is not free at the next look.
            if self.publisher.publish::<StepError, _>(&self.store, body, write).await?.is_some() {
                return Ok(adopted.payout_id);
            }
        }
    }
}

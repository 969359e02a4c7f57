//! Payouts and corrections as entries of the record, and those of the ledger that no entry tells of yet.
//! It knows amounts and whose they are, and nothing of wallets.

use std::collections::BTreeMap;

use alp_record::chain::{Body, Correction, PayoutEntry, PayoutShare};
use alp_store::{AdoptedPayout, Lease, NewCorrection, Store, Unpublished};

use super::{PublishError, Publisher};

/// Who corrected what was entered by somebody who does not say.
const UNKNOWN: &str = "not noted";

impl Publisher {
    /// The entry of a payout that was reserved: what it took from whom.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn payout_body(&self, store: &Store, payout_id: u64, txid: &str) -> Result<Body, PublishError> {
        let mut taken: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for entry in store.ledger_of_payout(payout_id).await? {
            let (paid_e8, fee_e8) = taken.entry(entry.lp_id).or_default();
            let part = match entry.kind.as_str() {
                "payout" => paid_e8,
                "fee" => fee_e8,
                // What is given back belongs to a payout that was never sent.
                _ => return Err(PublishError::Damaged),
            };
            *part = part.saturating_sub(entry.amount_e8);
        }
        self.payout_of(store, payout_id, txid, taken).await
    }

    /// The entry of a transaction that is adopted as a payout.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn adopted_body(&self, store: &Store, adopted: &AdoptedPayout) -> Result<Body, PublishError> {
        let debits = adopted.outputs.iter().flat_map(|output| &output.debits);
        let taken = debits.map(|debit| (debit.lp_id, (debit.paid_e8, debit.fee_e8)));
        self.payout_of(store, adopted.payout_id, &adopted.txid, taken.collect()).await
    }

    /// The entry of a correction.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn correction_body(
        &self,
        store: &Store,
        correction: &NewCorrection,
    ) -> Result<Body, PublishError> {
        let NewCorrection { lp_id, amount_e8, who, why } = correction;
        let pseudonyms = self.pseudonyms(store, &[*lp_id]).await?;
        let lp = *pseudonyms.get(lp_id).ok_or(PublishError::Damaged)?;
        let who = if who.is_empty() { UNKNOWN.to_owned() } else { who.clone() };
        Ok(Body::Correction(Correction { lp, amount_e8: *amount_e8, who, why: why.clone() }))
    }

    /// Publishes what the ledger had before this server began to lead and no entry tells of: payouts and corrections of
    /// a version that knew no such entries, and corrections by who does not sign. In the ledger's order, each with an
    /// entry of its own; done once for each time that the server begins to lead.
    ///
    /// # Errors
    /// [`PublishError`]; what was published by then stays, and the rest is tried again.
    pub async fn catch_up(&self, store: &Store, lease: &Lease) -> Result<(), PublishError> {
        let mut caught_up = self.caught_up.lock().await;
        while *caught_up != lease.epoch() {
            let unpublished = store.unpublished().await?;
            let mut published = 0_usize;
            for change in &unpublished {
                published =
                    published.saturating_add(usize::from(self.publish_earlier(store, lease, change).await?));
            }
            if published > 0 {
                tracing::info!(published, "payouts and corrections from before were published");
            } else {
                *caught_up = lease.epoch();
            }
        }
        Ok(())
    }

    async fn publish_earlier(
        &self,
        store: &Store,
        lease: &Lease,
        change: &Unpublished,
    ) -> Result<bool, PublishError> {
        let header = match change {
            Unpublished::Payout(id) => {
                let payout = store.payout(*id).await?.ok_or(PublishError::Damaged)?;
                let body = self.payout_body(store, *id, &payout.txid).await?;
                let write = |entry| async move { Ok(store.publish_sent_payout(lease, *id, &entry).await?) };
                self.publish::<PublishError, _>(store, body, write).await?
            }
            Unpublished::Correction { entry_no, correction } => {
                let body = self.correction_body(store, correction).await?;
                let write = |entry| async move {
                    Ok(store.publish_known_correction(lease, *entry_no, correction, &entry).await?)
                };
                self.publish::<PublishError, _>(store, body, write).await?
            }
        };
        Ok(header.is_some())
    }

    async fn payout_of(
        &self,
        store: &Store,
        payout_id: u64,
        txid: &str,
        taken: BTreeMap<i64, (i64, i64)>,
    ) -> Result<Body, PublishError> {
        let lp_ids: Vec<i64> = taken.keys().copied().collect();
        let pseudonyms = self.pseudonyms(store, &lp_ids).await?;
        let mut lps = Vec::with_capacity(taken.len());
        for (lp_id, (paid_e8, fee_e8)) in taken {
            let lp = *pseudonyms.get(&lp_id).ok_or(PublishError::Damaged)?;
            let amount_e8 = paid_e8.checked_add(fee_e8).ok_or(PublishError::Damaged)?;
            // Whoever nothing is taken from has no line in the ledger either.
            if amount_e8 > 0 {
                lps.push(PayoutShare { lp, amount_e8, fee_e8 });
            }
        }
        // Not in the order of registrations, which is nobody's business.
        lps.sort_unstable_by_key(|share| share.lp);
        Ok(Body::Payout(PayoutEntry { payout: payout_id.to_string(), txid: txid.to_owned(), lps }))
    }
}

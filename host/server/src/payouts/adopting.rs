//! `alp payouts adopt`: a transaction of the wallet that the ledger does not know becomes a payout, or is noted as none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use alp_store::{
    AdoptedPayout, Foreign, Lease, MAX_BALANCES_PAGE, Owing, PayoutDebit, PayoutOutput, StoreError,
};

use super::Payer;
use super::look::View;
use super::wallet::Spend;
use crate::proof::standing_after;

/// Who was paid at an address.
#[derive(Default)]
struct Paid {
    /// Those whose address it was when the transaction was made.
    then: Vec<Owing>,
    /// Those whose address it was at another time: a payout keeps the address that it was reserved for.
    once: Vec<Owing>,
}

impl Payer {
    /// Enters what the operator names of the transactions that nobody knows, or notes that it is no payout. Sentences.
    pub(super) async fn adopt(&self, lease: &Lease, txid: &str, foreign: bool) -> Result<String, String> {
        let wallet = self.wallet.as_ref().ok_or("there is no wallet: payouts are made by hand")?;
        let view = self.look(wallet).await.map_err(|error| error.to_string())?;
        let view = view.map_err(|error| error.to_string())?;
        let wanted: Vec<&Spend> =
            view.unknown.iter().filter(|spend| spend.txid == txid || (foreign && txid == "all")).collect();
        if wanted.is_empty() {
            return Err(format!("{txid} is not among the transactions that nobody knows"));
        }
        let mut text = String::new();
        for spend in wanted {
            if foreign {
                let why = "the operator says that it is no payout".to_owned();
                let noted = self.store.note_foreign(lease, &Foreign { txid: spend.txid.clone(), why }).await;
                noted.map_err(|error| error.to_string())?;
                let _ = writeln!(text, "{} is noted as no payout", spend.txid);
            } else {
                for id in self.give_back_unsent(lease, &view).await? {
                    let _ =
                        writeln!(text, "payout {id} was not sent, and is planned anew from what is owed now");
                }
                let (wanted, adopted) = self.adopted(spend).await.map_err(|error| error.to_string())?;
                let id =
                    self.publish_adopted(lease, wanted, adopted).await.map_err(|error| error.to_string())?;
                let _ = writeln!(
                    text,
                    "{} is payout {id} now, and what it paid is taken from balances",
                    spend.txid
                );
                if let Some(below) = self.below_zero(id).await? {
                    let _ = writeln!(text, "{below}");
                }
            }
        }
        Ok(text)
    }

    /// Gives back what payouts have taken that were never sent, and tells their numbers. A ledger that did not know of the
    /// transaction has reserved the very coins that it paid: taken twice, they would be sent twice.
    async fn give_back_unsent(&self, lease: &Lease, view: &View) -> Result<Vec<u64>, String> {
        let mut given_back = Vec::new();
        for payout in view.open.iter().filter(|payout| view.is_unsent(payout)) {
            let now_ms = self.store.clock_ms().await.map_err(|error| error.to_string())?;
            let why = "a transaction that the ledger did not know was adopted";
            let void = self.store.void_payout(lease, payout.payout_id, &payout.stage, now_ms, why);
            if void.await.map_err(|error| error.to_string())? {
                given_back.push(payout.payout_id);
            }
        }
        Ok(given_back)
    }

    /// That an LP got more than the ledger owed it, which `alp verify` finds as well.
    async fn below_zero(&self, id: u64) -> Result<Option<String>, String> {
        let failed = |error: alp_store::StoreError| error.to_string();
        for entry in self.store.ledger_of_payout(id).await.map_err(failed)? {
            let owing = self.store.owing(entry.lp_id.saturating_sub(1), 1).await.map_err(failed)?;
            if owing.iter().any(|lp| lp.owed_e8 < 0) {
                return Ok(Some(format!(
                    "LP {} got more than it was owed; if a restore lost its credits, correct that before you adopt \
                     (`alp payouts correct`), so that the record adds up",
                    entry.lp_id
                )));
            }
        }
        Ok(None)
    }

    /// The payout that a transaction was, and the number that its comment names.
    async fn adopted(&self, spend: &Spend) -> Result<(Option<u64>, AdoptedPayout), StoreError> {
        let mut paid = self.paid_by(spend).await?;
        let (mut outputs, mut taken) = (Vec::new(), BTreeSet::new());
        for (address, coins) in &spend.outputs {
            let amount_e8 = i64::try_from(coins.e8()).unwrap_or(i64::MAX);
            let Paid { then, once } = paid.remove(address).unwrap_or_default();
            let mut lps = if then.is_empty() { once } else { then };
            lps.retain(|lp| taken.insert(lp.lp_id));
            outputs.push(PayoutOutput {
                address: address.clone(),
                amount_e8,
                debits: split(amount_e8, &lps),
            });
        }
        let head = format!("alp:{}:", self.config.pool_id);
        let ours = spend.comment.strip_prefix(&head).and_then(|rest| rest.split(':').next());
        let comment = if ours.is_some() { spend.comment.clone() } else { format!("adopted:{}", spend.txid) };
        let wanted = ours.and_then(|id| id.parse().ok()).filter(|id| *id > 0);
        let (txid, why) = (spend.txid.clone(), "the operator adopted it".to_owned());
        Ok((wanted, AdoptedPayout { payout_id: wanted.unwrap_or(0), comment, txid, outputs, why }))
    }

    /// Who was paid at each of its addresses.
    async fn paid_by(&self, spend: &Spend) -> Result<BTreeMap<String, Paid>, StoreError> {
        let mut others = BTreeMap::<i64, Vec<String>>::new();
        for (lp, address) in self.store.changed_addresses().await? {
            others.entry(lp).or_default().push(address);
        }
        let at_ms = u64::try_from(spend.time_s).unwrap_or(0).saturating_mul(1_000);
        let (mut paid, mut after) = (BTreeMap::<String, Paid>::new(), 0);
        loop {
            let page = self.store.owing(after, MAX_BALANCES_PAGE).await?;
            let Some(last) = page.last() else { return Ok(paid) };
            after = last.lp_id;
            for lp in page {
                let mut addresses = others.remove(&lp.lp_id).unwrap_or_default();
                let changed = !addresses.is_empty();
                addresses.push(lp.address.clone());
                addresses.retain(|address| spend.outputs.contains_key(address));
                if addresses.is_empty() {
                    continue;
                }
                let then = if changed { self.address_at(&lp, at_ms).await? } else { lp.address.clone() };
                for address in addresses {
                    let paid = paid.entry(address.clone()).or_default();
                    let list = if address == then { &mut paid.then } else { &mut paid.once };
                    if list.iter().all(|known| known.lp_id != lp.lp_id) {
                        list.push(lp.clone());
                    }
                }
            }
        }
    }

    /// The address that was in force for an LP at a time.
    async fn address_at(&self, lp: &Owing, at_ms: u64) -> Result<String, StoreError> {
        let history = self.store.address_history(lp.lp_id).await?;
        let last = history.iter().rev().find(|record| record.at_ms <= at_ms);
        Ok(standing_after(&lp.address, last).at(at_ms).address)
    }
}

/// Takes an amount from the LPs of an address: from each at most what it is owed, in their order, and what is left from
/// the first, so that the sum is the amount.
fn split(amount_e8: i64, lps: &[Owing]) -> Vec<PayoutDebit> {
    let mut left_e8 = amount_e8;
    let mut debits: Vec<PayoutDebit> = Vec::new();
    for lp in lps {
        let paid_e8 = lp.owed_e8.max(0).min(left_e8);
        left_e8 = left_e8.saturating_sub(paid_e8);
        debits.push(PayoutDebit { lp_id: lp.lp_id, paid_e8, fee_e8: 0 });
    }
    if let Some(first) = debits.first_mut() {
        first.paid_e8 = first.paid_e8.saturating_add(left_e8);
    }
    debits
}

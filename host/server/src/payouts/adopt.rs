//! `alp payouts adopt`: transactions of the wallet that the ledger does not know become payouts, or are noted as none.

use std::collections::BTreeMap;
use std::fmt::Write;

use alp_store::{AdoptedPayout, Foreign, Lease, MAX_BALANCES_PAGE, Owing, PayoutDebit, PayoutOutput};

use super::Payer;
use super::wallet::Spend;

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
                let (wanted, adopted) = self.adopted(spend).await?;
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

    /// A transaction as a payout, and the number that its comment names.
    async fn adopted(&self, spend: &Spend) -> Result<(Option<u64>, AdoptedPayout), String> {
        let (mut by_address, mut after) = (BTreeMap::<String, Vec<Owing>>::new(), 0);
        loop {
            let page = self.store.owing(after, MAX_BALANCES_PAGE).await.map_err(|error| error.to_string())?;
            let Some(last) = page.last() else { break };
            after = last.lp_id;
            for lp in page {
                by_address.entry(lp.address.clone()).or_default().push(lp);
            }
        }
        let mut outputs = Vec::new();
        for (address, coins) in &spend.outputs {
            let amount_e8 = i64::try_from(coins.e8()).unwrap_or(i64::MAX);
            let lps = by_address.get(address).map(Vec::as_slice).unwrap_or_default();
            outputs.push(PayoutOutput { address: address.clone(), amount_e8, debits: split(amount_e8, lps) });
        }
        let head = format!("alp:{}:", self.config.pool_id);
        let ours = spend.comment.strip_prefix(&head).and_then(|rest| rest.split(':').next());
        let comment = if ours.is_some() { spend.comment.clone() } else { format!("adopted:{}", spend.txid) };
        let wanted = ours.and_then(|id| id.parse().ok()).filter(|id| *id > 0);
        let (txid, why) = (spend.txid.clone(), "the operator adopted it".to_owned());
        Ok((wanted, AdoptedPayout { payout_id: wanted.unwrap_or(0), comment, txid, outputs, why }))
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

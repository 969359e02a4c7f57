//! `alp payouts adopt`: transactions of the wallet that the ledger does not know become payouts, or are noted as none.

use std::fmt::Write;

use alp_store::{Foreign, Lease};

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
}

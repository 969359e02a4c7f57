//! Payouts after a restore: they stand still until a person has seen that the ledger knows what the wallet sent.
//!
//! What the ledger does not know is found in any case. But a daemon that has not caught up with its network yet shows a
//! history with nothing new in it, so that only a person can say that it is whole.

use alp_store::Lease;

use super::{Payer, StepError};

/// The alarm's kind.
const ALARM: &str = "restored";

impl Payer {
    /// Why payouts stand still, if the database was put back from a backup.
    pub(super) async fn held_after_restore(&self, lease: &Lease) -> Result<Option<String>, StepError> {
        let Some(restore) = self.store.newest_restore().await?.filter(|restore| !restore.payouts_resumed)
        else {
            return Ok(None);
        };
        let sentence = format!(
            "the database was put back from a backup made at {} ms, and knows nothing of what was paid since: let the \
             wallet's daemon catch up, adopt what it sent (`alp payouts list`), then `alp payouts resume`",
            restore.backup_at_ms
        );
        self.alarm(lease, ALARM, "payouts", &sentence).await?;
        Ok(Some(sentence))
    }

    /// Lets payouts go on, if nothing speaks against it.
    pub(super) async fn resume(&self, lease: &Lease) -> Result<String, String> {
        let text = |error: StepError| error.to_string();
        if let Some(wallet) = &self.wallet {
            let view = self.look(wallet).await.map_err(text)?;
            let view = view.map_err(|error| format!("the wallet's history cannot be read: {error}"))?;
            if let Some(spend) = view.unknown.first() {
                return Err(format!(
                    "the wallet sent {}, which the ledger does not know: `alp payouts adopt {}` first",
                    spend.txid, spend.txid
                ));
            }
            if !view.finds_the_last_paid {
                return Err("the wallet does not find the last payout that was paid before the backup: it is another one, \
                            or has not caught up"
                    .to_owned());
            }
        }
        let stood_still = self.store.resume_payouts(lease).await.map_err(|error| error.to_string())?;
        self.end_alarm(lease, ALARM, "payouts").await.map_err(text)?;
        let told = if stood_still { "payouts go on" } else { "payouts did not stand still after a restore" };
        Ok(told.to_owned())
    }
}

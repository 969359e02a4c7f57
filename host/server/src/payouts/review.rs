//! A payout that is under way: what the wallet says of it, and what follows.

use alp_pool::payout::{Broadcast, Evidence, Method, Next, Stage, Why, after_broadcast, review};
use alp_store::{Lease, PayoutChange, PayoutRow};

use super::look::{View, conflict_with, method_of};
use super::wallet::{Input, Spend, Wallet};
use super::{Outcome, Payer, StepError};

/// Most transactions that are read to see whether they spend a payout's coins: those since the payout began.
const MAX_READ: usize = 500;

impl Payer {
    /// Goes on with a payout whose wallet was called, or is about to be.
    pub(super) async fn review_one(
        &self,
        lease: &Lease,
        wallet: &Wallet,
        view: &View,
        payout: &PayoutRow,
    ) -> Result<Outcome, StepError> {
        let damaged = StepError::Damaged { payout_id: payout.payout_id, what: "its stage" };
        let stage = Stage::from_name(&payout.stage).ok_or(damaged)?;
        let method = method_of(payout)?;
        if method == Method::Manual {
            return Ok(Outcome::Waiting);
        }
        let evidence = view.evidence(payout)?;
        let undone = evidence.found.as_ref().is_some_and(|found| found.confirmations < 0);
        if undone || (stage == Stage::Sent && evidence.found.is_none()) {
            let sentence = format!(
                "the transaction {} of payout {} was undone, or lost its coins to another one; the very same one is \
                 sent again, and no other",
                payout.txid, payout.payout_id
            );
            self.alarm(lease, "undone", &payout.payout_id.to_string(), &sentence).await?;
        }
        let next = review(stage, method, &evidence, self.config.confirmations);
        self.follow(lease, wallet, view, payout, &evidence, next).await
    }

    async fn follow(
        &self,
        lease: &Lease,
        wallet: &Wallet,
        view: &View,
        payout: &PayoutRow,
        evidence: &Evidence,
        next: Next,
    ) -> Result<Outcome, StepError> {
        let subject = payout.payout_id.to_string();
        match next {
            Next::Sent { txid } if payout.stage == "sent" && txid == payout.txid => Ok(Outcome::Waiting),
            Next::Sent { txid } => {
                let note = format!("found in the wallet as {txid}");
                self.end_alarms_of(lease, &subject).await?;
                self.moved(lease, payout, "sent", &PayoutChange { txid, note, ..PayoutChange::default() })
                    .await
            }
            Next::Paid => {
                let count = evidence.found.as_ref().map_or(0, |found| found.confirmations);
                let note = format!("{count} confirmations");
                self.end_alarms_of(lease, &subject).await?;
                self.moved(lease, payout, "paid", &PayoutChange { note, ..PayoutChange::default() }).await
            }
            Next::Broadcast => self.broadcast(lease, wallet, view, payout).await,
            Next::Wait | Next::Void => Ok(Outcome::Waiting),
            Next::Stop(why) => {
                if payout.stage == "sent" {
                    self.send_again(wallet, &payout.txid).await?;
                }
                self.stop(lease, payout, &why).await
            }
        }
    }

    async fn end_alarms_of(&self, lease: &Lease, subject: &str) -> Result<(), StepError> {
        for kind in ["uncertain", "conflict", "undone", "refused"] {
            self.end_alarm(lease, kind, subject).await?;
        }
        Ok(())
    }

    async fn stop(&self, lease: &Lease, payout: &PayoutRow, why: &Why) -> Result<Outcome, StepError> {
        let id = payout.payout_id;
        let (kind, sentence) = match why {
            Why::Uncertain => (
                "uncertain",
                format!(
                    "the wallet was called for payout {id}, and does not find it; that does not mean it was not sent. \
                     `alp payouts show {id}` has the evidence, and `alp payouts resolve {id}` is a person's decision"
                ),
            ),
            Why::HistoryLost => (
                "uncertain",
                format!(
                    "payout {id} is not found, nor is the last one that was paid: the wallet was restored or is \
                     another one, so its silence says nothing"
                ),
            ),
            Why::Conflict { txid } => (
                "conflict",
                format!(
                    "{txid} spends the coins of payout {id} and pays others: find out who sent it, then `alp payouts \
                     resolve {id}`"
                ),
            ),
            Why::Unknown { txid } => {
                ("conflict", format!("the wallet sent {txid}, which the ledger does not know"))
            }
        };
        self.alarm(lease, kind, &id.to_string(), &sentence).await?;
        Ok(Outcome::Stopped(sentence))
    }

    /// A transaction that `sendmany` made is sent again if the daemon still has it.
    async fn send_again(&self, wallet: &Wallet, txid: &str) -> Result<(), StepError> {
        if let Ok(Some(held)) = self.asked("read a transaction", wallet.transaction(txid)).await?
            && !held.hex.is_empty()
        {
            // What comes of it is seen at the next look.
            let _ = self.asked("send it again", wallet.broadcast(&held.hex)).await?;
        }
        Ok(())
    }

    /// Sends the stored transaction, for the first time or again. Its coins are locked first: the daemon forgets locks
    /// when it is restarted.
    async fn broadcast(
        &self,
        lease: &Lease,
        wallet: &Wallet,
        view: &View,
        payout: &PayoutRow,
    ) -> Result<Outcome, StepError> {
        let inputs = inputs_of(payout)?;
        if payout.stage != "sent"
            && let Err(error) = self.asked("lock its coins", wallet.set_locks(false, &inputs)).await?
        {
            return self.hindered(lease, &error).await;
        }
        if payout.stage == "prepared" {
            let note = "about to be sent".to_owned();
            let change = PayoutChange { note, ..PayoutChange::default() };
            let intend = self.store.move_payout(lease, payout.payout_id, "prepared", "calling", &change);
            if !self.written("store that it is about to be sent", intend).await? {
                return Ok(Outcome::Moved { payout_id: payout.payout_id, stage: "calling" });
            }
        }
        let payout = &PayoutRow {
            stage: if payout.stage == "sent" { "sent" } else { "calling" }.to_owned(),
            ..payout.clone()
        };
        let error = match self.asked("sendrawtransaction", wallet.broadcast(&payout.hex)).await? {
            Ok(()) => {
                return match after_broadcast(Broadcast::Known, &payout.txid) {
                    Next::Sent { txid } if payout.stage == "calling" => {
                        let note = "the wallet took it".to_owned();
                        let change = PayoutChange { txid, note, ..PayoutChange::default() };
                        self.moved(lease, payout, "sent", &change).await
                    }
                    Next::Sent { .. }
                    | Next::Paid
                    | Next::Void
                    | Next::Broadcast
                    | Next::Wait
                    | Next::Stop(_) => Ok(Outcome::Waiting),
                };
            }
            Err(error) => error,
        };
        if error.refusal().is_none() {
            return self.hindered(lease, &error).await;
        }
        if let Some(other) = self.spender(wallet, view, payout, &inputs).await? {
            let conflict = conflict_with(&other, payout)?;
            if conflict.same_outputs {
                let note = format!("another transaction with the same coins and outputs, {}", other.txid);
                let change = PayoutChange { txid: other.txid, note, ..PayoutChange::default() };
                return self.moved(lease, payout, "sent", &change).await;
            }
            return self.stop(lease, payout, &Why::Conflict { txid: other.txid }).await;
        }
        let sentence =
            format!("payout {} is signed and the wallet does not send it: {error}", payout.payout_id);
        self.alarm(lease, "refused", &payout.payout_id.to_string(), &sentence).await?;
        Ok(Outcome::Hindered(sentence))
    }

    /// The transaction in the history that spends one of these coins, if there is one that stands.
    pub(super) async fn spender(
        &self,
        wallet: &Wallet,
        view: &View,
        payout: &PayoutRow,
        inputs: &[Input],
    ) -> Result<Option<Spend>, StepError> {
        let others = view.history.spends.iter().rev();
        let others = others.filter(|spend| spend.txid != payout.txid && spend.confirmations >= 0);
        for spend in others.take(MAX_READ) {
            let Ok(Some(held)) = self.asked("read a transaction", wallet.transaction(&spend.txid)).await?
            else {
                continue;
            };
            let Ok(decoded) = self.asked("read what was signed", wallet.decode(&held.hex)).await? else {
                continue;
            };
            if decoded.inputs.iter().any(|input| inputs.contains(input)) {
                return Ok(Some(spend.clone()));
            }
        }
        Ok(None)
    }
}

/// The coins that a prepared payout spends.
pub(super) fn inputs_of(payout: &PayoutRow) -> Result<Vec<Input>, StepError> {
    let damaged = StepError::Damaged { payout_id: payout.payout_id, what: "its inputs" };
    if payout.inputs.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(&payout.inputs).map_err(|_| damaged)
}

//! One step: look, then do the first thing that is to be done.

use alp_pool::payout::{Method, Stage};
use alp_store::{Lease, PayoutChange, PayoutRow};

use super::look::View;
use super::{Outcome, Payer, StepError, WalletError};
use crate::fail_at::Moment;

impl Payer {
    /// Does one step: of the oldest payout that can go on, or of the schedule. `now_ms` is the database's time.
    ///
    /// # Errors
    /// [`StepError`]. What was written stands, and the next step goes on from there.
    pub async fn step(&self, lease: &Lease, now_ms: u64) -> Result<Outcome, StepError> {
        let _turn = self.turn.lock().await;
        self.publisher.catch_up(&self.store, lease).await?;
        let held = self.held_after_restore(lease).await?;
        let Some(wallet) = &self.wallet else {
            return match held {
                Some(why) => Ok(Outcome::Stopped(why)),
                None => self.step_by_hand(lease, now_ms).await,
            };
        };
        let view = match self.look(wallet).await? {
            Ok(view) => view,
            Err(error) => return self.hindered(lease, &error).await,
        };
        self.end_alarm(lease, "wallet", "calls").await?;
        let mut stopped = self.unknown_spends(lease, &view).await?;
        if let Some(why) = held {
            return Ok(Outcome::Stopped(stopped.unwrap_or(why)));
        }
        // What was never sent waits: a transaction that nobody knows may have paid the same coins.
        let reserved = |payout: &&PayoutRow| payout.stage == "reserved" && view.is_unsent(payout);
        let waits =
            |payout: &&PayoutRow| reserved(payout) || (!view.unknown.is_empty() && view.is_unsent(payout));
        let mut waiting = false;
        for payout in view.open.iter().filter(|payout| !waits(payout)) {
            match self.review_one(lease, wallet, &view, payout).await? {
                moved @ Outcome::Moved { .. } => return Ok(moved),
                Outcome::Hindered(why) | Outcome::Stopped(why) => stopped = stopped.or(Some(why)),
                Outcome::Idle { .. } | Outcome::Waiting | Outcome::Planned(_) => waiting = true,
            }
        }
        if let Some(why) = stopped {
            return Ok(Outcome::Stopped(why));
        }
        if !view.finds_the_last_paid {
            return self.history_lost(lease).await;
        }
        self.end_alarm(lease, "history", "wallet").await?;
        if let Some(payout) = view.open.iter().find(reserved) {
            return self.make(lease, wallet, &view, payout, now_ms).await;
        }
        let planned = self.plan_if_due(lease, Some(wallet), now_ms).await?;
        let nothing_due = matches!(planned, Outcome::Idle { .. });
        Ok(if nothing_due && waiting { Outcome::Waiting } else { planned })
    }

    /// The wallet cannot be asked, or will not: nothing is lost, and it is asked again.
    pub(super) async fn hindered(&self, lease: &Lease, error: &WalletError) -> Result<Outcome, StepError> {
        let sentence = error.to_string();
        self.alarm(lease, "wallet", "calls", &sentence).await?;
        Ok(Outcome::Hindered(sentence))
    }

    async fn unknown_spends(&self, lease: &Lease, view: &View) -> Result<Option<String>, StepError> {
        for raised in self.store.alarms().await?.iter().filter(|alarm| alarm.kind == "unknown") {
            if !view.unknown.iter().any(|spend| spend.txid == raised.subject) {
                self.end_alarm(lease, "unknown", &raised.subject).await?;
            }
        }
        let mut first = None;
        for spend in &view.unknown {
            let sentence = format!(
                "the wallet sent {} (comment {:?}), which looks like a payout of this pool, and the ledger does not \
                 know it: was the database restored? `alp payouts adopt {}` enters it, with --foreign it is noted as \
                 none",
                spend.txid, spend.comment, spend.txid
            );
            self.alarm(lease, "unknown", &spend.txid, &sentence).await?;
            first = first.or(Some(sentence));
        }
        Ok(first)
    }

    async fn history_lost(&self, lease: &Lease) -> Result<Outcome, StepError> {
        let sentence =
            "the wallet no longer finds the last payout that was paid: it was restored, rolled back or is \
                        another one; until it finds it no payout is made"
                .to_owned();
        self.alarm(lease, "history", "wallet", &sentence).await?;
        Ok(Outcome::Stopped(sentence))
    }

    /// Payouts that a person makes: a file for each, and nothing more until the person tells its transaction.
    async fn step_by_hand(&self, lease: &Lease, now_ms: u64) -> Result<Outcome, StepError> {
        let open = self.store.open_payouts().await?;
        for payout in &open {
            match payout.stage.as_str() {
                "reserved" => return self.hand_over(lease, payout).await,
                "sent" => {
                    let note = "the operator told its transaction".to_owned();
                    let change = PayoutChange { note, ..PayoutChange::default() };
                    return self.moved(lease, payout, "paid", &change).await;
                }
                _ => {}
            }
        }
        let planned = self.plan_if_due(lease, None, now_ms).await?;
        let nothing_due = matches!(planned, Outcome::Idle { .. });
        Ok(if nothing_due && !open.is_empty() { Outcome::Waiting } else { planned })
    }

    async fn hand_over(&self, lease: &Lease, payout: &PayoutRow) -> Result<Outcome, StepError> {
        let mut text = String::from("address,amount\n");
        for (address, coins) in super::look::outputs_of(payout)? {
            text.push_str(&format!("{address},{coins}\n"));
        }
        let file = self.config.folder.join(format!("payout-{}.csv", payout.payout_id));
        let failed = |source| StepError::File { path: file.display().to_string(), source };
        self.fail_at.pass("write the file", Moment::Before)?;
        std::fs::create_dir_all(&self.config.folder).map_err(failed)?;
        // Beside it first, so that nobody pays from half a file.
        let beside = file.with_extension("part");
        std::fs::write(&beside, text).map_err(failed)?;
        std::fs::rename(&beside, &file).map_err(failed)?;
        let note = format!("written to {}: pay it by hand, with `alp payouts sent`", file.display());
        let change = PayoutChange { note, ..PayoutChange::default() };
        self.moved(lease, payout, "calling", &change).await
    }

    /// Moves a payout from the stage it was read in.
    pub(super) async fn moved(
        &self,
        lease: &Lease,
        payout: &PayoutRow,
        to: &'static str,
        change: &PayoutChange,
    ) -> Result<Outcome, StepError> {
        let (id, from) = (payout.payout_id, payout.stage.as_str());
        let stages = Stage::from_name(from).zip(Stage::from_name(to));
        if !stages.is_some_and(|(from, to)| from == to || from.may_become(to)) {
            return Err(StepError::Damaged { payout_id: id, what: "its stage" });
        }
        let step = format!("store that it is {to}");
        let moved = match (from, to) {
            // The same transaction again is nothing to publish.
            ("sent", "sent") if change.txid.is_empty() || change.txid == payout.txid => {
                let change = &PayoutChange { txid: String::new(), ..change.clone() };
                self.written(&step, self.store.move_payout(lease, id, from, to, change)).await?
            }
            (_, "sent") => self.publish_sent(lease, payout, change).await?,
            _ => self.written(&step, self.store.move_payout(lease, id, from, to, change)).await?,
        };
        if moved {
            tracing::info!(payout = id, from, to, note = change.note, "a payout has gone on");
        }
        // If somebody else moved it, the next step sees where it is.
        Ok(Outcome::Moved { payout_id: id, stage: to })
    }

    /// The method's name in the database.
    pub(super) fn method_name(&self) -> &'static str {
        match self.config.method {
            Method::Plain => "plain",
            Method::Prepared => "prepared",
            Method::Manual => "manual",
        }
    }
}

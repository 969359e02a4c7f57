//! What an operator may say about payouts, over the control socket. Each is one conditional write or none.

use std::fmt::Write;

use alp_pool::money::Coins;
use alp_store::{AddressMark, Lease, PayoutChange, PayoutRow};
use serde::{Deserialize, Serialize};

use super::review::inputs_of;
use super::{Payer, StepError};
use crate::rounds::coins_from;

/// Most payouts that are listed.
const LISTED: u64 = 50;

/// How long after a call, beyond its time, a payout may be called unsent, in milliseconds: a call may wait in the
/// daemon's queue.
const SETTLED_AFTER_MS: u64 = 600_000;

/// What the operator may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutCommand {
    /// The newest payouts, and what waits for the operator.
    List,
    /// One payout, everything that happened to it, and what the wallet says of it.
    Show {
        /// Its number.
        id: u64,
    },
    /// Who was paid what of a payout.
    Statement {
        /// Its number.
        id: u64,
    },
    /// Pay an address up to an amount at once, above the limit.
    Approve {
        /// The address.
        address: String,
        /// The most.
        up_to: String,
    },
    /// Do not pay an address, or pay it again.
    Hold {
        /// The address.
        address: String,
        /// Whether the hold ends.
        release: bool,
    },
    /// Say what became of a payout whose outcome is not known: sent by this transaction, or not sent.
    Resolve {
        /// Its number.
        id: u64,
        /// The id of its transaction; none says that it was not sent.
        txid: Option<String>,
    },
    /// Enter a transaction of the wallet as a payout, or note that it is none.
    Adopt {
        /// Its id, or `all` with `foreign`.
        txid: String,
        /// Whether it is none.
        foreign: bool,
    },
    /// Let payouts go on after a restore.
    Resume,
    /// Tell the transaction of a payout that was made by hand.
    Sent {
        /// Its number.
        id: u64,
        /// The id of its transaction.
        txid: String,
    },
}

impl Payer {
    /// Does what the operator asks. A sentence or a table. What changes something waits for the step that is being
    /// made, and has the next one made at once.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub async fn obey(&self, lease: Option<&Lease>, command: PayoutCommand) -> Result<String, String> {
        let failed = |error: StepError| error.to_string();
        match &command {
            PayoutCommand::List => return self.list().await.map_err(failed),
            PayoutCommand::Show { id } => return self.show(*id).await.map_err(failed),
            PayoutCommand::Statement { id } => return self.statement(*id).await.map_err(failed),
            PayoutCommand::Approve { .. }
            | PayoutCommand::Hold { .. }
            | PayoutCommand::Resolve { .. }
            | PayoutCommand::Adopt { .. }
            | PayoutCommand::Resume
            | PayoutCommand::Sent { .. } => {}
        }
        let lease = lease.ok_or("another server leads: give the command there")?;
        let answer = {
            let _turn = self.turn.lock().await;
            self.change(lease, command).await
        };
        if answer.is_ok() {
            self.word.notify_one();
        }
        answer
    }

    async fn change(&self, lease: &Lease, command: PayoutCommand) -> Result<String, String> {
        let failed = |error: StepError| error.to_string();
        self.publisher.catch_up(&self.store, lease).await.map_err(|error| error.to_string())?;
        match command {
            PayoutCommand::List | PayoutCommand::Show { .. } | PayoutCommand::Statement { .. } => {
                Ok(String::new())
            }
            PayoutCommand::Approve { address, up_to } => {
                let coins = Coins::parse(&up_to).map_err(|error| format!("the amount {error}"))?;
                let up_to_e8 = i64::try_from(coins.e8()).unwrap_or(i64::MAX);
                self.store.approve(lease, &address, up_to_e8).await.map_err(|error| error.to_string())?;
                self.end_alarm(lease, "approval", &address).await.map_err(failed)?;
                Ok(format!("{address} is paid up to {coins} with the next payout"))
            }
            PayoutCommand::Hold { address, release } => {
                self.hold(lease, &address, release).await.map_err(failed)
            }
            PayoutCommand::Resolve { id, txid } => self.resolve(lease, id, txid).await,
            PayoutCommand::Adopt { txid, foreign } => self.adopt(lease, &txid, foreign).await,
            PayoutCommand::Resume => self.resume(lease).await,
            PayoutCommand::Sent { id, txid } => self.sent_by_hand(lease, id, &txid).await,
        }
    }

    async fn list(&self) -> Result<String, StepError> {
        let mut text = String::new();
        for payout in self.store.newest_payouts(LISTED).await? {
            let _ = writeln!(text, "{}", line(&payout));
        }
        if text.is_empty() {
            text.push_str("no payout was made yet\n");
        }
        for alarm in self.store.alarms().await? {
            let _ = writeln!(text, "\n{}: {}", alarm.kind, alarm.sentence);
        }
        for mark in self.store.address_marks().await? {
            let state = if mark.held { "is held" } else { "is paid alone" };
            let _ = writeln!(text, "\n{} {state}: {}", mark.address, mark.why);
        }
        Ok(text)
    }

    async fn show(&self, id: u64) -> Result<String, StepError> {
        let Some(payout) = self.store.payout(id).await? else {
            return Ok(format!("there is no payout {id}"));
        };
        let mut text = format!("{}\ncomment {}\n", line(&payout), payout.comment);
        for event in self.store.payout_events(id).await? {
            let _ = writeln!(text, "{} {:<9} {}", event.at_ms / 1000, event.stage, event.note);
        }
        let Some(wallet) = &self.wallet else { return Ok(text) };
        match self.look(wallet).await? {
            Err(error) => {
                let _ = writeln!(text, "the wallet cannot be asked: {error}");
            }
            Ok(view) => {
                let evidence = view.evidence(&payout)?;
                match &evidence.found {
                    Some(found) => {
                        let _ = writeln!(
                            text,
                            "found as {} with {} confirmations",
                            found.txid, found.confirmations
                        );
                    }
                    None => {
                        text.push_str("not found in the wallet, which is no proof that it was not sent\n")
                    }
                }
                if let Some(conflict) = &evidence.conflict {
                    let _ = writeln!(text, "its coins are spent by {}", conflict.standing.txid);
                }
                let last = if evidence.finds_the_last_paid { "is" } else { "is NOT" };
                let _ = writeln!(text, "the last payout that was paid {last} found in the same way");
            }
        }
        Ok(text)
    }

    async fn statement(&self, id: u64) -> Result<String, StepError> {
        let Some(payout) = self.store.payout(id).await? else {
            return Ok(format!("there is no payout {id}"));
        };
        let mut text = format!("{}\n", line(&payout));
        for (address, e8) in &payout.outputs {
            let _ = writeln!(text, "output {address} {}", shown(*e8));
        }
        for entry in self.store.ledger_of_payout(id).await? {
            let sign = if entry.amount_e8 < 0 { "-" } else { "+" };
            let coins = shown(entry.amount_e8.saturating_abs());
            let _ = writeln!(text, "LP {} {:<15} {sign}{coins}", entry.lp_id, entry.kind);
        }
        Ok(text)
    }

    async fn hold(&self, lease: &Lease, address: &str, release: bool) -> Result<String, StepError> {
        if release {
            let was = self.store.unmark_address(lease, address).await?;
            self.end_alarm(lease, "held", address).await?;
            return Ok(if was {
                format!("{address} is paid again")
            } else {
                format!("{address} was not held")
            });
        }
        let why = "the operator holds it".to_owned();
        self.store.mark_address(lease, &AddressMark { address: address.to_owned(), held: true, why }).await?;
        Ok(format!("{address} is not paid until it is released"))
    }

    /// The one way from a call with an unknown outcome back to the balances: a person says so, and the evidence must
    /// not speak against it.
    async fn resolve(&self, lease: &Lease, id: u64, txid: Option<String>) -> Result<String, String> {
        let text = |error: &dyn std::error::Error| error.to_string();
        let payout = self.store.payout(id).await.map_err(|error| text(&error))?;
        let payout = payout.ok_or_else(|| format!("there is no payout {id}"))?;
        if let Some(txid) = txid {
            check_txid(&txid)?;
            if payout.stage != "calling" && payout.stage != "sent" {
                return Err(format!(
                    "payout {id} is {}: only one that is calling or sent has an open outcome",
                    payout.stage
                ));
            }
            let note = format!("the operator says that it was sent as {txid}");
            let change = PayoutChange { txid, note, ..PayoutChange::default() };
            self.moved(lease, &payout, "sent", &change).await.map_err(|error| text(&error))?;
            return self.resolved(lease, id, "sent").await;
        }
        self.check_unsent(&payout).await?;
        let note = "the operator says that it was not sent";
        let now_ms = self.store.clock_ms().await.map_err(|error| text(&error))?;
        let done = self.store.void_payout(lease, id, &payout.stage, now_ms, note).await;
        if !done.map_err(|error| text(&error))? {
            return Err(format!("payout {id} went on meanwhile: look at it again"));
        }
        self.resolved(lease, id, "not sent: what it took is owed again").await
    }

    async fn resolved(&self, lease: &Lease, id: u64, what: &str) -> Result<String, String> {
        for kind in ["uncertain", "conflict", "undone", "refused"] {
            let ended = self.end_alarm(lease, kind, &id.to_string()).await;
            ended.map_err(|error| error.to_string())?;
        }
        Ok(format!("payout {id} is {what}"))
    }

    async fn check_unsent(&self, payout: &PayoutRow) -> Result<(), String> {
        let id = payout.payout_id;
        let was_called = match payout.stage.as_str() {
            "reserved" | "prepared" => false,
            "calling" => true,
            stage => return Err(format!("payout {id} is {stage}: it cannot be called unsent")),
        };
        let Some(wallet) = &self.wallet else { return Ok(()) };
        if was_called {
            self.check_settled(payout).await?;
        }
        let view = self.look(wallet).await.map_err(|error| error.to_string())?;
        let view = view.map_err(|error| format!("without the wallet there is no evidence: {error}"))?;
        let evidence = view.evidence(payout).map_err(|error| error.to_string())?;
        // Even one that was not called as far as this ledger knows: it may be older than the wallet.
        if let Some(found) = evidence.found {
            return Err(format!("the wallet has it as {}: it was sent", found.txid));
        }
        if !was_called {
            return Ok(());
        }
        if !evidence.finds_the_last_paid {
            return Err(
                "the wallet does not find the last payout that was paid, so its silence is no evidence"
                    .into(),
            );
        }
        if payout.method == "prepared" {
            let inputs = inputs_of(payout).map_err(|error| error.to_string())?;
            let spender =
                self.spender(wallet, &view, payout, &inputs).await.map_err(|error| error.to_string())?;
            let needed = i64::from(self.config.confirmations);
            if spender.is_none_or(|other| other.confirmations < needed) {
                return Err(format!(
                    "its signed transaction can still be sent: it is unsent for good once another one that spends a coin \
                     of it has {needed} confirmations"
                ));
            }
        }
        Ok(())
    }

    /// Whether the call of a payout must have ended in the wallet by now.
    async fn check_settled(&self, payout: &PayoutRow) -> Result<(), String> {
        let now_ms = self.store.clock_ms().await.map_err(|error| error.to_string())?;
        let timeout_ms = u64::try_from(self.config.timeout.as_millis()).unwrap_or(u64::MAX);
        let settled_ms = payout.called_at_ms.saturating_add(timeout_ms).saturating_add(SETTLED_AFTER_MS);
        if now_ms < settled_ms {
            let wait_s = (settled_ms - now_ms) / 1000;
            return Err(format!("the call may still be under way in the wallet: ask again in {wait_s} s"));
        }
        Ok(())
    }

    async fn sent_by_hand(&self, lease: &Lease, id: u64, txid: &str) -> Result<String, String> {
        check_txid(txid)?;
        let payout = self.store.payout(id).await.map_err(|error| error.to_string())?;
        let payout = payout.ok_or_else(|| format!("there is no payout {id}"))?;
        if payout.method != "manual" || payout.stage != "calling" {
            return Err(format!(
                "payout {id} ({}) is {}: it is not waiting to be paid by hand",
                payout.method, payout.stage
            ));
        }
        let note = "the operator paid it by hand".to_owned();
        let change = PayoutChange { txid: txid.to_owned(), note, ..PayoutChange::default() };
        self.moved(lease, &payout, "sent", &change).await.map_err(|error| error.to_string())?;
        Ok(format!("payout {id} is sent"))
    }
}

fn check_txid(txid: &str) -> Result<(), String> {
    let right = txid.len() == 64 && txid.bytes().all(|byte| byte.is_ascii_hexdigit());
    if right { Ok(()) } else { Err("the id of a transaction has 64 digits in hex".to_owned()) }
}

fn line(payout: &PayoutRow) -> String {
    let PayoutRow { payout_id, stage, method, total_e8, outputs, txid, .. } = payout;
    let txid = if txid.is_empty() { "-" } else { txid };
    format!("payout {payout_id} {stage} {method} {} to {} addresses {txid}", shown(*total_e8), outputs.len())
}

fn shown(e8: i64) -> String {
    coins_from(e8).map_or_else(|| "?".to_owned(), |coins| coins.to_string())
}

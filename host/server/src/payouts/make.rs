//! Making a payout that is reserved: sign and store it, or call `sendmany`.

use alp_pool::payout::{CallResult, Method, Next, after_call};
use alp_store::{AddressMark, Lease, PayoutChange, PayoutRow};

use super::look::{View, method_of, outputs_of};
use super::review::inputs_of;
use super::wallet::{Input, Wallet};
use super::{Outcome, Payer, RETRY_AFTER_MS, StepError, WalletError};

impl Payer {
    pub(super) async fn make(
        &self,
        lease: &Lease,
        wallet: &Wallet,
        view: &View,
        payout: &PayoutRow,
        now_ms: u64,
    ) -> Result<Outcome, StepError> {
        match method_of(payout)? {
            Method::Plain => self.call(lease, wallet, view, payout, now_ms).await,
            Method::Prepared => self.prepare(lease, wallet, view, payout, now_ms).await,
            // The operator has changed the method while it was reserved: a person has to pay it or void it.
            Method::Manual => Ok(Outcome::Waiting),
        }
    }

    /// Signs and stores the transaction. Nothing is sent, so whatever goes wrong is tried again.
    async fn prepare(
        &self,
        lease: &Lease,
        wallet: &Wallet,
        view: &View,
        payout: &PayoutRow,
        now_ms: u64,
    ) -> Result<Outcome, StepError> {
        if let Err(error) = self.free_strays(wallet, view).await? {
            return self.hindered(lease, &error).await;
        }
        let outputs = outputs_of(payout)?;
        let hex = match self.asked("fund and sign", wallet.prepare(&outputs)).await? {
            Ok(hex) => hex,
            Err(error) if blames_an_address(&error) => {
                return self.refused(lease, wallet, payout, &error, now_ms).await;
            }
            Err(error) => return self.hindered(lease, &error).await,
        };
        let decoded = match self.asked("read what was signed", wallet.decode(&hex)).await? {
            Ok(decoded) => decoded,
            Err(error) => return self.hindered(lease, &error).await,
        };
        if !outputs.iter().all(|(address, coins)| decoded.outputs.get(address) == Some(coins)) {
            let other = WalletError::Malformed("a transaction with other outputs than it was told");
            return self.hindered(lease, &other).await;
        }
        let inputs = serde_json::to_string(&decoded.inputs).unwrap_or_default();
        let note = format!("signed as {}", decoded.txid);
        let since_block = view.history.settled_block.clone();
        let change = PayoutChange { txid: decoded.txid, hex, inputs, since_block, note };
        self.moved(lease, payout, "prepared", &change).await
    }

    /// Lets coins be spent that were locked for a transaction which was then not stored, because the server or the wallet
    /// ended between. The wallet is the pool's own, so every lock is.
    async fn free_strays(&self, wallet: &Wallet, view: &View) -> Result<Result<(), WalletError>, StepError> {
        let locked = match self.asked("list locked coins", wallet.locked()).await? {
            Ok(locked) => locked,
            Err(error) => return Ok(Err(error)),
        };
        let mut ours = Vec::new();
        for payout in &view.open {
            ours.extend(inputs_of(payout)?);
        }
        let strays: Vec<Input> = locked.into_iter().filter(|input| !ours.contains(input)).collect();
        self.asked("let stray coins go", wallet.set_locks(true, &strays)).await
    }

    /// Calls `sendmany`, after it is written that it is about to be called.
    async fn call(
        &self,
        lease: &Lease,
        wallet: &Wallet,
        view: &View,
        payout: &PayoutRow,
        now_ms: u64,
    ) -> Result<Outcome, StepError> {
        let outputs = outputs_of(payout)?;
        let since_block = view.history.settled_block.clone();
        let note = "about to call sendmany".to_owned();
        let change = PayoutChange { since_block, note, ..PayoutChange::default() };
        let id = payout.payout_id;
        let intend = self.store.move_payout(lease, id, "reserved", "calling", &change);
        if !self.written("store that it is about to be called", intend).await? {
            return Ok(Outcome::Moved { payout_id: id, stage: "calling" });
        }
        let payout = &PayoutRow { stage: "calling".to_owned(), ..payout.clone() };
        let (result, error) =
            match self.asked("sendmany", wallet.send_many(&outputs, &payout.comment)).await? {
                Ok(txid) => (CallResult::Accepted(txid), None),
                Err(error) => (error.refusal().map_or(CallResult::Silence, CallResult::Refused), Some(error)),
            };
        match (after_call(result), error) {
            (Next::Sent { txid }, _) => {
                let note = "the wallet took it".to_owned();
                let change = PayoutChange { txid, note, ..PayoutChange::default() };
                self.moved(lease, payout, "sent", &change).await
            }
            (Next::Void, Some(error)) => self.refused(lease, wallet, payout, &error, now_ms).await,
            (_, Some(error)) => {
                let change = PayoutChange { note: error.to_string(), ..PayoutChange::default() };
                // Nobody knows whether it was sent. The next step looks.
                self.moved(lease, payout, "calling", &change).await
            }
            (_, None) => Ok(Outcome::Moved { payout_id: id, stage: "calling" }),
        }
    }

    /// The wallet refused before anything was sent: the coins are owed again, and an address that it does not take is
    /// found and held, so that the others are paid.
    async fn refused(
        &self,
        lease: &Lease,
        wallet: &Wallet,
        payout: &PayoutRow,
        error: &WalletError,
        now_ms: u64,
    ) -> Result<Outcome, StepError> {
        let blames = blames_an_address(error);
        let retry_at_ms = if blames { now_ms } else { now_ms.saturating_add(RETRY_AFTER_MS) };
        let (id, from, why) = (payout.payout_id, payout.stage.as_str(), error.to_string());
        // Given back first: if the server ends before the address is held, the same is planned and refused again.
        let void = self.store.void_payout(lease, id, from, retry_at_ms, &why);
        self.written("give back what it took", void).await?;
        tracing::warn!(payout = id, "nothing was sent: {why}");
        if blames {
            self.isolate(lease, wallet, payout, &why).await?;
        } else {
            self.alarm(lease, "wallet", "calls", &why).await?;
        }
        Ok(Outcome::Moved { payout_id: id, stage: "void" })
    }

    /// Holds the addresses that the wallet does not take. If it takes each of them by itself, they are paid one by one
    /// from now on, so that the one it refuses is found.
    async fn isolate(
        &self,
        lease: &Lease,
        wallet: &Wallet,
        payout: &PayoutRow,
        why: &str,
    ) -> Result<(), StepError> {
        let mut marks = Vec::new();
        for (address, _) in &payout.outputs {
            if let Ok(false) = self.asked("check an address", wallet.knows_address(address)).await? {
                marks.push(AddressMark { address: address.clone(), held: true, why: why.to_owned() });
            }
        }
        if marks.is_empty() {
            let held = payout.outputs.len() == 1;
            let mark = |(address, _): &(String, i64)| AddressMark {
                address: address.clone(),
                held,
                why: why.to_owned(),
            };
            marks = payout.outputs.iter().map(mark).collect();
        }
        for mark in &marks {
            self.written("hold an address", self.store.mark_address(lease, mark)).await?;
            if mark.held {
                let sentence =
                    format!("{} is held, {why}; `alp payouts hold --release` ends that", mark.address);
                self.alarm(lease, "held", &mark.address, &sentence).await?;
            }
        }
        Ok(())
    }
}

/// Whether the refusal is about what was to be paid, not about the wallet.
fn blames_an_address(error: &WalletError) -> bool {
    [-3, -5, -8].into_iter().any(|code| error.is_code(code))
}

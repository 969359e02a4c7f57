//! From what is owed to reserved payouts, when they are due.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use alp_pool::credit::LpId;
use alp_pool::money::Coins;
use alp_pool::payout::{Output, Owed, Plan, PlannedPayout, plan};
use alp_store::{
    AddressRecord, Lease, MAX_ADDRESSES_PAGE, MAX_BALANCES_PAGE, NewPayout, PayoutDebit, PayoutOutput,
};
use sha2::{Digest, Sha256};

use super::schedule::{DAY_MS, Due, due};
use super::wallet::Wallet;
use super::{Outcome, Payer, StepError};
use crate::proof::standing_after;
use crate::rounds::coins_from;

/// How many bytes of the outputs' SHA-256 stand in a comment: enough that no two payouts of a pool ever share it.
const DIGEST_BYTES: usize = 16;

impl Payer {
    /// Plans and reserves payouts if they are due.
    pub(super) async fn plan_if_due(
        &self,
        lease: &Lease,
        wallet: Option<&Wallet>,
        now_ms: u64,
    ) -> Result<Outcome, StepError> {
        let slot_ms = match due(self.config.every, self.store.payout_schedule().await?, now_ms) {
            Due::At(until_ms) => return Ok(Outcome::Idle { until_ms }),
            Due::First { slot_ms } => {
                self.written("note the time", self.store.note_slot(lease, slot_ms)).await?;
                return Ok(Outcome::Planned(0));
            }
            Due::Now { slot_ms } => slot_ms,
        };
        let plan = self.plan(now_ms).await?;
        if let Some(wallet) = wallet
            && let Some(hindered) = self.not_ready(lease, wallet, &plan).await?
        {
            return Ok(hindered);
        }
        self.tell_who_waits(lease, &plan).await?;
        let payouts: Vec<NewPayout> = plan.payouts.iter().map(|payout| self.new_payout(payout)).collect();
        if payouts.is_empty() {
            self.written("note the time", self.store.note_slot(lease, slot_ms)).await?;
        } else {
            self.written("reserve", self.store.reserve_payouts(lease, slot_ms, &payouts)).await?;
        }
        Ok(Outcome::Planned(payouts.len()))
    }

    async fn plan(&self, now_ms: u64) -> Result<Plan, StepError> {
        let marks = self.store.address_marks().await?;
        let marks: BTreeMap<&str, bool> =
            marks.iter().map(|mark| (mark.address.as_str(), mark.held)).collect();
        let approvals = self.store.approvals().await?;
        let approvals: BTreeMap<&str, i64> = approvals
            .iter()
            .filter(|approval| !approval.used)
            .map(|approval| (approval.address.as_str(), approval.up_to_e8))
            .collect();
        let changed = self.changed_addresses().await?;
        let require_proof = self.require_proof.load(Ordering::SeqCst);
        let (mut owed, mut sums, mut after) = (Vec::new(), BTreeMap::<String, i64>::new(), 0);
        loop {
            let page = self.store.owing(after, MAX_BALANCES_PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.lp_id;
            for lp in page {
                let Some(coins) = coins_from(lp.owed_e8).filter(|coins| *coins != Coins::ZERO) else {
                    continue;
                };
                let standing = standing_after(&lp.address, changed.get(&lp.lp_id)).at(now_ms);
                let not_paid = standing.may_be_paid(require_proof).err();
                if not_paid.is_none() {
                    let sum = sums.entry(standing.address.clone()).or_insert(0);
                    *sum = sum.saturating_add(lp.owed_e8);
                }
                owed.push(Owed {
                    lp: LpId(lp.lp_id),
                    refused_by_wallet: marks.get(standing.address.as_str()) == Some(&true),
                    address: standing.address,
                    coins,
                    approved: false,
                    not_paid,
                });
            }
        }
        // What was approved is an amount: what was earned since then may make it too small.
        for lp in &mut owed {
            let sum = sums.get(&lp.address).copied().unwrap_or(i64::MAX);
            lp.approved = approvals.get(lp.address.as_str()).is_some_and(|up_to_e8| sum <= *up_to_e8);
        }
        let today_ms = now_ms.saturating_sub(now_ms % DAY_MS);
        let today = coins_from(self.store.paid_out_since(today_ms).await?).unwrap_or(Coins::ZERO);
        let mut plan = plan(&owed, &self.config.terms, &self.config.wallet_terms, today)?;
        plan.payouts = plan.payouts.into_iter().flat_map(|payout| with_some_alone(payout, &marks)).collect();
        Ok(plan)
    }

    /// What happened last to the address of each LP to whose address anything did.
    async fn changed_addresses(&self) -> Result<BTreeMap<i64, AddressRecord>, StepError> {
        let (mut changed, mut after) = (BTreeMap::new(), 0);
        loop {
            let page = self.store.newest_addresses(after, MAX_ADDRESSES_PAGE).await?;
            let Some(last) = page.last() else { return Ok(changed) };
            after = last.lp_id;
            changed.extend(page.into_iter().map(|newest| (newest.lp_id, newest)));
        }
    }

    /// Why the wallet cannot make these payouts, and an alarm if it runs low.
    async fn not_ready(
        &self,
        lease: &Lease,
        wallet: &Wallet,
        plan: &Plan,
    ) -> Result<Option<Outcome>, StepError> {
        let balance = match self.asked("read the balance", wallet.balance()).await? {
            Ok(balance) => balance,
            Err(error) => return self.hindered(lease, &error).await.map(Some),
        };
        let total = Coins::sum(plan.payouts.iter().map(|payout| payout.total)).unwrap_or(balance);
        if balance < total {
            let sentence =
                format!("the hot wallet holds {balance}, and {total} is to be paid now: send coins to it");
            self.alarm(lease, "low", "wallet", &sentence).await?;
            return Ok(Some(Outcome::Hindered(sentence)));
        }
        let left = balance.minus(total).unwrap_or(Coins::ZERO);
        if self.config.low_below.is_some_and(|low| left < low) {
            let sentence =
                format!("the hot wallet holds {left} after the payouts that are due: send coins to it");
            self.alarm(lease, "low", "wallet", &sentence).await?;
        } else {
            self.end_alarm(lease, "low", "wallet").await?;
        }
        if plan.payouts.is_empty() {
            return Ok(None);
        }
        match self.asked("see whether the wallet is locked", wallet.is_locked()).await? {
            Ok(false) => Ok(None),
            Ok(true) => {
                let locked = "the wallet is locked: unlock it with walletpassphrase".to_owned();
                self.alarm(lease, "wallet", "calls", &locked).await?;
                Ok(Some(Outcome::Hindered(locked)))
            }
            Err(error) => self.hindered(lease, &error).await.map(Some),
        }
    }

    fn new_payout(&self, planned: &PlannedPayout) -> NewPayout {
        let outputs: Vec<PayoutOutput> = planned.outputs.iter().map(stored).collect();
        let digest =
            digest_of_outputs(outputs.iter().map(|output| (output.address.as_str(), output.amount_e8)));
        let comment_head = format!("alp:{}", self.config.pool_id);
        NewPayout { method: self.method_name().to_owned(), comment_head, digest, outputs }
    }
}

/// What tells the outputs of a payout, in their order, in its comment.
pub(crate) fn digest_of_outputs<'o>(outputs: impl IntoIterator<Item = (&'o str, i64)>) -> String {
    let mut digest = Sha256::new();
    for (address, amount_e8) in outputs {
        digest.update(format!("{address} {amount_e8}\n"));
    }
    digest.finalize().iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// Coins stay far below 63 bits: [`Coins`] bounds them.
fn signed(coins: Coins) -> i64 {
    i64::try_from(coins.e8()).unwrap_or(i64::MAX)
}

fn stored(output: &Output) -> PayoutOutput {
    let debits = output.debits.iter().map(|debit| PayoutDebit {
        lp_id: debit.lp.0,
        paid_e8: signed(debit.paid),
        fee_e8: signed(debit.fee),
    });
    PayoutOutput {
        address: output.address.clone(),
        amount_e8: signed(output.coins),
        debits: debits.collect(),
    }
}

/// Takes the outputs out of a payout that are to be paid alone.
fn with_some_alone(payout: PlannedPayout, marks: &BTreeMap<&str, bool>) -> Vec<PlannedPayout> {
    let (alone, rest): (Vec<Output>, Vec<Output>) =
        payout.outputs.into_iter().partition(|output| marks.contains_key(output.address.as_str()));
    let mut payouts: Vec<PlannedPayout> = alone
        .into_iter()
        .map(|output| PlannedPayout { total: output.coins, outputs: vec![output] })
        .collect();
    if !rest.is_empty() {
        // A part of a sum that did not overflow.
        let total = Coins::sum(rest.iter().map(|output| output.coins)).unwrap_or(payout.total);
        payouts.push(PlannedPayout { outputs: rest, total });
    }
    payouts
}

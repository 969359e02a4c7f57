//! What the wallet's history says of payouts: which transaction is whose, and which nobody knows.
//! Only looks: what follows is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use alp_pool::money::Coins;
use alp_pool::payout::{Conflict, Evidence, Method, Standing};
use alp_store::{MAX_BALANCES_PAGE, PayoutRow};

use super::wallet::{History, Spend, Wallet};
use super::{Payer, StepError, WalletError};
use crate::rounds::coins_from;

/// How far the wallet's clock may be behind the database's, in seconds: blocks may be two hours off, wallets less.
const CLOCKS_APART_S: i64 = 7_200;

/// What was seen of the wallet at one look.
pub(super) struct View {
    /// Its history, from before the oldest payout that matters.
    pub(super) history: History,
    /// The payouts that are neither paid nor void.
    pub(super) open: Vec<PayoutRow>,
    /// Whether the last payout that was paid is still found.
    pub(super) finds_the_last_paid: bool,
    /// The transaction of each open payout that has one.
    matched: BTreeMap<u64, Spend>,
    /// Transactions that look like payouts of this pool and are in no ledger.
    pub(super) unknown: Vec<Spend>,
}

impl View {
    /// Whether nothing of this payout was sent: the ledger says so, and the wallet has no transaction of it.
    pub(super) fn is_unsent(&self, payout: &PayoutRow) -> bool {
        matches!(payout.stage.as_str(), "reserved" | "prepared")
            && !self.matched.contains_key(&payout.payout_id)
    }

    /// What the history says of an open payout.
    pub(super) fn evidence(&self, payout: &PayoutRow) -> Result<Evidence, StepError> {
        let spend = self.matched.get(&payout.payout_id);
        let standing =
            |spend: &Spend| Standing { txid: spend.txid.clone(), confirmations: spend.confirmations };
        let conflicting = spend.map(|spend| spend.conflicts.as_slice()).unwrap_or_default();
        let other = self
            .history
            .spends
            .iter()
            .find(|other| other.confirmations >= 0 && conflicting.contains(&other.txid));
        let conflict = match other {
            Some(other) => Some(conflict_with(other, payout)?),
            None => None,
        };
        Ok(Evidence {
            found: spend.map(standing),
            conflict,
            complete: true,
            finds_the_last_paid: self.finds_the_last_paid,
        })
    }
}

/// A transaction as a conflict of a payout.
pub(super) fn conflict_with(other: &Spend, payout: &PayoutRow) -> Result<Conflict, StepError> {
    let outputs = outputs_of(payout)?;
    let pays = outputs.keys().filter_map(|address| other.outputs.get(address));
    let pays = Coins::sum(pays.copied()).unwrap_or(Coins::ZERO);
    let standing = Standing { txid: other.txid.clone(), confirmations: other.confirmations };
    Ok(Conflict { standing, same_outputs: other.outputs == outputs, pays })
}

/// The outputs of a payout.
pub(super) fn outputs_of(payout: &PayoutRow) -> Result<BTreeMap<String, Coins>, StepError> {
    let damaged = StepError::Damaged { payout_id: payout.payout_id, what: "an output" };
    let output = |(address, e8): &(String, i64)| Some((address.clone(), coins_from(*e8)?));
    payout.outputs.iter().map(output).collect::<Option<_>>().ok_or(damaged)
}

/// How it is made.
pub(super) fn method_of(payout: &PayoutRow) -> Result<Method, StepError> {
    match payout.method.as_str() {
        "plain" => Ok(Method::Plain),
        "prepared" => Ok(Method::Prepared),
        "manual" => Ok(Method::Manual),
        _ => Err(StepError::Damaged { payout_id: payout.payout_id, what: "its method" }),
    }
}

impl Payer {
    /// Reads the wallet's history past the oldest payout that matters.
    pub(super) async fn look(&self, wallet: &Wallet) -> Result<Result<View, WalletError>, StepError> {
        let open = self.store.open_payouts().await?;
        let last_paid = self.store.last_paid_payout().await?.filter(|paid| paid.method != "manual");
        let called = open.iter().filter(|payout| payout.stage != "reserved" && payout.method != "manual");
        let oldest = called.chain(&last_paid).min_by_key(|payout| payout.payout_id);
        let since = oldest.map(|payout| payout.since_block.clone()).unwrap_or_default();
        let history = match self.asked("read the wallet's history", wallet.history(&since)).await? {
            Ok(history) => history,
            Err(error) => return Ok(Err(error)),
        };
        let mut matched = BTreeMap::new();
        for payout in &open {
            if let Some(spend) = self.find(&history, payout).await? {
                matched.insert(payout.payout_id, spend.clone());
            }
        }
        let finds_the_last_paid = match &last_paid {
            Some(paid) => self.find(&history, paid).await?.is_some_and(|spend| spend.confirmations > 0),
            None => true,
        };
        let unknown = self.unknown(&history, &matched).await?;
        Ok(Ok(View { history, open, finds_the_last_paid, matched, unknown }))
    }

    /// The transaction of a payout: by its id, else by its comment, else by exactly its outputs, if nobody else has it.
    async fn find<'h>(
        &self,
        history: &'h History,
        payout: &PayoutRow,
    ) -> Result<Option<&'h Spend>, StepError> {
        let by_id = |spend: &&Spend| !payout.txid.is_empty() && spend.txid == payout.txid;
        if let Some(spend) = history.spends.iter().find(by_id) {
            return Ok(Some(spend));
        }
        if method_of(payout)? == Method::Prepared {
            return Ok(None);
        }
        if let Some(spend) = history.spends.iter().find(|spend| spend.comment == payout.comment) {
            return Ok(Some(spend));
        }
        // A ledger that was put back from before the call does not know that there was one. The comment names the payout and
        // its outputs, so that it can be of nothing else; without one the outputs alone are for a person to judge.
        if payout.stage == "reserved" {
            return Ok(None);
        }
        let outputs = outputs_of(payout)?;
        let called_s = i64::try_from(payout.called_at_ms / 1000).unwrap_or(i64::MAX);
        for spend in history.spends.iter().filter(|spend| spend.comment.is_empty()) {
            let in_time = spend.time_s >= called_s.saturating_sub(CLOCKS_APART_S);
            if in_time && spend.outputs == outputs && !self.store.known_in_ledger(&spend.txid, "").await? {
                return Ok(Some(spend));
            }
        }
        Ok(None)
    }

    /// Transactions with a comment of this pool, or that pay one of its LPs, of which the ledger knows nothing. A
    /// prepared payout has no comment, so that after a restore of the database its outputs are all to know it by.
    async fn unknown(
        &self,
        history: &History,
        matched: &BTreeMap<u64, Spend>,
    ) -> Result<Vec<Spend>, StepError> {
        let ours = format!("alp:{}:", self.config.pool_id);
        let known: BTreeSet<&str> = matched.values().map(|spend| spend.txid.as_str()).collect();
        let conflicts: BTreeSet<&str> =
            matched.values().flat_map(|spend| spend.conflicts.iter().map(String::as_str)).collect();
        let mut addresses: Option<BTreeSet<String>> = None;
        let mut unknown = Vec::new();
        for spend in &history.spends {
            let txid = spend.txid.as_str();
            if known.contains(txid)
                || conflicts.contains(txid)
                || self.store.known_in_ledger(txid, &spend.comment).await?
            {
                continue;
            }
            if spend.comment.starts_with(&ours) {
                unknown.push(spend.clone());
                continue;
            }
            if spend.confirmations < 0 {
                continue;
            }
            let addresses = match &mut addresses {
                Some(addresses) => addresses,
                none => none.insert(self.addresses().await?),
            };
            if spend.outputs.keys().any(|address| addresses.contains(address)) {
                unknown.push(spend.clone());
            }
        }
        Ok(unknown)
    }

    async fn addresses(&self) -> Result<BTreeSet<String>, StepError> {
        let changed = self.store.changed_addresses().await?;
        let mut addresses: BTreeSet<String> = changed.into_iter().map(|(_, address)| address).collect();
        let mut after = 0;
        loop {
            let page = self.store.owing(after, MAX_BALANCES_PAGE).await?;
            let Some(last) = page.last() else { return Ok(addresses) };
            after = last.lp_id;
            addresses.extend(page.into_iter().map(|owing| owing.address));
        }
    }
}

//! The half of the ledger that payouts write, each payout beside what it took, and the wallet's history beside both.

use std::collections::{BTreeMap, BTreeSet};

use alp_pool::audit::{Debit, PayoutBooks, PayoutLine, RunningTotals, wrong_in_payout};
use alp_pool::credit::LpId;
use alp_pool::money::Coins;
use alp_store::{AuditedPayout, LedgerEntry, PayoutRow};

use super::{Audit, AuditError};
use crate::payouts::{History, Spend, digest_of_outputs};
use crate::rounds::coins_from;

/// What the wallet has sent, and which of it a payout claims.
pub(super) struct SeenInWallet {
    /// What the comments of this pool's payouts begin with.
    comment_head: String,
    /// When it was looked at, in Unix milliseconds by the database's clock.
    at_ms: u64,
    by_txid: BTreeMap<String, Spend>,
    by_comment: BTreeMap<String, Vec<String>>,
    claimed: BTreeSet<String>,
}

impl SeenInWallet {
    pub(super) fn new(pool_id: &str, history: History, at_ms: u64) -> Self {
        let mut by_comment: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for spend in history.spends.iter().filter(|spend| !spend.comment.is_empty()) {
            by_comment.entry(spend.comment.clone()).or_default().push(spend.txid.clone());
        }
        let by_txid = history.spends.into_iter().map(|spend| (spend.txid.clone(), spend)).collect();
        let comment_head = format!("alp:{pool_id}:");
        Self { comment_head, at_ms, by_txid, by_comment, claimed: BTreeSet::new() }
    }
}

impl Audit<'_> {
    /// The other half of the ledger, every payout, and the wallet.
    pub(super) async fn payouts(&mut self, mut wallet: Option<SeenInWallet>) -> Result<(), AuditError> {
        let of_payouts = self.entries().await?;
        let (mut after, mut taken) = (0, 0_u64);
        loop {
            let payouts = self.snapshot.payouts_after(after).await?;
            let Some(last) = payouts.last() else { break };
            after = last.payout.payout_id;
            self.listener.read("payouts", after, after);
            for audited in &payouts {
                self.audited.payouts = self.audited.payouts.saturating_add(1);
                taken = taken.saturating_add(u64::try_from(audited.entries.len()).unwrap_or(u64::MAX));
                self.payout(audited);
                if let Some(wallet) = &mut wallet {
                    self.in_wallet(wallet, &audited.payout);
                }
            }
        }
        if taken != of_payouts {
            let what = format!("{of_payouts} entries name a payout, and the payouts have {taken}");
            self.find("ledger", what);
        }
        match wallet {
            Some(wallet) => self.unclaimed(&wallet).await,
            None => Ok(()),
        }
    }

    /// Running totals. How many entries are about payouts.
    async fn entries(&mut self) -> Result<u64, AuditError> {
        let (mut totals, mut after, mut of_payouts) = (RunningTotals::default(), 0, 0_u64);
        loop {
            let entries = self.snapshot.entries_after(after).await?;
            let Some(last) = entries.last() else { break };
            after = last.entry_no;
            self.listener.read("ledger", after, after);
            for entry in &entries {
                self.audited.entries = self.audited.entries.saturating_add(1);
                of_payouts = of_payouts.saturating_add(u64::from(entry.payout_id.is_some()));
                let LedgerEntry { entry_no, lp_id, amount_e8, total_e8, .. } = entry;
                for wrong in totals.push(*entry_no, LpId(*lp_id), *amount_e8, *total_e8) {
                    self.find("ledger", wrong.to_string());
                }
            }
        }
        for wrong in totals.finish() {
            self.find("ledger", wrong.to_string());
        }
        Ok(of_payouts)
    }

    /// A payout and what it took.
    fn payout(&mut self, audited: &AuditedPayout) {
        let AuditedPayout { payout, was_reserved, entries } = audited;
        let place = format!("payout {}", payout.payout_id);
        let mut lines = Vec::with_capacity(entries.len());
        for entry in entries {
            match line(entry) {
                Some(line) => lines.push(line),
                None => self.find(
                    place.clone(),
                    format!("ledger entry {} is of no kind of a payout", entry.entry_no),
                ),
            }
        }
        let outputs_e8: Vec<i64> = payout.outputs.iter().map(|(_, e8)| *e8).collect();
        let books = PayoutBooks {
            outputs_e8: &outputs_e8,
            total_e8: payout.total_e8,
            is_void: payout.stage == "void",
            was_reserved: *was_reserved,
        };
        for wrong in wrong_in_payout(books, &lines) {
            self.find(place.clone(), wrong);
        }
        // The comment was made of the outputs when the payout was reserved.
        let outputs = payout.outputs.iter().map(|(address, e8)| (address.as_str(), *e8));
        if *was_reserved && !payout.comment.ends_with(&format!(":{}", digest_of_outputs(outputs))) {
            self.find(place, "its outputs are not those that it was reserved with");
        }
    }

    /// A payout in the wallet's history.
    fn in_wallet(&mut self, wallet: &mut SeenInWallet, payout: &PayoutRow) {
        if payout.method == "manual" || payout.stage == "void" {
            return;
        }
        let place = format!("payout {}", payout.payout_id);
        for txid in wallet.by_comment.get(&payout.comment).cloned().unwrap_or_default() {
            let stands = wallet.by_txid.get(&txid).is_some_and(|spend| spend.confirmations >= 0);
            if stands && !payout.txid.is_empty() && txid != payout.txid {
                let what =
                    format!("it is sent as {}, and the wallet sent {txid} for it as well", payout.txid);
                self.find(place.clone(), what);
            }
            wallet.claimed.insert(txid);
        }
        if !payout.txid.is_empty() {
            wallet.claimed.insert(payout.txid.clone());
        }
        let is_due = matches!(payout.stage.as_str(), "sent" | "paid") && payout.sent_at_ms < wallet.at_ms;
        if !is_due {
            return;
        }
        self.audited.in_wallet = Some(self.audited.in_wallet.unwrap_or(0).saturating_add(1));
        let Some(spend) = wallet.by_txid.get(&payout.txid) else {
            self.find(
                place,
                format!(
                    "it is {} as {}, and the wallet knows no such transaction",
                    payout.stage, payout.txid
                ),
            );
            return;
        };
        if payout.stage == "paid" && spend.confirmations <= 0 {
            let what = format!("it is paid as {}, which no block of the wallet's chain holds", payout.txid);
            self.find(place.clone(), what);
        }
        let outputs: Option<BTreeMap<String, Coins>> =
            payout.outputs.iter().map(|(address, e8)| Some((address.clone(), coins_from(*e8)?))).collect();
        if outputs.as_ref() != Some(&spend.outputs) {
            self.find(place, format!("{} pays other outputs than it has", payout.txid));
        }
    }

    /// What the wallet sent and no payout claims, though it pays an LP or says that it is this pool's.
    async fn unclaimed(&mut self, wallet: &SeenInWallet) -> Result<(), AuditError> {
        self.audited.in_wallet = Some(self.audited.in_wallet.unwrap_or(0));
        let mut addresses = self.addresses().await?;
        addresses.extend(self.other_addresses().await?);
        for (txid, spend) in wallet.by_txid.iter().filter(|(txid, _)| !wallet.claimed.contains(*txid)) {
            let is_ours = spend.comment.starts_with(&wallet.comment_head);
            let pays_lp = spend.outputs.keys().any(|address| addresses.contains(address));
            if spend.confirmations < 0 || !(is_ours || pays_lp) || self.snapshot.is_foreign(txid).await? {
                continue;
            }
            let to: Vec<&str> = spend.outputs.keys().map(String::as_str).collect();
            let what = format!("it paid {} and the ledger does not know it", to.join(", "));
            self.find(format!("wallet transaction {txid}"), what);
        }
        Ok(())
    }

    async fn addresses(&mut self) -> Result<BTreeSet<String>, AuditError> {
        let (mut addresses, mut after) = (BTreeSet::new(), 0);
        loop {
            let page = self.snapshot.addresses_after(after).await?;
            let Some((last, _)) = page.last() else { return Ok(addresses) };
            after = *last;
            addresses.extend(page.into_iter().map(|(_, address)| address));
        }
    }

    /// Addresses that LPs were paid at, or are about to be, beside those that they registered with.
    async fn other_addresses(&mut self) -> Result<BTreeSet<String>, AuditError> {
        let (mut addresses, mut after) = (BTreeSet::new(), 0);
        loop {
            let page = self.snapshot.changed_addresses_after(after).await?;
            let Some((last, _)) = page.last() else { return Ok(addresses) };
            after = *last;
            addresses.extend(page.into_iter().flat_map(|(_, both)| both).filter(|one| !one.is_empty()));
        }
    }
}

fn line(entry: &LedgerEntry) -> Option<PayoutLine> {
    let (debit, returned) = match entry.kind.as_str() {
        "payout" => (Debit::Paid, false),
        "fee" => (Debit::Fee, false),
        "payout_returned" => (Debit::Paid, true),
        "fee_returned" => (Debit::Fee, true),
        _ => return None,
    };
    Some(PayoutLine { lp: LpId(entry.lp_id), debit, returned, amount_e8: entry.amount_e8 })
}

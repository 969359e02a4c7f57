//! Payouts and corrections: what they take from whom, and whether they may.

use std::collections::BTreeSet;

use super::{Verifier, shown};
use crate::chain::body::{Correction, PayoutEntry};

impl Verifier {
    /// A payout takes from each LP once, and no more than it is owed.
    pub(super) fn check_payout(&mut self, number: u64, payout: &PayoutEntry) {
        let PayoutEntry { payout: id, txid, lps } = payout;
        let mut wrong = Vec::new();
        if txid.is_empty() {
            wrong.push(format!("payout {id} names no transaction"));
        }
        // A second entry without LPs names another transaction of the same payout.
        match self.payouts_seen.get(id).copied() {
            Some(before) if !lps.is_empty() => {
                wrong.push(format!("payout {id} was taken from balances before, in entry {before}"));
            }
            Some(_) => {}
            None => drop(self.payouts_seen.insert(id.clone(), number)),
        }
        let mut paid = BTreeSet::new();
        for share in lps {
            if share.amount_e8 <= 0 || share.fee_e8 < 0 || share.fee_e8 > share.amount_e8 {
                wrong.push(format!(
                    "payout {id} takes {} from {}, {} of it as a fee, which cannot be",
                    shown(share.amount_e8.into()),
                    share.lp,
                    shown(share.fee_e8.into())
                ));
            }
            if !paid.insert(share.lp) {
                wrong.push(format!("payout {id} takes from {} twice", share.lp));
            }
            let balance = self.balances.entry(share.lp).or_default();
            balance.paid_out_e8 = balance.paid_out_e8.saturating_add(share.amount_e8.into());
            let owed = balance.owed_e8();
            if owed < 0 {
                let above = shown(owed.saturating_neg());
                wrong.push(format!("pays {} more than it was owed, by {above}", share.lp));
            }
        }
        for what in wrong {
            self.find(Some(number), None, what);
        }
    }

    /// A correction may take no more than is owed either.
    pub(super) fn check_correction(&mut self, number: u64, correction: &Correction) {
        let balance = self.balances.entry(correction.lp).or_default();
        balance.corrected_e8 = balance.corrected_e8.saturating_add(correction.amount_e8.into());
        let owed = balance.owed_e8();
        if correction.amount_e8 < 0 && owed < 0 {
            let above = shown(owed.saturating_neg());
            self.find(
                Some(number),
                None,
                format!("corrects {} by more than it was owed, by {above}", correction.lp),
            );
        }
    }
}

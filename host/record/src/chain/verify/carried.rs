//! What is carried forward: where a record may begin whose older entries are forgotten, and what has to agree with the
//! entries before where these were read.

use std::collections::{BTreeMap, BTreeSet};

use super::super::body::{Body, CarryForward};
use super::super::digest::Digest;
use super::super::entry::Entry;
use super::{Balance, Verifier, shown};

/// What has been read of balances that several entries carry forward together.
#[derive(Debug)]
pub(super) struct Carrying {
    parts: u32,
    read: u32,
    sums: BTreeMap<Digest, i128>,
}

impl Verifier {
    /// Notes with which entry the record begins that is read: with its first, or with one that carries forward.
    pub(super) fn begin(&mut self, entry: &Entry) {
        if self.first.is_some() {
            return;
        }
        let number = entry.header.number;
        self.first = Some(number);
        let carries = matches!(&entry.body, Body::CarryForward(forward) if forward.part == 1);
        // Before anything was carried forward there are no balances to compare with.
        self.complete = number == 0;
        if !self.complete && !carries {
            let what = "is where the record begins, and carries nothing forward: what came before is missing";
            self.find(Some(number), None, what.to_owned());
        }
    }

    /// What is carried forward stands for the entries before. Where these were read, both must agree, for every LP.
    pub(super) fn check_carried(&mut self, number: u64, forward: &CarryForward) {
        let mut carrying = match self.carrying.take() {
            None if forward.part == 1 => Carrying { parts: forward.parts, read: 0, sums: BTreeMap::new() },
            Some(carrying)
                if forward.parts == carrying.parts && forward.part == carrying.read.saturating_add(1) =>
            {
                carrying
            }
            Some(_) | None => {
                let what = format!("is part {} of {}, and another one is due", forward.part, forward.parts);
                self.find(Some(number), None, what);
                self.complete = false;
                return;
            }
        };
        carrying.read = forward.part;
        for lp in &forward.lps {
            if carrying.sums.insert(lp.lp, i128::from(lp.amount_e8)).is_some() {
                self.find(Some(number), None, format!("carries two balances forward for {}", lp.lp));
            }
        }
        if carrying.read < carrying.parts {
            self.carrying = Some(carrying);
        } else {
            self.take_over(number, &carrying.sums);
        }
    }

    /// What several entries carry forward together is not interrupted.
    pub(super) fn check_whole(&mut self, number: Option<u64>) {
        if let Some(carrying) = self.carrying.take() {
            let what = format!(
                "comes where part {} of {} of what is carried forward is due",
                carrying.read.saturating_add(1),
                carrying.parts
            );
            self.find(number, None, what);
            self.complete = false;
        }
    }

    fn take_over(&mut self, number: u64, sums: &BTreeMap<Digest, i128>) {
        let all: BTreeSet<Digest> = self.balances.keys().chain(sums.keys()).copied().collect();
        for lp in all {
            let carried = sums.get(&lp).copied().unwrap_or(0);
            let owed = self.balances.get(&lp).copied().unwrap_or_default().owed_e8();
            if self.complete && owed != carried {
                let what = format!(
                    "carries {} forward for {lp}, whose entries come to {}",
                    shown(carried),
                    shown(owed)
                );
                self.find(Some(number), None, what);
            }
            self.balances.insert(lp, Balance { credited_e8: carried, ..Balance::default() });
        }
        self.complete = true;
    }
}

//! What the old server's wallet sent since the last payout that it recorded (PB-04), held against what is owed.
//!
//! ALP-Server sent first and recorded later, and kept neither a transaction's id nor its time. A recorded payout was sent
//! after the newest credit that it marked as paid. So of the transactions since then that pay a registered address the
//! first is taken for the recorded one, and every other one for sent and not recorded.

use std::collections::{BTreeMap, BTreeSet};

use super::owing::Owing;
use crate::money::Coins;

/// A transaction of the wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentTransaction {
    /// Its id.
    pub txid: String,
    /// When, in Unix seconds, by the wallet's clock.
    pub time_s: i64,
    /// What it pays to whom.
    pub outputs: BTreeMap<String, Coins>,
}

/// What the wallet sent to LPs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// The one that is taken for the last recorded payout.
    pub recorded: Option<SentTransaction>,
    /// Those after it, with the outputs to registered addresses alone, by time.
    pub unrecorded: Vec<SentTransaction>,
    /// The ids of all that ever paid a registered address.
    pub all: Vec<String>,
}

/// More was sent to an address than is owed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overpaid {
    /// The address.
    pub address: String,
    /// How much more.
    pub by: Coins,
}

impl Comparison {
    /// What was sent and not recorded, by address. Sums beyond all coins stay at the most there is.
    #[must_use]
    pub fn unrecorded_by_address(&self) -> BTreeMap<&str, Coins> {
        let mut sums: BTreeMap<&str, Coins> = BTreeMap::new();
        for (address, coins) in self.unrecorded.iter().flat_map(|sent| &sent.outputs) {
            let sum = sums.entry(address).or_default();
            *sum = sum.plus(*coins).unwrap_or(Coins::MAX);
        }
        sums
    }
}

/// Looks through the wallet's transactions. `paid_until_s` is the time of the newest credit that is marked as paid; none
/// if no payout was ever recorded.
#[must_use]
pub fn compare(
    mut transactions: Vec<SentTransaction>,
    registered: &BTreeSet<&str>,
    paid_until_s: Option<i64>,
) -> Comparison {
    transactions.retain(|sent| sent.outputs.keys().any(|address| registered.contains(address.as_str())));
    transactions.sort_by(|a, b| (a.time_s, &a.txid).cmp(&(b.time_s, &b.txid)));
    let all = transactions.iter().map(|sent| sent.txid.clone()).collect();
    let mut since =
        transactions.into_iter().filter(|sent| paid_until_s.is_none_or(|until| sent.time_s >= until));
    let recorded = paid_until_s.and_then(|_| since.next());
    let unrecorded = since
        .map(|mut sent| {
            sent.outputs.retain(|address, _| registered.contains(address.as_str()));
            sent
        })
        .collect();
    Comparison { recorded, unrecorded, all }
}

/// Takes what was sent off what is owed: at each address from one LP after the other, then from what waits. A key with
/// several addresses was sent the same credits to each of them, so the largest of these sums is taken off.
pub fn subtract(owing: &mut Owing, sent: &BTreeMap<&str, Coins>) -> Vec<Overpaid> {
    let mut left: BTreeMap<&str, Coins> = sent.clone();
    for lp in &mut owing.lps {
        if let Some(sent) = left.get_mut(lp.address.as_str()) {
            take(&mut lp.owed, sent);
        }
    }
    for hold in &mut owing.holds {
        let of = |address: &String| left.get(address.as_str()).copied();
        let most = hold.addresses.iter().filter_map(of).max().unwrap_or_default();
        let before = hold.owed;
        take(&mut hold.owed, &mut most.clone());
        let taken = before.minus(hold.owed).unwrap_or_default();
        for address in &hold.addresses {
            if let Some(sent) = left.get_mut(address.as_str()) {
                *sent = sent.minus(taken).unwrap_or_default();
            }
        }
    }
    left.retain(|_, coins| *coins > Coins::ZERO);
    left.into_iter().map(|(address, by)| Overpaid { address: address.to_owned(), by }).collect()
}

fn take(owed: &mut Coins, sent: &mut Coins) {
    let taken = (*owed).min(*sent);
    *owed = owed.minus(taken).unwrap_or_default();
    *sent = sent.minus(taken).unwrap_or_default();
}

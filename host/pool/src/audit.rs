//! Whether a ledger adds up: every running total from what is before it, every payout from what it took.
//! Sums are exact in 128 bits, which no ledger of 63-bit amounts can fill.

use std::collections::BTreeMap;
use std::fmt;

use crate::credit::LpId;

/// The running totals of one half of a ledger, computed again entry by entry in the order of their numbers. It holds two
/// sums for each LP, however long the ledger is.
#[derive(Debug, Default)]
pub struct RunningTotals {
    lps: BTreeMap<LpId, Sums>,
    newest: u64,
    /// Entries below this number may have been deleted because of their age.
    forgotten_below: u64,
    sum: i128,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// The sum of the amounts.
    right: i128,
    /// The total that the newest entry states; what was carried forward before the first.
    stated: i128,
}

/// What is wrong with an entry, or with an LP's entries together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongTotal {
    /// Entries between two that are there are missing.
    Missing {
        /// The first missing number.
        from: u64,
        /// The last missing number.
        to: u64,
    },
    /// An entry's total is not the one before and its amount.
    Step {
        /// The entry.
        entry_no: u64,
        /// Its LP.
        lp: LpId,
        /// What it states.
        stated: i128,
        /// What is right.
        right: i128,
    },
    /// An LP's newest total is not the sum of all its amounts.
    Sum {
        /// The LP.
        lp: LpId,
        /// What it states.
        stated: i128,
        /// What is right.
        right: i128,
    },
}

impl RunningTotals {
    /// Begins with what deleted entries came to, by LP: those with numbers below `forgotten_below` may be missing.
    #[must_use]
    pub fn carrying(carried: impl IntoIterator<Item = (LpId, i128)>, forgotten_below: u64) -> Self {
        let mut totals = Self { forgotten_below, ..Self::default() };
        for (lp, amount) in carried {
            let sums = totals.lps.entry(lp).or_default();
            sums.right = sums.right.saturating_add(amount);
            sums.stated = sums.right;
            totals.sum = totals.sum.saturating_add(amount);
        }
        totals
    }

    /// Takes the next entry: its number, its LP, its amount and the total it states, in 1e-8.
    pub fn push(&mut self, entry_no: u64, lp: LpId, amount_e8: i64, stated_e8: i64) -> Vec<WrongTotal> {
        let mut wrong = Vec::new();
        let due = self.newest.saturating_add(1);
        if due < entry_no && entry_no > self.forgotten_below {
            let (from, to) = (due.max(self.forgotten_below), entry_no.saturating_sub(1));
            wrong.extend((from <= to).then_some(WrongTotal::Missing { from, to }));
        }
        self.newest = entry_no;
        let (amount, stated) = (i128::from(amount_e8), i128::from(stated_e8));
        self.sum = self.sum.saturating_add(amount);
        let sums = self.lps.entry(lp).or_default();
        let right = sums.stated.saturating_add(amount);
        if right != stated {
            wrong.push(WrongTotal::Step { entry_no, lp, stated, right });
        }
        *sums = Sums { right: sums.right.saturating_add(amount), stated };
        wrong
    }

    /// The sum of all amounts, of what was carried forward too.
    #[must_use]
    pub fn sum(&self) -> i128 {
        self.sum
    }

    /// The LPs whose newest total is not the sum of their amounts.
    #[must_use]
    pub fn finish(self) -> Vec<WrongTotal> {
        let wrong = self.lps.into_iter().filter(|(_, sums)| sums.right != sums.stated);
        wrong.map(|(lp, Sums { right, stated })| WrongTotal::Sum { lp, stated, right }).collect()
    }
}

impl fmt::Display for WrongTotal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { from, to } if from == to => write!(f, "entry {from} is missing"),
            Self::Missing { from, to } => write!(f, "entries {from} to {to} are missing"),
            Self::Step { entry_no, lp, stated, right } => {
                write!(
                    f,
                    "entry {entry_no} of LP {}: its total is {stated}e-8 where {right}e-8 is right",
                    lp.0
                )
            }
            Self::Sum { lp, stated, right } => {
                write!(
                    f,
                    "LP {}: its newest total is {stated}e-8, and its entries add up to {right}e-8",
                    lp.0
                )
            }
        }
    }
}

/// What an entry of the ledger is to its payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Debit {
    /// What an LP was paid, or was to be.
    Paid,
    /// What it was charged.
    Fee,
}

/// An entry of the ledger about a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayoutLine {
    /// Its LP.
    pub lp: LpId,
    /// What it is about.
    pub debit: Debit,
    /// Whether it gives back what another one took.
    pub returned: bool,
    /// In 1e-8; what is taken is below zero.
    pub amount_e8: i64,
}

/// A payout, as its own row states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayoutBooks<'a> {
    /// The amounts of its outputs, in 1e-8.
    pub outputs_e8: &'a [i64],
    /// The sum that it states, in 1e-8.
    pub total_e8: i64,
    /// Whether it is void.
    pub is_void: bool,
    /// Whether the pool reserved it. What a transaction of the wallet pays to nobody's address is in nobody's debit when
    /// it is adopted.
    pub was_reserved: bool,
}

/// What of a payout's entries does not agree with its outputs, a sentence each.
#[must_use]
pub fn wrong_in_payout(payout: PayoutBooks<'_>, lines: &[PayoutLine]) -> Vec<String> {
    let mut wrong = Vec::new();
    let outputs = payout.outputs_e8.iter().fold(0_i128, |sum, e8| sum.saturating_add(i128::from(*e8)));
    let total = i128::from(payout.total_e8);
    if outputs != total {
        wrong.push(format!("its outputs come to {outputs}e-8, and its total is {total}e-8"));
    }
    let mut left: BTreeMap<(LpId, Debit), i128> = BTreeMap::new();
    let mut paid = 0_i128;
    for line in lines {
        let amount = i128::from(line.amount_e8);
        let rest = left.entry((line.lp, line.debit)).or_default();
        *rest = rest.saturating_add(amount);
        if line.debit == Debit::Paid && !line.returned {
            paid = paid.saturating_sub(amount);
        }
        if line.returned && !payout.is_void {
            let what = if line.debit == Debit::Paid { "payment" } else { "fee" };
            wrong.push(format!("LP {} was given a {what} back, and the payout is not void", line.lp.0));
        }
    }
    let agrees = if payout.was_reserved { paid == outputs } else { paid <= outputs };
    if !agrees {
        wrong.push(format!("its outputs come to {outputs}e-8, and {paid}e-8 was taken from balances for it"));
    }
    if payout.is_void {
        for ((lp, debit), rest) in left.into_iter().filter(|(_, rest)| *rest != 0) {
            let what = if debit == Debit::Paid { "payment" } else { "fee" };
            wrong.push(format!("it is void, and of LP {} a {what} of {rest}e-8 was not given back", lp.0));
        }
    }
    wrong
}

//! A statement held against the record: whether each of its lines stands there, and whether all that stands there is in
//! it. Only accounts that name their pseudonym can be found.

use std::collections::BTreeMap;

use super::round_check::credited;
use super::{Finding, shown};
use crate::chain::body::Body;
use crate::chain::digest::Digest;
use crate::chain::entry::Entry;
use crate::chain::signed_coins::SignedCoins;
use crate::chain::statement::{CorrectionLine, PayoutLine, Statement, StatementAccount, StatementLine};

/// Seconds of a day in UTC.
const DAY: u64 = 86_400;

/// Reads the entries of a record in their order beside a statement.
#[derive(Debug)]
pub struct StatementCheck {
    statement: Statement,
    accounts: Vec<Expected>,
    known: Option<Known>,
    head_seen: bool,
    findings: Vec<Finding>,
}

/// Which part of the record was read.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// The number of the first entry.
    first: u64,
    /// The day of the first round.
    first_day: Option<u64>,
    /// Whether something was carried forward: what was owed before is not to be added up then.
    carried: bool,
}

impl Known {
    fn read(&mut self, body: &Body) {
        match body {
            Body::Round(round) => self.first_day = self.first_day.or(Some(day_of(round.start))),
            Body::CarryForward(_) => self.carried = true,
            Body::Epoch(_) | Body::Correction(_) | Body::Payout(_) => {}
        }
    }

    fn is_from_the_start(self) -> bool {
        self.first == 0 && !self.carried
    }

    /// Whether every round of a day was read: of the first day there may be earlier ones.
    fn covers_day(self, day: u64) -> bool {
        self.first == 0 || self.first_day.is_some_and(|first| day > first)
    }
}

fn day_of(start: u64) -> u64 {
    start.saturating_sub(start.checked_rem(DAY).unwrap_or(0))
}

/// What the entries come to for one account.
#[derive(Debug)]
struct Expected {
    lp: Digest,
    before_e8: i128,
    /// By day: the sum of the credits.
    credits: BTreeMap<u64, i128>,
    /// By number: the lines that the entries ask for.
    lines: BTreeMap<u64, StatementLine>,
}

impl StatementCheck {
    /// For a statement whose signature was checked.
    #[must_use]
    pub fn new(statement: Statement) -> Self {
        let named = statement.accounts.iter().filter_map(|account| account.lp);
        let accounts = named
            .map(|lp| Expected { lp, before_e8: 0, credits: BTreeMap::new(), lines: BTreeMap::new() })
            .collect();
        Self { statement, accounts, known: None, head_seen: false, findings: Vec::new() }
    }

    /// How many of the statement's accounts name their pseudonym, and can be found.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Reads the next entry.
    pub fn compare(&mut self, entry: &Entry) {
        let number = entry.header.number;
        self.known.get_or_insert(Known { first: number, first_day: None, carried: false }).read(&entry.body);
        let head = &self.statement.head;
        if number == head.number {
            self.head_seen = true;
            if head.digest != entry.header.digest() {
                let what = format!("the statement names another head for this entry, {}", head.digest);
                self.findings.push(Finding { entry: Some(number), round: None, what });
            }
        }
        if number > head.number {
            return;
        }
        let period = (self.statement.from, self.statement.until);
        for account in &mut self.accounts {
            account.read(entry, period);
        }
    }

    /// Ends the comparison: what is wrong.
    #[must_use]
    pub fn findings(mut self) -> Vec<Finding> {
        if !self.head_seen {
            let what =
                "the statement names this entry as its head, and the record has no such entry".to_owned();
            self.findings.push(Finding { entry: Some(self.statement.head.number), round: None, what });
        }
        let Some(known) = self.known else { return self.findings };
        let named = self.statement.accounts.iter().filter(|account| account.lp.is_some());
        for (account, expected) in named.zip(&self.accounts) {
            let wrong = expected.wrong(account, known);
            self.findings.extend(wrong.into_iter().map(|what| Finding {
                entry: None,
                round: None,
                what: format!("the statement {what}"),
            }));
        }
        self.findings
    }
}

impl Expected {
    fn read(&mut self, entry: &Entry, (from, until): (u64, u64)) {
        let (number, at_ms) = (entry.header.number, entry.header.at_ms);
        let at_s = at_ms.checked_div(1_000).unwrap_or(0);
        let line = match &entry.body {
            Body::Round(round) => {
                let ours = credited(round).into_iter().filter(|(lp, _)| *lp == self.lp);
                let sum = ours.fold(0_i128, |sum, (_, e8)| sum.saturating_add(e8));
                if round.start < from {
                    self.before_e8 = self.before_e8.saturating_add(sum);
                } else if round.start < until && sum != 0 {
                    let of_day = self.credits.entry(day_of(round.start)).or_default();
                    *of_day = of_day.saturating_add(sum);
                }
                return;
            }
            Body::Payout(payout) => {
                if payout.lps.is_empty() {
                    self.rename(&payout.payout, &payout.txid);
                    return;
                }
                let Some(share) = payout.lps.iter().find(|share| share.lp == self.lp) else { return };
                let fee_e8 = share.fee_e8.saturating_neg();
                StatementLine::Payout(PayoutLine {
                    at_ms,
                    entry: number,
                    payout: payout.payout.clone(),
                    txid: payout.txid.clone(),
                    amount: SignedCoins(share.amount_e8.saturating_neg().saturating_sub(fee_e8)),
                    fee: SignedCoins(fee_e8),
                })
            }
            Body::Correction(correction) if correction.lp == self.lp => {
                StatementLine::Correction(CorrectionLine {
                    at_ms,
                    entry: number,
                    amount: SignedCoins(correction.amount_e8),
                    who: correction.who.clone(),
                    why: correction.why.clone(),
                })
            }
            Body::Correction(_) | Body::Epoch(_) | Body::CarryForward(_) => return,
        };
        if at_s < from {
            self.before_e8 = self.before_e8.saturating_add(line.change_e8());
        } else if at_s < until {
            self.lines.insert(number, line);
        }
    }

    /// Another transaction made a payout.
    fn rename(&mut self, payout: &str, txid: &str) {
        for line in self.lines.values_mut() {
            if let StatementLine::Payout(line) = line
                && line.payout == payout
            {
                txid.clone_into(&mut line.txid);
            }
        }
    }

    fn wrong(&self, account: &StatementAccount, known: Known) -> Vec<String> {
        let mut wrong = Vec::new();
        if known.is_from_the_start() && self.before_e8 != i128::from(account.opening.0) {
            wrong.push(format!(
                "opens with {} for {}, and the record has {}",
                account.opening,
                self.lp,
                shown(self.before_e8)
            ));
        }
        let (mut credits, mut lines) = (self.credits.clone(), self.lines.clone());
        for line in &account.lines {
            match line {
                StatementLine::Credits(stated) => {
                    let right = credits.remove(&stated.day).unwrap_or(0);
                    if right != i128::from(stated.amount.0) && known.covers_day(stated.day) {
                        let right = shown(right);
                        wrong.push(format!(
                            "has {} as the credits of the day {}, and the record has {right}",
                            stated.amount, stated.day
                        ));
                    }
                }
                StatementLine::Payout(PayoutLine { entry, .. })
                | StatementLine::Correction(CorrectionLine { entry, .. }) => match lines.remove(entry) {
                    Some(right) if right == *line => {}
                    Some(_) => wrong.push(format!("says otherwise of entry {entry} than the record")),
                    None if *entry < known.first => {}
                    None => wrong.push(format!("has a line of entry {entry} that the record does not have")),
                },
            }
        }
        wrong.extend(lines.keys().map(|entry| format!("leaves out entry {entry}")));
        let left_out = credits.keys().filter(|day| known.covers_day(**day));
        wrong.extend(left_out.map(|day| format!("leaves out the credits of the day {day}")));
        wrong
    }
}

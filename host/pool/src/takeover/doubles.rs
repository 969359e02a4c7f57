//! Which credits count: each order once a round, whatever counted it several times.
//!
//! Credits arrive sorted by key, exchange, unit, the exchange's id of the order, the order's row, and time. So all
//! credits of one order stand together, and only those of one order are in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::TakeoverError;
use super::reward::read_reward;

/// Most credits of one order: one that stood for four years, at one a minute.
pub const MAX_CREDITS_OF_ORDER: usize = 2_200_000;

/// Most LPs that are owed something: what a round of this pool may credit.
pub const MAX_OWED_LPS: usize = 100_000;

/// Up to so many seconds apart, two credits of one submission are of processes that ran beside each other; further apart
/// a round overtook one that took over a minute. Timers fired every sixty seconds.
const SAME_INSTANT_S: i64 = 30;

/// A credit as it stands in ALP-Server's database. Missing texts are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditRow<'a> {
    /// The API key.
    pub key: &'a str,
    /// The exchange.
    pub exchange: &'a str,
    /// The unit.
    pub unit: &'a str,
    /// The exchange's id of the order, if the order is still recorded.
    pub order: Option<&'a str>,
    /// The row of the submitted order that was credited.
    pub order_row: Option<i64>,
    /// When, in Unix seconds; 0 if that is not readable.
    pub at_s: i64,
    /// The reward, as the database writes a float.
    pub reward: &'a str,
    /// Whether it was paid.
    pub paid: bool,
}

/// A fault of ALP-Server that credited an order more than once in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// PB-08: a round was overtaken by the next one, which credited the same submission again.
    Overtaken,
    /// PB-09: several processes credited the same submission.
    SeveralProcesses,
    /// PB-11: an order whose price or amount had moved between two submissions was counted as two.
    CountedAgain,
}

impl Fault {
    /// All of them, in the order of their ids.
    pub const ALL: [Self; 3] = [Self::Overtaken, Self::SeveralProcesses, Self::CountedAgain];

    /// The id by which it is known.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Overtaken => "PB-08",
            Self::SeveralProcesses => "PB-09",
            Self::CountedAgain => "PB-11",
        }
    }
}

/// Unpaid credits that count for nothing, since their order was credited in that round already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Doubled {
    /// How many.
    pub credits: u64,
    /// What they hold, in 1e-18.
    pub e18: u128,
}

/// What becomes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubles {
    /// They are not owed.
    Drop,
    /// They are owed as recorded.
    Keep,
}

/// The unpaid credits of a key on an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LpCredits {
    /// The units they are of.
    pub units: BTreeSet<String>,
    /// How many count.
    pub credits: u64,
    /// What these hold, in 1e-18.
    pub e18: u128,
    /// How many have no readable amount.
    pub unreadable: u64,
    /// What was doubled, by fault.
    pub doubled: BTreeMap<Fault, Doubled>,
}

impl LpCredits {
    /// What is owed, in 1e-18. `None` beyond 128 bits.
    #[must_use]
    pub fn owed_e18(&self, doubles: Doubles) -> Option<u128> {
        match doubles {
            Doubles::Drop => Some(self.e18),
            Doubles::Keep => {
                self.doubled.values().try_fold(self.e18, |sum, doubled| sum.checked_add(doubled.e18))
            }
        }
    }
}

/// Adds up credits as they arrive.
#[derive(Debug, Default)]
pub struct Tally {
    lps: BTreeMap<(String, String), LpCredits>,
    order: Option<OrderOf>,
    /// The one submission whose credits are arriving.
    submission: Option<Submission>,
    /// What counts of the order in each round, by time.
    rounds: BTreeMap<i64, Counted>,
}

/// Whose order, and which.
#[derive(Debug, PartialEq, Eq)]
struct OrderOf {
    lp: (String, String),
    unit: String,
    order: Option<String>,
}

#[derive(Debug)]
struct Submission {
    row: i64,
    first_at_s: i64,
    counted: Counted,
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    e18: u128,
    paid: bool,
}

impl Tally {
    /// Takes the next credit.
    ///
    /// # Errors
    /// [`TakeoverError`] if there are more than are looked at.
    pub fn add(&mut self, row: &CreditRow<'_>) -> Result<(), TakeoverError> {
        self.turn_to(row)?;
        let e18 = match read_reward(row.reward) {
            Ok(e18) => e18,
            Err(_) if row.paid => return Ok(()),
            Err(_) => {
                let lp = self.lp()?;
                lp.unreadable = lp.unreadable.saturating_add(1);
                return Ok(());
            }
        };
        let credit = Counted { e18, paid: row.paid };
        let Some(order_row) = row.order_row else { return self.count(credit) };
        match self.submission.take() {
            Some(submission) if submission.row == order_row => self.copy(submission, row.at_s, credit),
            before => {
                self.end_of(before)?;
                self.submission = Some(Submission { row: order_row, first_at_s: row.at_s, counted: credit });
                Ok(())
            }
        }
    }

    /// Everything that is unpaid, by key and exchange.
    ///
    /// # Errors
    /// [`TakeoverError`].
    pub fn finish(mut self) -> Result<BTreeMap<(String, String), LpCredits>, TakeoverError> {
        self.end_order()?;
        Ok(self.lps)
    }

    /// Ends the order before, if this credit is another's.
    fn turn_to(&mut self, row: &CreditRow<'_>) -> Result<(), TakeoverError> {
        let same = self.order.as_ref().is_some_and(|order| {
            order.lp.0 == row.key
                && order.lp.1 == row.exchange
                && order.unit == row.unit
                && order.order.as_deref() == row.order
        });
        if same && row.order.is_some() {
            return Ok(());
        }
        // Without the exchange's id, submissions of one market are told apart by their rows alone.
        let same_row = same && self.submission.as_ref().map(|submission| submission.row) == row.order_row;
        if same_row {
            return Ok(());
        }
        self.end_order()?;
        let lp = (row.key.to_owned(), row.exchange.to_owned());
        self.order = Some(OrderOf { lp, unit: row.unit.to_owned(), order: row.order.map(ToOwned::to_owned) });
        Ok(())
    }

    /// A further credit of the same submission: one of them counts, and one that was paid before any that was not.
    fn copy(&mut self, mut submission: Submission, at_s: i64, copy: Counted) -> Result<(), TakeoverError> {
        let apart_s = at_s.saturating_sub(submission.first_at_s);
        let fault = if apart_s > SAME_INSTANT_S { Fault::Overtaken } else { Fault::SeveralProcesses };
        let double = if copy.paid && !submission.counted.paid {
            std::mem::replace(&mut submission.counted, copy)
        } else {
            copy
        };
        self.submission = Some(submission);
        self.double(double, fault)
    }

    fn end_of(&mut self, submission: Option<Submission>) -> Result<(), TakeoverError> {
        let Some(Submission { first_at_s, counted, .. }) = submission else { return Ok(()) };
        if self.rounds.len() >= MAX_CREDITS_OF_ORDER {
            return Err(TakeoverError::TooManyCredits);
        }
        if first_at_s == 0 {
            // Nobody knows of which round it is, so it is nobody's double.
            return self.count(counted);
        }
        // Later submissions have higher rows, and the last one is what the order was.
        match self.rounds.remove(&first_at_s) {
            Some(before) if before.paid && !counted.paid => {
                self.rounds.insert(first_at_s, before);
                self.double(counted, Fault::CountedAgain)
            }
            Some(before) => {
                self.rounds.insert(first_at_s, counted);
                self.double(before, Fault::CountedAgain)
            }
            None => {
                self.rounds.insert(first_at_s, counted);
                Ok(())
            }
        }
    }

    fn end_order(&mut self) -> Result<(), TakeoverError> {
        let submission = self.submission.take();
        self.end_of(submission)?;
        for counted in std::mem::take(&mut self.rounds).into_values() {
            self.count(counted)?;
        }
        Ok(())
    }

    fn count(&mut self, credit: Counted) -> Result<(), TakeoverError> {
        if credit.paid {
            return Ok(());
        }
        let lp = self.lp()?;
        lp.credits = lp.credits.saturating_add(1);
        lp.e18 = lp.e18.checked_add(credit.e18).ok_or(TakeoverError::TooMuch)?;
        Ok(())
    }

    fn double(&mut self, credit: Counted, fault: Fault) -> Result<(), TakeoverError> {
        if credit.paid {
            return Ok(());
        }
        let doubled = self.lp()?.doubled.entry(fault).or_default();
        doubled.credits = doubled.credits.saturating_add(1);
        doubled.e18 = doubled.e18.checked_add(credit.e18).ok_or(TakeoverError::TooMuch)?;
        Ok(())
    }

    /// The LP whose order it is.
    fn lp(&mut self) -> Result<&mut LpCredits, TakeoverError> {
        let Some(OrderOf { lp, unit, .. }) = &self.order else { return Err(TakeoverError::TooManyLps) };
        if self.lps.len() >= MAX_OWED_LPS && !self.lps.contains_key(lp) {
            return Err(TakeoverError::TooManyLps);
        }
        let credits = self.lps.entry(lp.clone()).or_default();
        if !credits.units.contains(unit) {
            credits.units.insert(unit.clone());
        }
        Ok(credits)
    }
}

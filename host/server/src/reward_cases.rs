//! Files of reward cases: expected credits, computed elsewhere, beside what the engines of this program credit.
//! It knows the format of such files and no rule: every number goes to an engine, and every credit comes from one.
//!
//! A file is a list of cases of one kind, which is told by the members that each case has:
//!
//! | kind | engine | members |
//! |-|-|-|
//! | fixed pot | `fixed_pot`, one minute | `price`, `config` (`reward`, `target`, `ask`, `bid`), `orders`, `pots`, `rewards` |
//! | auction | `auction_tllp`, one day | `max_rate`, `fixed_cost`, `target`, `orders`, `daily`, `daily_total` |
//! | curve | `sigmoid`, one day | `rate`, `target`, `width`, `before`, `amount`, `pay` |
//!
//! Numbers may be written as numbers or as text; either way they are taken as they are written.

mod auction;
mod curve;
mod fixed_pot;

use std::collections::BTreeMap;
use std::fmt;

use alp_pool::Overflow;
use alp_pool::decimal::{self, DecimalError};
use alp_pool::engines::rule_error::RuleError;
use alp_pool::judge::OrderFault;
use alp_pool::terms::TermsError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use thiserror::Error;

/// Most cases that one file may hold: a year of hours.
pub const MAX_CASES: usize = 10_000;

/// Decimal places in which expected and got are compared: those of the files, and four below a coin's.
const PLACES: u32 = 12;

/// By how much a credit may differ: one unit of 1e-8.
const TOLERANCE: u128 = 10_000;

/// Largest number that is compared, in units of 1e-12.
const LARGEST: u128 = 10u128.pow(32);

/// One number of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The case: its name, or its place in the file from 1.
    pub case: String,
    /// Whose credit it is, or what else the number says.
    pub who: String,
    /// What the file says.
    pub expected: String,
    /// What the engine says.
    pub got: String,
    /// How far they are apart, in 1e-12.
    pub difference_e12: u128,
    /// How far they may be apart, in 1e-12.
    pub allowed_e12: u128,
}

impl Row {
    /// Whether the number is as expected.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.difference_e12 <= self.allowed_e12
    }

    /// A credit, which may be off by a unit.
    fn credit(case: &str, who: String, expected: &str, got: String) -> Result<Self, CaseError> {
        Self::compare(case, who, expected, got, TOLERANCE)
    }

    /// A sum, which must be right to the last unit.
    fn sum(case: &str, who: String, expected: &str, got: String) -> Result<Self, CaseError> {
        Self::compare(case, who, expected, got, 0)
    }

    fn compare(
        case: &str,
        who: String,
        expected: &str,
        got: String,
        allowed_e12: u128,
    ) -> Result<Self, CaseError> {
        let read = |text: &str| {
            decimal::parse_units(text, PLACES, LARGEST)
                .map_err(|source| CaseError::Number { text: text.to_owned(), source })
        };
        let difference_e12 = read(expected)?.abs_diff(read(&got)?);
        let (case, expected) = (case.to_owned(), expected.to_owned());
        Ok(Self { case, who, expected, got, difference_e12, allowed_e12 })
    }
}

/// Runs every case of a file, and sets expected beside got.
///
/// # Errors
/// [`CasesError`] if the file is no list of cases of a known kind, or a case cannot be run.
pub fn check(text: &str) -> Result<Vec<Row>, CasesError> {
    let cases: Vec<BTreeMap<String, Box<RawValue>>> = serde_json::from_str(text)?;
    if cases.is_empty() || cases.len() > MAX_CASES {
        return Err(CasesError::Count(cases.len()));
    }
    let kind = cases.first().and_then(Kind::of).ok_or(CasesError::Unknown)?;
    // Read again as a whole, so that numbers are still as they are written.
    let cases: Vec<Box<RawValue>> = serde_json::from_str(text)?;
    let mut rows = Vec::new();
    for (case, number) in cases.iter().zip(1usize..) {
        let found = match kind {
            Kind::FixedPot => run(case.get(), number, fixed_pot::check),
            Kind::Auction => run(case.get(), number, auction::check),
            Kind::Curve => run(case.get(), number, curve::check),
        };
        rows.extend(found.map_err(|source| CasesError::Case { number, source })?);
    }
    Ok(rows)
}

#[derive(Clone, Copy)]
enum Kind {
    FixedPot,
    Auction,
    Curve,
}

impl Kind {
    fn of(case: &BTreeMap<String, Box<RawValue>>) -> Option<Self> {
        if case.contains_key("max_rate") {
            Some(Self::Auction)
        } else if case.contains_key("width") {
            Some(Self::Curve)
        } else if case.contains_key("config") {
            Some(Self::FixedPot)
        } else {
            None
        }
    }
}

fn run<T: DeserializeOwned>(
    text: &str,
    number: usize,
    check: impl Fn(&str, &T) -> Result<Vec<Row>, CaseError>,
) -> Result<Vec<Row>, CaseError> {
    check(&number.to_string(), &serde_json::from_str(text)?)
}

/// A number as it is written, as a number or as text.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Box<RawValue>")]
struct Number(String);

impl TryFrom<Box<RawValue>> for Number {
    type Error = serde_json::Error;

    fn try_from(raw: Box<RawValue>) -> Result<Self, Self::Error> {
        match serde_json::from_str(raw.get())? {
            Value::String(text) => Ok(Self(text)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Ok(Self(raw.get().trim().to_owned()))
            }
        }
    }
}

impl Number {
    /// Reads it as whatever has a reader of decimal texts.
    fn read<T>(&self, parse: impl Fn(&str) -> Result<T, DecimalError>) -> Result<T, CaseError> {
        parse(&self.0).map_err(|source| CaseError::Number { text: self.0.clone(), source })
    }
}

/// The table: case, user, expected, got, difference; and a last line with the count.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut text = line("case", "user", "expected", "got", "difference");
    for row in rows {
        let mut difference = decimal::format_units(row.difference_e12, PLACES);
        if !row.is_right() {
            difference.push_str("  WRONG");
        }
        text.push_str(&line(&row.case, &row.who, &row.expected, &row.got, &difference));
    }
    let wrong = rows.iter().filter(|row| !row.is_right()).count();
    text.push_str(&format!("{} numbers compared, {wrong} wrong\n", rows.len()));
    text
}

fn line(
    case: impl fmt::Display,
    who: impl fmt::Display,
    expected: impl fmt::Display,
    got: impl fmt::Display,
    difference: impl fmt::Display,
) -> String {
    format!("{case:<44} {who:<14} {expected:>20} {got:>20} {difference}\n")
}

/// Why a file of cases cannot be run. For whoever wrote it.
#[derive(Debug, Error)]
pub enum CasesError {
    /// Not JSON, or not a list of objects.
    #[error("the file is not a list of cases in JSON")]
    Json(#[from] serde_json::Error),
    /// None, or too many.
    #[error("the file holds {0} cases: 1 to {MAX_CASES} are run")]
    Count(usize),
    /// The members are those of no kind.
    #[error(
        "the first case is of no known kind: one of an auction has max_rate, one of a curve has width, one of a fixed \
         pot has config"
    )]
    Unknown,
    /// A case cannot be run.
    #[error("case {number} cannot be run")]
    Case {
        /// Its place in the file, from 1.
        number: usize,
        /// Why.
        #[source]
        source: CaseError,
    },
}

/// Why one case cannot be run.
#[derive(Debug, Error)]
pub enum CaseError {
    /// A member is missing, or of another type.
    #[error("its members are not those of the file's first case")]
    Members(#[from] serde_json::Error),
    /// A number that cannot be used.
    #[error("the number {text} {source}")]
    Number {
        /// As it is written.
        text: String,
        /// What is wrong with it.
        source: DecimalError,
    },
    /// A price that cannot be used.
    #[error("the price {text} {source}")]
    Price {
        /// As it is written.
        text: String,
        /// What is wrong with it.
        source: alp_pool::price::PriceError,
    },
    /// The rule.
    #[error("the rule {0}")]
    Rule(#[from] RuleError),
    /// The terms.
    #[error("the configuration {0}")]
    Terms(#[from] TermsError),
    /// An order.
    #[error(transparent)]
    Order(#[from] OrderFault),
    /// A side's share of the reward is not there.
    #[error("a side of its configuration names no ratio")]
    SideRatio,
    /// A reward that names no order, or an order without one.
    #[error("its rewards are not one for each order, in the orders' order")]
    Rewards,
    /// More users than are counted.
    #[error("it has too many users")]
    Users,
    /// A bound failed to hold.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

#[cfg(test)]
mod tests;

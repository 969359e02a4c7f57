//! Recorded rounds beside the same rounds under other rules: sums in whole 1e-8 of the coin, nothing rounded.
//! It knows neither how they were replayed nor how they are shown.

use std::collections::BTreeMap;

use alp_pool::money::Coins;
use thiserror::Error;

use super::body::RoundBody;
use super::digest::Digest;
use crate::judged::MarketStatistics;

/// Most LPs times markets that are told apart: some hundred megabytes.
pub const MAX_LINES: usize = 1_000_000;

/// Most parts of time that are told apart: a chart on a terminal has no more room.
pub const MAX_PARTS: usize = 24;

/// A sum as it was recorded, and as it would have been, in whole 1e-8 of the coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BothSums {
    /// As recorded.
    pub recorded_e8: i128,
    /// Under the other rules.
    pub other_e8: i128,
}

impl BothSums {
    /// How much more it would have been.
    #[must_use]
    pub fn difference_e8(self) -> i128 {
        self.other_e8.saturating_sub(self.recorded_e8)
    }

    fn add(&mut self, recorded_e8: i128, other_e8: i128) {
        self.recorded_e8 = self.recorded_e8.saturating_add(recorded_e8);
        self.other_e8 = self.other_e8.saturating_add(other_e8);
    }

    fn join(&mut self, more: Self) {
        self.add(more.recorded_e8, more.other_e8);
    }
}

/// An LP on one market.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The LP's pseudonym.
    pub lp: Digest,
    /// The exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
}

/// A market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarketSums {
    /// What it could pay.
    pub reward: BothSums,
    /// What it paid.
    pub paid: BothSums,
}

/// A part of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The start of its first round, in Unix seconds.
    pub start: u64,
    /// How many rounds it holds.
    pub rounds: u64,
    /// What all markets paid.
    pub paid: BothSums,
}

/// What rounds came to, and what they would have come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// How many rounds.
    pub rounds: u64,
    /// The start of the first and of the last of them, in Unix seconds.
    pub span: Option<(u64, u64)>,
    /// What all markets paid.
    pub paid: BothSums,
    /// What each LP earned on each market.
    pub lines: BTreeMap<Line, BothSums>,
    /// What each market could pay and paid.
    pub markets: BTreeMap<(String, String), MarketSums>,
    /// The same over time, in at most [`MAX_PARTS`] parts of equally many rounds; the last may have fewer.
    pub parts: Vec<Part>,
    rounds_a_part: u64,
}

impl Default for Comparison {
    fn default() -> Self {
        Self {
            rounds: 0,
            span: None,
            paid: BothSums::default(),
            lines: BTreeMap::new(),
            markets: BTreeMap::new(),
            parts: Vec::new(),
            rounds_a_part: 1,
        }
    }
}

impl Comparison {
    /// Adds a round, as it is recorded and as it would have been. Both have the same LPs.
    ///
    /// # Errors
    /// [`ComparisonError`] for amounts that are none, and for more LPs and markets than are told apart.
    pub fn add(&mut self, recorded: &RoundBody, other: &RoundBody) -> Result<(), ComparisonError> {
        self.add_credits(recorded, |sums, e8| sums.add(e8, 0))?;
        self.add_credits(other, |sums, e8| sums.add(0, e8))?;
        for (market, sums) in markets(recorded, |sums, e8| sums.add(e8, 0))? {
            self.join_market(market, sums);
        }
        for (market, sums) in markets(other, |sums, e8| sums.add(0, e8))? {
            self.join_market(market, sums);
        }
        let mut paid = BothSums::default();
        paid.add(e8(&recorded.paid)?, e8(&other.paid)?);
        self.paid.join(paid);
        self.rounds = self.rounds.saturating_add(1);
        let first = self.span.map_or(recorded.start, |(first, _)| first);
        self.span = Some((first, recorded.start));
        self.add_part(recorded.start, paid);
        Ok(())
    }

    /// What each LP earned on all markets.
    #[must_use]
    pub fn lps(&self) -> BTreeMap<Digest, BothSums> {
        let mut lps: BTreeMap<Digest, BothSums> = BTreeMap::new();
        for (line, sums) in &self.lines {
            lps.entry(line.lp).or_default().join(*sums);
        }
        lps
    }

    fn add_credits(
        &mut self,
        round: &RoundBody,
        add: impl Fn(&mut BothSums, i128),
    ) -> Result<(), ComparisonError> {
        for lp in &round.lps {
            for credit in &lp.credits {
                let line = Line { lp: lp.lp, exchange: credit.exchange.clone(), unit: credit.unit.clone() };
                if self.lines.len() >= MAX_LINES && !self.lines.contains_key(&line) {
                    return Err(ComparisonError::Lines);
                }
                add(self.lines.entry(line).or_default(), e8(&credit.amount)?);
            }
        }
        Ok(())
    }

    fn join_market(&mut self, market: (String, String), sums: MarketSums) {
        let known = self.markets.entry(market).or_default();
        known.reward.join(sums.reward);
        known.paid.join(sums.paid);
    }

    /// When there are too many parts, each two neighbours become one, so that a chart has room for any time.
    fn add_part(&mut self, start: u64, paid: BothSums) {
        match self.parts.last_mut() {
            Some(last) if last.rounds < self.rounds_a_part => {
                last.rounds = last.rounds.saturating_add(1);
                last.paid.join(paid);
            }
            Some(_) | None => self.parts.push(Part { start, rounds: 1, paid }),
        }
        if self.parts.len() > MAX_PARTS {
            self.rounds_a_part = self.rounds_a_part.saturating_mul(2);
            let mut joined: Vec<Part> = Vec::with_capacity(MAX_PARTS);
            for part in self.parts.drain(..) {
                match joined.last_mut() {
                    Some(last) if last.rounds < self.rounds_a_part => {
                        last.rounds = last.rounds.saturating_add(part.rounds);
                        last.paid.join(part.paid);
                    }
                    Some(_) | None => joined.push(part),
                }
            }
            self.parts = joined;
        }
    }
}

type Markets = Vec<((String, String), MarketSums)>;

fn markets(round: &RoundBody, add: impl Fn(&mut BothSums, i128)) -> Result<Markets, ComparisonError> {
    let sums = |market: &MarketStatistics| {
        let mut sums = MarketSums::default();
        add(&mut sums.reward, e8(&market.reward)?);
        add(&mut sums.paid, e8(&market.paid)?);
        Ok(((market.exchange.clone(), market.unit.clone()), sums))
    };
    round.statistics.markets.iter().map(sums).collect()
}

fn e8(text: &str) -> Result<i128, ComparisonError> {
    Coins::parse(text)
        .map(|coins| i128::from(coins.e8()))
        .map_err(|_| ComparisonError::Amount(text.to_owned()))
}

/// Why rounds cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ComparisonError {
    /// Not an amount of coins. Whoever signed the record has to act.
    #[error("the record has {0:?} where an amount of coins belongs")]
    Amount(String),
    /// More than are told apart.
    #[error("the record has more than {MAX_LINES} LPs and markets: fewer entries at a time are right")]
    Lines,
}

//! What the pool keeps as JSON text in the database: judged orders, the price they were judged by, and the
//! statistics of a round. Every number with decimals is a text; where there are many, a short one takes no memory of
//! its own.

use alp_pool::decimal::{format_units, is_written_as};
use alp_pool::judge::JudgedOrder;
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::price::{PoolPrice, Price};
use alp_pool::terms::{RankNumber, Side};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Decimal places of a deviation.
const DEVIATION_SCALE: u32 = 8;

/// An order as it was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// The exchange's id.
    pub id: String,
    /// `ask` or `bid`.
    pub side: CompactString,
    /// The limit price.
    pub price: CompactString,
    /// What was left of it, in the base currency.
    pub amount: CompactString,
    /// The number of its rank; none if it was outside of all.
    pub rank: Option<u8>,
    /// How far it was from the pool's price.
    pub deviation: CompactString,
    /// The tolerance of the last rank it was tried on.
    pub tolerance: CompactString,
    /// When the exchange says it was opened, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_ms: Option<u64>,
    /// When the exchange says it was closed, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_ms: Option<u64>,
    /// When the pool first saw it, in Unix milliseconds; where its market's rules ask for that, since when without a break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen_ms: Option<u64>,
}

impl OrderRecord {
    /// The record of a judged order.
    #[must_use]
    pub fn new(order: &JudgedOrder, opened_ms: Option<u64>) -> Self {
        Self {
            id: order.id.clone(),
            side: order.side.name().into(),
            price: order.price.text().into(),
            amount: order.amount.text().into(),
            rank: order.rank.map(|rank| rank.0),
            deviation: format_units(u128::from(order.deviation_e8), DEVIATION_SCALE).into(),
            tolerance: order.tolerance.text().into(),
            opened_ms,
            closed_ms: None,
            first_seen_ms: None,
        }
    }

    /// Whether this is the record of that order, whatever it says of times.
    #[must_use]
    pub fn is_of(&self, order: &JudgedOrder) -> bool {
        self.id == order.id
            && self.side == order.side.name()
            && self.rank == order.rank.map(|rank| rank.0)
            && order.price.is_shown_as(&self.price)
            && order.amount.is_shown_as(&self.amount)
            && is_written_as(&self.deviation, u128::from(order.deviation_e8), DEVIATION_SCALE)
            && order.tolerance.is_shown_as(&self.tolerance)
    }

    /// The judged order again.
    ///
    /// # Errors
    /// [`RecordError`] if the database was changed by another hand.
    pub fn read(&self) -> Result<JudgedOrder, RecordError> {
        let damaged = |what: &'static str| move |_| RecordError::Damaged(what);
        let side = Side::BOTH.into_iter().find(|side| side.name() == self.side);
        let deviation = Ratio::parse(&self.deviation).map_err(|_| RecordError::Damaged("a deviation"))?;
        Ok(JudgedOrder {
            id: self.id.clone(),
            side: side.ok_or(RecordError::Damaged("a side"))?,
            price: Price::parse(&self.price).map_err(|_| RecordError::Damaged("a price"))?,
            amount: Amount::parse(&self.amount).map_err(damaged("an amount"))?,
            rank: self.rank.map(RankNumber),
            deviation_e8: deviation.e8(),
            tolerance: Ratio::parse(&self.tolerance).map_err(damaged("a tolerance"))?,
        })
    }
}

/// The price in force when orders were judged: the fraction `numerator / denominator`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRecord {
    /// Numerator, in the quote currency.
    pub numerator: CompactString,
    /// Denominator.
    pub denominator: CompactString,
}

impl PriceRecord {
    /// The record of a price.
    #[must_use]
    pub fn new(price: PoolPrice) -> Self {
        let (numerator, denominator) = price.parts();
        Self { numerator: numerator.text().into(), denominator: denominator.text().into() }
    }

    /// The price as one decimal, for showing.
    #[must_use]
    pub fn rounded(&self) -> Option<Price> {
        let parse = |text: &str| Price::parse(text).ok();
        PoolPrice::fraction(parse(&self.numerator)?, parse(&self.denominator)?).rounded()
    }
}

/// What is told of a round as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RoundStatistics {
    /// How many LPs had a sample.
    pub active_users: u64,
    /// How many orders had a rank.
    pub orders: u64,
    /// The markets that had samples.
    pub markets: Vec<MarketStatistics>,
    /// What goes on to the next round, of every market that carries something over; those without samples keep
    /// theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Carried>,
}

/// What found nobody in a market, and is added to its reward in the next round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carried {
    /// The exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
    /// Of offers to sell, in coins.
    pub ask: String,
    /// Of offers to buy, in coins.
    pub bid: String,
}

/// What is told of one market in a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketStatistics {
    /// The exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
    /// The rules it was credited by.
    pub terms_id: String,
    /// The target.
    pub target: String,
    /// What the market could pay in this round.
    pub reward: String,
    /// What it paid.
    pub paid: String,
    /// The liquidity in all ranks.
    pub total: String,
    /// Both sides.
    pub sides: Vec<SideStatistics>,
    /// How many orders asked for a least rate that the engine of their side does not know.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ignored_minimal_rates: u64,
}

pub(crate) fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

/// One side of a market in a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideStatistics {
    /// `ask` or `bid`.
    pub side: String,
    /// Its share of the reward.
    pub ratio: String,
    /// The liquidity in all its ranks.
    pub total: String,
    /// The sum of its pots.
    pub reward: String,
    /// Its ranks.
    pub ranks: Vec<RankStatistics>,
}

/// One rank of a side in a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankStatistics {
    /// Its number.
    pub rank: u8,
    /// Its share of the side's reward.
    pub ratio: String,
    /// The liquidity in it.
    pub total: String,
    /// What it pays, if anybody is in it.
    pub pot: String,
}

/// How an LP's credit came about, order by order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditDetail {
    /// What each order of the LP's last sample in the round earned, in the sample's order, in coins.
    pub orders: Vec<CompactString>,
    /// What orders earned that were shown earlier in the round, but not in the last sample. With `orders` this adds up
    /// to the credit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<CompactString>,
}

impl CreditDetail {
    /// The record of what each order earned.
    #[must_use]
    pub fn new(orders: &[Coins], earlier: &[Coins]) -> Self {
        let texts = |coins: &[Coins]| coins.iter().map(|coins| coins.text().into()).collect();
        Self { orders: texts(orders), earlier: texts(earlier) }
    }
}

/// Writes a record as JSON. Texts, numbers and lists have no way to fail to be written.
#[must_use]
pub fn to_json<T: Serialize>(record: &T) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

/// Reads a record from JSON.
///
/// # Errors
/// [`RecordError`] if the database was changed by another hand, or by another version.
pub fn from_json<'a, T: Deserialize<'a>>(json: &'a str, what: &'static str) -> Result<T, RecordError> {
    serde_json::from_str(json).map_err(|source| RecordError::Form { what, source })
}

/// Why a record cannot be read. The operator's: restore a backup.
#[derive(Debug, Error)]
pub enum RecordError {
    /// Not the JSON that was written.
    #[error("{what} in the database cannot be read")]
    Form {
        /// Which record.
        what: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A value that was never written.
    #[error("{0} in the database is damaged")]
    Damaged(&'static str),
}

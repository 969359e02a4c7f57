//! Why a rule cannot be used, in sentences for the operator.

use thiserror::Error;

use super::book::MAX_SLICES;
use super::counting::MAX_MATURING_S;
use super::spread_weighted::MAX_POWER;
use crate::money::COIN_SCALE;

/// Why a rule, an option or a book cannot be used. For the operator. The texts go on from the setting's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RuleError {
    /// A target of nothing is always filled.
    #[error("has a target of zero: name the liquidity at which the target is filled, such as 1000")]
    NoTarget,
    /// A rate of zero pays nobody.
    #[error("has a rate of zero: name what a coin earns a day, such as 0.0025")]
    NoRate,
    /// A reward of zero pays nobody.
    #[error("has a reward of zero: name the coins of a day, such as 7.5")]
    NoReward,
    /// A curve without width is a step.
    #[error(
        "has a width of zero: name over how much liquidity the rate falls off, such as a tenth of the target"
    )]
    NoWidth,
    /// Rate times target is more than is counted.
    #[error("may pay more than a hundred million coins a day: a lower rate or target is right")]
    TooDear,
    /// Only the price itself would be within it.
    #[error("has a tolerance of zero: name how far from the price an order still earns, such as 0.01")]
    NoTolerance,
    /// Beyond what fixed point holds well, and beyond sense.
    #[error("has the power {0}: a whole number from 0 to {MAX_POWER} is right")]
    Power(u32),
    /// A limit that lets nothing through.
    #[error("allows no order at all: 1 or more is right, or leave it out")]
    NoOrders,
    /// Maturing out of range.
    #[error("is {0} seconds: 1 to {MAX_MATURING_S} (thirty days) is right, or leave it out")]
    Maturing(u64),
    /// A minimum of zero or a cap of zero.
    #[error("is zero: leave it out to have none")]
    Zero,
    /// A rank whose target is not named.
    #[error("names no target for rank_{rank} of {side}: every rank of both sides needs one")]
    RankTarget {
        /// The side.
        side: &'static str,
        /// The rank's number.
        rank: u8,
    },
    /// Unpaid pots of an engine that has none.
    #[error(
        "has unpaid = {unpaid}, but {engine} pays a rate and has no pot that could stay unpaid: drop is right"
    )]
    NothingUnpaid {
        /// The engine's name.
        engine: &'static str,
        /// The setting.
        unpaid: &'static str,
    },
    /// A book's slices out of range.
    #[error("has {0} slices a round: 1 to {MAX_SLICES} is right")]
    Slices(u32),
    /// Too many orders.
    #[error("has {0} orders: at most {limit} are shared in one round", limit = super::book::MAX_ORDERS)]
    Orders(usize),
    /// A carry-over without room.
    #[error("carries over up to zero coins: name a limit of at least 1e-{COIN_SCALE}, or drop instead")]
    NoLimit,
}

//! What becomes of a pot that nobody is in: dropped, carried over, or moved to the other side.
//!
//! It knows no engine's rule: it asks the engine to open its pots, and asks again with what the other side left.

use super::Opened;
use super::rule_error::RuleError;
use crate::money::Coins;
use crate::terms::Side;
use crate::wide::Overflow;

/// One of each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerSide<T> {
    /// Of offers to sell.
    pub ask: T,
    /// Of offers to buy.
    pub bid: T,
}

impl<T: Copy> PerSide<T> {
    /// The one of this side.
    #[must_use]
    pub fn get(&self, side: Side) -> T {
        match side {
            Side::Ask => self.ask,
            Side::Bid => self.bid,
        }
    }

    /// The same for both.
    #[must_use]
    pub fn both(value: T) -> Self {
        Self { ask: value, bid: value }
    }
}

/// What becomes of a pot that nobody is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unpaid {
    /// It is not paid at all.
    #[default]
    Drop,
    /// It is added to the same side's reward of the next round. An empty side thus becomes worth more by the
    /// minute: the limit is what the first coin there may find, and a cap bounds what that coin earns.
    CarryOver {
        /// Most that waits on each side; the rest is dropped.
        limit: Coins,
    },
    /// It is added to the other side's reward of the same round, if anybody is paid there; else it is dropped.
    OtherSide,
}

impl Unpaid {
    /// Carries over up to `limit` on each side.
    ///
    /// # Errors
    /// [`RuleError::NoLimit`].
    pub fn carry_over(limit: Coins) -> Result<Self, RuleError> {
        if limit == Coins::ZERO { Err(RuleError::NoLimit) } else { Ok(Self::CarryOver { limit }) }
    }

    /// The setting's name in a configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::CarryOver { .. } => "carry",
            Self::OtherSide => "move",
        }
    }
}

/// What was left of a round's budget because nobody was there.
pub(crate) struct Left {
    pub(crate) carried: PerSide<Coins>,
    pub(crate) dropped: Coins,
}

/// Has the pots opened, and sees to those that found nobody.
pub(crate) fn settle(
    unpaid: Unpaid,
    carried: PerSide<Coins>,
    open: impl Fn(PerSide<Coins>) -> Result<Opened, Overflow>,
) -> Result<(Opened, Left), Overflow> {
    let nothing = PerSide::both(Coins::ZERO);
    match unpaid {
        Unpaid::Drop => {
            let opened = open(nothing)?;
            let dropped = opened.unpaid.ask.plus(opened.unpaid.bid)?;
            Ok((opened, Left { carried: nothing, dropped }))
        }
        Unpaid::CarryOver { limit } => {
            let opened = open(PerSide { ask: carried.ask.min(limit), bid: carried.bid.min(limit) })?;
            let unpaid = opened.unpaid;
            let carried = PerSide { ask: unpaid.ask.min(limit), bid: unpaid.bid.min(limit) };
            let dropped = minus(unpaid.ask, carried.ask)?.plus(minus(unpaid.bid, carried.bid)?)?;
            Ok((opened, Left { carried, dropped }))
        }
        Unpaid::OtherSide => {
            let first = open(nothing)?;
            // Only to a side on which somebody is paid: else what is moved could bring in those who were not content,
            // and both sides would have moved the same coins.
            let to = |side, coins| {
                let taken = first.pots.iter().any(|pot| pot.side == side);
                if taken { coins } else { Coins::ZERO }
            };
            let extra =
                PerSide { ask: to(Side::Ask, first.unpaid.bid), bid: to(Side::Bid, first.unpaid.ask) };
            let mut opened = open(extra)?;
            // What a side moved away is still unpaid on it; what it was given and could not pay is dropped.
            let dropped = minus(opened.unpaid.ask, extra.bid)?.plus(minus(opened.unpaid.bid, extra.ask)?)?;
            // The same coins stand in the reward of one side and in the extra of the other.
            opened.budget = minus(opened.budget, extra.ask.plus(extra.bid)?)?;
            Ok((opened, Left { carried: nothing, dropped }))
        }
    }
}

fn minus(whole: Coins, part: Coins) -> Result<Coins, Overflow> {
    whole.minus(part).ok_or(Overflow("unpaid"))
}

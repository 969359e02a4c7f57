//! The reward rules of one market: what its operator promised.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::money::{Amount, Coins, Ratio};

/// Most ranks a side may have. The systems this succeeds used two; more than a few cannot be told apart by a bot.
pub const MAX_RANKS: usize = 20;

/// Which side of the book, seen from the base currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Offers to sell the base currency.
    Ask,
    /// Offers to buy it.
    Bid,
}

impl Side {
    /// Both, in the order in which they are always listed.
    pub const BOTH: [Self; 2] = [Self::Ask, Self::Bid];

    /// `ask` or `bid`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Bid => "bid",
        }
    }
}

/// What fills a market's target, and so decides which part of the reward is paid at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fill {
    /// Each rank of each side is held against its own part of the target: target · side ratio · rank ratio.
    /// So no order raises what another rank or side is paid, and one coin never earns more than
    /// reward / target.
    #[default]
    PerRank,
    /// All ranks that are paid something, of both sides together, fill the whole target.
    Paid,
    /// Every order with a rank, paid or not, fills the whole target: ALP-Server's rule. A worthless far order
    /// then multiplies what near orders are paid.
    All,
}

impl Fill {
    /// The setting's name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PerRank => "per_rank",
            Self::Paid => "paid",
            Self::All => "all",
        }
    }
}

/// The number of a rank: 1 for `rank_1`, the nearest to the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RankNumber(pub u8);

/// One rank of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankTerms {
    /// Its number.
    pub number: RankNumber,
    /// Its share of the side's reward.
    pub ratio: Ratio,
    /// The largest deviation from the pool's price that is still in it; equal is inside.
    pub tolerance: Ratio,
}

/// One side of a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideTerms {
    ratio: Ratio,
    ranks: Vec<RankTerms>,
}

impl SideTerms {
    /// Puts the ranks in order of rising tolerance (then number), the order in which an order is tried on them.
    ///
    /// # Errors
    /// [`TermsError`] says what does not fit together.
    pub fn new(ratio: Ratio, mut ranks: Vec<RankTerms>) -> Result<Self, TermsError> {
        if ranks.is_empty() || ranks.len() > MAX_RANKS {
            return Err(TermsError::RankCount(ranks.len()));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = ranks.iter().find(|rank| !seen.insert(rank.number)) {
            return Err(TermsError::RankTwice(twice.number.0));
        }
        if !Ratio::add_up_to_one(ranks.iter().map(|rank| rank.ratio)) {
            return Err(TermsError::RankRatios);
        }
        ranks.sort_by_key(|rank| (rank.tolerance, rank.number));
        Ok(Self { ratio, ranks })
    }

    /// The side's share of the reward.
    #[must_use]
    pub fn ratio(&self) -> Ratio {
        self.ratio
    }

    /// The ranks by rising tolerance.
    #[must_use]
    pub fn ranks(&self) -> &[RankTerms] {
        &self.ranks
    }
}

/// The reward rules of one market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    reward_per_minute: Coins,
    target: Amount,
    fill: Fill,
    ask: SideTerms,
    bid: SideTerms,
}

impl Terms {
    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// [`TermsError`] says what does not.
    pub fn new(
        reward_per_minute: Coins,
        target: Amount,
        fill: Fill,
        ask: SideTerms,
        bid: SideTerms,
    ) -> Result<Self, TermsError> {
        if target == Amount::ZERO {
            return Err(TermsError::NoTarget);
        }
        if !Ratio::add_up_to_one([ask.ratio, bid.ratio]) {
            return Err(TermsError::SideRatios);
        }
        Ok(Self { reward_per_minute, target, fill, ask, bid })
    }

    /// What the market pays a minute when its target is filled.
    #[must_use]
    pub fn reward_per_minute(&self) -> Coins {
        self.reward_per_minute
    }

    /// The liquidity at which the whole reward is paid.
    #[must_use]
    pub fn target(&self) -> Amount {
        self.target
    }

    /// What fills the target.
    #[must_use]
    pub fn fill(&self) -> Fill {
        self.fill
    }

    /// The rules of one side.
    #[must_use]
    pub fn side(&self, side: Side) -> &SideTerms {
        match side {
            Side::Ask => &self.ask,
            Side::Bid => &self.bid,
        }
    }
}

/// Why rules cannot be used. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TermsError {
    /// No ranks, or too many.
    #[error("has {0} ranks: 1 to {MAX_RANKS} make sense")]
    RankCount(usize),
    /// Two ranks of one number.
    #[error("names rank_{0} twice")]
    RankTwice(u8),
    /// The ranks of a side must share all of it.
    #[error("the ratios of its ranks must add up to exactly 1")]
    RankRatios,
    /// The two sides must share all of the reward.
    #[error("the ratios of ask and bid must add up to exactly 1")]
    SideRatios,
    /// A share of nothing cannot be taken.
    #[error("the target must be above zero")]
    NoTarget,
}

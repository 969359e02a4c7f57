//! The sharing engines: ways to turn a book of one market and one round into credits, behind one interface.
//!
//! They know no exchange, no configuration and no store: a book comes in already judged, credits go out exact.
//!
//! | engine | pays | per side | takes minimal rates |
//! |-|-|-|-|
//! | [`fixed_pot`] | a fixed reward, split by side and rank, as far as a target is filled | no | no |
//! | [`auction_tllp`] | the rates of a Dutch auction in two rounds | yes | yes |
//! | [`fixed_cost`] | a fixed reward a day and side, among those whom its rate is enough for | yes | yes |
//! | [`sigmoid`] | a rate that falls off around a target | yes | no |
//! | [`uniform_auction`] | one rate for everybody that is filled | yes | yes |
//! | [`spread_weighted`] | a fixed reward a day and side, more to those who are nearer to the price | yes | no |
//!
//! Every engine opens pots: a number of coins, and who shares them by which weight. One piece of code, [`pot`],
//! pays them out, so sums, rounding and the indifference to order are the same for all. What else each engine
//! promises is a table, [`promises`], by which the tests go.

pub mod auction_tllp;
pub mod book;
pub mod counting;
pub mod fixed_cost;
pub mod fixed_pot;
pub mod pot;
pub mod promises;
pub mod rule_error;
pub mod sigmoid;
pub mod spread_weighted;
pub mod uniform_auction;
pub mod unpaid;

use ethnum::U256;

use self::auction_tllp::{Highest, TllpRule};
use self::book::{Book, Counted, SideBook};
use self::counting::Counting;
use self::fixed_cost::FixedCostRule;
use self::fixed_pot::FixedPotRule;
use self::pot::{MarketShare, OpenPot};
use self::rule_error::RuleError;
use self::sigmoid::SigmoidRule;
use self::spread_weighted::SpreadWeightedRule;
use self::uniform_auction::UniformAuctionRule;
use self::unpaid::{PerSide, Unpaid};
use crate::money::{Amount, Coins};
use crate::rate::Rate;
use crate::round::{Round, RoundLength};
use crate::terms::Side;
use crate::wide::{Overflow, wide};

/// Which engine, by the name it has in a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EngineKind {
    /// [`fixed_pot`].
    FixedPot,
    /// [`auction_tllp`].
    AuctionTllp,
    /// [`fixed_cost`].
    FixedCost,
    /// [`sigmoid`].
    Sigmoid,
    /// [`uniform_auction`].
    UniformAuction,
    /// [`spread_weighted`].
    SpreadWeighted,
}

impl EngineKind {
    /// Every engine.
    pub const ALL: [Self; 6] = [
        Self::FixedPot,
        Self::AuctionTllp,
        Self::FixedCost,
        Self::Sigmoid,
        Self::UniformAuction,
        Self::SpreadWeighted,
    ];

    /// Its name in a configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FixedPot => "fixed_pot",
            Self::AuctionTllp => "auction_tllp",
            Self::FixedCost => "fixed_cost",
            Self::Sigmoid => "sigmoid",
            Self::UniformAuction => "uniform_auction",
            Self::SpreadWeighted => "spread_weighted",
        }
    }

    /// The engine of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it heeds the minimal rates that LPs ask. One that does not ignores them, and counts in
    /// [`MarketShare::ignored_minimal_rates`] how many it ignored, so that the LPs can be told.
    #[must_use]
    pub fn takes_minimal_rates(self) -> bool {
        match self {
            Self::AuctionTllp | Self::FixedCost | Self::UniformAuction => true,
            Self::FixedPot | Self::Sigmoid | Self::SpreadWeighted => false,
        }
    }

    /// Whether it has a reward to give away whoever comes, some of which may find nobody. The others pay a rate
    /// on what is shown, and owe nothing to an empty book.
    #[must_use]
    pub fn has_a_fixed_reward(self) -> bool {
        match self {
            Self::FixedPot | Self::FixedCost | Self::SpreadWeighted => true,
            Self::AuctionTllp | Self::Sigmoid | Self::UniformAuction => false,
        }
    }
}

/// An engine that shares one side of a market, with its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SideEngine {
    /// [`auction_tllp`].
    AuctionTllp(TllpRule),
    /// [`fixed_cost`].
    FixedCost(FixedCostRule),
    /// [`sigmoid`].
    Sigmoid(SigmoidRule),
    /// [`uniform_auction`].
    UniformAuction(UniformAuctionRule),
    /// [`spread_weighted`].
    SpreadWeighted(SpreadWeightedRule),
}

impl SideEngine {
    /// Which it is.
    #[must_use]
    pub fn kind(&self) -> EngineKind {
        match self {
            Self::AuctionTllp(_) => EngineKind::AuctionTllp,
            Self::FixedCost(_) => EngineKind::FixedCost,
            Self::Sigmoid(_) => EngineKind::Sigmoid,
            Self::UniformAuction(_) => EngineKind::UniformAuction,
            Self::SpreadWeighted(_) => EngineKind::SpreadWeighted,
        }
    }

    /// The liquidity that it wants, where it has a target.
    #[must_use]
    pub fn target(&self) -> Option<Amount> {
        match self {
            Self::AuctionTllp(rule) => Some(rule.target()),
            Self::Sigmoid(rule) => Some(rule.target()),
            Self::UniformAuction(rule) => Some(rule.target()),
            Self::FixedCost(_) | Self::SpreadWeighted(_) => None,
        }
    }

    /// What its side costs a day: the reward, or the highest rate on all of the target, floored to 1e-8. A sigmoid's
    /// fall beyond the target is not counted. For showing.
    ///
    /// # Errors
    /// [`Overflow`], which the making of the rules rules out.
    pub fn daily_cost(&self) -> Result<Coins, Overflow> {
        let (rate, target) = match self {
            Self::FixedCost(rule) => return Ok(rule.daily()),
            Self::SpreadWeighted(rule) => return Ok(rule.daily()),
            Self::AuctionTllp(rule) => match rule.highest() {
                Highest::DailyCost(daily) => return Ok(daily),
                Highest::Rate(rate) => (rate, rule.target()),
            },
            Self::Sigmoid(rule) => (rule.rate(), rule.target()),
            Self::UniformAuction(rule) => (rule.highest(), rule.target()),
        };
        let day = Round { start_s: 0, length: RoundLength::DAY };
        let cost = rate.pay(wide(target.e18()), U256::ONE, day)?;
        u64::try_from(cost).ok().and_then(Coins::from_e8).ok_or(Overflow("cost"))
    }

    fn open(&self, side: &SideBook<'_>, call: &SideCall) -> Result<OpenedSide, Overflow> {
        match self {
            Self::AuctionTllp(rule) => rule.open(side, call),
            Self::FixedCost(rule) => rule.open(side, call),
            Self::Sigmoid(rule) => rule.open(side, call),
            Self::UniformAuction(rule) => rule.open(side, call),
            Self::SpreadWeighted(rule) => rule.open(side, call),
        }
    }
}

/// How a market is shared: as a whole, or each side by an engine of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarketEngine {
    /// [`fixed_pot`], whose sides share one reward.
    FixedPot(FixedPotRule),
    /// Each side by itself.
    PerSide {
        /// For offers to sell.
        ask: SideEngine,
        /// For offers to buy.
        bid: SideEngine,
    },
}

impl MarketEngine {
    /// Which engine serves this side.
    #[must_use]
    pub fn kind(&self, side: Side) -> EngineKind {
        match (self, side) {
            (Self::FixedPot(_), _) => EngineKind::FixedPot,
            (Self::PerSide { ask, .. }, Side::Ask) => ask.kind(),
            (Self::PerSide { bid, .. }, Side::Bid) => bid.kind(),
        }
    }

    fn open(&self, book: &Counted<'_>, call: &Call) -> Result<Opened, Overflow> {
        match self {
            Self::FixedPot(rule) => rule.open(book, call),
            Self::PerSide { ask, bid } => {
                let side_call =
                    |side| SideCall { round: call.round, cap: call.cap, extra: call.extra.get(side) };
                let ask = ask.open(&book.side(Side::Ask), &side_call(Side::Ask))?;
                let bid = bid.open(&book.side(Side::Bid), &side_call(Side::Bid))?;
                Ok(Opened {
                    budget: ask.budget.plus(bid.budget)?,
                    unpaid: PerSide { ask: ask.unpaid, bid: bid.unpaid },
                    pots: ask.pots.into_iter().chain(bid.pots).collect(),
                })
            }
        }
    }
}

/// The reward rules of one market: engine, what counts, and what becomes of a pot that nobody is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketRules {
    engine: MarketEngine,
    counting: Counting,
    unpaid: Unpaid,
}

impl MarketRules {
    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// [`RuleError`] if unpaid pots are to go somewhere and a side's engine has none.
    pub fn new(engine: MarketEngine, counting: Counting, unpaid: Unpaid) -> Result<Self, RuleError> {
        let paying_a_rate =
            Side::BOTH.map(|side| engine.kind(side)).into_iter().find(|kind| !kind.has_a_fixed_reward());
        match paying_a_rate {
            Some(kind) if unpaid != Unpaid::Drop => {
                Err(RuleError::NothingUnpaid { engine: kind.name(), unpaid: unpaid.name() })
            }
            _ => Ok(Self { engine, counting, unpaid }),
        }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &MarketEngine {
        &self.engine
    }

    /// What counts.
    #[must_use]
    pub fn counting(&self) -> &Counting {
        &self.counting
    }

    /// What becomes of a pot that nobody is in.
    #[must_use]
    pub fn unpaid(&self) -> Unpaid {
        self.unpaid
    }
}

/// Shares one round of a market. `carried` is what [`MarketShare::carried`] of the round before said, or nothing.
///
/// # Errors
/// [`Overflow`], which the bounds of coins, amounts and rates rule out.
pub fn share_market(
    rules: &MarketRules,
    book: &Book,
    round: Round,
    carried: PerSide<Coins>,
) -> Result<MarketShare, Overflow> {
    let counted = Counted::new(book, &rules.counting)?;
    let open = |extra| rules.engine.open(&counted, &Call { round, cap: rules.counting.cap(), extra });
    let (opened, left) = unpaid::settle(rules.unpaid, carried, open)?;
    let ignores = |side| !rules.engine.kind(side).takes_minimal_rates();
    let ignored_minimal_rates =
        book.orders().iter().filter(|order| order.min_rate.is_some() && ignores(order.side)).count();
    pot::pay_out(book, &counted, opened, left, ignored_minimal_rates)
}

/// What an engine is asked.
pub(crate) struct Call {
    pub(crate) round: Round,
    /// Most that a coin of liquidity may earn in a day.
    pub(crate) cap: Option<Rate>,
    /// What each side may pay beyond its reward.
    pub(crate) extra: PerSide<Coins>,
}

/// What an engine is asked for one side.
pub(crate) struct SideCall {
    pub(crate) round: Round,
    pub(crate) cap: Option<Rate>,
    pub(crate) extra: Coins,
}

/// An engine's answer.
pub(crate) struct Opened {
    /// Most that the rule may pay in this round, with what came on top.
    pub(crate) budget: Coins,
    /// Those of an engine with a fixed reward have somebody in them.
    pub(crate) pots: Vec<OpenPot>,
    /// What found nobody.
    pub(crate) unpaid: PerSide<Coins>,
}

/// An engine's answer for one side.
pub(crate) struct OpenedSide {
    pub(crate) budget: Coins,
    pub(crate) pots: Vec<OpenPot>,
    pub(crate) unpaid: Coins,
}

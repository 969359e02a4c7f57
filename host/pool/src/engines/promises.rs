//! What each engine promises those who trust it: the table by which the tests go, and documents are written.
//!
//! It knows no numbers: a test for each promise runs over every engine that makes it, and for each that does not
//! there is a test that shows the breach. *Beyond a unit* means 1e-8 coins for each pot of the market.
//!
//! | promise | fixed_pot | auction_tllp | fixed_cost | sigmoid | uniform_auction | spread_weighted |
//! |-|-|-|-|-|-|-|
//! | never above the budget | kept | kept | kept | kept | kept | kept |
//! | credits add up to what was paid | kept | kept | kept | kept | kept | kept |
//! | no place in the input matters | kept | kept | kept | kept | kept | kept |
//! | splitting changes nothing | kept | kept | kept | kept | kept | kept |
//! | more liquidity never earns less | kept | **broken** | if no rate is asked | kept | **broken** | kept |
//! | a lower bid never earns less | kept | **broken** | kept | kept | if filled wholly or not at all | kept |
//! | nobody below the own minimum | **broken** | kept | kept | **broken** | kept | **broken** |
//!
//! A smallest order and a limit on orders withdraw the fourth promise, a limit on orders the fifth as well, and unpaid
//! pots that are carried over or moved withdraw the fifth from `fixed_pot`.

use super::unpaid::Unpaid;
use super::{EngineKind, MarketRules};
use crate::terms::Side;

/// Something an LP, or the operator, may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// A round never pays more than its rule allows for.
    NeverAboveTheBudget,
    /// Credits of LPs, credits of orders and paid pots have one sum, to the last unit.
    CreditsAddUp,
    /// In which order orders are given changes nothing at all.
    NoPlaceMatters,
    /// Cutting an LP's order into several at one price and rate, or joining them, changes nothing beyond a unit.
    SplittingChangesNothing,
    /// An LP that shows more, at the same price and rate, earns no less, beyond a unit.
    MoreLiquidityNeverEarnsLess,
    /// An LP that asks a lower rate, for all it shows, earns no less, beyond a unit.
    ALowerBidNeverEarnsLess,
    /// Of what is paid for, nothing is paid below the rate that its LP asks, beyond a unit.
    NobodyBelowTheirMinimum,
}

impl Promise {
    /// Every promise.
    pub const ALL: [Self; 7] = [
        Self::NeverAboveTheBudget,
        Self::CreditsAddUp,
        Self::NoPlaceMatters,
        Self::SplittingChangesNothing,
        Self::MoreLiquidityNeverEarnsLess,
        Self::ALowerBidNeverEarnsLess,
        Self::NobodyBelowTheirMinimum,
    ];
}

/// How far a promise holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Always.
    Kept,
    /// For an LP that asks no rate.
    IfNoRateIsAsked,
    /// For an LP that is filled wholly or not at all.
    IfFilledWhollyOrNotAtAll,
    /// Not: the engine's page has the numbers.
    Broken,
}

impl EngineKind {
    /// How far this engine keeps a promise, with every option off.
    #[must_use]
    pub fn hold(self, promise: Promise) -> Hold {
        match (promise, self) {
            (
                Promise::NeverAboveTheBudget
                | Promise::CreditsAddUp
                | Promise::NoPlaceMatters
                | Promise::SplittingChangesNothing,
                _,
            ) => Hold::Kept,
            (Promise::MoreLiquidityNeverEarnsLess, Self::AuctionTllp | Self::UniformAuction) => Hold::Broken,
            (Promise::MoreLiquidityNeverEarnsLess, Self::FixedCost) => Hold::IfNoRateIsAsked,
            (Promise::MoreLiquidityNeverEarnsLess, Self::FixedPot | Self::Sigmoid | Self::SpreadWeighted) => {
                Hold::Kept
            }
            (Promise::ALowerBidNeverEarnsLess, Self::AuctionTllp) => Hold::Broken,
            (Promise::ALowerBidNeverEarnsLess, Self::UniformAuction) => Hold::IfFilledWhollyOrNotAtAll,
            // An engine that hears no bid cannot punish a lower one.
            (
                Promise::ALowerBidNeverEarnsLess,
                Self::FixedPot | Self::FixedCost | Self::Sigmoid | Self::SpreadWeighted,
            ) => Hold::Kept,
            (Promise::NobodyBelowTheirMinimum, _) => {
                if self.takes_minimal_rates() {
                    Hold::Kept
                } else {
                    Hold::Broken
                }
            }
        }
    }
}

impl MarketRules {
    /// How far one side of a market keeps a promise, with the options that are on.
    #[must_use]
    pub fn hold(&self, side: Side, promise: Promise) -> Hold {
        let kind = self.engine().kind(side);
        let limited = self.counting().max_orders().is_some();
        let smallest = self.counting().min_order().is_some();
        let withdrawn = match promise {
            Promise::SplittingChangesNothing => limited || smallest,
            Promise::MoreLiquidityNeverEarnsLess => {
                limited || (kind == EngineKind::FixedPot && self.unpaid() != Unpaid::Drop)
            }
            Promise::NeverAboveTheBudget
            | Promise::CreditsAddUp
            | Promise::NoPlaceMatters
            | Promise::ALowerBidNeverEarnsLess
            | Promise::NobodyBelowTheirMinimum => false,
        };
        if withdrawn { Hold::Broken } else { kind.hold(promise) }
    }
}

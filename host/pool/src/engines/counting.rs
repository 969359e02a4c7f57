//! What counts: options that decide which liquidity is paid, each off unless it is set.
//!
//! They know no engine. What fills a target is said by [`Fill`](crate::terms::Fill), and targets of a side or a rank
//! by [`Targets`](super::fixed_pot::Targets), since only the fixed pot has ranks; the others hold a target a side.
//!
//! | option | the attack that it answers |
//! |-|-|
//! | smallest order | dust: thousands of orders of nothing that cost the pool time, and hide a real one |
//! | most orders of an LP | the same, and books so large that a reply outgrows its limit |
//! | maturing | flash orders: there when the pool looks, gone a moment later, exposed to nobody |
//! | cap | the jackpot: one coin on an empty side that earns the whole of that side's reward |
//! | target of a side | one side filling the target that was meant for both |
//! | target of a rank, or by rank | far junk that fills the target, and multiplies what near orders are paid |
//!
//! The first two count orders, so they break the promise that cutting an order into pieces changes nothing.

use ethnum::U256;

use super::rule_error::RuleError;
use crate::money::Amount;
use crate::rate::Rate;
use crate::wide::wide;

/// Longest time over which an order's weight may grow: thirty days, the longest a pool's promises are planned.
pub const MAX_MATURING_S: u64 = 2_592_000;

/// Steps by which a weight grows. Few enough to keep products small, and none that an LP would notice.
const MATURITY_STEPS: u64 = 4_096;

/// What counts. [`Counting::default`] has every option off.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counting {
    min_order: Option<Amount>,
    max_orders: Option<usize>,
    maturing_s: Option<u64>,
    cap: Option<Rate>,
}

impl Counting {
    /// Orders that hold less, averaged over the round's slices, do not count.
    ///
    /// # Errors
    /// [`RuleError::Zero`].
    pub fn with_min_order(self, least: Amount) -> Result<Self, RuleError> {
        if least == Amount::ZERO {
            return Err(RuleError::Zero);
        }
        Ok(Self { min_order: Some(least), ..self })
    }

    /// Of each LP only so many orders of the market count: those that hold the most, among equals by their ids.
    ///
    /// # Errors
    /// [`RuleError::NoOrders`].
    pub fn with_max_orders(self, most: usize) -> Result<Self, RuleError> {
        if most == 0 {
            return Err(RuleError::NoOrders);
        }
        Ok(Self { max_orders: Some(most), ..self })
    }

    /// An order's weight grows with its age, in a straight line of 4096 steps (floored), and is whole after this
    /// many seconds. One whose age is not known weighs nothing.
    ///
    /// # Errors
    /// [`RuleError::Maturing`].
    pub fn with_maturing(self, seconds: u64) -> Result<Self, RuleError> {
        if seconds == 0 || seconds > MAX_MATURING_S {
            return Err(RuleError::Maturing(seconds));
        }
        Ok(Self { maturing_s: Some(seconds), ..self })
    }

    /// No coin of liquidity earns more than this. Auctions heed it as a lower highest rate; the others pay less
    /// from a pot in which there is less liquidity than the cap allows for. What a cap withholds is not paid.
    ///
    /// # Errors
    /// [`RuleError::Zero`].
    pub fn with_cap(self, cap: Rate) -> Result<Self, RuleError> {
        if cap == Rate::ZERO {
            return Err(RuleError::Zero);
        }
        Ok(Self { cap: Some(cap), ..self })
    }

    /// See [`Self::with_min_order`].
    #[must_use]
    pub fn min_order(&self) -> Option<Amount> {
        self.min_order
    }

    /// See [`Self::with_max_orders`].
    #[must_use]
    pub fn max_orders(&self) -> Option<usize> {
        self.max_orders
    }

    /// See [`Self::with_maturing`].
    #[must_use]
    pub fn maturing_s(&self) -> Option<u64> {
        self.maturing_s
    }

    /// See [`Self::with_cap`].
    #[must_use]
    pub fn cap(&self) -> Option<Rate> {
        self.cap
    }

    /// How many parts of [`Self::maturity_scale`] an order of this age weighs.
    pub(crate) fn maturity(&self, age_s: Option<u64>) -> U256 {
        let steps = self.maturing_s.map_or(1, |whole| {
            let age = age_s.unwrap_or(0).min(whole);
            // Both are bounded, so the product stays below 2^34.
            age.saturating_mul(MATURITY_STEPS).checked_div(whole).unwrap_or(0)
        });
        wide(u128::from(steps))
    }

    /// The parts of a whole weight.
    pub(crate) fn maturity_scale(&self) -> U256 {
        wide(if self.maturing_s.is_some() { u128::from(MATURITY_STEPS) } else { 1 })
    }
}

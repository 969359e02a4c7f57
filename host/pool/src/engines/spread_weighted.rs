//! `spread_weighted`: a fixed reward a day and side, of which an order gets the more, the nearer it is to the price.
//!
//! It knows no target and no minimal rates: it ignores the latter.
//!
//! **Rule.** An order's weight is `amount · (1 − deviation / tolerance)^p`, zero from the tolerance on; the reward is
//! shared by weight. With p 0 all within the tolerance count alike, which includes those at the tolerance itself.
//!
//! **Rounding.** The deviation counts in 1e-8, as it was judged. The factor is floored to 1e-12 after each of its
//! multiplications; orders of one deviation have one factor, so cutting an order changes nothing. The round's reward is
//! the day's with the remainder carried exactly ([`Round::of_daily`](crate::round::Round::of_daily)); within the pot:
//! largest remainders.
//!
//! **Unpaid** is the whole reward, if nobody has a weight. What comes from elsewhere adds to the reward. A cap holds
//! for a coin at the price itself; one farther off earns as much less than the cap as its factor is below 1.
//!
//! **Kept:** never above the reward; credits add up; no place in the input matters; splitting changes nothing; more
//! liquidity never earns less; a lower bid never earns less, since none is heard.
//!
//! **Broken:** nobody below the own minimum. With 7.5 a day, an LP with 1000 at the price earns 7.5 alone, and 3.75
//! once another shows as much, whatever it asked.

use ethnum::U256;

use super::book::SideBook;
use super::pot::{Member, OpenPot, Pays, PotKind};
use super::rule_error::RuleError;
use super::{OpenedSide, SideCall};
use crate::money::{Coins, Ratio};
use crate::wide::{self, Overflow, wide};

/// Highest power: from there on only the nearest order earns, and its factor needs more places than are kept.
pub const MAX_POWER: u32 = 8;

/// One, as factors are counted.
const ONE: u128 = 1_000_000_000_000;

/// The rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpreadWeightedRule {
    daily: Coins,
    tolerance: Ratio,
    power: u32,
}

impl SpreadWeightedRule {
    /// Takes a side's reward for a day, the deviation at which nothing is earned, and the power.
    ///
    /// # Errors
    /// [`RuleError`] says which is out of range.
    pub fn new(daily: Coins, tolerance: Ratio, power: u32) -> Result<Self, RuleError> {
        if daily == Coins::ZERO {
            return Err(RuleError::NoReward);
        }
        if tolerance == Ratio::ZERO {
            return Err(RuleError::NoTolerance);
        }
        if power > MAX_POWER {
            return Err(RuleError::Power(power));
        }
        Ok(Self { daily, tolerance, power })
    }

    /// What the side pays a day.
    #[must_use]
    pub fn daily(&self) -> Coins {
        self.daily
    }

    /// How far from the price an order earns nothing any more.
    #[must_use]
    pub fn tolerance(&self) -> Ratio {
        self.tolerance
    }

    /// By which power an order's weight falls off.
    #[must_use]
    pub fn power(&self) -> u32 {
        self.power
    }

    pub(crate) fn open(&self, side: &SideBook<'_>, call: &SideCall) -> Result<OpenedSide, Overflow> {
        let budget = call.round.of_daily(self.daily)?.plus(call.extra)?;
        let mut members = Vec::with_capacity(side.entries.len());
        for entry in &side.entries {
            let factor = wide(self.factor(entry.order.deviation_e8)?);
            members.push(Member {
                number: entry.number,
                weight: wide::product(&[entry.weight, factor], "weight")?,
            });
        }
        let total = wide::total(members.iter().map(|member| member.weight), "weights")?;
        if total == U256::ZERO {
            return Ok(OpenedSide { budget, pots: Vec::new(), unpaid: budget });
        }
        let coins = match call.cap {
            Some(cap) => {
                let scale = wide::product(&[side.scale, wide(ONE)], "scale")?;
                cap.pay_at_most(budget, total, scale, call.round)?
            }
            None => budget,
        };
        let pays = Pays::Reward { coins, members, rate: None };
        let pot = OpenPot { side: side.side, kind: PotKind::Side, pays };
        Ok(OpenedSide { budget, pots: vec![pot], unpaid: Coins::ZERO })
    }

    /// `(1 − deviation / tolerance)^p`, in 1e-12.
    fn factor(&self, deviation_e8: u32) -> Result<u128, Overflow> {
        let tolerance = u128::from(self.tolerance.e8());
        let Some(inside) = tolerance.checked_sub(u128::from(deviation_e8)) else { return Ok(0) };
        let mut factor = ONE;
        for _ in 0..self.power {
            let product = factor.checked_mul(inside).ok_or(Overflow("factor"))?;
            factor = product.checked_div(tolerance).ok_or(Overflow("factor"))?;
        }
        Ok(factor)
    }
}

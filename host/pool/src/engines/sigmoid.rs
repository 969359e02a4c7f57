//! `sigmoid`: a rate that falls off smoothly around a target, so that the cost has a bound and no cliff.
//!
//! It knows no ranks and no minimal rates: it ignores the latter.
//!
//! **Rule.** With rate r, target T and width s, the coin at funding x earns `ρ(x) = r / (1 + e^((x−T)/s))` a day. With
//! M shown, the side costs the integral of ρ from 0 to M,
//!
//! ```text
//! F(M) = r · (M − s · (sp((M−T)/s) − sp(−T/s)))      sp(z) = ln(1 + e^z) = max(z, 0) + ln(1 + e^−|z|)
//!      = r · (min(M, T) + s · L(T/s) − s · L(|M−T|/s))     L(z) = ln(1 + e^−z)
//! ```
//!
//! which is shared pro rata of what is shown, so nobody gains by being there first.
//!
//! **Bound.** `L ≥ 0` and `min(M, T) ≤ T`, so `F(M) ≤ r · (T + s · L(T/s)) = r · s · ln(1 + e^(T/s))`: a width of a
//! tenth of the target costs 0.0005 % above r · T at most. What is computed keeps to it by construction, because
//! both use the same `L(T/s)`.
//!
//! **Rounding.** L is in fixed point with an error below 1e-31 (its module proves it). The first L is
//! lowered and the second raised by that error, so the cost computed is never above the true one, and below it by
//! under r · s · 4e-31. The pot is floored to 1e-8, within it: largest remainders.
//!
//! **Kept:** never above the bound; credits add up; no place in the input matters; splitting changes nothing; more
//! liquidity never earns less, since F rises and `F(M)/M` falls by less than the own share grows; a lower bid never
//! earns less, since none is heard.
//!
//! **Broken:** nobody below the own minimum. With r 0.0025, T 1000, s 100 and 2000 shown, each coin earns 0.00125 a
//! day, half of r, and an LP that wants 0.002 gets it too.

use ethnum::U256;

use super::auction_tllp::check_daily_cost;
use super::book::SideBook;
use super::pot::{Member, OpenPot, Pays, PotKind};
use super::rule_error::RuleError;
use super::{OpenedSide, SideCall};
use crate::money::{Amount, Coins};
use crate::rate::Rate;
use crate::softplus;
use crate::wide::{self, Overflow, wide};

/// The rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigmoidRule {
    rate: Rate,
    target: Amount,
    width: Amount,
}

impl SigmoidRule {
    /// Takes the rate of the first coins, the funding at which half of it is paid, and the width of the fall.
    ///
    /// # Errors
    /// [`RuleError`] says which is zero, or that they may pay too much.
    pub fn new(rate: Rate, target: Amount, width: Amount) -> Result<Self, RuleError> {
        if rate == Rate::ZERO {
            return Err(RuleError::NoRate);
        }
        if target == Amount::ZERO {
            return Err(RuleError::NoTarget);
        }
        if width == Amount::ZERO {
            return Err(RuleError::NoWidth);
        }
        // The bound is below r · (T + s), since L is below 1.
        let both =
            wide::plus(wide(target.e18()), wide(width.e18()), "target").map_err(|_| RuleError::TooDear)?;
        check_daily_cost(rate, both)?;
        Ok(Self { rate, target, width })
    }

    /// What the first coin earns a day, nearly.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// The liquidity at which a further coin earns half of it.
    #[must_use]
    pub fn target(&self) -> Amount {
        self.target
    }

    /// Over how much liquidity the rate falls off.
    #[must_use]
    pub fn width(&self) -> Amount {
        self.width
    }

    /// What a day costs with so much shown on a side, in 1e-18 coins, floored: F of the rule.
    ///
    /// # Errors
    /// [`Overflow`], which the bounds of rates and amounts rule out.
    pub fn daily_cost_e18(&self, shown: Amount) -> Result<u128, Overflow> {
        self.in_rates_e18(self.weight_paid(wide(shown.e18()), U256::ONE)?)
    }

    /// What a day costs at most, however much is shown, in 1e-18 coins, floored.
    ///
    /// # Errors
    /// [`Overflow`], which the bounds of rates and amounts rule out.
    pub fn most_a_day_e18(&self) -> Result<u128, Overflow> {
        self.in_rates_e18(self.most_weight_paid(U256::ONE)?)
    }

    pub(crate) fn open(&self, side: &SideBook<'_>, call: &SideCall) -> Result<OpenedSide, Overflow> {
        let shown = side.total()?;
        let most = self.rate.pay(self.most_weight_paid(side.scale)?, side.scale, call.round)?;
        let budget = u64::try_from(most).ok().and_then(Coins::from_e8).ok_or(Overflow("bound"))?;
        let paid = self.weight_paid(shown, side.scale)?;
        let mut coins = self.rate.pay_at_most(budget, paid, side.scale, call.round)?;
        if let Some(cap) = call.cap {
            coins = cap.pay_at_most(coins, shown, side.scale, call.round)?;
        }
        let members = side.entries.iter().map(|entry| Member::whole(entry)).collect();
        let pays = Pays::Reward { coins, members, rate: None };
        let pot = OpenPot { side: side.side, kind: PotKind::Side, pays };
        Ok(OpenedSide { budget, pots: vec![pot], unpaid: Coins::ZERO })
    }

    /// F divided by r: the liquidity that would cost as much at the full rate. Never above the true value.
    fn weight_paid(&self, shown: U256, scale: U256) -> Result<U256, Overflow> {
        let (target, width) = self.weights(scale)?;
        let distance = if shown > target { shown.checked_sub(target) } else { target.checked_sub(shown) };
        let distance = distance.ok_or(Overflow("target"))?;
        let fallen = softplus::ln_one_plus_exp_minus(distance, width)?;
        let fallen = wide::plus(fallen, wide(softplus::ERROR), "logarithm")?;
        let fallen = wide::mul_div(width, fallen, softplus::one(), "logarithm")?;
        let fallen = wide::plus(fallen, U256::ONE, "logarithm")?;
        let risen = wide::plus(shown.min(target), self.width_paid(target, width)?, "cost")?;
        Ok(risen.saturating_sub(fallen))
    }

    /// The bound divided by r.
    fn most_weight_paid(&self, scale: U256) -> Result<U256, Overflow> {
        let (target, width) = self.weights(scale)?;
        wide::plus(target, self.width_paid(target, width)?, "bound")
    }

    /// `s · L(T/s)`, never above the true value.
    fn width_paid(&self, target: U256, width: U256) -> Result<U256, Overflow> {
        let low = softplus::ln_one_plus_exp_minus(target, width)?.saturating_sub(wide(softplus::ERROR));
        wide::mul_div(width, low, softplus::one(), "logarithm")
    }

    fn weights(&self, scale: U256) -> Result<(U256, U256), Overflow> {
        let scaled = |amount: Amount| wide::product(&[wide(amount.e18()), scale], "target");
        Ok((scaled(self.target)?, scaled(self.width)?))
    }

    /// The rate times a weight of scale 1, in 1e-18 coins.
    fn in_rates_e18(&self, weight: U256) -> Result<u128, Overflow> {
        let coins = wide::mul_div(weight, wide(self.rate.e18()), wide(10u128.pow(18)), "cost")?;
        u128::try_from(coins).map_err(|_| Overflow("cost"))
    }
}

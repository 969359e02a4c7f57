//! `fixed_cost`: a fixed reward a day and side, shared pro rata of what is shown by those whom it is enough for.
//!
//! It knows no ranks and no target: whoever shows one coin alone has it all, unless a cap is set.
//!
//! **Rule.** The rate is `daily / shown`. While somebody asks more than it pays, those who ask the most leave (all
//! that ask the same together), which raises the rate for the rest; who is left shares the reward. So the largest
//! set stays that is content, and it is the same whatever order is tried.
//!
//! **Rounding.** The round's reward is the day's, with the remainder carried exactly
//! ([`Round::of_daily`](crate::round::Round::of_daily)); whether a rate is enough is decided by the day's reward,
//! without dividing. Within the pot: largest remainders.
//!
//! **Unpaid** is the whole reward, if nobody is content. What comes from elsewhere adds to the reward.
//!
//! **Kept:** never above the reward; credits add up; no place in the input matters; splitting changes nothing; a
//! lower bid never earns less (for an LP that asks one rate for all it shows); nobody is paid below the own minimum.
//! More liquidity never earns less if its LP asks no rate.
//!
//! **Broken:** more liquidity earns less if it lowers the rate below what the LP asks itself: with 7.5 a day, an LP
//! that asks 0.0075 earns 7.5 with 1000, and nothing with 1001. It said so.

use ethnum::U256;

use super::book::{Entry, SideBook};
use super::pot::{Member, OpenPot, Pays, PotKind};
use super::rule_error::RuleError;
use super::{OpenedSide, SideCall};
use crate::money::Coins;
use crate::rate::Rate;
use crate::wide::{self, Overflow, wide};

/// The rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedCostRule {
    daily: Coins,
}

impl FixedCostRule {
    /// Takes a side's reward for a day.
    ///
    /// # Errors
    /// [`RuleError::NoReward`].
    pub fn new(daily: Coins) -> Result<Self, RuleError> {
        if daily == Coins::ZERO { Err(RuleError::NoReward) } else { Ok(Self { daily }) }
    }

    /// A side's reward for a day.
    #[must_use]
    pub fn daily(&self) -> Coins {
        self.daily
    }

    pub(crate) fn open(&self, side: &SideBook<'_>, call: &SideCall) -> Result<OpenedSide, Overflow> {
        let budget = call.round.of_daily(self.daily)?.plus(call.extra)?;
        let mut content: Vec<&Entry<'_>> = side
            .entries
            .iter()
            .copied()
            .filter(|entry| call.cap.is_none_or(|cap| entry.min_rate() <= cap))
            .collect();
        content.sort_by_key(|entry| (entry.min_rate(), entry.number));
        let mut shown = wide::total(content.iter().map(|entry| entry.weight), "amounts")?;
        while let Some(dearest) = content.last().map(|entry| entry.min_rate()) {
            if self.is_enough(dearest, shown, side.scale, call)? {
                break;
            }
            while let Some(leaves) = content.pop_if(|entry| entry.min_rate() == dearest) {
                shown = wide::minus(shown, leaves.weight, "amounts")?;
            }
        }
        if shown == U256::ZERO {
            return Ok(OpenedSide { budget, pots: Vec::new(), unpaid: budget });
        }
        let coins = match call.cap {
            Some(cap) => cap.pay_at_most(budget, shown, side.scale, call.round)?,
            None => budget,
        };
        let rate = Rate::at_most(self.daily_rate(shown, side.scale, call)?);
        let rate = Some(call.cap.map_or(rate, |cap| cap.min(rate)));
        let members = content.into_iter().map(Member::whole).collect();
        let pays = Pays::Reward { coins, members, rate };
        let pot = OpenPot { side: side.side, kind: PotKind::Side, pays };
        Ok(OpenedSide { budget, pots: vec![pot], unpaid: Coins::ZERO })
    }

    /// Whether the reward pays this rate on all that is shown: `shown ≤ daily / rate`. The quotient is floored,
    /// which decides nothing, since weights are whole.
    fn is_enough(&self, rate: Rate, shown: U256, scale: U256, call: &SideCall) -> Result<bool, Overflow> {
        if rate == Rate::ZERO {
            return Ok(true);
        }
        let (numerator, seconds) = self.daily_e36(scale, call)?;
        let denominator = wide::product(&[wide(rate.e18()), seconds], "rate")?;
        let most = numerator.checked_div(denominator).ok_or(Overflow("rate"))?;
        Ok(shown <= most)
    }

    /// What a coin earns a day, in 1e-18, floored.
    fn daily_rate(&self, shown: U256, scale: U256, call: &SideCall) -> Result<U256, Overflow> {
        let (numerator, seconds) = self.daily_e36(scale, call)?;
        let denominator = wide::product(&[shown, seconds], "rate")?;
        numerator.checked_div(denominator).ok_or(Overflow("rate"))
    }

    /// The reward as a day's, in 1e-36 coins times the scale, as a numerator whose denominator is the round's
    /// length: what came on top is for this round alone.
    fn daily_e36(&self, scale: U256, call: &SideCall) -> Result<(U256, U256), Overflow> {
        let seconds = wide(u128::from(call.round.length.seconds()));
        let daily = wide::product(&[wide(u128::from(self.daily.e8())), seconds], "reward")?;
        let extra = wide::product(&[wide(u128::from(call.extra.e8())), wide(86_400)], "reward")?;
        let both = wide::plus(daily, extra, "reward")?;
        Ok((wide::product(&[both, wide(10u128.pow(28)), scale], "reward")?, seconds))
    }
}

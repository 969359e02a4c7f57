//! `uniform_auction`: the target goes to those who ask least, and all of them are paid one rate.
//!
//! It knows no ranks: of an order it takes the amount and the minimal rate.
//!
//! **Rule**, for one side; T is the target, M the highest rate, b what an order asks, at least. Orders above M are
//! out. The others are filled by rising b until T is reached; those that ask the same as the last one filled share
//! pro rata what is left of T. Everybody filled is paid the first rate that was refused, in part or wholly, or M if
//! none was.
//!
//! **Rounding.** What all are paid together is floored to 1e-8, less than a unit a round is not paid, and each LP gets
//! the floor or the ceiling of its own pay ([`pot`](super::pot)).
//!
//! **Kept:** never above M · T; credits add up; no place in the input matters; splitting changes nothing; nobody is
//! paid below the own minimum on what is paid for. A lower bid never earns less for an LP that is filled wholly or
//! not at all: its own bid is not the rate then.
//!
//! **Broken:**
//! * *A lower bid never earns less*, for the LP at the margin, whose own refused part sets the rate: with T 1000,
//!   M 0.0025 and 500 of others at 0, an LP that shows 1000 earns 0.5 a day if it asks 0.001, and nothing at 0.
//! * *More liquidity never earns less*: an LP alone that asks nothing earns 2.25 a day with 900, and nothing with
//!   1100, since then a part of its own is refused, at 0. A pool may set a minimum for what can be asked.
//!
//! The total is continuous in the mass but for the fall from M to the marginal rate when T is passed.

use ethnum::U256;

use super::auction_tllp::check_daily_cost;
use super::book::{Entry, SideBook};
use super::pot::{AtRate, FINE, Member, OpenPot, Pays, PotKind};
use super::rule_error::RuleError;
use super::{OpenedSide, SideCall};
use crate::money::{Amount, Coins};
use crate::rate::Rate;
use crate::wide::{self, Overflow, wide};

/// The rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniformAuctionRule {
    highest: Rate,
    target: Amount,
}

impl UniformAuctionRule {
    /// Takes the highest rate and the target of a side.
    ///
    /// # Errors
    /// [`RuleError`] says which is zero, or that they may pay too much.
    pub fn new(highest: Rate, target: Amount) -> Result<Self, RuleError> {
        if highest == Rate::ZERO {
            return Err(RuleError::NoRate);
        }
        if target == Amount::ZERO {
            return Err(RuleError::NoTarget);
        }
        check_daily_cost(highest, wide(target.e18()))?;
        Ok(Self { highest, target })
    }

    /// The highest rate.
    #[must_use]
    pub fn highest(&self) -> Rate {
        self.highest
    }

    /// The target of a side.
    #[must_use]
    pub fn target(&self) -> Amount {
        self.target
    }

    pub(crate) fn open(&self, side: &SideBook<'_>, call: &SideCall) -> Result<OpenedSide, Overflow> {
        let target = side.weight_of(self.target)?;
        let highest = call.cap.map_or(self.highest, |cap| cap.min(self.highest));
        let most = highest.pay(target, side.scale, call.round)?;
        let budget = u64::try_from(most).ok().and_then(Coins::from_e8).ok_or(Overflow("budget"))?;
        let filling = Filling::new(side, highest, target)?;
        let mut parts = Vec::new();
        for (orders, units) in [(filling.wholly, filling.before), (filling.marginal, filling.in_part)] {
            if units > U256::ZERO {
                let fine = filling.rate.pay_finely(FINE, units, side.scale, call.round)?;
                let members = orders.into_iter().map(Member::whole).collect();
                parts.push(AtRate { members, rate: filling.rate, units, fine });
            }
        }
        let pot = OpenPot { side: side.side, kind: PotKind::Side, pays: Pays::Rates { parts, most: budget } };
        Ok(OpenedSide { budget, pots: vec![pot], unpaid: Coins::ZERO })
    }
}

/// Who is filled, and at which rate.
struct Filling<'a> {
    wholly: Vec<&'a Entry<'a>>,
    /// What they show.
    before: U256,
    marginal: Vec<&'a Entry<'a>>,
    /// What is left for those at the margin.
    in_part: U256,
    rate: Rate,
}

impl<'a> Filling<'a> {
    fn new(side: &SideBook<'a>, highest: Rate, target: U256) -> Result<Self, Overflow> {
        let mut orders: Vec<&Entry<'_>> =
            side.entries.iter().copied().filter(|entry| entry.min_rate() <= highest).collect();
        orders.sort_by_key(|entry| (entry.min_rate(), entry.number));
        let mut filling = Self {
            wholly: Vec::new(),
            before: U256::ZERO,
            marginal: Vec::new(),
            in_part: U256::ZERO,
            rate: highest,
        };
        for same in orders.chunk_by(|a, b| a.min_rate() == b.min_rate()) {
            let Some(rate) = same.first().map(|entry| entry.min_rate()) else { continue };
            let shown = wide::total(same.iter().map(|entry| entry.weight), "amounts")?;
            let room = wide::minus(target, filling.before, "target")?;
            if shown <= room {
                filling.wholly.extend(same);
                filling.before = wide::plus(filling.before, shown, "amounts")?;
                continue;
            }
            filling.rate = rate;
            if room > U256::ZERO {
                filling.marginal = same.to_vec();
                filling.in_part = room;
            }
            break;
        }
        Ok(filling)
    }
}

//! `auction_tllp`: the Dutch auction in two rounds of the first trustless liquidity pools, as its program had it,
//! peculiarities and all, but in exact numbers.
//!
//! It knows no ranks: of an order it takes the amount and the minimal rate.
//!
//! **Rule**, for one side; T is the target, M the highest rate, b what an order asks, at least:
//!
//! 1. Orders are sorted by b, then id (then LP). One whose id is that of its neighbour before it, but of another LP,
//!    is a copy and earns nothing. Lines of one LP with one id are one order that changed within the round.
//! 2. `mass` is all that is shown, copies included; `t = min(mass, T)`; `lower = mass mod t`; `higher = t − lower`.
//! 3. The levels are the distinct b below M, then M over and over: at least twice, and `ceil(mass/t) + 2` levels in
//!    all. `V[i]` is the sum of those below level i, or of those at or below M if level i is M.
//! 4. The first i from 1 to the last but one with `V[i−1] ≥ lower` and `V[i] ≥ T` is taken, or else the last.
//! 5. Level i is the high rate: all below it (at M: at or below it) share `higher` pro rata, and are paid at it.
//! 6. Level i−1 is the low rate: of what is left of those whose own level comes before level i−1, `lower` is shared
//!    pro rata, and paid at it. The rest earns nothing.
//!
//! In the *fixed cost* variant M is a day's cost divided by `mass`.
//!
//! **Rounding.** What both rates pay together is floored to 1e-8, less than a unit a round is not paid, and each LP gets
//! the floor or the ceiling of its own pay ([`pot`](super::pot)). So credits are within 1e-8 of the original's floats.
//! `mass mod t` is exact here: where the floats of the original miss a multiple of T by their error, they differ.
//!
//! **Kept:** never above M · T; credits add up; no place in the input matters; splitting changes nothing (if there
//! are no copies); nobody is paid below the own minimum on what is paid for.
//!
//! **Broken:**
//! * *More liquidity never earns less*: the total is a sawtooth, M · (T − mass mod T) where all ask M. With T 1000
//!   and M 0.0025, one LP earns 2.5 a day with 1000, 1.25 with 1500, 0.0025 with 1999, and 2.5 with 2000.
//! * *A lower bid never earns less*: with T 1000, M 0.0025 and a second LP that shows 900 and asks 0.0005, an LP that
//!   shows 500 earns 0.89285714 a day if it asks 0.0005, and 0.67857142 if it asks nothing.
//!
//! A new pool does better with [`uniform_auction`](super::uniform_auction) or [`sigmoid`](super::sigmoid).

use std::cmp::Ordering;

use ethnum::U256;

use super::book::{Entry, SideBook};
use super::pot::{AtRate, FINE, Member, OpenPot, Pays, PotKind};
use super::rule_error::RuleError;
use super::{OpenedSide, SideCall};
use crate::money::{Amount, Coins};
use crate::rate::Rate;
use crate::round::{Round, RoundLength};
use crate::wide::{self, Overflow, wide};

/// What bounds the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Highest {
    /// A rate.
    Rate(Rate),
    /// The fixed-cost variant: so many coins a day, divided by all that is shown.
    DailyCost(Coins),
}

/// The rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TllpRule {
    highest: Highest,
    target: Amount,
}

impl TllpRule {
    /// Takes the highest rate and the target of a side.
    ///
    /// # Errors
    /// [`RuleError`] says which is zero, or that they may pay too much.
    pub fn new(highest: Highest, target: Amount) -> Result<Self, RuleError> {
        if target == Amount::ZERO {
            return Err(RuleError::NoTarget);
        }
        match highest {
            Highest::Rate(Rate::ZERO) => return Err(RuleError::NoRate),
            Highest::DailyCost(Coins::ZERO) => return Err(RuleError::NoReward),
            Highest::Rate(rate) => check_daily_cost(rate, wide(target.e18()))?,
            Highest::DailyCost(_) => {}
        }
        Ok(Self { highest, target })
    }

    /// What bounds the rate.
    #[must_use]
    pub fn highest(&self) -> Highest {
        self.highest
    }

    /// The target of a side.
    #[must_use]
    pub fn target(&self) -> Amount {
        self.target
    }

    pub(crate) fn open(&self, side: &SideBook<'_>, call: &SideCall) -> Result<OpenedSide, Overflow> {
        let target = side.weight_of(self.target)?;
        let mass = side.total()?;
        let highest = self.highest_level(mass, side.scale, call.cap)?;
        let budget = match self.highest {
            Highest::Rate(rate) => rate.pay_at_most(Coins::MAX, target, side.scale, call.round)?,
            Highest::DailyCost(daily) => call.round.of_daily(daily)?,
        };
        let mut parts = Vec::new();
        if mass > U256::ZERO {
            for taken in Auction::new(side, highest, mass, target)?.rounds()? {
                parts.push(AtRate {
                    fine: taken.rate.pay_finely(FINE, taken.units, side.scale, call.round)?,
                    rate: taken.rate.shown(),
                    units: taken.units,
                    members: taken.members,
                });
            }
        }
        let pot = OpenPot { side: side.side, kind: PotKind::Side, pays: Pays::Rates { parts, most: budget } };
        Ok(OpenedSide { budget, pots: vec![pot], unpaid: Coins::ZERO })
    }

    fn highest_level(&self, mass: U256, scale: U256, cap: Option<Rate>) -> Result<Level, Overflow> {
        let highest = match self.highest {
            Highest::Rate(rate) => Level::Rate(rate),
            Highest::DailyCost(daily) => Level::Cost { daily, mass, scale },
        };
        match cap {
            Some(cap) if highest.against(cap)? == Ordering::Less => Ok(Level::Rate(cap)),
            _ => Ok(highest),
        }
    }
}

/// Refuses a rate that pays more for `weight` (in 1e-18 coins) a day than is counted.
pub(super) fn check_daily_cost(rate: Rate, weight: U256) -> Result<(), RuleError> {
    let pay = rate
        .pay(weight, U256::ONE, Round { start_s: 0, length: RoundLength::DAY })
        .map_err(|_| RuleError::TooDear)?;
    let counted = u64::try_from(pay).ok().and_then(Coins::from_e8);
    counted.map(|_| ()).ok_or(RuleError::TooDear)
}

/// A level of the auction, never divided.
#[derive(Debug, Clone, Copy)]
enum Level {
    Rate(Rate),
    /// `daily` coins for a day of `mass`.
    Cost {
        daily: Coins,
        mass: U256,
        scale: U256,
    },
}

impl Level {
    /// How a rate compares with this level.
    fn against(self, rate: Rate) -> Result<Ordering, Overflow> {
        match self {
            Self::Rate(level) => Ok(rate.cmp(&level)),
            Self::Cost { daily, mass, scale } => {
                // rate · 1e-18 against daily · 1e-8 / (mass · 1e-18 / scale), multiplied across.
                let cost =
                    wide::product(&[wide(u128::from(daily.e8())), wide(10u128.pow(28)), scale], "rate")?;
                Ok(wide::product(&[wide(rate.e18()), mass], "rate")?.cmp(&cost))
            }
        }
    }

    /// What it pays in a round, in parts of 1e-8 coins of which there are `fine` in one, floored.
    fn pay_finely(self, fine: u128, units: U256, scale: U256, round: Round) -> Result<U256, Overflow> {
        match self {
            Self::Rate(rate) => rate.pay_finely(fine, units, scale, round),
            Self::Cost { daily, mass, .. } => {
                let seconds = wide(u128::from(round.length.seconds()));
                let factor = wide::product(&[wide(u128::from(daily.e8())), seconds, wide(fine)], "rate")?;
                wide::mul_div(units, factor, wide::product(&[mass, wide(86_400)], "rate")?, "pay")
            }
        }
    }

    /// As a rate, floored: for showing.
    fn shown(self) -> Rate {
        match self {
            Self::Rate(rate) => rate,
            Self::Cost { daily, mass, scale } => {
                let cost =
                    wide::product(&[wide(u128::from(daily.e8())), wide(10u128.pow(28)), scale], "rate");
                Rate::at_most(cost.ok().and_then(|cost| cost.checked_div(mass)).unwrap_or(U256::ZERO))
            }
        }
    }
}

/// One side's orders without copies, and the levels below the highest.
struct Auction<'a> {
    orders: Vec<&'a Entry<'a>>,
    highest: Level,
    /// Each distinct rate below the highest, rising, and what asks less than it.
    levels: Vec<(Rate, U256)>,
    /// What asks the highest rate or less.
    eligible: U256,
    mass: U256,
    target: U256,
}

/// A round of the auction: who is in it, for how much, at which rate.
struct Taken {
    rate: Level,
    members: Vec<Member>,
    /// What its members show.
    total: U256,
    /// What of it is paid.
    units: U256,
}

impl<'a> Auction<'a> {
    fn new(side: &SideBook<'a>, highest: Level, mass: U256, target: U256) -> Result<Self, Overflow> {
        let orders = without_copies(side);
        let mut levels: Vec<(Rate, U256)> = Vec::new();
        let mut eligible = U256::ZERO;
        for order in &orders {
            let rate = order.min_rate();
            let against = highest.against(rate)?;
            if against == Ordering::Less && levels.last().is_none_or(|(last, _)| *last < rate) {
                levels.push((rate, eligible));
            }
            if against != Ordering::Greater {
                eligible = wide::plus(eligible, order.weight, "amounts")?;
            }
        }
        Ok(Self { orders, highest, levels, eligible, mass, target })
    }

    fn rounds(&self) -> Result<Vec<Taken>, Overflow> {
        let filled = self.mass.min(self.target);
        let lower = self.mass.checked_rem(filled).ok_or(Overflow("mass"))?;
        let higher = wide::minus(filled, lower, "mass")?;
        let at = self.high_level(lower, filled)?;
        let before = at.saturating_sub(1);

        let mut high = self.taken(at, self.asking_below(at)?)?;
        high.units = higher.min(high.total);
        // A member's own level comes before `before`: below that rate, or at the highest once that has come.
        let low_members = if before > self.levels.len() {
            self.asking_below(before)?
        } else {
            self.asking_less_than_level(before)?
        };
        let mut low = self.taken(before, low_members)?;
        if low.total > U256::ZERO {
            // What the high round leaves of those in the low one, floored to the smallest weight.
            let left = wide::minus(high.total, high.units, "left")?;
            low.units = lower.min(wide::mul_div(low.total, left, high.total, "left")?);
        }
        Ok([high, low].into_iter().filter(|taken| taken.units > U256::ZERO).collect())
    }

    /// Step 4. Levels from the number of distinct rates on are all the highest rate, so no more are looked at than
    /// the first two of those.
    fn high_level(&self, lower: U256, filled: U256) -> Result<usize, Overflow> {
        let rates = self.levels.len();
        let first_two = rates.saturating_add(2);
        let whole = self.mass.checked_div(filled).ok_or(Overflow("mass"))?;
        let multiples = wide::plus(whole, wide(u128::from(lower > U256::ZERO)), "mass")?;
        let padded = wide::plus(multiples, wide(2), "mass")?.min(wide(u128::from(u32::MAX)));
        let count = usize::try_from(padded).unwrap_or(usize::MAX).max(first_two);
        let last = count.saturating_sub(1);
        for level in 1..last.min(first_two) {
            if self.shown_below(level.saturating_sub(1)) >= lower && self.shown_below(level) >= self.target {
                return Ok(level);
            }
        }
        Ok(last)
    }

    /// V of a level.
    fn shown_below(&self, level: usize) -> U256 {
        self.levels.get(level).map_or(self.eligible, |(_, below)| *below)
    }

    /// The orders that V of a level counts.
    fn asking_below(&self, level: usize) -> Result<Vec<&'a Entry<'a>>, Overflow> {
        if level < self.levels.len() {
            return self.asking_less_than_level(level);
        }
        self.orders_where(|rate| Ok(self.highest.against(rate)? != Ordering::Greater))
    }

    fn asking_less_than_level(&self, level: usize) -> Result<Vec<&'a Entry<'a>>, Overflow> {
        let limit = self.rate_of(level);
        self.orders_where(|rate| Ok(limit.against(rate)? == Ordering::Less))
    }

    fn orders_where(
        &self,
        belongs: impl Fn(Rate) -> Result<bool, Overflow>,
    ) -> Result<Vec<&'a Entry<'a>>, Overflow> {
        let mut found = Vec::new();
        for order in &self.orders {
            if belongs(order.min_rate())? {
                found.push(*order);
            }
        }
        Ok(found)
    }

    fn rate_of(&self, level: usize) -> Level {
        self.levels.get(level).map_or(self.highest, |(rate, _)| Level::Rate(*rate))
    }

    fn taken(&self, level: usize, orders: Vec<&Entry<'_>>) -> Result<Taken, Overflow> {
        let total = wide::total(orders.iter().map(|order| order.weight), "amounts")?;
        let members = orders.into_iter().map(Member::whole).collect();
        Ok(Taken { rate: self.rate_of(level), members, total, units: U256::ZERO })
    }
}

/// Step 1.
fn without_copies<'a>(side: &SideBook<'a>) -> Vec<&'a Entry<'a>> {
    let mut sorted = side.entries.clone();
    sorted.sort_by(|a, b| (a.min_rate(), &a.order.id, a.number).cmp(&(b.min_rate(), &b.order.id, b.number)));
    let mut kept = Vec::with_capacity(sorted.len());
    let mut before: Option<&Entry<'_>> = None;
    for entry in sorted {
        let copy = before
            .is_some_and(|before| before.order.id == entry.order.id && before.order.lp != entry.order.lp);
        if !copy {
            kept.push(entry);
        }
        before = Some(entry);
    }
    kept
}

//! The pots of a round: how much each rank of each side pays, from how far the target is filled.
//!
//! The rule is ALP's fixed pot: `pot = reward · side ratio · rank ratio · share`, with
//! `share = min(1, what fills the target / target)`. [`Fill`] says what fills it.

use std::cmp::{Ordering, Reverse};

use ethnum::U256;

use crate::money::{Amount, Coins, Ratio};
use crate::terms::{Fill, RankNumber, Side, Terms};
use crate::wide::{self, Overflow, wide};

/// One rank of one side in one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pot {
    /// The side.
    pub side: Side,
    /// The rank.
    pub rank: RankNumber,
    /// The liquidity shown in it by everybody.
    pub total: Amount,
    /// What it pays if anybody is in it.
    pub pot: Coins,
    /// What it would pay with the target filled, floored to 1e-8: for showing.
    pub full: Coins,
}

/// Computes every pot of a market, each rounded half to even to 1e-8. Where the rounded pots add up to more than
/// `reward`, those that were rounded up most give back one unit each; among equals the bid before the ask, then
/// the farther rank.
///
/// `totals` gives the liquidity in each (side, rank); `reward` is what the whole market may pay in this round.
///
/// # Errors
/// [`Overflow`], which the bounds of coins and amounts rule out.
pub fn fixed_pots(
    terms: &Terms,
    reward: Coins,
    total_of: impl Fn(Side, RankNumber) -> Amount,
) -> Result<Vec<Pot>, Overflow> {
    let filled = filled_amount(terms, &total_of)?;
    let mut pots = Vec::new();
    let mut rounded_up: Vec<(usize, U256, U256)> = Vec::new();
    for side in Side::BOTH {
        let side_terms = terms.side(side);
        for rank in side_terms.ranks() {
            let total = total_of(side, rank.number);
            let part = Part { reward, target: terms.target(), side: side_terms.ratio(), rank: rank.ratio };
            let (numerator, denominator) = match terms.fill() {
                Fill::PerRank => part.by_own_liquidity(total)?,
                Fill::Paid | Fill::All => part.by_common_share(filled)?,
            };
            let units = wide::div_half_even(numerator, denominator, "pot")?;
            let (floor, remainder) = wide::div_rem(numerator, denominator, "pot")?;
            if units > floor {
                rounded_up.push((pots.len(), remainder, denominator));
            }
            let full = part.in_full()?;
            let (full, _) = wide::div_rem(full.0, full.1, "pot")?;
            pots.push(Pot { side, rank: rank.number, total, pot: coins(units)?, full: coins(full)? });
        }
    }
    lower_to(reward, &mut pots, rounded_up)?;
    Ok(pots)
}

/// The liquidity that fills the target as a whole. It has no meaning for [`Fill::PerRank`].
fn filled_amount(terms: &Terms, total_of: &impl Fn(Side, RankNumber) -> Amount) -> Result<Amount, Overflow> {
    let mut amounts = Vec::new();
    for side in Side::BOTH {
        let side_terms = terms.side(side);
        for rank in side_terms.ranks() {
            let paid = side_terms.ratio() > Ratio::ZERO && rank.ratio > Ratio::ZERO;
            let counts = match terms.fill() {
                Fill::All => true,
                Fill::Paid => paid,
                Fill::PerRank => false,
            };
            if counts {
                amounts.push(total_of(side, rank.number));
            }
        }
    }
    Amount::sum(amounts)
}

/// What decides the exact size of one pot.
struct Part {
    reward: Coins,
    target: Amount,
    side: Ratio,
    rank: Ratio,
}

impl Part {
    /// `reward · side · rank`, as a fraction.
    fn in_full(&self) -> Result<(U256, U256), Overflow> {
        let one = wide(u128::from(Ratio::ONE.e8()));
        Ok((self.with_ratios(wide(u128::from(self.reward.e8())))?, wide::product(&[one, one], "pot")?))
    }

    /// `reward · side · rank · min(1, filled / target)`.
    fn by_common_share(&self, filled: Amount) -> Result<(U256, U256), Overflow> {
        let full = self.in_full()?;
        if filled >= self.target {
            return Ok(full);
        }
        let numerator = wide::product(&[full.0, wide(filled.e18())], "pot")?;
        Ok((numerator, wide::product(&[full.1, wide(self.target.e18())], "pot")?))
    }

    /// `reward · side · rank · min(1, total / (target · side · rank))`. Below the full pot the ratios cancel out:
    /// it is `reward · total / target`.
    fn by_own_liquidity(&self, total: Amount) -> Result<(U256, U256), Overflow> {
        let full = self.in_full()?;
        let own_target = self.with_ratios(wide(self.target.e18()))?;
        let shown = wide::product(&[wide(total.e18()), full.1], "pot")?;
        if shown >= own_target {
            return Ok(full);
        }
        let numerator = wide::product(&[wide(u128::from(self.reward.e8())), wide(total.e18())], "pot")?;
        Ok((numerator, wide(self.target.e18())))
    }

    fn with_ratios(&self, value: U256) -> Result<U256, Overflow> {
        let (side, rank) = (wide(u128::from(self.side.e8())), wide(u128::from(self.rank.e8())));
        wide::product(&[value, side, rank], "pot")
    }
}

fn lower_to(
    reward: Coins,
    pots: &mut [Pot],
    mut rounded_up: Vec<(usize, U256, U256)>,
) -> Result<(), Overflow> {
    // A larger fraction was rounded up by less, so the smallest come first.
    rounded_up.sort_by(|a, b| {
        wide::compare_fractions((a.1, a.2), (b.1, b.2)).then_with(|| Reverse(a.0).cmp(&Reverse(b.0)))
    });
    let mut sum = Coins::sum(pots.iter().map(|pot| pot.pot))?;
    for (place, _, _) in rounded_up {
        if sum.cmp(&reward) != Ordering::Greater {
            break;
        }
        let unit = coins(1)?;
        sum = sum.minus(unit).ok_or(Overflow("pots"))?;
        if let Some(pot) = pots.get_mut(place) {
            pot.pot = pot.pot.minus(unit).ok_or(Overflow("pots"))?;
        }
    }
    Ok(())
}

fn coins(units: u128) -> Result<Coins, Overflow> {
    u64::try_from(units).ok().and_then(Coins::from_e8).ok_or(Overflow("pot"))
}

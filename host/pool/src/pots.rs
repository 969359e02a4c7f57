//! The pots of a round: how much each rank of each side pays, from how far the target is filled.
//!
//! The rule is ALP's fixed pot: `pot = reward · side ratio · rank ratio · share`, with
//! `share = min(1, what fills the target / target)`. [`Fill`] says what fills it.

use std::cmp::{Ordering, Reverse};

use ethnum::U256;

use crate::money::{Amount, Coins, Ratio};
use crate::terms::{Fill, RankNumber, RankTerms, Side, Terms};
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
    let held_against = |side, rank: &RankTerms| match terms.fill() {
        Fill::PerRank => Target {
            filled: wide(total_of(side, rank.number).e18()),
            target: wide(terms.target().e18()),
            parts: Parts::OfSideAndRank,
        },
        Fill::Paid | Fill::All => {
            Target { filled: wide(filled.e18()), target: wide(terms.target().e18()), parts: Parts::None }
        }
    };
    let sizes = pot_sizes(terms, reward, held_against)?;
    let with_total = |size: PotSize| {
        let total = total_of(size.side, size.rank);
        Pot { side: size.side, rank: size.rank, total, pot: size.pot, full: size.full }
    };
    Ok(sizes.into_iter().map(with_total).collect())
}

/// The size of one pot, whoever is in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PotSize {
    pub(crate) side: Side,
    pub(crate) rank: RankNumber,
    /// What it pays if anybody is in it.
    pub(crate) pot: Coins,
    /// What it would pay with its target filled, floored.
    pub(crate) full: Coins,
}

/// What a pot is held against. `filled` and `target` count in one unit, which is the caller's.
pub(crate) struct Target {
    pub(crate) filled: U256,
    pub(crate) target: U256,
    /// Which of the pot's own ratios make its part of `target`.
    pub(crate) parts: Parts,
}

/// The ratios by which a pot's own part of a target is smaller than the whole.
pub(crate) enum Parts {
    /// None: the pot is held against all of it.
    None,
    /// The rank's: the target is the side's.
    OfRank,
    /// Both: the target is the market's.
    OfSideAndRank,
}

/// As [`fixed_pots`], with the target of each pot said by `held_against`.
pub(crate) fn pot_sizes(
    terms: &Terms,
    reward: Coins,
    held_against: impl Fn(Side, &RankTerms) -> Target,
) -> Result<Vec<PotSize>, Overflow> {
    let mut pots = Vec::new();
    let mut rounded_up: Vec<(usize, U256, U256)> = Vec::new();
    for side in Side::BOTH {
        let side_terms = terms.side(side);
        for rank in side_terms.ranks() {
            let part = Part { reward, side: side_terms.ratio(), rank: rank.ratio };
            let (numerator, denominator) = part.by(&held_against(side, rank))?;
            let units = wide::div_half_even(numerator, denominator, "pot")?;
            let (floor, remainder) = wide::div_rem(numerator, denominator, "pot")?;
            if units > floor {
                rounded_up.push((pots.len(), remainder, denominator));
            }
            let full = part.in_full()?;
            let (full, _) = wide::div_rem(full.0, full.1, "pot")?;
            pots.push(PotSize { side, rank: rank.number, pot: coins(units)?, full: coins(full)? });
        }
    }
    lower_to(reward, &mut pots, rounded_up)?;
    Ok(pots)
}

/// The liquidity that fills the target as a whole. It has no meaning for [`Fill::PerRank`].
fn filled_amount(terms: &Terms, total_of: &impl Fn(Side, RankNumber) -> Amount) -> Result<Amount, Overflow> {
    let mut amounts = Vec::new();
    for side in Side::BOTH {
        for rank in terms.side(side).ranks() {
            if fills(terms, side, rank) {
                amounts.push(total_of(side, rank.number));
            }
        }
    }
    Amount::sum(amounts)
}

/// Whether what is shown in this rank fills a target that ranks have in common.
pub(crate) fn fills(terms: &Terms, side: Side, rank: &RankTerms) -> bool {
    match terms.fill() {
        Fill::All => true,
        Fill::Paid => terms.side(side).ratio() > Ratio::ZERO && rank.ratio > Ratio::ZERO,
        Fill::PerRank => false,
    }
}

/// What decides the exact size of one pot.
struct Part {
    reward: Coins,
    side: Ratio,
    rank: Ratio,
}

impl Part {
    /// `reward · side · rank`, as a fraction.
    fn in_full(&self) -> Result<(U256, U256), Overflow> {
        let factors = [wide(u128::from(self.reward.e8())), ratio(self.side), ratio(self.rank)];
        Ok((wide::product(&factors, "pot")?, wide::product(&[ratio(Ratio::ONE), ratio(Ratio::ONE)], "pot")?))
    }

    /// `reward · side · rank · min(1, filled / (target · parts))`. Below the full pot the parts cancel out: a pot
    /// that is held against its own part of the market's target is `reward · filled / target`.
    fn by(&self, held: &Target) -> Result<(U256, U256), Overflow> {
        let (of_target, left): (&[Ratio], &[Ratio]) = match held.parts {
            Parts::None => (&[], &[self.side, self.rank]),
            Parts::OfRank => (&[self.rank], &[self.side]),
            Parts::OfSideAndRank => (&[self.side, self.rank], &[]),
        };
        let times = |value: U256, ratios: &[Ratio]| {
            ratios.iter().try_fold(value, |value, part| wide::product(&[value, ratio(*part)], "pot"))
        };
        let ones = |value: U256, ratios: &[Ratio]| {
            ratios.iter().try_fold(value, |value, _| wide::product(&[value, ratio(Ratio::ONE)], "pot"))
        };
        if ones(held.filled, of_target)? >= times(held.target, of_target)? {
            return self.in_full();
        }
        let numerator = wide::product(&[wide(u128::from(self.reward.e8())), held.filled], "pot")?;
        Ok((times(numerator, left)?, ones(held.target, left)?))
    }
}

fn ratio(ratio: Ratio) -> U256 {
    wide(u128::from(ratio.e8()))
}

fn lower_to(
    reward: Coins,
    pots: &mut [PotSize],
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

//! `fixed_pot`: a fixed reward a minute, split by side and rank, as far as a target is filled. ALP's rule, known as
//! *constant reward, fixed cost*.
//!
//! It knows no minimal rates: it ignores them.
//!
//! **Rule.** `pot = reward · side ratio · rank ratio · min(1, filled / target)`, shared pro rata of the liquidity in
//! it. What `filled` and `target` are is said by [`Fill`] and [`Targets`]. With the terms as they are and nothing
//! else set, this is [`credit_market`](crate::credit::credit_market), coin by coin.
//!
//! **Rounding.** The reward of a round is floored to 1e-8 ([`RoundLength::reward`](crate::round::RoundLength::reward)).
//! Pots are rounded half to even and together never exceed it. Within a pot: largest remainders.
//!
//! **Unpaid** is a pot that nobody is in. What comes from elsewhere (carried over, or from the other side) is split
//! among the pots of its side that have somebody in them, by their sizes. With a target of its own an empty pot is
//! empty of coins too; then it is what it would pay when filled that is unpaid.
//!
//! **Kept:** never above the reward; credits add up; no place in the input matters; splitting changes nothing; more
//! liquidity never earns less (a unit for each pot); a lower bid never earns less, since none is heard.
//!
//! **Broken:** nobody below the own minimum. An LP that wants 0.01 a day and shows 2500 of a target of 2500 for a
//! reward of 0.025 a minute gets 36 a day, 0.0144 a coin; with four such LPs it is 0.0036, and nobody is asked.
//! With unpaid pots moved or carried over, more liquidity can earn less: a coin in an empty rank draws coins there.

use ethnum::U256;

use super::book::Counted;
use super::pot::{Member, OpenPot, Pays, PotKind, coins};
use super::rule_error::RuleError;
use super::unpaid::PerSide;
use super::{Call, Opened};
use crate::apportion::apportion_wide;
use crate::money::{Amount, Coins};
use crate::pots::{self, Parts, PotSize, Target};
use crate::terms::{Fill, RankNumber, RankTerms, Side, Terms};
use crate::wide::{self, Overflow, wide};

/// What pots are held against.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Targets {
    /// The target of the terms.
    #[default]
    OfMarket,
    /// One of each side, in place of that of the terms: so no side fills it for the other. Under
    /// [`Fill::PerRank`] a rank is held against its part of it.
    OfSides(PerSide<Amount>),
    /// One of each rank, whatever the terms say fills a target: so no far order fills it for near ones.
    OfRanks(Vec<(Side, RankNumber, Amount)>),
}

/// The rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedPotRule {
    terms: Terms,
    targets: Targets,
}

impl FixedPotRule {
    /// Checks that every target is there and above zero.
    ///
    /// # Errors
    /// [`RuleError::NoTarget`], [`RuleError::RankTarget`].
    pub fn new(terms: Terms, targets: Targets) -> Result<Self, RuleError> {
        match &targets {
            Targets::OfMarket => {}
            Targets::OfSides(sides) => {
                if sides.ask == Amount::ZERO || sides.bid == Amount::ZERO {
                    return Err(RuleError::NoTarget);
                }
            }
            Targets::OfRanks(list) => {
                if list.iter().any(|(_, _, target)| *target == Amount::ZERO) {
                    return Err(RuleError::NoTarget);
                }
                for side in Side::BOTH {
                    for rank in terms.side(side).ranks() {
                        if target_of_rank(list, side, rank.number).is_none() {
                            return Err(RuleError::RankTarget { side: side.name(), rank: rank.number.0 });
                        }
                    }
                }
            }
        }
        Ok(Self { terms, targets })
    }

    /// The terms.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What pots are held against.
    #[must_use]
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    pub(crate) fn open(&self, book: &Counted<'_>, call: &Call) -> Result<Opened, Overflow> {
        let reward = call.round.length.reward(self.terms.reward_per_minute())?;
        let shown = Shown::new(book, &self.terms)?;
        let sizes = pots::pot_sizes(&self.terms, reward, |side, rank| {
            self.held_against(&shown, book.scale, side, rank)
        })?;
        let mut opened = Opened {
            budget: reward,
            pots: Vec::with_capacity(sizes.len()),
            unpaid: PerSide::both(Coins::ZERO),
        };
        for side in Side::BOTH {
            let (taken, empty): (Vec<PotSize>, Vec<PotSize>) = sizes
                .iter()
                .filter(|size| size.side == side)
                .partition(|size| shown.in_rank(side, size.rank) > U256::ZERO);
            let extra = call.extra.get(side);
            opened.budget = opened.budget.plus(extra)?;
            let sizes: Vec<U256> = taken.iter().map(|size| wide(u128::from(size.pot.e8()))).collect();
            let mut unspent = extra;
            for (size, more) in taken.iter().zip(apportion_wide(extra.e8(), &sizes)?) {
                let more = coins(more)?;
                unspent = unspent.minus(more).ok_or(Overflow("extra"))?;
                opened.pots.push(open_pot(book, size, more, call)?);
            }
            let unpaid = empty.iter().map(|size| if self.has_own_targets() { size.full } else { size.pot });
            let unpaid = Coins::sum(unpaid)?.plus(unspent)?;
            match side {
                Side::Ask => opened.unpaid.ask = unpaid,
                Side::Bid => opened.unpaid.bid = unpaid,
            }
        }
        Ok(opened)
    }

    /// Whether each rank has a target of its own.
    fn has_own_targets(&self) -> bool {
        matches!(self.targets, Targets::OfRanks(_)) || self.terms.fill() == Fill::PerRank
    }

    fn held_against(&self, shown: &Shown, scale: U256, side: Side, rank: &RankTerms) -> Target {
        let own = shown.in_rank(side, rank.number);
        // An amount has at most 110 bits and a scale 23.
        let scaled = |amount: Amount| wide(amount.e18()).saturating_mul(scale);
        let each_rank = self.terms.fill() == Fill::PerRank;
        match &self.targets {
            Targets::OfMarket => Target {
                filled: if each_rank { own } else { shown.filling.ask.saturating_add(shown.filling.bid) },
                target: scaled(self.terms.target()),
                parts: if each_rank { Parts::OfSideAndRank } else { Parts::None },
            },
            Targets::OfSides(sides) => Target {
                filled: if each_rank { own } else { shown.filling.get(side) },
                target: scaled(sides.get(side)),
                parts: if each_rank { Parts::OfRank } else { Parts::None },
            },
            Targets::OfRanks(list) => Target {
                filled: own,
                target: scaled(target_of_rank(list, side, rank.number).unwrap_or(self.terms.target())),
                parts: Parts::None,
            },
        }
    }
}

fn target_of_rank(list: &[(Side, RankNumber, Amount)], side: Side, rank: RankNumber) -> Option<Amount> {
    list.iter().find(|(of, number, _)| (*of, *number) == (side, rank)).map(|(_, _, target)| *target)
}

/// The liquidity of each rank, and what of each side fills a target that ranks have in common.
struct Shown {
    ranks: Vec<(Side, RankNumber, U256)>,
    filling: PerSide<U256>,
}

impl Shown {
    fn new(book: &Counted<'_>, terms: &Terms) -> Result<Self, Overflow> {
        let mut shown = Self { ranks: Vec::new(), filling: PerSide::both(U256::ZERO) };
        for side in Side::BOTH {
            for rank in terms.side(side).ranks() {
                let own =
                    wide::total(members(book, side, rank.number).map(|member| member.weight), "amounts")?;
                shown.ranks.push((side, rank.number, own));
                if pots::fills(terms, side, rank) {
                    let sum = wide::plus(shown.filling.get(side), own, "amounts")?;
                    match side {
                        Side::Ask => shown.filling.ask = sum,
                        Side::Bid => shown.filling.bid = sum,
                    }
                }
            }
        }
        Ok(shown)
    }

    fn in_rank(&self, side: Side, rank: RankNumber) -> U256 {
        let found = self.ranks.iter().find(|(of, number, _)| (*of, *number) == (side, rank));
        found.map_or(U256::ZERO, |(_, _, total)| *total)
    }
}

fn members(book: &Counted<'_>, side: Side, rank: RankNumber) -> impl Iterator<Item = Member> {
    book.entries.iter().filter(move |entry| entry.order.side == side && entry.rank == rank).map(Member::whole)
}

fn open_pot(book: &Counted<'_>, size: &PotSize, more: Coins, call: &Call) -> Result<OpenPot, Overflow> {
    let members: Vec<Member> = members(book, size.side, size.rank).collect();
    let mut coins = size.pot.plus(more)?;
    if let Some(cap) = call.cap {
        let total = wide::total(members.iter().map(|member| member.weight), "amounts")?;
        coins = cap.pay_at_most(coins, total, book.scale, call.round)?;
    }
    let pays = Pays::Reward { coins, members, rate: None };
    Ok(OpenPot { side: size.side, kind: PotKind::Rank(size.rank), pays })
}

//! Paying out: from open pots to credits that add up.
//!
//! It knows no engine: a pot is a number of coins, and who shares it by which weight.
//!
//! A pot is split among the LPs in it by what each weighs there, then each LP's part among that LP's orders, both by
//! largest remainders ([`apportion`](crate::apportion)). So the credits add up to the pots to the last unit, and how
//! an LP cuts liquidity of one price into orders changes nothing.
//!
//! Where an engine pays by rates there is no number of coins to start from. Then every LP's pay is computed finely
//! over all rates, the sum is floored to 1e-8, and each LP gets the floor or the ceiling of its own pay, the
//! ceilings by largest remainders: so nobody is off by a whole unit, and the sum is never above what the rates come to.

use std::collections::BTreeMap;

use ethnum::U256;

use super::Opened;
use super::book::{Book, Counted, Entry};
use super::unpaid::{Left, PerSide};
use crate::apportion::{apportion_wide, round_together};
use crate::credit::LpId;
use crate::money::{Amount, Coins};
use crate::rate::Rate;
use crate::terms::{RankNumber, Side};
use crate::wide::{self, Overflow, wide};

/// What a pot is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PotKind {
    /// One rank of a fixed pot.
    Rank(RankNumber),
    /// The whole of a side.
    Side,
}

/// A pot that has somebody in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidPot {
    /// Its side.
    pub side: Side,
    /// What it is for.
    pub kind: PotKind,
    /// The liquidity that was shown by those in it, floored to 1e-18.
    pub shown: Amount,
    /// What it paid.
    pub coins: Coins,
    /// Where the engine pays by rates: which, and on how much.
    pub rates: Vec<PaidRate>,
}

/// A rate at which a part of a pot was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidRate {
    /// What a coin earns a day, floored. For showing.
    pub rate: Rate,
    /// The liquidity that is paid at it, floored to 1e-18.
    pub filled: Amount,
}

/// The outcome for one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderShare {
    /// What it earned.
    pub credit: Coins,
    /// How much of it was paid for, floored to 1e-18.
    pub filled: Amount,
}

/// The outcome for one LP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LpShare {
    /// Whose.
    pub lp: LpId,
    /// The liquidity that counted, averaged over the round's slices and by maturity, floored to 1e-18.
    pub provided: Amount,
    /// What the LP is credited.
    pub credit: Coins,
}

/// The outcome for the market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketShare {
    /// Most that the rule may pay in this round, with what was carried over.
    pub budget: Coins,
    /// Every pot that has somebody in it, asks first.
    pub pots: Vec<PaidPot>,
    /// One entry for each LP of the book, by rising number.
    pub credits: Vec<LpShare>,
    /// One entry for each order of the book, in the book's order.
    pub orders: Vec<OrderShare>,
    /// What was credited in all.
    pub paid: Coins,
    /// What found nobody and goes on to the next round.
    pub carried: PerSide<Coins>,
    /// What found nobody and is dropped.
    pub dropped: Coins,
    /// Orders whose minimal rate was ignored, since the engine of their side takes none.
    pub ignored_minimal_rates: usize,
}

/// A pot as an engine opens it.
pub(crate) struct OpenPot {
    pub(crate) side: Side,
    pub(crate) kind: PotKind,
    pub(crate) pays: Pays,
}

/// How a pot is shared.
pub(crate) enum Pays {
    /// So many coins, by weight.
    Reward { coins: Coins, members: Vec<Member>, rate: Option<Rate> },
    /// What comes of its parts: each is paid at a rate, they are rounded together, and pay `most` at most.
    Rates { parts: Vec<AtRate>, most: Coins },
}

/// A part of a pot that is paid at one rate.
pub(crate) struct AtRate {
    pub(crate) members: Vec<Member>,
    pub(crate) rate: Rate,
    /// How much of what its members weigh is paid.
    pub(crate) units: U256,
    /// What is paid for it, in 1e-8 coins times [`FINE`].
    pub(crate) fine: U256,
}

/// An order in a pot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    /// Its number among those that count.
    pub(crate) number: usize,
    pub(crate) weight: U256,
}

impl Member {
    /// With all its liquidity for a weight.
    pub(crate) fn whole(entry: &Entry<'_>) -> Self {
        Self { number: entry.number, weight: entry.weight }
    }
}

/// Parts of a 1e-8 coin in which rates are computed before they are rounded: 2^60, so that flooring in them, once
/// for each rate and order, decides nothing that anybody could see.
pub(crate) const FINE: u128 = 1 << 60;

/// Pays the pots out.
pub(crate) fn pay_out(
    book: &Book,
    counted: &Counted<'_>,
    opened: Opened,
    left: Left,
    ignored_minimal_rates: usize,
) -> Result<MarketShare, Overflow> {
    let mut payment = Payment {
        counted,
        credits: book.orders().iter().map(|order| (order.lp, (U256::ZERO, Coins::ZERO))).collect(),
        orders: vec![OrderShare::default(); book.orders().len()],
    };
    for entry in &counted.entries {
        if let Some((provided, _)) = payment.credits.get_mut(&entry.order.lp) {
            *provided = wide::plus(*provided, entry.weight, "provided")?;
        }
    }
    let mut pots = Vec::with_capacity(opened.pots.len());
    for pot in &opened.pots {
        if let Some(paid) = payment.pay(pot)? {
            pots.push(paid);
        }
    }
    let credits = payment
        .credits
        .iter()
        .map(|(lp, (provided, credit))| {
            Ok(LpShare { lp: *lp, provided: counted.amount(*provided)?, credit: *credit })
        })
        .collect::<Result<Vec<_>, Overflow>>()?;
    let paid = Coins::sum(credits.iter().map(|credit| credit.credit))?;
    let (budget, orders) = (opened.budget, payment.orders);
    let Left { carried, dropped } = left;
    Ok(MarketShare { budget, pots, credits, orders, paid, carried, dropped, ignored_minimal_rates })
}

struct Payment<'a> {
    counted: &'a Counted<'a>,
    credits: BTreeMap<LpId, (U256, Coins)>,
    orders: Vec<OrderShare>,
}

/// An order in a pot, as it is paid.
struct Paid<'a> {
    entry: &'a Entry<'a>,
    weight: U256,
    filled: U256,
}

impl<'a> Payment<'a> {
    /// Pays one pot, if anybody weighs anything in it.
    fn pay(&mut self, pot: &OpenPot) -> Result<Option<PaidPot>, Overflow> {
        let (members, rates) = match &pot.pays {
            Pays::Reward { members, rate, .. } => self.by_reward(members, *rate)?,
            Pays::Rates { parts, .. } => self.by_rates(parts)?,
        };
        if members.is_empty() {
            return Ok(None);
        }
        let by_lp: Vec<&[Paid<'_>]> = members.chunk_by(|a, b| a.entry.order.lp == b.entry.order.lp).collect();
        let mut weights = Vec::with_capacity(by_lp.len());
        for orders in &by_lp {
            weights.push(wide::total(orders.iter().map(|paid| paid.weight), "weights")?);
        }
        let parts = match &pot.pays {
            Pays::Reward { coins, .. } => apportion_wide(coins.e8(), &weights)?,
            Pays::Rates { parts, most } => round_together(whole(parts, *most)?, &weights, wide(FINE))?,
        };
        for (orders, part) in by_lp.iter().zip(&parts) {
            self.credit(orders, *part)?;
        }
        let shown = wide::total(members.iter().map(|paid| paid.entry.weight), "shown")?;
        let mut sum = Coins::ZERO;
        for part in parts {
            sum = sum.plus(coins(part)?)?;
        }
        let shown = self.counted.amount(shown)?;
        Ok(Some(PaidPot { side: pot.side, kind: pot.kind, shown, coins: sum, rates }))
    }

    /// Members by number, which rises by LP and within an LP by id, and the rate on all that they show.
    fn by_reward(
        &self,
        members: &[Member],
        rate: Option<Rate>,
    ) -> Result<(Vec<Paid<'a>>, Vec<PaidRate>), Overflow> {
        let mut paid: Vec<Paid<'a>> = members
            .iter()
            .filter(|member| member.weight > U256::ZERO)
            .filter_map(|member| {
                let entry = self.counted.entries.get(member.number)?;
                Some(Paid { entry, weight: member.weight, filled: entry.weight })
            })
            .collect();
        paid.sort_unstable_by_key(|paid| paid.entry.number);
        let filled = wide::total(paid.iter().map(|paid| paid.filled), "filled")?;
        let filled = self.counted.amount(filled)?;
        Ok((paid, rate.map(|rate| PaidRate { rate, filled }).into_iter().collect()))
    }

    /// Members by number, with what all parts together pay for each as the weight.
    fn by_rates(&self, parts: &[AtRate]) -> Result<(Vec<Paid<'a>>, Vec<PaidRate>), Overflow> {
        let mut paid: BTreeMap<usize, Paid<'a>> = BTreeMap::new();
        let mut rates = Vec::with_capacity(parts.len());
        for part in parts {
            let total = wide::total(part.members.iter().map(|member| member.weight), "weights")?;
            let mut members: Vec<&Member> =
                part.members.iter().filter(|member| member.weight > U256::ZERO).collect();
            members.sort_unstable_by_key(|member| member.number);
            // Each gets what is due up to and with it, less what was due before it: so nothing is lost, and where an
            // LP's orders begin and end does not depend on how it cuts them.
            let (mut before, mut due_before) = (U256::ZERO, U256::ZERO);
            for member in members {
                let Some(entry) = self.counted.entries.get(member.number) else { continue };
                let one = paid.entry(member.number).or_insert(Paid {
                    entry,
                    weight: U256::ZERO,
                    filled: U256::ZERO,
                });
                before = wide::plus(before, member.weight, "pay")?;
                let due = wide::mul_div(part.fine, before, total, "pay")?;
                one.weight = wide::plus(one.weight, wide::minus(due, due_before, "pay")?, "pay")?;
                due_before = due;
                let filled = wide::mul_div(part.units, member.weight, total, "filled")?;
                one.filled = wide::plus(one.filled, filled, "filled")?;
            }
            rates.push(PaidRate { rate: part.rate, filled: self.counted.amount(part.units)? });
        }
        Ok((paid.into_values().collect(), rates))
    }

    /// Credits one LP, and its orders by their weights.
    fn credit(&mut self, orders: &[Paid<'_>], part: u64) -> Result<(), Overflow> {
        let lp = orders.first().map(|paid| paid.entry.order.lp);
        if let Some((_, credit)) = lp.and_then(|lp| self.credits.get_mut(&lp)) {
            *credit = credit.plus(coins(part)?)?;
        }
        let weights: Vec<U256> = orders.iter().map(|paid| paid.weight).collect();
        for (paid, part) in orders.iter().zip(apportion_wide(part, &weights)?) {
            let filled = self.counted.amount(paid.filled)?;
            if let Some(share) = self.orders.get_mut(paid.entry.place) {
                share.credit = share.credit.plus(coins(part)?)?;
                share.filled = Amount::sum([share.filled, filled])?;
            }
        }
        Ok(())
    }
}

/// What the parts pay together, floored to 1e-8. Each part was floored finely, so their sum may be short of a whole unit
/// by as many fine parts as there are of them: those are forgiven, as otherwise 1/3 and 2/3 would make nothing.
fn whole(parts: &[AtRate], most: Coins) -> Result<u64, Overflow> {
    let fine = wide::total(parts.iter().map(|part| part.fine), "pay")?;
    let short = u128::try_from(parts.len()).map_err(|_| Overflow("pay"))?;
    let (units, _) = wide::div_rem(wide::plus(fine, wide(short), "pay")?, wide(FINE), "pay")?;
    u64::try_from(units).map(|units| units.min(most.e8())).map_err(|_| Overflow("pay"))
}

pub(crate) fn coins(units: u64) -> Result<Coins, Overflow> {
    Coins::from_e8(units).ok_or(Overflow("credit"))
}

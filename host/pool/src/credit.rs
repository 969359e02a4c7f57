//! One market in one round: from what was shown to who is credited what.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::apportion::apportion;
use crate::judge::JudgedOrder;
use crate::money::{Amount, Coins};
use crate::pots::{self, Pot};
use crate::terms::{RankNumber, Side, Terms};
use crate::wide::Overflow;

/// The pool's own number of an LP: one API key at one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LpId(pub i64);

/// What one LP showed in the round: the last accepted submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample<'a> {
    /// Whose.
    pub lp: LpId,
    /// The orders as they were judged then.
    pub orders: Cow<'a, [JudgedOrder]>,
}

/// The outcome for one LP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LpCredit {
    /// Whose.
    pub lp: LpId,
    /// Liquidity in any rank.
    pub provided: Amount,
    /// What the LP is credited.
    pub credit: Coins,
    /// What each order of the sample earned, in the sample's order.
    pub orders: Vec<Coins>,
}

/// The outcome for the market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketRound {
    /// What the market may pay in this round.
    pub reward: Coins,
    /// Every pot, asks first, each side by rising tolerance.
    pub pots: Vec<Pot>,
    /// One entry for each sample, by rising LP number.
    pub credits: Vec<LpCredit>,
    /// What was credited in all: the pots that have anybody in them.
    pub paid: Coins,
}

/// Shares `reward` by `terms`: each pot among the LPs in it by what each shows there, then each LP's part among
/// that LP's orders, both by largest remainders. So the credits add up to the pots to the last unit, and how an LP
/// cuts liquidity into orders changes nothing. Pots without liquidity are not paid.
///
/// An order whose rank `terms` does not have (it was judged under other rules) earns nothing. If two samples bear
/// one LP number, the later in the list counts.
///
/// # Errors
/// [`Overflow`], which the bounds of coins and amounts rule out.
pub fn credit_market(terms: &Terms, reward: Coins, samples: &[Sample<'_>]) -> Result<MarketRound, Overflow> {
    let samples: BTreeMap<LpId, &[JudgedOrder]> =
        samples.iter().map(|sample| (sample.lp, &*sample.orders)).collect();
    let shown = by_pot(&samples);
    let mut totals = BTreeMap::new();
    for (pot, entries) in &shown {
        totals.insert(*pot, Amount::sum(entries.iter().map(|entry| entry.amount))?);
    }
    let total_of = |side, rank| totals.get(&(side, rank)).copied().unwrap_or(Amount::ZERO);
    let pots = pots::fixed_pots(terms, reward, total_of)?;

    let mut credits: BTreeMap<LpId, LpCredit> = samples
        .iter()
        .map(|(lp, orders)| {
            let orders = vec![Coins::ZERO; orders.len()];
            (*lp, LpCredit { lp: *lp, provided: Amount::ZERO, credit: Coins::ZERO, orders })
        })
        .collect();
    for pot in &pots {
        let entries = shown.get(&(pot.side, pot.rank)).map_or(&[][..], Vec::as_slice);
        share_pot(pot.pot, entries, &mut credits)?;
    }
    let credits: Vec<LpCredit> = credits.into_values().collect();
    let paid = Coins::sum(credits.iter().map(|credit| credit.credit))?;
    Ok(MarketRound { reward, pots, credits, paid })
}

/// One order in a pot.
struct Entry<'a> {
    lp: LpId,
    id: &'a str,
    place: usize,
    amount: Amount,
}

/// The orders of each pot, by LP and within an LP by order id, so that no order's place in the input matters.
fn by_pot<'a>(samples: &BTreeMap<LpId, &'a [JudgedOrder]>) -> BTreeMap<(Side, RankNumber), Vec<Entry<'a>>> {
    let mut pots: BTreeMap<(Side, RankNumber), Vec<Entry<'a>>> = BTreeMap::new();
    for (lp, orders) in samples {
        for (place, order) in orders.iter().enumerate() {
            if let Some(rank) = order.rank {
                let entry = Entry { lp: *lp, id: &order.id, place, amount: order.amount };
                pots.entry((order.side, rank)).or_default().push(entry);
            }
        }
    }
    for entries in pots.values_mut() {
        entries.sort_unstable_by(|a, b| (a.lp, a.id, a.place).cmp(&(b.lp, b.id, b.place)));
    }
    pots
}

fn share_pot(
    pot: Coins,
    entries: &[Entry<'_>],
    credits: &mut BTreeMap<LpId, LpCredit>,
) -> Result<(), Overflow> {
    let by_lp: Vec<&[Entry<'_>]> = entries.chunk_by(|a, b| a.lp == b.lp).collect();
    let mut weights = Vec::with_capacity(by_lp.len());
    for orders in &by_lp {
        weights.push(Amount::sum(orders.iter().map(|order| order.amount))?);
    }
    let parts = apportion(pot.e8(), &weights.iter().map(|weight| weight.e18()).collect::<Vec<_>>())?;
    for ((orders, part), shown) in by_lp.into_iter().zip(parts).zip(weights) {
        let Some(credit) = orders.first().and_then(|order| credits.get_mut(&order.lp)) else { continue };
        credit.credit = credit.credit.plus(coins(part)?)?;
        credit.provided = Amount::sum([credit.provided, shown])?;
        let amounts: Vec<u128> = orders.iter().map(|order| order.amount.e18()).collect();
        for (order, part) in orders.iter().zip(apportion(part, &amounts)?) {
            if let Some(earned) = credit.orders.get_mut(order.place) {
                *earned = earned.plus(coins(part)?)?;
            }
        }
    }
    Ok(())
}

fn coins(units: u64) -> Result<Coins, Overflow> {
    Coins::from_e8(units).ok_or(Overflow("credit"))
}

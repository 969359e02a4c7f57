//! The book of one market in one round, and what of it counts.
//!
//! It knows no price: how far an order is from it, and in which rank, was judged before.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ethnum::U256;

use super::counting::Counting;
use super::rule_error::RuleError;
use crate::credit::{LpId, Sample};
use crate::money::Amount;
use crate::rate::Rate;
use crate::terms::{RankNumber, Side};
use crate::wide::{self, Overflow, wide};

/// Most slices a round may have: one a second in rounds of nearly half an hour.
pub const MAX_SLICES: u32 = 1_440;

/// Most orders that are shared in one round: a hundred for each of ten thousand LPs. With it every sum of weights
/// stays below 2^154, and every product with coins below 2^256.
pub const MAX_ORDERS: usize = 1_000_000;

/// An order as it is shared. One that changed within the round stands in several lines of one id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookOrder {
    /// Whose.
    pub lp: LpId,
    /// The exchange's id.
    pub id: String,
    /// Its side of the book.
    pub side: Side,
    /// What was on order, added up over the round's slices. With one slice it is what was on order.
    pub amount: Amount,
    /// The first rank that it is within; without one it does not count.
    pub rank: Option<RankNumber>,
    /// How far it is from the pool's price, in 1e-8.
    pub deviation_e8: u32,
    /// The least that its LP wants for each coin a day. Without one any rate is enough.
    pub min_rate: Option<Rate>,
    /// For how long it has been seen, in seconds; without one, not at all. It matters only if orders mature.
    pub age_s: Option<u64>,
}

/// The orders of one market in one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    slices: u32,
    orders: Vec<BookOrder>,
}

impl Book {
    /// Takes the orders of a round that was looked at `slices` times. An order that was there in some slices only
    /// has a smaller sum: so amounts are averaged over the round without a division.
    ///
    /// # Errors
    /// [`RuleError::Slices`], [`RuleError::Orders`].
    pub fn new(slices: u32, orders: Vec<BookOrder>) -> Result<Self, RuleError> {
        if slices == 0 || slices > MAX_SLICES {
            return Err(RuleError::Slices(slices));
        }
        if orders.len() > MAX_ORDERS {
            return Err(RuleError::Orders(orders.len()));
        }
        Ok(Self { slices, orders })
    }

    /// The book of samples of which each stands for the whole round, with neither minimal rates nor ages. If two
    /// samples bear one LP number, the later in the list counts.
    ///
    /// # Errors
    /// [`RuleError::Orders`].
    pub fn of_samples(samples: &[Sample<'_>]) -> Result<Self, RuleError> {
        let latest: BTreeMap<LpId, &Sample<'_>> = samples.iter().map(|sample| (sample.lp, sample)).collect();
        let orders = latest.values().flat_map(|sample| {
            sample.orders.iter().map(|order| BookOrder {
                lp: sample.lp,
                id: order.id.clone(),
                side: order.side,
                amount: order.amount,
                rank: order.rank,
                deviation_e8: order.deviation_e8,
                min_rate: None,
                age_s: None,
            })
        });
        Self::new(1, orders.collect())
    }

    /// How often the round was looked at.
    #[must_use]
    pub fn slices(&self) -> u32 {
        self.slices
    }

    /// The orders, in the order in which they were given.
    #[must_use]
    pub fn orders(&self) -> &[BookOrder] {
        &self.orders
    }
}

/// An order that counts.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    /// Where it stands in the book.
    pub(crate) place: usize,
    /// Where it stands among those that count.
    pub(crate) number: usize,
    pub(crate) order: &'a BookOrder,
    pub(crate) rank: RankNumber,
    /// Its liquidity, in 1e-18 coins times the book's scale.
    pub(crate) weight: U256,
}

impl Entry<'_> {
    pub(crate) fn min_rate(&self) -> Rate {
        self.order.min_rate.unwrap_or_default()
    }
}

/// The orders that count, by LP and within an LP by id, so that no order's place in the input matters.
pub(crate) struct Counted<'a> {
    /// How many units of weight are 1e-18 coins.
    pub(crate) scale: U256,
    pub(crate) entries: Vec<Entry<'a>>,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(book: &'a Book, counting: &Counting) -> Result<Self, Overflow> {
        let slices = wide(u128::from(book.slices));
        let mut entries = Vec::with_capacity(book.orders.len());
        for (place, order) in book.orders.iter().enumerate() {
            let Some(rank) = order.rank else { continue };
            if let Some(least) = counting.min_order()
                && wide(order.amount.e18()) < wide::product(&[wide(least.e18()), slices], "amount")?
            {
                continue;
            }
            let weight =
                wide::product(&[wide(order.amount.e18()), counting.maturity(order.age_s)], "amount")?;
            entries.push(Entry { place, number: 0, order, rank, weight });
        }
        if let Some(most) = counting.max_orders() {
            entries = largest_of_each(entries, most);
        }
        entries.sort_unstable_by(|a, b| identity(a).cmp(&identity(b)));
        for (number, entry) in entries.iter_mut().enumerate() {
            entry.number = number;
        }
        Ok(Self { scale: wide::product(&[slices, counting.maturity_scale()], "scale")?, entries })
    }

    /// The orders of one side.
    pub(crate) fn side(&self, side: Side) -> SideBook<'_> {
        let entries = self.entries.iter().filter(|entry| entry.order.side == side).collect();
        SideBook { side, scale: self.scale, entries }
    }

    /// A weight as an amount, floored to 1e-18: for showing.
    pub(crate) fn amount(&self, weight: U256) -> Result<Amount, Overflow> {
        let (units, _) = wide::div_rem(weight, self.scale, "amount")?;
        Ok(Amount::from_e18(units))
    }
}

/// The orders of one side that count.
pub(crate) struct SideBook<'a> {
    pub(crate) side: Side,
    pub(crate) scale: U256,
    pub(crate) entries: Vec<&'a Entry<'a>>,
}

impl SideBook<'_> {
    /// What is shown on this side.
    pub(crate) fn total(&self) -> Result<U256, Overflow> {
        wide::total(self.entries.iter().map(|entry| entry.weight), "amounts")
    }

    /// An amount as a weight.
    pub(crate) fn weight_of(&self, amount: Amount) -> Result<U256, Overflow> {
        wide::product(&[wide(amount.e18()), self.scale], "amount")
    }
}

/// What an order is told apart by. The place decides only among lines that are equal in everything.
type Identity<'a> = (LpId, &'a str, Side, RankNumber, u32, Rate, U256, usize);

fn identity<'a>(entry: &Entry<'a>) -> Identity<'a> {
    let order = entry.order;
    let (side, rank, deviation) = (order.side, entry.rank, order.deviation_e8);
    (order.lp, &order.id, side, rank, deviation, entry.min_rate(), entry.weight, entry.place)
}

/// The `most` orders of each LP that hold the most; among equals by their ids.
fn largest_of_each(entries: Vec<Entry<'_>>, most: usize) -> Vec<Entry<'_>> {
    let mut by_lp: BTreeMap<LpId, Vec<Entry<'_>>> = BTreeMap::new();
    for entry in entries {
        by_lp.entry(entry.order.lp).or_default().push(entry);
    }
    let largest = |mut orders: Vec<_>| {
        orders.sort_unstable_by(|a: &Entry<'_>, b| {
            (Reverse(a.order.amount), identity(a)).cmp(&(Reverse(b.order.amount), identity(b)))
        });
        orders.truncate(most);
        orders
    };
    by_lp.into_values().flat_map(largest).collect()
}

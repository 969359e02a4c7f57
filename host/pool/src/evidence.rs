//! Evidence: what a round's sightings say about which order stood for how long. It turns them into the book that is
//! shared.
//!
//! It knows no clock: every instant is an argument. A round is cut into slices of equal length, and what an LP showed
//! last in a slice stands for that slice; a slice in which nothing was accepted counts nothing. So an LP that shows
//! its orders in one slice of six earns a sixth.
//!
//! | option | the attack that it answers |
//! |-|-|
//! | slices | an order that is there for one second of a minute and is paid for all of it |
//! | [`Rule::Interval`] | the same within a slice: an order shown for an instant, and taken away until the next look |
//! | by time | an order opened just before a look, or closed just after, where the exchange tells when |

use std::collections::BTreeMap;

use thiserror::Error;

use crate::credit::LpId;
use crate::engines::book::{BookOrder, MAX_SLICES};
use crate::judge::JudgedOrder;
use crate::money::Amount;
use crate::price::Price;
use crate::rate::Rate;
use crate::terms::{RankNumber, Side};
use crate::wide::{self, Overflow, wide};

/// What an order has to have shown for a slice to count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// To have been seen in it. The rule of ALP, with one slice.
    Last,
    /// To have been seen in it and in the slice before, with the same id, side and price. What counts is the smaller
    /// of the two amounts: it earns only for a span of time at both ends of which it stood.
    Interval,
}

impl Rule {
    /// Its name in a configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Interval => "interval",
        }
    }

    /// The rule of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Last, Self::Interval].into_iter().find(|rule| rule.name() == name)
    }
}

/// How a round is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Looks {
    slices: u32,
    rule: Rule,
    by_time: bool,
}

impl Looks {
    /// One look a round, at whatever was shown last: as ALP does it.
    pub const ONCE: Self = Self { slices: 1, rule: Rule::Last, by_time: false };

    /// So many slices a round, judged by a rule. With `by_time`, an order whose opening or closing the exchange tells
    /// counts for the part of a slice in which it stood.
    ///
    /// # Errors
    /// [`LooksError`] unless there are 1 to 60 slices.
    pub fn new(slices: u32, rule: Rule, by_time: bool) -> Result<Self, LooksError> {
        if slices == 0 || slices > MOST_SLICES {
            return Err(LooksError(slices));
        }
        Ok(Self { slices, rule, by_time })
    }

    /// How many slices a round has.
    #[must_use]
    pub fn slices(self) -> u32 {
        self.slices
    }

    /// By which rule they count.
    #[must_use]
    pub fn rule(self) -> Rule {
        self.rule
    }

    /// Whether orders count for the part of a slice in which they stood.
    #[must_use]
    pub fn by_time(self) -> bool {
        self.by_time
    }

    /// The slice that an instant falls into, counted from 0; the last for whatever is later than the round. The
    /// round's length in milliseconds is cut into equal parts, each boundary floored to a millisecond.
    #[must_use]
    pub fn slice_of(self, round: Span, at_ms: u64) -> u32 {
        let into = u128::from(at_ms.saturating_sub(round.start_ms));
        let length = u128::from(round.end_ms.saturating_sub(round.start_ms));
        let slice = into.saturating_mul(u128::from(self.slices)).checked_div(length).unwrap_or(0);
        u32::try_from(slice).unwrap_or(u32::MAX).min(self.slices.saturating_sub(1))
    }

    fn span_of(self, round: Span, slice: u32) -> Span {
        let length = u128::from(round.end_ms.saturating_sub(round.start_ms));
        let boundary = |slice: u32| {
            // The boundaries are those of `slice_of`: the first millisecond that falls into the slice.
            let into = length.saturating_mul(u128::from(slice)).div_ceil(u128::from(self.slices.max(1)));
            round.start_ms.saturating_add(u64::try_from(into).unwrap_or(u64::MAX))
        };
        Span { start_ms: boundary(slice), end_ms: boundary(slice.saturating_add(1)) }
    }
}

/// Most slices of a round: one a second in rounds of a minute, more than TLLP ever took.
pub const MOST_SLICES: u32 = 60;

const _: () = assert!(MOST_SLICES <= MAX_SLICES);

/// A number of slices that a round cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is {0} slices: 1 to {MOST_SLICES} are right")]
pub struct LooksError(u32);

/// A span of time: from its start to just before its end, in Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first millisecond of it.
    pub start_ms: u64,
    /// The first millisecond after it.
    pub end_ms: u64,
}

/// What one LP showed at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Whose.
    pub lp: LpId,
    /// When it was taken, in Unix milliseconds.
    pub at_ms: u64,
    /// The orders, as they were judged then.
    pub orders: Vec<SeenOrder>,
}

/// An order as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenOrder {
    /// The order.
    pub order: JudgedOrder,
    /// When it was opened, in Unix milliseconds, where the exchange says so.
    pub opened_ms: Option<u64>,
    /// When it was closed, in Unix milliseconds, where the exchange says so.
    pub closed_ms: Option<u64>,
    /// When the pool first saw it, in Unix milliseconds, where it knows.
    pub first_seen_ms: Option<u64>,
}

/// The book of a round. `before` is what was shown in the round before: its last slice is what the first slice of
/// this one is compared with. `min_rates` is what each LP asks on each side.
///
/// An amount that counts in part is floored to 1e-18; the rest, below a unit for each order and slice, counts nothing.
///
/// # Errors
/// [`Overflow`], which the bounds of amounts rule out.
pub fn book_orders(
    looks: Looks,
    round: Span,
    sightings: &[Sighting],
    before: &[Sighting],
    min_rates: &BTreeMap<(LpId, Side), Rate>,
) -> Result<Vec<BookOrder>, Overflow> {
    let length = round.end_ms.saturating_sub(round.start_ms);
    let round_before = Span { start_ms: round.start_ms.saturating_sub(length), end_ms: round.start_ms };
    let now = last_in_each_slice(looks, round, sightings);
    let earlier = last_in_each_slice(looks, round_before, before);
    let mut lines: BTreeMap<Line<'_>, (Amount, Option<u64>)> = BTreeMap::new();
    for (&(lp, slice), sighting) in &now {
        let previous = match slice.checked_sub(1) {
            Some(slice) => now.get(&(lp, slice)),
            None => earlier.get(&(lp, looks.slices.saturating_sub(1))),
        };
        let previous = ids(previous.copied());
        for seen in &sighting.orders {
            let amount = counting(looks, looks.span_of(round, slice), seen, &previous)?;
            let line = Line::of(lp, seen);
            let first_seen_ms = earliest(seen.opened_ms, seen.first_seen_ms);
            let entry = lines.entry(line).or_insert((Amount::ZERO, first_seen_ms));
            entry.0 = Amount::sum([entry.0, amount])?;
            entry.1 = earliest(entry.1, first_seen_ms);
        }
    }
    let orders = lines.into_iter().map(|(line, (amount, since_ms))| BookOrder {
        lp: line.lp,
        id: line.id.to_owned(),
        side: line.side,
        amount,
        rank: line.rank,
        deviation_e8: line.deviation_e8,
        min_rate: min_rates.get(&(line.lp, line.side)).copied(),
        // Whole seconds, floored, at the end of the round.
        age_s: since_ms.and_then(|since| round.end_ms.saturating_sub(since).checked_div(1000)),
    });
    Ok(orders.collect())
}

/// What is one line of the book: an order that was judged otherwise later in the round is another line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Line<'a> {
    lp: LpId,
    id: &'a str,
    side: Side,
    rank: Option<RankNumber>,
    deviation_e8: u32,
}

impl<'a> Line<'a> {
    fn of(lp: LpId, seen: &'a SeenOrder) -> Self {
        let order = &seen.order;
        Self { lp, id: &order.id, side: order.side, rank: order.rank, deviation_e8: order.deviation_e8 }
    }
}

/// The last sighting of each LP in each slice of a span. Sightings outside of it do not count.
fn last_in_each_slice(looks: Looks, span: Span, sightings: &[Sighting]) -> BTreeMap<(LpId, u32), &Sighting> {
    let mut last: BTreeMap<(LpId, u32), &Sighting> = BTreeMap::new();
    let within = |sighting: &&Sighting| sighting.at_ms >= span.start_ms && sighting.at_ms < span.end_ms;
    for sighting in sightings.iter().filter(within) {
        let key = (sighting.lp, looks.slice_of(span, sighting.at_ms));
        match last.get(&key) {
            Some(known) if known.at_ms > sighting.at_ms => {}
            Some(_) | None => drop(last.insert(key, sighting)),
        }
    }
    last
}

/// The orders of a sighting by what makes one the same as another.
fn ids(sighting: Option<&Sighting>) -> BTreeMap<(&str, Side, Price), Amount> {
    let orders = sighting.into_iter().flat_map(|sighting| &sighting.orders);
    orders
        .map(|seen| ((seen.order.id.as_str(), seen.order.side, seen.order.price), seen.order.amount))
        .collect()
}

/// How much of an order counts in a slice.
fn counting(
    looks: Looks,
    slice: Span,
    seen: &SeenOrder,
    previous: &BTreeMap<(&str, Side, Price), Amount>,
) -> Result<Amount, Overflow> {
    let order = &seen.order;
    let amount = match looks.rule {
        Rule::Last => order.amount,
        Rule::Interval => previous
            .get(&(order.id.as_str(), order.side, order.price))
            .map_or(Amount::ZERO, |before| order.amount.min(*before)),
    };
    let known = seen.opened_ms.is_some() || seen.closed_ms.is_some();
    if !looks.by_time || !known {
        return Ok(amount);
    }
    let from = seen.opened_ms.unwrap_or(slice.start_ms).max(slice.start_ms);
    let until = seen.closed_ms.unwrap_or(slice.end_ms).min(slice.end_ms);
    let stood = wide(u128::from(until.saturating_sub(from)));
    let length = wide(u128::from(slice.end_ms.saturating_sub(slice.start_ms)));
    let (units, _) = wide::div_rem(wide::product(&[wide(amount.e18()), stood], "amount")?, length, "amount")?;
    Ok(Amount::from_e18(units))
}

fn earliest(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

//! A market that is shared by an engine: from what was seen in a round's slices to credits and statistics.
//! It knows no plain market, which has a shorter way.

use std::collections::BTreeMap;

use alp_pool::Overflow;
use alp_pool::credit::{LpId, Sample};
use alp_pool::engines::book::{Book, BookOrder};
use alp_pool::engines::pot::{MarketShare, PaidPot, PotKind};
use alp_pool::engines::share_market;
use alp_pool::engines::unpaid::PerSide;
use alp_pool::evidence::{SeenOrder, Sighting, Span, book_orders};
use alp_pool::money::{Amount, Coins};
use alp_pool::rate::Rate;
use alp_pool::round::Round;
use alp_pool::terms::{Side, SideTerms};

use crate::computed::{
    ComputeError, Credited, Evidence, Market, MarketOutcome, RoundEvidence, add, judged_orders, read_orders,
};
use crate::judged::{
    Carried, CreditDetail, MarketStatistics, OrderRecord, RankStatistics, RecordError, SideStatistics,
};

/// Shares a market by its engine. `samples` are all of the market, `last` the last one of each LP.
pub(crate) fn shared_market(
    market: &Market<'_>,
    round: &RoundEvidence<'_>,
    samples: &[&Evidence<'_>],
    last: &[Sample<'_>],
) -> Result<MarketOutcome, ComputeError> {
    let length_ms = u64::from(round.length.seconds()).saturating_mul(1_000);
    let start_ms = round.start.saturating_mul(1_000);
    let span = Span { start_ms, end_ms: start_ms.saturating_add(length_ms) };
    let span_before = Span { start_ms: start_ms.saturating_sub(length_ms), end_ms: start_ms };
    let mut before = Vec::new();
    if market.terms.needs_the_round_before() {
        let ours = |sample: &&Evidence<'_>| (sample.exchange, sample.unit) == (market.exchange, market.unit);
        for sample in round.before.iter().filter(ours) {
            before.push(sighting(sample, span_before)?);
        }
    }
    let sightings = samples.iter().map(|sample| sighting(sample, span)).collect::<Result<Vec<_>, _>>()?;
    let rates = min_rates(samples)?;
    let looks = market.terms.looks();
    let book = Book::new(looks.slices(), book_orders(looks, span, &sightings, &before, &rates)?)?;
    let carried = carried_in(market, round.carried)?;
    let at = Round { start_s: round.start, length: round.length };
    let share = share_market(market.terms.rules(), &book, at, carried)?;
    Ok(MarketOutcome {
        reward: share.budget,
        paid: share.paid,
        credits: credits(market, &book, &share, last)?,
        statistics: statistics(market, &share)?,
        carried: carried_out(market, &share),
    })
}

/// What one sample showed. One that was written at the edge of its round counts as if at its first or last moment.
fn sighting(sample: &Evidence<'_>, within: Span) -> Result<Sighting, RecordError> {
    let last_ms = within.end_ms.saturating_sub(1);
    let mut orders = Vec::new();
    for (record, order) in read_orders(sample)?.iter().zip(judged_orders(sample)?.into_owned()) {
        let OrderRecord { opened_ms, closed_ms, first_seen_ms, .. } = *record;
        orders.push(SeenOrder { order, opened_ms, closed_ms, first_seen_ms });
    }
    let at_ms = sample.submitted_at_ms.max(within.start_ms).min(last_ms);
    Ok(Sighting { lp: LpId(sample.lp_id), at_ms, orders })
}

/// What each LP asks at least on each side, as its last sample says.
fn min_rates(samples: &[&Evidence<'_>]) -> Result<BTreeMap<(LpId, Side), Rate>, RecordError> {
    let mut in_order_of_time = samples.to_vec();
    in_order_of_time.sort_by_key(|sample| sample.submitted_at_ms);
    let mut rates = BTreeMap::new();
    for sample in in_order_of_time {
        for (side, rate) in [(Side::Ask, sample.ask_rate), (Side::Bid, sample.bid_rate)] {
            let key = (LpId(sample.lp_id), side);
            match rate {
                Some(text) => {
                    let rate = Rate::parse(text).map_err(|_| RecordError::Damaged("a least rate"))?;
                    rates.insert(key, rate);
                }
                None => drop(rates.remove(&key)),
            }
        }
    }
    Ok(rates)
}

fn carried_in(market: &Market<'_>, carried: &[Carried]) -> Result<PerSide<Coins>, RecordError> {
    let ours = |carried: &&Carried| carried.exchange == market.exchange && carried.unit == market.unit;
    let Some(carried) = carried.iter().find(ours) else { return Ok(PerSide::both(Coins::ZERO)) };
    let coins = |text: &str| Coins::parse(text).map_err(|_| RecordError::Damaged("what was carried over"));
    Ok(PerSide { ask: coins(&carried.ask)?, bid: coins(&carried.bid)? })
}

fn carried_out(market: &Market<'_>, share: &MarketShare) -> Option<Carried> {
    let PerSide { ask, bid } = share.carried;
    (ask > Coins::ZERO || bid > Coins::ZERO).then(|| Carried {
        exchange: market.exchange.to_owned(),
        unit: market.unit.to_owned(),
        ask: ask.to_string(),
        bid: bid.to_string(),
    })
}

fn credits(
    market: &Market<'_>,
    book: &Book,
    share: &MarketShare,
    last: &[Sample<'_>],
) -> Result<Vec<Credited>, ComputeError> {
    let mut earned: BTreeMap<LpId, BTreeMap<&str, Coins>> = BTreeMap::new();
    for (BookOrder { lp, id, .. }, order) in book.orders().iter().zip(&share.orders) {
        let sum = earned.entry(*lp).or_default().entry(id.as_str()).or_insert(Coins::ZERO);
        *sum = sum.plus(order.credit)?;
    }
    let shares: BTreeMap<LpId, _> = share.credits.iter().map(|share| (share.lp, share)).collect();
    let mut credits = Vec::with_capacity(last.len());
    for sample in last {
        // An LP that showed no order at all is not in the book, and is told that it earned nothing.
        let share = shares.get(&sample.lp);
        let mut of_lp = earned.remove(&sample.lp).unwrap_or_default();
        let shown: Vec<Coins> = sample
            .orders
            .iter()
            .map(|order| of_lp.remove(order.id.as_str()).unwrap_or(Coins::ZERO))
            .collect();
        let earlier: Vec<Coins> = of_lp.into_values().filter(|coins| *coins > Coins::ZERO).collect();
        credits.push(Credited {
            lp_id: sample.lp.0,
            unit: market.unit.to_owned(),
            provided: share.map_or(Amount::ZERO, |share| share.provided).to_string(),
            amount_e8: add(0, share.map_or(Coins::ZERO, |share| share.credit))?,
            detail: CreditDetail::new(&shown, &earlier),
        });
    }
    Ok(credits)
}

/// The same members as for a plain market. A side whose engine knows no ranks has one, `rank_1`, which is all of it.
fn statistics(market: &Market<'_>, share: &MarketShare) -> Result<MarketStatistics, Overflow> {
    let mut sides = Vec::new();
    for side in Side::BOTH {
        let terms = market.terms.judged_by().side(side);
        let pots: Vec<&PaidPot> = share.pots.iter().filter(|pot| pot.side == side).collect();
        sides.push(SideStatistics {
            side: side.name().to_owned(),
            ratio: terms.ratio().to_string(),
            total: Amount::sum(pots.iter().map(|pot| pot.shown))?.to_string(),
            reward: Coins::sum(pots.iter().map(|pot| pot.coins))?.to_string(),
            ranks: ranks(terms, &pots),
        });
    }
    Ok(MarketStatistics {
        exchange: market.exchange.to_owned(),
        unit: market.unit.to_owned(),
        terms_id: market.terms_id.to_owned(),
        target: market.terms.target().to_string(),
        reward: share.budget.to_string(),
        paid: share.paid.to_string(),
        total: Amount::sum(share.pots.iter().map(|pot| pot.shown))?.to_string(),
        sides,
        ignored_minimal_rates: u64::try_from(share.ignored_minimal_rates).unwrap_or(u64::MAX),
    })
}

fn ranks(terms: &SideTerms, pots: &[&PaidPot]) -> Vec<RankStatistics> {
    let of = |rank| {
        pots.iter().find(|pot| match pot.kind {
            PotKind::Rank(number) => number == rank,
            PotKind::Side => true,
        })
    };
    let ranks = terms.ranks().iter().map(|rank| {
        let pot = of(rank.number);
        RankStatistics {
            rank: rank.number.0,
            ratio: rank.ratio.to_string(),
            total: pot.map_or(Amount::ZERO, |pot| pot.shown).to_string(),
            pot: pot.map_or(Coins::ZERO, |pot| pot.coins).to_string(),
        }
    });
    ranks.collect()
}

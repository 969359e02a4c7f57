//! One round of the record, computed again from what it says.

use std::collections::{BTreeMap, BTreeSet};

use alp_pool::evidence::Span;
use alp_pool::judge::{JudgedOrder, ReportedOrder, judge_orders};
use alp_pool::median::median;
use alp_pool::money::Coins;
use alp_pool::price::{PoolPrice, Price};
use alp_pool::round::RoundLength;
use alp_pool::terms::{Side, Terms};

use super::super::body::{LpRound, PriceQuotes, RoundBody, SampleEntry};
use super::super::digest::Digest;
use super::super::round::{JudgedRound, coins_text, credits_by_lp, recompute};
use crate::judged::{OrderRecord, to_json};
use crate::market_document::read_market;
use crate::market_terms::MarketTerms;

/// Everything that is wrong with a round, a sentence each.
pub(super) fn check(round: &RoundBody) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut rules = BTreeMap::new();
    for terms in &round.terms {
        if Digest::of(&[terms.document.as_bytes()]) != terms.id {
            wrong.push(format!("the reward rules {} were changed", terms.id));
        }
        match read_market(&terms.document) {
            Ok(read) => drop(rules.insert(terms.id, read)),
            Err(error) => wrong.push(format!("the reward rules {} cannot be read: {error}", terms.id)),
        }
    }
    wrong.extend(round.prices.iter().filter_map(wrong_price));
    let mut seen = BTreeSet::new();
    let mut judged = Vec::with_capacity(round.lps.len());
    for lp in &round.lps {
        if !seen.insert(lp.lp) {
            wrong.push(format!("{} stands in it twice", lp.lp));
        }
        let mut of_lp = Vec::with_capacity(lp.samples.len());
        for sample in &lp.samples {
            match rules.get(&sample.terms) {
                Some(market) => {
                    wrong.extend(wrong_slice(round, lp, sample, market));
                    match judged_rightly(lp, sample, market.judged_by(), &round.prices) {
                        Ok(orders) => of_lp.push(orders),
                        Err(what) => wrong.push(what),
                    }
                }
                None => wrong.push(format!("a sample of {} names reward rules that are not there", lp.lp)),
            }
        }
        judged.push(of_lp);
    }
    if wrong.is_empty() {
        wrong.extend(wrong_credits(round, &judged));
    }
    wrong
}

/// What each LP was credited in the round, in 1e-8. An amount that cannot be read is none; the check says so.
pub(super) fn credited(round: &RoundBody) -> Vec<(Digest, i128)> {
    let of = |lp: &LpRound| {
        let amounts = lp.credits.iter().filter_map(|credit| Coins::parse(&credit.amount).ok());
        amounts.fold(0_i128, |sum, coins| sum.saturating_add(i128::from(coins.e8())))
    };
    round.lps.iter().map(|lp| (lp.lp, of(lp))).collect()
}

fn wrong_price(price: &PriceQuotes) -> Option<String> {
    let stated = Price::parse(&price.price).ok();
    if price.quotes.is_empty() && stated.is_some() {
        return None;
    }
    let quotes: Option<Vec<Price>> =
        price.quotes.iter().map(|quote| Price::parse(&quote.price).ok()).collect();
    if stated.is_some() && quotes.and_then(median) == stated {
        return None;
    }
    Some(format!("the price {} of {} is not the median of its quotes", price.price, price.unit))
}

/// The slice that a moment of this round falls into. What was written at the edge of the round counts as if within.
pub(super) fn slice_of(round: &RoundBody, market: &MarketTerms, at_ms: u64) -> u64 {
    let start_ms = round.start.saturating_mul(1_000);
    let end_ms = start_ms.saturating_add(u64::from(round.seconds).saturating_mul(1_000));
    u64::from(market.looks().slice_of(Span { start_ms, end_ms }, at_ms))
}

fn wrong_slice(
    round: &RoundBody,
    lp: &LpRound,
    sample: &SampleEntry,
    market: &MarketTerms,
) -> Option<String> {
    let right = slice_of(round, market, sample.at_ms);
    (sample.slice != right).then(|| {
        let SampleEntry { exchange, unit, slice, at_ms, .. } = sample;
        format!(
            "a sample of {} on {exchange} {unit} of {at_ms} ms stands for slice {slice}, not for {right}",
            lp.lp
        )
    })
}

/// What the orders of a sample are judged to be, if that is what the sample says; else what is wrong.
fn judged_rightly(
    lp: &LpRound,
    sample: &SampleEntry,
    terms: &Terms,
    prices: &[PriceQuotes],
) -> Result<Vec<JudgedOrder>, String> {
    let market = format!("{} {}", sample.exchange, sample.unit);
    let parse = |text: &str| Price::parse(text).ok();
    let fraction = parse(&sample.price.numerator).zip(parse(&sample.price.denominator));
    let Some((numerator, denominator)) = fraction else {
        return Err(format!("a sample of {} on {market} has no price", lp.lp));
    };
    let pool = PoolPrice::fraction(numerator, denominator);
    let in_force = prices.iter().filter(|price| price.unit == sample.unit).any(|price| {
        let direct = parse(&price.price).map(PoolPrice::direct);
        direct.is_some_and(|direct| direct == pool || direct.inverted() == pool)
    });
    if !in_force {
        return Err(format!("a sample of {} on {market} was judged by a price that was not in force", lp.lp));
    }
    let side = |order: &OrderRecord| Side::BOTH.into_iter().find(|side| side.name() == order.side);
    let mut reported = Vec::with_capacity(sample.orders.len());
    for order in &sample.orders {
        let Some(side) = side(order) else {
            return Err(format!("order {} of {} on {market} has no side", order.id, lp.lp));
        };
        reported.push(ReportedOrder { id: &order.id, side, price: &order.price, amount: &order.amount });
    }
    let judged = match judge_orders(reported, terms, pool) {
        Ok(judged) => judged,
        Err(fault) => return Err(format!("the orders of {} on {market} cannot be judged: {fault}", lp.lp)),
    };
    for (judged, stated) in judged.iter().zip(&sample.orders) {
        if !stated.is_of(judged) {
            return Err(format!(
                "order {} of {} on {market} is judged otherwise than its price says",
                stated.id, lp.lp
            ));
        }
    }
    Ok(judged)
}

fn wrong_credits(round: &RoundBody, judged: &JudgedRound) -> Vec<String> {
    let Ok(length) = RoundLength::from_seconds(round.seconds) else {
        return vec![format!("a round of {} seconds does not exist", round.seconds)];
    };
    let span = (round.start, length);
    let computed = match recompute(span, &round.terms, &round.carried, &round.lps, Some(judged)) {
        Ok(computed) => computed,
        Err(error) => return vec![format!("it cannot be computed again: {error}")],
    };
    let credits = match credits_by_lp(&computed, &round.lps) {
        Ok(credits) => credits,
        Err(error) => return vec![format!("it cannot be computed again: {error}")],
    };
    let mut wrong = Vec::new();
    for (lp, credits) in round.lps.iter().zip(&credits) {
        if lp.credits == *credits {
            continue;
        }
        let amounts = |credits: &[super::super::body::RoundCredit]| {
            let each = credits
                .iter()
                .map(|credit| format!("{} {}: {}", credit.exchange, credit.unit, credit.amount));
            each.collect::<Vec<_>>().join(", ")
        };
        wrong.push(format!(
            "{} is credited [{}] where [{}] is right",
            lp.lp,
            amounts(&lp.credits),
            amounts(credits)
        ));
    }
    if to_json(&round.statistics) != computed.statistics {
        wrong.push("its totals and pots are not those of its samples".to_owned());
    }
    for (what, stated, right) in
        [("reward", &round.reward, computed.reward_e8), ("sum of credits", &round.paid, computed.paid_e8)]
    {
        if *stated != coins_text(right) {
            wrong.push(format!("its {what} is {stated} where {} is right", coins_text(right)));
        }
    }
    wrong
}

//! Short ways to write a market and a book.

use alp_pool::credit::{LpId, MarketRound, Sample, credit_market};
use alp_pool::judge::{JudgedOrder, ReportedOrder, judge_orders};
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::price::{PoolPrice, Price};
use alp_pool::terms::{Fill, RankNumber, RankTerms, Side, SideTerms, Terms};

/// A side's ratio, and ratio and tolerance of its ranks.
pub(crate) type SideText<'a> = (&'a str, &'a [(&'a str, &'a str)]);

pub(crate) fn terms(reward: &str, target: &str, fill: Fill, ask: SideText<'_>, bid: SideText<'_>) -> Terms {
    Terms::new(Coins::parse(reward).unwrap(), Amount::parse(target).unwrap(), fill, side(ask), side(bid))
        .unwrap()
}

fn side((ratio, ranks): SideText<'_>) -> SideTerms {
    let ranks = ranks
        .iter()
        .zip(1u8..)
        .map(|((ratio, tolerance), number)| RankTerms {
            number: RankNumber(number),
            ratio: Ratio::parse(ratio).unwrap(),
            tolerance: Ratio::parse(tolerance).unwrap(),
        })
        .collect();
    SideTerms::new(Ratio::parse(ratio).unwrap(), ranks).unwrap()
}

/// LP, order id, side, amount, price.
pub(crate) type Line<'a> = (i64, &'a str, Side, &'a str, &'a str);

pub(crate) fn judged(terms: &Terms, price: &str, line: &Line<'_>) -> JudgedOrder {
    let order = ReportedOrder { id: line.1, side: line.2, amount: line.3, price: line.4 };
    judge_orders([order], terms, PoolPrice::direct(Price::parse(price).unwrap())).unwrap().remove(0)
}

pub(crate) fn samples(terms: &Terms, price: &str, book: &[Line<'_>]) -> Vec<Sample<'static>> {
    let mut samples: Vec<Sample> = Vec::new();
    for line in book {
        let order = judged(terms, price, line);
        match samples.iter_mut().find(|sample| sample.lp == LpId(line.0)) {
            Some(sample) => sample.orders.to_mut().push(order),
            None => samples.push(Sample { lp: LpId(line.0), orders: vec![order].into() }),
        }
    }
    samples
}

/// One round of a minute.
pub(crate) fn minute(terms: &Terms, price: &str, book: &[Line<'_>]) -> MarketRound {
    credit_market(terms, terms.reward_per_minute(), &samples(terms, price, book)).unwrap()
}

pub(crate) fn credit_of(round: &MarketRound, lp: i64) -> String {
    let credit = round.credits.iter().find(|credit| credit.lp == LpId(lp));
    credit.map_or("none".to_owned(), |credit| credit.credit.to_string())
}

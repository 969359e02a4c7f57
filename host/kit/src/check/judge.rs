//! What may come of a hostile reply.

use std::collections::BTreeMap;

use alp_adapter::Decimal;
use alp_adapter::testing::{Failure, Next, SeenOrder};

use super::hostile::Rule;
use crate::driver::{LIMIT, NOT_GRANTED, TRAP};

/// How often something came out, by what it was.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<String, usize>,
}

impl Tally {
    pub(super) fn count(&mut self, what: &str) {
        let count = self.counts.entry(what.to_owned()).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn total(&self) -> usize {
        self.counts.values().sum()
    }

    /// `12 unreadable, 3 right orders`.
    pub(super) fn words(&self) -> String {
        let words = self.counts.iter().map(|(what, count)| format!("{count} {what}"));
        words.collect::<Vec<_>>().join(", ")
    }
}

/// Whether this is no fault of the contract's: the adapter broke, hit a limit, or asked for what is not granted.
pub(super) fn broken(failure: &Failure) -> bool {
    [TRAP, LIMIT, NOT_GRANTED].contains(&failure.kind.as_str())
}

/// Judges an outcome, and says in a word or two what it was.
pub(super) fn judge(
    rule: Rule,
    outcome: Result<Next, Failure>,
    expected: &[SeenOrder],
) -> Result<String, String> {
    match outcome {
        Err(failure) if failure.kind == LIMIT && rule == Rule::Copies => {
            Ok(format!("refused by a limit ({})", failure.message))
        }
        Err(failure) if broken(&failure) => Err(format!("{}: {}", failure.kind, failure.message)),
        Err(failure) => match rule {
            Rule::Fault(kinds) if !kinds.is_empty() && !kinds.contains(&failure.kind.as_str()) => {
                Err(format!("is {}, should be {}: {}", failure.kind, kinds.join(" or "), failure.message))
            }
            Rule::Fault(_) | Rule::Expected | Rule::WellFormed | Rule::Copies => Ok(failure.kind),
        },
        Ok(Next::Send(..) | Next::LookUp(..)) => match rule {
            Rule::Fault(_) => Err("asks for another reply, as if this one could be read".to_owned()),
            Rule::Expected | Rule::WellFormed | Rule::Copies => Ok("asks on".to_owned()),
        },
        Ok(Next::Orders(orders)) => {
            judge_orders(rule, &orders, expected)?;
            Ok(if orders.is_empty() { "no orders".to_owned() } else { "right orders".to_owned() })
        }
    }
}

/// Whether `orders` are among the expected ones, whatever their times.
pub(super) fn are_among(orders: &[SeenOrder], expected: &[SeenOrder]) -> Result<(), String> {
    let strange =
        orders.iter().find(|order| !expected.iter().any(|one| one.id == order.id && same(one, order)));
    strange.map_or(Ok(()), |order| Err(format!("shows an order that is not there: {}", words(order))))
}

fn judge_orders(rule: Rule, orders: &[SeenOrder], expected: &[SeenOrder]) -> Result<(), String> {
    orders.iter().try_for_each(well_formed)?;
    match rule {
        Rule::Fault(_) => Err(format!("shows {} orders, as if this were a reply", orders.len())),
        Rule::Expected => are_among(orders, expected),
        Rule::WellFormed => Ok(()),
        Rule::Copies => {
            let strange = orders.iter().find(|order| !expected.iter().any(|one| same(one, order)));
            strange.map_or(Ok(()), |order| Err(format!("shows an order that is not there: {}", words(order))))
        }
    }
}

fn well_formed(order: &SeenOrder) -> Result<(), String> {
    let is_right = |text: &str| {
        !text.contains(['e', 'E']) && Decimal::parse(text).is_ok_and(|decimal| decimal.is_positive())
    };
    if order.id.is_empty() || !is_right(&order.price) || !is_right(&order.amount) {
        return Err(format!("shows an order that is none: {}", words(order)));
    }
    Ok(())
}

/// The same side, price and amount by value.
fn same(one: &SeenOrder, other: &SeenOrder) -> bool {
    let equal = |one: &str, other: &str| matches!((Decimal::parse(one), Decimal::parse(other)), (Ok(one), Ok(other)) if one == other);
    one.side == other.side && equal(&one.price, &other.price) && equal(&one.amount, &other.amount)
}

fn words(order: &SeenOrder) -> String {
    format!("{} {} {} at {}", order.id, order.side, order.amount, order.price)
}

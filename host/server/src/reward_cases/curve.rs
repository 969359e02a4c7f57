//! Cases of the sigmoid curve, each a day: what the funding between two amounts costs.
//! It knows the members of a case; the curve is the engine's.

use alp_pool::decimal;
use alp_pool::engines::sigmoid::SigmoidRule;
use alp_pool::money::Amount;
use alp_pool::rate::Rate;
use serde::Deserialize;

use super::{CaseError, Number, Row};

#[derive(Deserialize)]
pub(super) struct Case {
    rate: Number,
    target: Number,
    width: Number,
    before: Number,
    amount: Number,
    pay: Number,
}

/// Runs one case.
pub(super) fn check(number: &str, case: &Case) -> Result<Vec<Row>, CaseError> {
    let rule = SigmoidRule::new(
        case.rate.read(Rate::parse)?,
        case.target.read(Amount::parse)?,
        case.width.read(Amount::parse)?,
    )?;
    let before = case.before.read(Amount::parse)?;
    let after = Amount::sum([before, case.amount.read(Amount::parse)?])?;
    let cost = rule.daily_cost_e18(after)?.saturating_sub(rule.daily_cost_e18(before)?);
    // Floored to the twelve places in which numbers are compared.
    let got = decimal::format_units(cost / 1_000_000, 12);
    let who = format!("{before} to {after}");
    Ok(vec![Row::credit(number, who, &case.pay.0, got)?])
}

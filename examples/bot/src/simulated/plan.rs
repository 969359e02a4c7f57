//! Which orders are to stand around a price.

use alp_pool::decimal::{DecimalError, format_units, parse_units};

/// Digits after the point of prices and amounts: what the simulated exchange keeps.
pub const PRICE_SCALE: u32 = 8;
/// Orders a side: what a bot's book has at most, and few enough to move within seconds.
pub const MAX_LEVELS: usize = 50;

/// One, in units of 1e-8.
const ONE_E8: u128 = 100_000_000;
/// The largest price or amount, in units of 1e-8: a thousand million, far beyond any order.
const MAX_E8: u128 = 100_000_000_000_000_000;

/// The same offsets and amounts on either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    levels: Vec<Level>,
}

/// One order on either side of the price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// How far from the price, as a share of it, in 1e-8: 500_000 is half a percent.
    offset_e8: u128,
    /// How much of base, in 1e-8.
    amount_e8: u128,
}

/// An order to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedOrder {
    pub(crate) side: &'static str,
    pub(crate) price: String,
    pub(crate) amount: String,
}

/// What is wrong with a plan or a price. The bot's owner must act, or the exchange if it is the price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A number cannot be read.
    #[error("`{text}` is not a usable number")]
    Number {
        /// The text.
        text: String,
        /// What is wrong with it.
        #[source]
        source: DecimalError,
    },
    /// An offset of one or more would make a bid's price nothing.
    #[error("an offset has to be below 1")]
    OffsetTooLarge,
    /// There are no orders in the plan, or too many.
    #[error("a plan has 1 to {MAX_LEVELS} orders a side")]
    Levels,
    /// A price or an amount is nothing, or a price is so small that it would be.
    #[error("an order's price and amount have to be above zero")]
    Nothing,
}

impl Level {
    /// An order so far from the price (`0.005` is half a percent) over so much of base.
    ///
    /// # Errors
    /// If a text is no decimal of at most eight digits after the point, or out of range.
    pub fn parse(offset: &str, amount: &str) -> Result<Self, PlanError> {
        let level = Self { offset_e8: units(offset)?, amount_e8: units(amount)? };
        if level.offset_e8 >= ONE_E8 {
            return Err(PlanError::OffsetTooLarge);
        }
        if level.amount_e8 == 0 {
            return Err(PlanError::Nothing);
        }
        Ok(level)
    }
}

impl Plan {
    /// A plan of these orders on either side.
    ///
    /// # Errors
    /// If there are none or too many.
    pub fn new(levels: Vec<Level>) -> Result<Self, PlanError> {
        if levels.is_empty() || levels.len() > MAX_LEVELS {
            return Err(PlanError::Levels);
        }
        Ok(Self { levels })
    }

    /// The orders around this price. Prices are rounded towards it: rounding never carries an order further
    /// away than its offset.
    pub(crate) fn orders(&self, price: &str) -> Result<Vec<PlannedOrder>, PlanError> {
        let price_e8 = units(price)?;
        let mut orders = Vec::with_capacity(self.levels.len().saturating_mul(2));
        for level in &self.levels {
            let bid = price_e8.saturating_mul(ONE_E8.saturating_sub(level.offset_e8));
            let ask = price_e8.saturating_mul(ONE_E8.saturating_add(level.offset_e8));
            for (side, price_e8) in [("buy", bid.div_ceil(ONE_E8)), ("sell", ask / ONE_E8)] {
                if price_e8 == 0 {
                    return Err(PlanError::Nothing);
                }
                orders.push(PlannedOrder {
                    side,
                    price: format_units(price_e8, PRICE_SCALE),
                    amount: format_units(level.amount_e8, PRICE_SCALE),
                });
            }
        }
        Ok(orders)
    }
}

/// Twice a price, where nobody hits an offer to sell.
pub(crate) fn doubled(price: &str) -> Result<String, PlanError> {
    Ok(format_units(units(price)?.saturating_mul(2), PRICE_SCALE))
}

fn units(text: &str) -> Result<u128, PlanError> {
    parse_units(text, PRICE_SCALE, MAX_E8)
        .map_err(|source| PlanError::Number { text: text.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(side: &'static str, price: &str, amount: &str) -> PlannedOrder {
        PlannedOrder { side, price: price.to_owned(), amount: amount.to_owned() }
    }

    #[test]
    fn orders_stand_at_their_offsets_on_either_side() {
        let levels = [("0.002", "100"), ("0.01", "0.5")].map(|(o, a)| Level::parse(o, a).unwrap());
        let orders = Plan::new(levels.into()).unwrap().orders("0.0025").unwrap();
        let expected = [
            order("buy", "0.002495", "100"),
            order("sell", "0.002505", "100"),
            order("buy", "0.002475", "0.5"),
            order("sell", "0.002525", "0.5"),
        ];
        assert_eq!(orders, expected);
    }

    #[test]
    fn prices_are_rounded_towards_the_price() {
        let plan = Plan::new(vec![Level::parse("0.1", "1").unwrap()]).unwrap();
        let orders = plan.orders("0.00000015").unwrap();
        assert_eq!(orders, [order("buy", "0.00000014", "1"), order("sell", "0.00000016", "1")]);
    }

    #[test]
    fn a_plan_without_sense_is_refused() {
        assert_eq!(Level::parse("1", "1"), Err(PlanError::OffsetTooLarge));
        assert_eq!(Level::parse("0.1", "0"), Err(PlanError::Nothing));
        assert!(matches!(Level::parse("-0.1", "1"), Err(PlanError::Number { .. })));
        assert_eq!(Plan::new(Vec::new()), Err(PlanError::Levels));
        let plan = Plan::new(vec![Level::parse("0.1", "1").unwrap()]).unwrap();
        assert_eq!(plan.orders("0"), Err(PlanError::Nothing));
    }
}

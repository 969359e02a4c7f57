//! Judging: what an order is worth to the pool, decided once, when the exchange's reply is in.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::decimal::DecimalError;
use crate::money::{Amount, Ratio};
use crate::price::{Deviation, PoolPrice, Price, PriceError};
use crate::terms::{RankNumber, Side, Terms};
use crate::wide::Overflow;

/// Longest order id that is kept. Exchanges write up to 36 characters.
pub const MAX_ORDER_ID: usize = 128;

/// An order as an adapter reports it: decimals still as the exchange wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportedOrder<'a> {
    /// The exchange's id.
    pub id: &'a str,
    /// Its side of the book.
    pub side: Side,
    /// Its limit price.
    pub price: &'a str,
    /// What is left of it, in the base currency.
    pub amount: &'a str,
}

/// An order that has been judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedOrder {
    /// The exchange's id.
    pub id: String,
    /// Its side of the book.
    pub side: Side,
    /// Its limit price.
    pub price: Price,
    /// What is left of it, in the base currency.
    pub amount: Amount,
    /// The first rank, by rising tolerance, that it is within; none if it is outside of all.
    pub rank: Option<RankNumber>,
    /// How far it is from the pool's price, in 1e-8, half to even: for showing.
    pub deviation_e8: u32,
    /// The tolerance of the last rank it was tried on: that of its rank, or the widest. For showing.
    pub tolerance: Ratio,
}

/// Judges every order of one reply against the price and the rules in force. Orders beyond every rank are kept,
/// without a rank: they earn nothing and break nothing.
///
/// # Errors
/// [`OrderFault`] for the first order whose numbers cannot be used. Then none is: a reply with an absurd number
/// in it cannot be trusted for the rest.
pub fn judge_orders<'a>(
    orders: impl IntoIterator<Item = ReportedOrder<'a>>,
    terms: &Terms,
    price: PoolPrice,
) -> Result<Vec<JudgedOrder>, OrderFault> {
    let mut judged: Vec<JudgedOrder> = Vec::new();
    let mut seen = BTreeSet::new();
    for order in orders {
        check_id(order.id)?;
        if !seen.insert(order.id) {
            return Err(OrderFault::IdTwice { id: order.id.to_owned() });
        }
        judged.push(judge_order(order, terms, price)?);
    }
    Ok(judged)
}

fn check_id(id: &str) -> Result<(), OrderFault> {
    let printable = id.bytes().all(|byte| byte.is_ascii_graphic());
    if id.is_empty() || id.len() > MAX_ORDER_ID || !printable {
        return Err(OrderFault::Id { length: id.len() });
    }
    Ok(())
}

fn judge_order(order: ReportedOrder<'_>, terms: &Terms, pool: PoolPrice) -> Result<JudgedOrder, OrderFault> {
    let id = || order.id.to_owned();
    let price = Price::parse(order.price).map_err(|source| OrderFault::Price { id: id(), source })?;
    let amount = Amount::parse(order.amount).map_err(|source| OrderFault::Amount { id: id(), source })?;
    if amount == Amount::ZERO {
        return Err(OrderFault::Nothing { id: id() });
    }
    let deviation = Deviation::between(price, pool)?;
    let mut rank = None;
    let mut tolerance = Ratio::ZERO;
    for candidate in terms.side(order.side).ranks() {
        tolerance = candidate.tolerance;
        if deviation.within(candidate.tolerance)? {
            rank = Some(candidate.number);
            break;
        }
    }
    Ok(JudgedOrder {
        id: id(),
        side: order.side,
        price,
        amount,
        rank,
        deviation_e8: deviation.rounded_e8()?,
        tolerance,
    })
}

/// Why a list of orders cannot be used. The adapter, or the exchange behind it, is at fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OrderFault {
    /// An id that is empty, too long or not printable.
    #[error("an order's id of {length} characters is not 1 to {MAX_ORDER_ID} printable ASCII characters")]
    Id {
        /// Its length in bytes.
        length: usize,
    },
    /// One order listed twice.
    #[error("order {id} is listed twice")]
    IdTwice {
        /// The order.
        id: String,
    },
    /// A price that is none.
    #[error("the price of order {id} {source}")]
    Price {
        /// The order.
        id: String,
        /// What is wrong with it.
        source: PriceError,
    },
    /// An amount that is none.
    #[error("the amount of order {id} {source}")]
    Amount {
        /// The order.
        id: String,
        /// What is wrong with it.
        source: DecimalError,
    },
    /// An order of nothing.
    #[error("the amount of order {id} is zero")]
    Nothing {
        /// The order.
        id: String,
    },
    /// A bound failed to hold.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

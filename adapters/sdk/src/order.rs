//! Orders on their way out.

use crate::{Decimal, Fault, Order, Side};

/// The side that a reply's word stands for, given the exchange's words for buying and selling.
///
/// # Errors
/// The reply's fault, if it is neither.
pub fn side(word: &str, buy: &str, sell: &str) -> Result<Side, Fault> {
    if word == buy {
        Ok(Side::Bid)
    } else if word == sell {
        Ok(Side::Ask)
    } else {
        Err(Fault::Unreadable(crate::reply::clean(&format!(
            "the side of an order is `{word}`, not `{buy}` or `{sell}`"
        ))))
    }
}

/// An open order, or none if its price or what is left of it is not above zero: such an order is not on the
/// book.
pub fn open(
    id: &str,
    side: Side,
    price: &Decimal<'_>,
    amount: &Decimal<'_>,
    opened_ms: Option<u64>,
) -> Option<Order> {
    if !price.is_positive() || !amount.is_positive() {
        return None;
    }
    let (id, price, amount) = (id.to_owned(), price.to_string(), amount.to_string());
    Some(Order { id, side, price, amount, opened_ms, closed_ms: None, extras: Vec::new() })
}

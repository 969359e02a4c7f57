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

/// An open order, or none if nothing is left of it: such an order is not on the book.
///
/// # Errors
/// [`Fault::Unreadable`] if it has no id, the price is not above zero, or what is left is below zero. No limit order is
/// like that, so the reply cannot be trusted for the rest either.
pub fn open(
    id: &str,
    side: Side,
    price: &Decimal<'_>,
    amount: &Decimal<'_>,
    opened_ms: Option<u64>,
) -> Result<Option<Order>, Fault> {
    let absurd = |what: &str| Fault::Unreadable(crate::reply::clean(&format!("order {id} has {what}")));
    if id.is_empty() {
        return Err(Fault::Unreadable("an order has no id".to_owned()));
    }
    if !price.is_positive() {
        return Err(absurd(&format!("the price {price}")));
    }
    if amount.is_negative() {
        return Err(absurd(&format!("the amount {amount}")));
    }
    if !amount.is_positive() {
        return Ok(None);
    }
    let (id, price, amount) = (id.to_owned(), price.text(), amount.text());
    Ok(Some(Order { id, side, price, amount, opened_ms, closed_ms: None, extras: Vec::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_with(price: &str, left: &str) -> Result<Option<Order>, Fault> {
        open("7", Side::Bid, &Decimal::parse(price).unwrap(), &Decimal::parse(left).unwrap(), None)
    }

    #[test]
    fn an_order_of_which_nothing_is_left_is_not_on_the_book() {
        assert_eq!(open_with("1", "0.000").unwrap(), None);
        assert_eq!(open_with("1", "2").unwrap().unwrap().amount, "2");
    }

    #[test]
    fn an_order_without_an_id_makes_the_reply_unreadable() {
        let one = Decimal::parse("1").unwrap();
        assert!(matches!(open("", Side::Ask, &one, &one, None), Err(Fault::Unreadable(_))));
    }

    #[test]
    fn an_order_that_cannot_be_makes_the_reply_unreadable() {
        for (price, left) in [("0", "1"), ("-1", "1"), ("1", "-0.5")] {
            assert!(matches!(open_with(price, left), Err(Fault::Unreadable(_))), "{price} {left}");
        }
    }
}

//! The open orders of a reply.

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

/// Set among the flags of a hidden order.
const HIDDEN: u64 = 64;

/// An order is a list; these are the places that matter.
pub(crate) struct OpenOrder<'a> {
    id: Text<'a>,
    symbol: Text<'a>,
    opened: Text<'a>,
    /// What is left: above zero buys, below zero sells.
    amount: Text<'a>,
    kind: Text<'a>,
    flags: Text<'a>,
    status: Text<'a>,
    price: Text<'a>,
    hidden: Text<'a>,
}

impl<'a> OpenOrder<'a> {
    pub(crate) fn of_entry(entry: &[&'a RawValue]) -> Result<Self, Fault> {
        let at = |place: usize| match entry.get(place) {
            Some(value) => reply::parse(value.get()),
            None => Err(Fault::Unreadable(format!("an order has no place {place}"))),
        };
        Ok(OpenOrder {
            id: at(0)?,
            symbol: at(3)?,
            opened: at(4)?,
            amount: at(6)?,
            kind: at(8)?,
            flags: at(12)?,
            status: at(13)?,
            price: at(16)?,
            hidden: at(23)?,
        })
    }

    /// Types without `EXCHANGE` are of the margin wallet. The status may go on: `PARTIALLY FILLED @ 100.5(-0.4)`.
    pub(crate) fn is_counted(&self, symbol: &str) -> bool {
        let status = self.status.as_str().split(' ').next().unwrap_or_default();
        let is_limit = self.symbol == symbol && self.kind == "EXCHANGE LIMIT" && !self.is_hidden();
        is_limit && ["ACTIVE", "PARTIALLY"].contains(&status)
    }

    pub(crate) fn read(&self) -> Result<Option<Order>, Fault> {
        let (bought, price) = (self.amount.decimal("amount")?, self.price.decimal("price")?);
        let (side, left) = if bought.is_positive() {
            (Side::Bid, bought)
        } else {
            (Side::Ask, Decimal::parse("0")?.minus(&bought)?)
        };
        order::open(self.id.as_str(), side, &price, &left, time::whole_ms(self.opened.as_str()))
    }

    /// A flag that cannot be read counts as set.
    fn is_hidden(&self) -> bool {
        let is_flagged = !self.flags.is_empty()
            && self.flags.as_str().parse::<u64>().map_or(true, |flags| flags & HIDDEN != 0);
        is_flagged || !self.hidden.is_one_of(&["", "0", "false"])
    }
}

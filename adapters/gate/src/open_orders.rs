//! The list of open orders, in both of the exchange's spellings: orders one after the other, or (its call
//! `/spot/open_orders`) markets with the orders of each.

use alp_adapter::serde_json::{self, value::RawValue};
use alp_adapter::*;

/// The orders in the entries of a list.
pub(crate) fn of_entries<'a>(entries: &[&'a RawValue]) -> Result<Vec<OpenOrder<'a>>, Fault> {
    let mut orders = Vec::new();
    for entry in entries {
        match serde_json::from_str::<OfMarket>(entry.get()) {
            Ok(market) => orders.extend(market.orders),
            Err(_) => orders.push(reply::parse(entry.get())?),
        }
    }
    Ok(orders)
}

#[derive(Deserialize)]
struct OfMarket<'a> {
    #[serde(borrow)]
    orders: Vec<OpenOrder<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct OpenOrder<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    currency_pair: Text<'a>,
    status: Text<'a>,
    #[serde(rename = "type")]
    kind: Text<'a>,
    account: Text<'a>,
    side: Text<'a>,
    price: Text<'a>,
    left: Text<'a>,
    create_time_ms: Text<'a>,
}

impl OpenOrder<'_> {
    /// Orders of the margin accounts come in the same list.
    pub(crate) fn is_counted(&self, pair: &str) -> bool {
        let is_open_limit = self.kind == "limit" && self.status == "open";
        self.currency_pair == pair && is_open_limit && self.account.is_one_of(&["spot", "unified"])
    }

    pub(crate) fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "buy", "sell")?;
        let (price, left) = (self.price.decimal("price")?, self.left.decimal("left")?);
        order::open(self.id.as_str(), side, &price, &left, time::whole_ms(self.create_time_ms.as_str()))
    }
}

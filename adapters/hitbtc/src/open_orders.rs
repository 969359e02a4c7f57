//! The open orders of a reply.

use alp_adapter::*;

#[derive(Deserialize)]
pub(crate) struct OpenOrder<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    symbol: Text<'a>,
    side: Text<'a>,
    status: Text<'a>,
    #[serde(rename = "type")]
    kind: Text<'a>,
    quantity: Text<'a>,
    quantity_cumulative: Text<'a>,
    /// Market orders have none.
    #[serde(default)]
    price: Text<'a>,
    #[serde(default)]
    created_at: Text<'a>,
}

impl OpenOrder<'_> {
    /// A stop order waits in the status `suspended`.
    pub(crate) fn is_counted(&self, symbol: &str) -> bool {
        let is_limit = self.symbol == symbol && self.kind == "limit";
        is_limit && self.status.is_one_of(&["new", "partiallyFilled"])
    }

    pub(crate) fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "buy", "sell")?;
        let filled = self.quantity_cumulative.decimal("quantity_cumulative")?;
        let left = self.quantity.decimal("quantity")?.minus(&filled)?;
        let opened_ms = time::iso_ms(self.created_at.as_str());
        order::open(self.id.as_str(), side, &self.price.decimal("price")?, &left, opened_ms)
    }
}

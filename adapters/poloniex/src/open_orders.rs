//! The open orders of a reply.

use alp_adapter::*;

/// Its `amount` is in the quote currency, for market orders; `quantity` is in the base currency.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenOrder<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    symbol: Text<'a>,
    account_type: Text<'a>,
    #[serde(rename = "type")]
    kind: Text<'a>,
    state: Text<'a>,
    side: Text<'a>,
    price: Text<'a>,
    quantity: Text<'a>,
    filled_quantity: Text<'a>,
    create_time: Text<'a>,
    /// Set for margin orders.
    #[serde(default)]
    loan: Text<'a>,
}

impl OpenOrder<'_> {
    pub(crate) fn is_counted(&self, symbol: &str) -> bool {
        let is_spot =
            self.symbol == symbol && self.account_type == "SPOT" && self.loan.is_one_of(&["", "false"]);
        let is_limit = self.kind.is_one_of(&["LIMIT", "LIMIT_MAKER"]);
        is_spot && is_limit && self.state.is_one_of(&["NEW", "PARTIALLY_FILLED"])
    }

    pub(crate) fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "BUY", "SELL")?;
        let filled = self.filled_quantity.decimal("filledQuantity")?;
        let left = self.quantity.decimal("quantity")?.minus(&filled)?;
        let opened_ms = time::whole_ms(self.create_time.as_str());
        order::open(self.id.as_str(), side, &self.price.decimal("price")?, &left, opened_ms)
    }
}

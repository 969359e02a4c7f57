//! The open orders of a reply, as one page.

use alp_adapter::*;

#[derive(Deserialize)]
pub(crate) struct Page<'a> {
    #[serde(borrow)]
    pub(crate) category: Text<'a>,
    pub(crate) list: Vec<OpenOrder<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenOrder<'a> {
    #[serde(borrow)]
    symbol: Text<'a>,
    order_id: Text<'a>,
    order_type: Text<'a>,
    order_status: Text<'a>,
    stop_order_type: Text<'a>,
    trigger_price: Text<'a>,
    is_leverage: Text<'a>,
    side: Text<'a>,
    price: Text<'a>,
    qty: Text<'a>,
    cum_exec_qty: Text<'a>,
    created_time: Text<'a>,
}

impl OpenOrder<'_> {
    pub(crate) fn is_counted(&self, symbol: &str) -> bool {
        let is_limit = self.order_type == "Limit" && !self.has_trigger() && self.is_leverage != "1";
        let is_open = self.order_status.is_one_of(&["New", "PartiallyFilled"]);
        self.symbol == symbol && is_limit && is_open
    }

    /// Without a trigger its price is empty or zero.
    fn has_trigger(&self) -> bool {
        let is_zero = self.trigger_price.decimal("triggerPrice").is_ok_and(|price| !price.is_positive());
        let is_without = self.stop_order_type.is_one_of(&["", "UNKNOWN"]);
        !is_without || !(self.trigger_price.is_empty() || is_zero)
    }

    pub(crate) fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "Buy", "Sell")?;
        let left = self.qty.decimal("qty")?.minus(&self.cum_exec_qty.decimal("cumExecQty")?)?;
        let opened_ms = time::whole_ms(self.created_time.as_str());
        order::open(self.order_id.as_str(), side, &self.price.decimal("price")?, &left, opened_ms)
    }
}

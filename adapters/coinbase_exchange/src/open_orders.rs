//! The open orders of a reply.

use alp_adapter::*;

#[derive(Deserialize)]
pub(crate) struct OpenOrder<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    product_id: Text<'a>,
    #[serde(rename = "type")]
    kind: Text<'a>,
    status: Text<'a>,
    side: Text<'a>,
    /// Market orders have none.
    #[serde(default)]
    price: Text<'a>,
    #[serde(default)]
    size: Text<'a>,
    #[serde(default)]
    filled_size: Text<'a>,
    #[serde(default)]
    created_at: Text<'a>,
    #[serde(default)]
    stop: Text<'a>,
    #[serde(default)]
    max_floor: Text<'a>,
}

impl OpenOrder<'_> {
    /// A stop order says `limit` as its type, too, and has a `stop` beside.
    pub(crate) fn is_counted(&self, product: &str) -> bool {
        let is_limit = self.kind == "limit" && self.stop.is_empty() && !self.is_iceberg();
        self.product_id == product && is_limit && self.status == "open"
    }

    pub(crate) fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "buy", "sell")?;
        let left = self.size.decimal("size")?.minus(&self.filled_size.decimal("filled_size")?)?;
        let opened_ms = time::iso_ms(self.created_at.as_str());
        order::open(self.id.as_str(), side, &self.price.decimal("price")?, &left, opened_ms)
    }

    fn is_iceberg(&self) -> bool {
        self.max_floor.decimal("max_floor").is_ok_and(|shown| shown.is_positive())
    }
}

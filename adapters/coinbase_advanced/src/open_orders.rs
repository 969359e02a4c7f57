//! The open orders of a reply.

use alp_adapter::*;

/// One page of orders.
#[derive(Deserialize)]
pub(crate) struct Page<'a> {
    #[serde(borrow)]
    pub(crate) orders: Vec<OpenOrder<'a>>,
    has_next: Option<bool>,
    /// Where the next page begins.
    #[serde(default)]
    pub(crate) cursor: Text<'a>,
}

impl Page<'_> {
    pub(crate) fn has_next(&self) -> bool {
        self.has_next.unwrap_or(!self.cursor.is_empty())
    }
}

#[derive(Deserialize)]
pub(crate) struct OpenOrder<'a> {
    #[serde(borrow)]
    order_id: Text<'a>,
    product_id: Text<'a>,
    product_type: Text<'a>,
    order_type: Text<'a>,
    status: Text<'a>,
    side: Text<'a>,
    order_configuration: Option<Configuration<'a>>,
    #[serde(default)]
    filled_size: Text<'a>,
    created_time: Text<'a>,
    #[serde(default)]
    size_in_quote: Text<'a>,
    #[serde(default)]
    pending_cancel: Text<'a>,
}

/// There is one member for each type of order; these two are the types that stand on the book.
#[derive(Deserialize)]
struct Configuration<'a> {
    #[serde(borrow)]
    limit_limit_gtc: Option<Limit<'a>>,
    limit_limit_gtd: Option<Limit<'a>>,
}

#[derive(Deserialize)]
struct Limit<'a> {
    #[serde(borrow, default)]
    base_size: Text<'a>,
    limit_price: Text<'a>,
}

impl OpenOrder<'_> {
    pub(crate) fn is_counted(&self, product: &str) -> bool {
        let is_spot = self.product_id == product && self.product_type == "SPOT" && self.status == "OPEN";
        let stays = self.size_in_quote != "true" && self.pending_cancel != "true";
        is_spot && stays && self.order_type == "LIMIT" && self.limit().is_some()
    }

    pub(crate) fn read(&self) -> Result<Option<Order>, Fault> {
        let Some(limit) = self.limit() else { return Ok(None) };
        let side = order::side(self.side.as_str(), "BUY", "SELL")?;
        let filled = if self.filled_size.is_empty() { "0" } else { self.filled_size.as_str() };
        let left = limit.base_size.decimal("base_size")?.minus(&Decimal::parse(filled)?)?;
        let (price, opened_ms) =
            (limit.limit_price.decimal("limit_price")?, time::iso_ms(self.created_time.as_str()));
        order::open(self.order_id.as_str(), side, &price, &left, opened_ms)
    }

    fn limit(&self) -> Option<&Limit<'_>> {
        let configuration = self.order_configuration.as_ref()?;
        configuration.limit_limit_gtc.as_ref().or(configuration.limit_limit_gtd.as_ref())
    }
}

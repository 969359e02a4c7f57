//! The list of open orders, in both of the exchange's spellings: by itself, or (its calls `/orders` and
//! `/hf/orders/active/page`) as a page.

use alp_adapter::*;

/// The page in a reply's `data`; a list by itself is a page without an end.
pub(crate) fn page(data: &str) -> Result<Page<'_>, Fault> {
    if data.starts_with('{') {
        return reply::parse(data);
    }
    Ok(Page { items: reply::parse(data)?, page_size: usize::MAX })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<'a> {
    #[serde(borrow)]
    pub(crate) items: Vec<OpenOrder<'a>>,
    /// How many orders fit a page.
    pub(crate) page_size: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenOrder<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    symbol: Text<'a>,
    #[serde(rename = "type")]
    kind: Text<'a>,
    side: Text<'a>,
    price: Text<'a>,
    size: Text<'a>,
    deal_size: Text<'a>,
    #[serde(default)]
    cancelled_size: Text<'a>,
    #[serde(alias = "isActive")]
    active: Text<'a>,
    #[serde(default)]
    stop: Text<'a>,
    trade_type: Text<'a>,
    hidden: Text<'a>,
    #[serde(default)]
    in_order_book: Text<'a>,
    created_at: Text<'a>,
}

impl OpenOrder<'_> {
    pub(crate) fn is_counted(&self, symbol: &str) -> bool {
        let is_spot_limit = self.kind == "limit" && self.trade_type == "TRADE" && self.stop.is_empty();
        let is_on_the_book = self.active == "true" && self.hidden != "true" && self.in_order_book != "false";
        self.symbol == symbol && is_spot_limit && is_on_the_book
    }

    pub(crate) fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "buy", "sell")?;
        let mut left = self.size.decimal("size")?.minus(&self.deal_size.decimal("dealSize")?)?;
        // A part of an order can be cancelled.
        if !self.cancelled_size.is_empty() {
            left = left.minus(&self.cancelled_size.decimal("cancelledSize")?)?;
        }
        let opened_ms = time::whole_ms(self.created_at.as_str());
        order::open(self.id.as_str(), side, &self.price.decimal("price")?, &left, opened_ms)
    }
}

//! The open orders of a reply.

use alp_adapter::*;

/// In this reply `priceAvg` is the limit; what was paid on average is `basePrice`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenOrder<'a> {
    #[serde(borrow)]
    symbol: Text<'a>,
    order_id: Text<'a>,
    price_avg: Text<'a>,
    size: Text<'a>,
    base_volume: Text<'a>,
    order_type: Text<'a>,
    side: Text<'a>,
    status: Text<'a>,
    #[serde(default)]
    tpsl_type: Text<'a>,
    #[serde(default)]
    trigger_price: Text<'a>,
    c_time: Text<'a>,
}

impl OpenOrder<'_> {
    pub(crate) fn is_counted(&self, symbol: &str) -> bool {
        let is_limit = self.order_type == "limit" && self.tpsl_type.is_one_of(&["", "normal"]);
        let is_open = self.status.is_one_of(&["live", "partially_filled", "new"]);
        let is_asked = self.symbol.as_str().eq_ignore_ascii_case(symbol);
        is_asked && is_limit && is_open && self.trigger_price.is_one_of(&["", "0"])
    }

    pub(crate) fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "buy", "sell")?;
        let left = self.size.decimal("size")?.minus(&self.base_volume.decimal("baseVolume")?)?;
        let price = self.price_avg.decimal("priceAvg")?;
        order::open(self.order_id.as_str(), side, &price, &left, opened_ms(self.c_time.as_str()))
    }
}

/// The exchange documents milliseconds and shows seconds.
fn opened_ms(text: &str) -> Option<u64> {
    if text.len() > 10 { time::whole_ms(text) } else { time::seconds_ms(text) }
}

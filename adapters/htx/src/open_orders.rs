//! The open orders of a reply.

use alp_adapter::*;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct OpenOrder<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    symbol: Text<'a>,
    source: Text<'a>,
    #[serde(rename = "type")]
    kind: Text<'a>,
    state: Text<'a>,
    price: Text<'a>,
    amount: Text<'a>,
    /// Other calls of the exchange spell it in the other way.
    #[serde(alias = "field-amount")]
    filled_amount: Text<'a>,
    created_at: Text<'a>,
}

impl OpenOrder<'_> {
    /// A stop order waits in the state `created`, and its type tells it from a limit order after that.
    pub(crate) fn is_counted(&self, symbol: &str) -> bool {
        let is_spot = self.symbol == symbol && !self.source.as_str().contains("margin");
        is_spot && self.side().is_some() && self.state.is_one_of(&["submitted", "partial-filled"])
    }

    pub(crate) fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side().unwrap_or_default(), "buy", "sell")?;
        let left = self.amount.decimal("amount")?.minus(&self.filled_amount.decimal("filled-amount")?)?;
        let opened_ms = time::whole_ms(self.created_at.as_str());
        order::open(self.id.as_str(), side, &self.price.decimal("price")?, &left, opened_ms)
    }

    /// The first half of the type of a limit order.
    fn side(&self) -> Option<&str> {
        let kind = self.kind.as_str();
        kind.strip_suffix("-limit")
            .or_else(|| kind.strip_suffix("-limit-maker"))
            .filter(|side| !side.contains('-'))
    }
}

//! The orders in a reply: which list of them is the pair's, and what is left of each. What is left stands in a
//! member that is named after a currency, which tells whether it has to be divided by the price.

use std::collections::BTreeMap;

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

/// What is left in the quote currency is floored to this when it is divided by the price.
const AMOUNT_DECIMALS: u32 = 8;

#[derive(Deserialize)]
pub(crate) struct Found<'a> {
    #[serde(borrow)]
    orders: Option<&'a RawValue>,
}

/// Its members by name.
#[derive(Deserialize)]
pub(crate) struct OpenOrder<'a>(#[serde(borrow)] BTreeMap<String, &'a RawValue>);

impl<'a> Found<'a> {
    /// A list where the pair was asked for, null or an empty list when there are none, and an object with a list
    /// for each pair where no pair was asked for.
    pub(crate) fn of_pair(&self, pair: &str) -> Result<Vec<OpenOrder<'a>>, Fault> {
        match self.orders.map_or("null", RawValue::get) {
            "null" => Ok(Vec::new()),
            by_pair if by_pair.starts_with('{') => {
                let pairs: BTreeMap<String, &RawValue> = reply::parse(by_pair)?;
                pairs.get(pair).map_or_else(|| Ok(Vec::new()), |list| reply::parse(list.get()))
            }
            list => reply::parse(list),
        }
    }
}

impl OpenOrder<'_> {
    /// Orders without a kind are of the time when there were only limit orders; stops wait beside the book.
    pub(crate) fn read_if_limit(&self, market: &Market) -> Result<Option<Order>, Fault> {
        if self.0.contains_key("order_type") && !self.text("order_type")?.is_one_of(&["", "limit"]) {
            return Ok(None);
        }
        let side = order::side(self.text("type")?.as_str(), "buy", "sell")?;
        let (id, price, opened) = (self.text("order_id")?, self.text("price")?, self.text("submit_time")?);
        let price = price.decimal("price")?;
        if !price.is_positive() {
            return Ok(None);
        }
        let in_base = format!("remain_{}", market.base.to_ascii_lowercase());
        // The documentation says milliseconds, and its own examples are in seconds.
        let opened_ms = time::seconds_ms(opened.as_str());
        if self.0.contains_key(&in_base) {
            let left = self.text(&in_base)?;
            return order::open(id.as_str(), side, &price, &left.decimal(&in_base)?, opened_ms);
        }
        let in_quote = self.remain_in_quote(market);
        let left = self.text(&in_quote)?;
        let left = left.decimal(&in_quote)?.divided_by(&price, AMOUNT_DECIMALS)?;
        order::open(id.as_str(), side, &price, &left, opened_ms)
    }

    /// The rupiah went by `rp` before it went by `idr`.
    fn remain_in_quote(&self, market: &Market) -> String {
        let is_old = market.quote == "IDR" && self.0.contains_key("remain_rp");
        format!("remain_{}", if is_old { "rp".to_owned() } else { market.quote.to_ascii_lowercase() })
    }

    fn text(&self, name: &str) -> Result<Text<'_>, Fault> {
        let json = self.0.get(name);
        let json = json.ok_or_else(|| Fault::Unreadable(format!("an order lacks `{name}`")))?;
        reply::parse(json.get())
    }
}

//! The open orders of a reply.

use std::collections::BTreeMap;

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

/// An order with one of these in the name of a member waits beside the book. The exchange does not document which
/// members they are.
const WAITING: [&str; 3] = ["stop", "trailing", "activation"];

/// Replies up to 2013 have no market in them: there the signed path says it.
#[derive(Deserialize)]
struct OpenOrder<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(rename = "type")]
    side: Text<'a>,
    price: Text<'a>,
    /// What is left; `amount_at_create` is what it was.
    amount: Text<'a>,
    datetime: Text<'a>,
    #[serde(default)]
    market: Text<'a>,
    #[serde(default)]
    currency_pair: Text<'a>,
}

/// One order of the reply, if it is a limit order of the market of this symbol, such as `btcusd`.
pub(crate) fn read(entry: &str, symbol: &str) -> Result<Option<Order>, Fault> {
    let order: OpenOrder = reply::parse(entry)?;
    if !is_of(&order.market, symbol) || !is_of(&order.currency_pair, symbol) || is_waiting(entry)? {
        return Ok(None);
    }
    let side = order::side(order.side.as_str(), "0", "1")?;
    let (price, left) = (order.price.decimal("price")?, order.amount.decimal("amount")?);
    order::open(order.id.as_str(), side, &price, &left, time::iso_ms(order.datetime.as_str()))
}

fn is_of(market: &Text<'_>, symbol: &str) -> bool {
    market.is_empty() || market.as_str().replace('/', "").eq_ignore_ascii_case(symbol)
}

fn is_waiting(entry: &str) -> Result<bool, Fault> {
    let members: BTreeMap<String, &RawValue> = reply::parse(entry)?;
    let is_set = |value: &RawValue| {
        serde_json::from_str::<Text>(value.get()).map_or(true, |text| {
            !text.is_one_of(&["", "false"]) && !text.decimal("").is_ok_and(|number| !number.is_positive())
        })
    };
    Ok(members.iter().any(|(name, value)| WAITING.iter().any(|part| name.contains(part)) && is_set(value)))
}

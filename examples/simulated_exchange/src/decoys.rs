//! Orders that are in an account's list and are none of those that were asked for.

use crate::books::{Books, Market, Order, Side};
use crate::decimal::Decimal;
use crate::protocol::{Kind, Listed};

/// Above every id of an order that a simulation can last long enough for.
const FIRST_DECOY_ID: u64 = 900_000_001;
/// The markets a decoy can be of: neither is what anybody's pool is about, and nobody asks for both.
const ELSEWHERE: [(&str, &str); 2] = [("LTC", "DOGE"), ("XMR", "DASH")];
/// The number of a market that is not in the books.
const NUMBER_ELSEWHERE: u64 = 40_000;

/// One order of each kind, of this market, or of the first one if none was asked for. They are large and at the
/// reference price, so that whoever takes one for an open order is far off.
pub(crate) fn decoys(kinds: &[Kind], books: &Books, market: Option<&Market>, now_ms: u64) -> Vec<Listed> {
    let Some(market) = market.cloned().or_else(|| books.markets().into_iter().next()) else {
        return Vec::new();
    };
    let price = books.price(&market.name()).unwrap_or_default();
    let lines = (FIRST_DECOY_ID..).zip(kinds);
    lines.map(|(id, kind)| decoy(id, *kind, &market, price, now_ms)).collect()
}

fn decoy(id: u64, kind: Kind, asked: &Market, price: Decimal, now_ms: u64) -> Listed {
    let market = if kind == Kind::Elsewhere { elsewhere(asked) } else { asked.clone() };
    let amount = Decimal::from_whole(DECOY_AMOUNT);
    let order = Order {
        id,
        market: market.name(),
        side: if kind == Kind::Filled { Side::Buy } else { Side::Sell },
        price,
        amount,
        filled: if kind == Kind::Filled { amount } else { Decimal::default() },
        opened_ms: now_ms,
    };
    Listed { market, order, kind }
}

/// More than anybody places in a demonstration.
const DECOY_AMOUNT: u32 = 77_777;

fn elsewhere(asked: &Market) -> Market {
    let [first, second] = ELSEWHERE;
    let (base, quote) = if asked.base == first.0 && asked.quote == first.1 { second } else { first };
    Market { base: base.to_owned(), quote: quote.to_owned(), number: NUMBER_ELSEWHERE }
}

//! Accounts, markets and open orders. Bounded, in memory, without any HTTP.

use std::collections::BTreeMap;

use crate::decimal::Decimal;
use crate::protocol::{Credentials, Nonce};
use crate::refusal::Refusal;

/// Accounts the simulation holds: above the largest pool anybody has described, and a few megabytes.
pub const MAX_ACCOUNTS: usize = 10_000;
/// Markets the simulation holds: a real exchange lists a few hundred.
pub const MAX_MARKETS: usize = 1_000;
/// Open orders of one account: five times the longest list a pool reads, so that a list can be too long.
pub const MAX_ORDERS_PER_ACCOUNT: usize = 5_000;
/// Letters in a key, secret or currency: the longest known is a private key as PEM, of some 230.
pub const MAX_NAME_LENGTH: usize = 512;
/// Nonces of one key that are remembered: a hundred a second for the longest time any exchange remembers them.
const MAX_USED_NONCES: usize = 15_000;
/// The id of the first order; four digits, so that ids look like ids.
const FIRST_ORDER_ID: u64 = 1_001;

/// Buy or sell, in terms of the base currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// An offer to buy the base currency.
    Buy,
    /// An offer to sell the base currency.
    Sell,
}

/// A market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// What is bought and sold there.
    pub base: String,
    /// What it is paid with.
    pub quote: String,
    /// 1 for the market that was opened first, and so on.
    pub number: u64,
}

impl Market {
    /// `BASE_QUOTE`.
    pub fn name(&self) -> String {
        format!("{}_{}", self.base, self.quote)
    }
}

/// An order to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// The market, `BASE_QUOTE`.
    pub market: String,
    /// The side.
    pub side: Side,
    /// The limit price, quote per one base; above zero.
    pub price: Decimal,
    /// The amount of base; above zero.
    pub amount: Decimal,
}

/// An open order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Unique among all orders of the exchange, ever.
    pub id: u64,
    /// The market, `BASE_QUOTE`.
    pub market: String,
    /// The side.
    pub side: Side,
    /// The limit price, quote per one base.
    pub price: Decimal,
    /// The amount of base it was opened with.
    pub amount: Decimal,
    /// How much of that is filled; less than `amount`.
    pub filled: Decimal,
    /// When it was opened, Unix milliseconds.
    pub opened_ms: u64,
}

/// Everything the exchange remembers.
pub(crate) struct Books {
    accounts: BTreeMap<String, Account>,
    /// Each market with its reference price.
    markets: BTreeMap<String, (Market, Decimal)>,
    next_order_id: u64,
}

struct Account {
    credentials: Credentials,
    last_nonce: u64,
    /// Until when each nonce is remembered.
    used_nonces: BTreeMap<String, u64>,
    orders: BTreeMap<u64, Order>,
}

impl Books {
    pub(crate) fn new() -> Self {
        Self { accounts: BTreeMap::new(), markets: BTreeMap::new(), next_order_id: FIRST_ORDER_ID }
    }

    pub(crate) fn add_account(&mut self, key: &str, credentials: Credentials) -> Result<(), Refusal> {
        let Credentials { secret, passphrase, account_id } = &credentials;
        let others = passphrase.iter().chain(account_id).map(String::as_str);
        if ![key, secret.as_str()].into_iter().chain(others).all(is_credential) {
            return Err(Refusal::BadName);
        }
        if self.accounts.len() >= MAX_ACCOUNTS || self.accounts.contains_key(key) {
            return Err(Refusal::TooManyAccounts);
        }
        let account =
            Account { credentials, last_nonce: 0, used_nonces: BTreeMap::new(), orders: BTreeMap::new() };
        self.accounts.insert(key.to_owned(), account);
        Ok(())
    }

    pub(crate) fn add_market(&mut self, base: &str, quote: &str, price: Decimal) -> Result<String, Refusal> {
        if !is_name(base) || !is_name(quote) {
            return Err(Refusal::BadName);
        }
        let number = self.markets.len().saturating_add(1);
        if number > MAX_MARKETS {
            return Err(Refusal::TooManyMarkets);
        }
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        let market = Market { base: base.to_owned(), quote: quote.to_owned(), number };
        let name = market.name();
        self.markets.entry(name.clone()).or_insert((market, price)).1 = price;
        Ok(name)
    }

    pub(crate) fn set_price(&mut self, market: &str, price: Decimal) -> Result<(), Refusal> {
        let current = self.markets.get_mut(market).ok_or(Refusal::UnknownMarket)?;
        current.1 = price;
        Ok(())
    }

    pub(crate) fn price(&self, market: &str) -> Result<Decimal, Refusal> {
        self.markets.get(market).map(|(_, price)| *price).ok_or(Refusal::UnknownMarket)
    }

    pub(crate) fn market(&self, name: &str) -> Result<&Market, Refusal> {
        self.markets.get(name).map(|(market, _)| market).ok_or(Refusal::UnknownMarket)
    }

    /// All markets, by name.
    pub(crate) fn all_markets(&self) -> impl Iterator<Item = &Market> {
        self.markets.values().map(|(market, _)| market)
    }

    /// All markets, in the order in which they were opened.
    pub(crate) fn markets(&self) -> Vec<Market> {
        let mut markets: Vec<Market> = self.all_markets().cloned().collect();
        markets.sort_by_key(|market| market.number);
        markets
    }

    pub(crate) fn credentials(&self, key: &str) -> Result<&Credentials, Refusal> {
        self.account(key).map(|account| &account.credentials)
    }

    /// Uses the nonce up: the same one is not accepted again.
    pub(crate) fn accept_nonce(&mut self, key: &str, nonce: Nonce, now_ms: u64) -> Result<(), Refusal> {
        let account = self.account_mut(key)?;
        match nonce {
            Nonce::Unchecked => {}
            Nonce::Rising(nonce) if nonce <= account.last_nonce => {
                return Err(Refusal::NonceTooSmall { last: account.last_nonce });
            }
            Nonce::Rising(nonce) => account.last_nonce = nonce,
            Nonce::Once { text, kept_ms } => {
                let used = &mut account.used_nonces;
                used.retain(|_, until_ms| *until_ms >= now_ms);
                if used.len() >= MAX_USED_NONCES {
                    return Err(Refusal::Throttled { retry_after_s: 1 });
                }
                if used.insert(text, now_ms.saturating_add(kept_ms)).is_some() {
                    return Err(Refusal::NonceUsed);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn place(&mut self, key: &str, order: NewOrder, now_ms: u64) -> Result<Order, Refusal> {
        self.price(&order.market)?;
        if order.price.is_zero() || order.amount.is_zero() {
            return Err(Refusal::BadOrder);
        }
        let id = self.next_order_id;
        let account = self.account_mut(key)?;
        if account.orders.len() >= MAX_ORDERS_PER_ACCOUNT {
            return Err(Refusal::TooManyOrders);
        }
        let placed = Order {
            id,
            market: order.market,
            side: order.side,
            price: order.price,
            amount: order.amount,
            filled: Decimal::default(),
            opened_ms: now_ms,
        };
        account.orders.insert(id, placed.clone());
        self.next_order_id = id.saturating_add(1);
        Ok(placed)
    }

    pub(crate) fn cancel(&mut self, key: &str, id: u64) -> Result<(), Refusal> {
        let removed = self.account_mut(key)?.orders.remove(&id);
        removed.map(|_| ()).ok_or(Refusal::UnknownOrder)
    }

    /// Cancels all orders of one market; says how many there were.
    pub(crate) fn cancel_market(&mut self, key: &str, market: &str) -> Result<usize, Refusal> {
        self.price(market)?;
        let orders = &mut self.account_mut(key)?.orders;
        let before = orders.len();
        orders.retain(|_, order| order.market != market);
        Ok(before.saturating_sub(orders.len()))
    }

    /// Fills so much more of an order; one that is filled is gone from the book.
    pub(crate) fn fill(&mut self, key: &str, id: u64, amount: Decimal) -> Result<(), Refusal> {
        let orders = &mut self.account_mut(key)?.orders;
        let order = orders.get_mut(&id).ok_or(Refusal::UnknownOrder)?;
        match order.filled.checked_add(amount) {
            Some(filled) if filled < order.amount => order.filled = filled,
            Some(_) | None => {
                orders.remove(&id);
            }
        }
        Ok(())
    }

    /// The account's open orders, oldest first, of one market or of all.
    pub(crate) fn orders(&self, key: &str, market: Option<&str>) -> Result<Vec<Order>, Refusal> {
        if let Some(market) = market {
            self.price(market)?;
        }
        let orders = self.account(key)?.orders.values();
        Ok(orders.filter(|order| market.is_none_or(|market| order.market == market)).cloned().collect())
    }

    /// One open order.
    pub(crate) fn order(&self, key: &str, id: u64) -> Result<Order, Refusal> {
        self.account(key)?.orders.get(&id).cloned().ok_or(Refusal::UnknownOrder)
    }

    fn account(&self, key: &str) -> Result<&Account, Refusal> {
        self.accounts.get(key).ok_or(Refusal::UnknownKey)
    }

    fn account_mut(&mut self, key: &str) -> Result<&mut Account, Refusal> {
        self.accounts.get_mut(key).ok_or(Refusal::UnknownKey)
    }
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_LENGTH).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Keys and secrets are handed out as base64, as PEM with its lines, and with slashes in them.
fn is_credential(text: &str) -> bool {
    (1..=MAX_NAME_LENGTH).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n'))
}

//! Liquidity providers: an API key with its secret, and a payout address.

use alp_simulated_exchange::{NewOrder, Order, Side};

use crate::TestPool;
use crate::addresses::address_of;

/// A liquidity provider.
#[derive(Clone)]
pub struct Lp {
    /// The API key.
    pub key: String,
    /// Its secret.
    pub secret: String,
    /// Where it wants to be paid.
    pub address: String,
}

impl Lp {
    /// One who has no account anywhere yet.
    pub fn new(name: &str) -> Self {
        Self { key: format!("key-of-{name}"), secret: format!("secret-of-{name}"), address: address_of(name) }
    }
}

impl TestPool {
    /// An LP with an account at the simulated exchange.
    pub fn lp(&self, name: &str) -> Lp {
        let lp = Lp::new(name);
        self.exchange().add_account(&lp.key, &lp.secret).unwrap();
        lp
    }

    /// As [`TestPool::lp`], registered for the unit `btc`, with these orders (`ask 900 0.004`) on its market.
    pub async fn lp_with(&self, name: &str, orders: &[&str]) -> Lp {
        let lp = self.lp(name);
        self.register(&lp, "btc").await.accepted();
        for order in orders {
            self.place(&lp, "NBT_BTC", order);
        }
        lp
    }

    /// Places an order: side, amount and price, as in `bid 600 0.00398`.
    pub fn place(&self, lp: &Lp, market: &str, order: &str) -> Order {
        let [side, amount, price] = order.split(' ').collect::<Vec<_>>()[..] else { panic!("{order}") };
        let side = if side == "ask" { Side::Sell } else { Side::Buy };
        let (price, amount) = (price.parse().unwrap(), amount.parse().unwrap());
        self.exchange().place(&lp.key, NewOrder { market: market.to_owned(), side, price, amount }).unwrap()
    }
}

//! The market that rounds are run on: rules read from a configuration, LPs, and what each of them has open.

use std::path::Path;

use alp_pool::judge::{ReportedOrder, judge_orders};
use alp_pool::price::{PoolPrice, Price};
use alp_pool::terms::Side;
use alp_record::judged::{OrderRecord, PriceRecord, to_json};
use alp_server::config::{Config, UnitConfig};
use alp_store::Sample;
use alp_tests::{Lp, TEST_EXCHANGE};

/// The exchange's id.
pub(crate) const EXCHANGE: &str = "test_exchange";

/// The unit.
pub(crate) const UNIT: &str = "btc";

/// Prices of the orders, one after the other: most are in a rank, the last is not.
const PRICES: [(Side, &str); 6] = [
    (Side::Ask, "0.004"),
    (Side::Bid, "0.003999"),
    (Side::Ask, "0.00401234"),
    (Side::Bid, "0.00397"),
    (Side::Bid, "0.0035"),
    (Side::Ask, "0.005"),
];

/// A market and its LPs.
pub(crate) struct Market {
    /// The rules in force.
    pub(crate) unit: UnitConfig,
    /// The LPs.
    pub(crate) lps: Vec<Lp>,
    /// Orders of each.
    pub(crate) orders_per_lp: usize,
    /// The judged orders of each, as they are stored.
    orders: Vec<String>,
    price: String,
}

impl Market {
    /// So many LPs with so many orders each.
    pub(crate) fn new(lps: usize, orders_per_lp: usize) -> Self {
        let unit = configured();
        let price = PoolPrice::direct(Price::parse("0.004").unwrap());
        let orders = (0..lps).map(|lp| judged(&unit, price, lp, orders_per_lp)).collect();
        let lps = (0..lps).map(|lp| Lp::new(&format!("lp-{lp}"))).collect();
        Self { unit, lps, orders_per_lp, orders, price: to_json(&PriceRecord::new(price)) }
    }

    /// What is stored of this LP in a round.
    pub(crate) fn sample(&self, lp: usize, lp_id: i64) -> Sample {
        Sample {
            lp_id,
            unit: UNIT.to_owned(),
            price: self.price.clone(),
            terms_id: self.unit.rules.terms_id.clone(),
            adapter_sha256: "a".repeat(64),
            reply_sha256: "b".repeat(64),
            maybe_truncated: false,
            slices: 1,
            ask_rate: None,
            bid_rate: None,
            orders: self.orders[lp].clone(),
            order_count: self.orders_per_lp as u64,
        }
    }
}

fn configured() -> UnitConfig {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("exchanges")).unwrap();
    write(
        "pool.toml",
        "name = \"benchmark\"\ntest_pool = true\n[prices.btc]\nfixed = 0.004\n[prices.usd]\nfixed = 1\n",
    );
    let exchange_file = Path::new("exchanges").join(format!("{EXCHANGE}.toml"));
    write(exchange_file.to_str().unwrap(), &TEST_EXCHANGE.replace("{endpoint}", "http://127.0.0.1:1"));
    let config = Config::read(&folder.path().join("pool.toml")).unwrap_or_else(|faults| panic!("{faults}"));
    config.unit(EXCHANGE, UNIT).unwrap().clone()
}

/// The orders of one LP: ids like an exchange's, amounts of different sizes.
fn judged(unit: &UnitConfig, price: PoolPrice, lp: usize, orders: usize) -> String {
    let texts: Vec<(String, String)> = (0..orders)
        .map(|order| {
            let id = 7_000_000_000 + lp * orders + order;
            (id.to_string(), format!("{}.{:08}", 1 + (lp * 7 + order * 13) % 900, id % 100_000_000))
        })
        .collect();
    let reported = texts
        .iter()
        .zip(PRICES.iter().cycle())
        .map(|((id, amount), (side, price))| ReportedOrder { id, side: *side, price, amount });
    let judged = judge_orders(reported, unit.rules.terms.judged_by(), price).unwrap();
    let records: Vec<OrderRecord> =
        judged.iter().map(|order| OrderRecord::new(order, Some(1_760_000_000_000))).collect();
    to_json(&records)
}

//! The exchange that both sides ask, and the LPs who trade there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alp_simulated_exchange::{Handle, NewOrder, Side, SimulatedExchange};
use alp_tests::Lp;
use tokio::net::TcpListener;

/// The exchange's time, in Unix milliseconds. It stands still, so that requests can be signed long beforehand.
const NOW_MS: u64 = 1_760_000_045_000;

/// Orders of each LP: five on each side, around the pool's price of 0.004.
const PRICES: [(&str, [&str; 5]); 2] = [
    ("ask", ["0.004", "0.004001", "0.004013", "0.00402", "0.0041"]),
    ("bid", ["0.003999", "0.003998", "0.00399", "0.00397", "0.0036"]),
];

/// A running exchange with its LPs.
pub(crate) struct Exchange {
    running: alp_simulated_exchange::Running,
    lps: Vec<Lp>,
    nonce: AtomicU64,
}

impl Exchange {
    /// Starts it with so many LPs, who have ten orders each.
    pub(crate) async fn start(lps: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let running = SimulatedExchange::start(listener, Arc::new(|| NOW_MS)).unwrap();
        let handle = running.handle();
        handle.add_market("NBT", "BTC", "0.004".parse().unwrap()).unwrap();
        let lps = self::lps(lps);
        lps.iter().for_each(|lp| open_account(&handle, lp));
        Self { running, lps, nonce: NOW_MS.into() }
    }

    /// Its origin.
    pub(crate) fn origin(&self) -> String {
        self.running.origin()
    }

    /// The LPs.
    pub(crate) fn lps(&self) -> &[Lp] {
        &self.lps
    }

    /// From now on it behaves so.
    #[allow(dead_code, reason = "the benchmark of waiting uses it")]
    pub(crate) fn behave(&self, behaviour: alp_simulated_exchange::Behaviour) {
        self.running.handle().set_behaviour(behaviour);
    }

    /// Waits until it has got so many requests.
    #[allow(dead_code, reason = "the benchmark of waiting uses it")]
    pub(crate) async fn wait_for_requests(&self, count: u64) {
        self.running.handle().wait_for_requests(count).await;
    }

    /// How many requests it has got.
    pub(crate) fn requests(&self) -> u64 {
        self.running.handle().requests().count
    }

    /// Messages to `/liquidity`, so many of each LP, signed through the adapter with rising nonces.
    pub(crate) async fn signed_bodies(&self, requests: usize) -> Vec<Vec<String>> {
        let mut bodies = Vec::with_capacity(self.lps.len());
        for lp in &self.lps {
            let mut of_lp = Vec::with_capacity(requests);
            for _ in 0..requests {
                let nonce = self.nonce.fetch_add(1, Ordering::Relaxed) + 1;
                let (req, sign) = alp_tests::sign(lp, "test_exchange", "BTC", NOW_MS, nonce).await;
                of_lp.push(alp_tests::message_body(&[
                    ("user", &format!("\"{}\"", lp.key)),
                    ("req", &req),
                    ("sign", &sign),
                    ("exchange", "\"test_exchange\""),
                    ("unit", "\"btc\""),
                ]));
            }
            bodies.push(of_lp);
        }
        bodies
    }
}

/// So many LPs, the same ones each time.
pub(crate) fn lps(count: usize) -> Vec<Lp> {
    (0..count).map(|number| Lp::new(&format!("lp-{number}"))).collect()
}

fn open_account(handle: &Handle, lp: &Lp) {
    handle.add_account(&lp.key, &lp.secret).unwrap();
    for (side, prices) in PRICES {
        let side = if side == "ask" { Side::Sell } else { Side::Buy };
        for price in prices {
            let (market, price) = ("NBT_BTC".to_owned(), price.parse().unwrap());
            let order = NewOrder { market, side, price, amount: "1234.56789".parse().unwrap() };
            handle.place(&lp.key, order).unwrap();
        }
    }
}

//! A pool with a history that was never lived: real documents of one round, in as many rounds as are wanted.

use std::time::Instant;

use alp_store::testing::{History, fill_history};
use alp_tests::{Lp, START_S, Settings, TestPool};
use futures_util::future::join_all;

use crate::Database;
use crate::shared::say;

/// The most LPs that a history is shared among.
const MOST_LPS: u64 = 1_000;

/// How many rounds each LP has at least.
const LEAST_ROUNDS: u64 = 100;

/// How many payouts each LP had at least: as many as a page shows, so that both pools show the same.
const LEAST_PAYOUTS: u64 = 100;

/// Of how many rounds lists of orders are kept: a day, as by `orders_days = 1`.
const ROUNDS_WITH_ORDERS: u64 = 1_440;

/// The length of a round, in seconds.
const ROUND_SECONDS: u64 = 60;

/// Where the only LP with an account puts its orders.
const ORDERS: [&str; 3] = ["ask 900 0.004", "bid 300 0.00398", "bid 5 0.001"];

/// What a round leaves in the database.
pub(crate) struct Documents {
    statistics: String,
    terms: String,
    price: String,
    orders: String,
    order_count: u64,
    detail: String,
}

impl Documents {
    /// Runs a round on a pool of its own, and reads what it left.
    pub(crate) async fn of_a_round() -> Self {
        let pool = TestPool::start().await;
        let lp = pool.lp_with("lp-0", &ORDERS).await;
        pool.submit_btc(&lp).await;
        pool.end_round().await;
        let store = &pool.app().store;
        let sample = store.orders_of(&lp.key, 1).await.unwrap().unwrap().remove(0);
        Self {
            statistics: sample.round.unwrap().statistics,
            terms: store.terms(&sample.terms_id).await.unwrap().unwrap(),
            price: sample.price,
            orders: sample.orders,
            order_count: sample.order_count,
            detail: sample.credit.unwrap().detail.unwrap(),
        }
    }
}

/// A running pool with a history.
pub(crate) struct OldPool {
    pub(crate) pool: TestPool,
    /// The one who asks.
    pub(crate) lp: Lp,
    url: String,
    registered: u64,
}

impl OldPool {
    /// A pool with so many credits, which the open round follows. `None` where the database is not installed.
    pub(crate) async fn start(database: Database, credits: u64, documents: &Documents) -> Option<Self> {
        let mut settings = Settings::default();
        let url = match database {
            Database::Sqlite => None,
            Database::Postgres => {
                let url = alp_store::testing::postgres_database().await?;
                settings = settings.top(&format!("database = \"{url}\""));
                Some(url)
            }
        };
        let pool = TestPool::start_with(settings).await;
        let url = url.unwrap_or_else(|| format!("sqlite:{}", pool.folder().join("alp.db").display()));
        let lp = pool.lp_with("lp-0", &ORDERS).await;
        let lps = (credits / LEAST_ROUNDS).clamp(1, MOST_LPS);
        let store = &pool.app().store;
        let others = (1..lps).map(|number| Lp::new(&format!("lp-{number}")));
        let register =
            async |lp: Lp| store.register("test_exchange", &lp.key, &lp.address, "btc").await.unwrap();
        join_all(others.map(register)).await;
        let rounds = credits / lps;
        let history = History {
            unit: "btc".to_owned(),
            rounds,
            first_round: START_S - rounds * ROUND_SECONDS,
            round_seconds: ROUND_SECONDS,
            rounds_with_orders: ROUNDS_WITH_ORDERS.min(rounds),
            payouts: (rounds / 100).max(LEAST_PAYOUTS).min(rounds),
            statistics: documents.statistics.clone(),
            terms_id: store.record_terms(&documents.terms).await.unwrap(),
            price: documents.price.clone(),
            orders: documents.orders.clone(),
            order_count: documents.order_count,
            detail: documents.detail.clone(),
        };
        let began = Instant::now();
        fill_history(&url, &history, |written| {
            say(&format!("{written} credits written after {} s", began.elapsed().as_secs()));
        })
        .await;
        Some(Self { pool, lp, url, registered: 0 })
    }

    /// One who is not registered yet.
    pub(crate) fn another_lp(&mut self) -> Lp {
        self.registered += 1;
        Lp::new(&format!("new-{}", self.registered))
    }

    /// How large the database is.
    pub(crate) async fn megabytes(&self) -> u64 {
        alp_store::testing::database_bytes(&self.url).await / 1_000_000
    }

    /// Ends it in good order.
    pub(crate) async fn stop(mut self) {
        self.pool.stop().await;
    }
}

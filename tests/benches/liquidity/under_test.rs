//! The pool as an operator runs it: its listener, its database on the disk, a component in its plugins.

use std::net::SocketAddr;
use std::path::PathBuf;

use alp_server::config::Config;
use alp_server::server::{Running, Start, system_clock};
use alp_store::Clock;
use alp_tests::{Lp, TEST_EXCHANGE, component, put_in_place};
use tempfile::TempDir;

/// Rounds end on their own time, which no run reaches: what is measured is the taking of messages.
const POOL: &str = r#"
name = "benchmark"
test_pool = true
listen = "127.0.0.1:0"
[prices.btc]
fixed = 0.004
[prices.usd]
fixed = 1
"#;

/// The pool under load.
pub(crate) struct Pool {
    running: Running,
    lps: Vec<Lp>,
    /// Gone with everything in it when this is dropped.
    _folder: TempDir,
}

impl Pool {
    /// Starts it with one adapter, that of this exchange, and registers so many LPs.
    pub(crate) async fn start(origin: &str, lps: usize) -> Self {
        Self::start_with("", origin, lps).await
    }

    /// As [`Pool::start`], with these lines at the top of the exchange's file.
    pub(crate) async fn start_with(top: &str, origin: &str, lps: usize) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let pool_file = folder.path().join("pool.toml");
        std::fs::write(&pool_file, POOL).unwrap();
        for folder in ["exchanges", "plugins"].map(|name| pool_file.with_file_name(name)) {
            std::fs::create_dir(folder).unwrap();
        }
        let exchange_file = folder.path().join("exchanges/test_exchange.toml");
        let grant = alp_tests::grant_for_any_build("test_exchange").await;
        let text = format!("{top}{}{grant}", TEST_EXCHANGE.replace("{endpoint}", origin));
        std::fs::write(exchange_file, text).unwrap();
        let component = std::fs::read(component("test_exchange")).unwrap();
        put_in_place(&folder.path().join("plugins"), "test_exchange.wasm", &component);
        let start = Start {
            config: Config::read(&pool_file).unwrap_or_else(|faults| panic!("{faults}")),
            pool_file,
            compiler: (PathBuf::from(env!("CARGO_BIN_EXE_alp-tests-compile-adapter")), Vec::new()),
            host_clock: system_clock(),
            store_clock: Clock::Database,
            loops: false,
            fail_at: alp_server::fail_at::FailAt::default(),
        };
        let running = Running::start(start).await.unwrap();
        let lps = crate::exchange::lps(lps);
        for Lp { key, address, .. } in &lps {
            running.app().store.register("test_exchange", key, address, "btc").await.unwrap();
        }
        Self { running, lps, _folder: folder }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// How many durable transactions it has made.
    pub(crate) fn commits(&self) -> u64 {
        self.running.app().store.commits()
    }

    /// Every LP's ten orders are in the database.
    ///
    /// # Panics
    /// If not.
    pub(crate) async fn check_records(&self) {
        for lp in &self.lps {
            let samples = self.running.app().store.orders_of(&lp.key, 10).await.unwrap().unwrap();
            assert_eq!(samples.first().map(|sample| sample.order_count), Some(10), "of {}", lp.key);
        }
    }

    /// Ends it in good order.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}

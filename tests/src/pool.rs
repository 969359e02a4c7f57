//! A pool under test, with the exchange at the other end. Both follow a clock that only the test moves.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alp_server::app::App;
use alp_server::config::Config;
use alp_server::loops::rounds_once;
use alp_server::server::{Running, Start, StartError};
use alp_simulated_exchange::{Handle, SimulatedExchange, protocol_of};
use alp_store::{Clock, Store, StoreOptions};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::components::{compiler, put_in_place};
use crate::http::{Answer, client, converse, message_body};
use crate::lps::Lp;
use crate::settings::Settings;
use crate::signing::sign;

/// The start of the first round, in Unix seconds.
pub const START_S: u64 = 1_760_000_040;

/// The time at which a test begins, five seconds into the first round, in Unix milliseconds.
pub const START_MS: u64 = START_S * 1000 + 5_000;

/// A pool under test.
pub struct TestPool {
    folder: TempDir,
    now_ms: Arc<AtomicU64>,
    nonce: AtomicU64,
    exchange: alp_simulated_exchange::Running,
    http: reqwest::Client,
    loops: bool,
    running: Option<Running>,
}

impl TestPool {
    /// Starts the usual pool.
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    /// Starts a pool.
    pub async fn start_with(settings: Settings) -> Self {
        let now_ms = Arc::new(AtomicU64::new(START_MS));
        let clock = Arc::clone(&now_ms);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = Arc::new(move || clock.load(Ordering::SeqCst));
        let protocol = protocol_of(settings.simulated).unwrap();
        let exchange = SimulatedExchange::start_with(listener, clock, protocol).unwrap();
        exchange.handle().add_market("NBT", "BTC", "0.004".parse().unwrap()).unwrap();
        exchange.handle().add_market("NBT", "USD", "1".parse().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        settings.write(folder.path(), &exchange.origin()).await;
        let nonce = AtomicU64::new(START_MS);
        let mut pool =
            Self { folder, now_ms, nonce, exchange, http: client(), loops: settings.loops, running: None };
        pool.running = Some(pool.run().await);
        pool
    }

    /// Stops the pool and starts it again on the same folder.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.running = Some(self.run().await);
    }

    /// Stops the pool. Only [`TestPool::restart`] is of use after that, and the folder.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Leaves the folder as a server leaves it that is killed at this moment: the database's files are those of
    /// now, and nothing of a stop in good order reaches them.
    pub async fn copy_database_as_after_a_kill(&mut self) {
        let files = ["alp.db", "alp.db-wal"].map(|name| self.folder().join(name));
        let now: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
        self.stop().await;
        for (file, bytes) in files.iter().zip(now) {
            std::fs::write(file, bytes).unwrap();
        }
    }

    /// From the next start on, rounds and prices run by themselves.
    pub fn set_loops(&mut self, loops: bool) {
        self.loops = loops;
    }

    /// Starts a pool that was stopped.
    ///
    /// # Errors
    /// Why it does not start.
    pub async fn try_start(&mut self) -> Result<(), StartError> {
        self.running = Some(self.try_run().await?);
        Ok(())
    }

    async fn run(&self) -> Running {
        self.try_run().await.unwrap()
    }

    async fn try_run(&self) -> Result<Running, StartError> {
        let pool_file = self.pool_file();
        let config = Config::read(&pool_file).unwrap_or_else(|faults| panic!("{faults}"));
        let clock = Arc::clone(&self.now_ms);
        let start = Start {
            config,
            pool_file,
            compiler: (compiler(), Vec::new()),
            host_clock: Arc::new(move || clock.load(Ordering::SeqCst)),
            store_clock: Clock::Fixed(Arc::clone(&self.now_ms)),
            loops: self.loops,
            fail_at: alp_server::fail_at::FailAt::default(),
        };
        Running::start(start).await
    }

    /// Another connection to the pool's database, as a second server would have it.
    pub async fn second_store(&self, round_seconds: u64) -> Store {
        let url = format!("sqlite:{}", self.folder().join("alp.db").display());
        let clock = Clock::Fixed(Arc::clone(&self.now_ms));
        Store::open(StoreOptions { url, round_seconds, clock }).await.unwrap()
    }

    /// The pool that runs.
    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// What it is made of.
    pub fn app(&self) -> &Arc<App> {
        self.running().app()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running().address()
    }

    /// The exchange at the other end.
    pub fn exchange(&self) -> Handle {
        self.exchange.handle()
    }

    /// Where the exchange listens.
    pub fn exchange_origin(&self) -> String {
        self.exchange.origin()
    }

    /// How many requests the exchange has got.
    pub fn exchange_calls(&self) -> u64 {
        self.exchange().requests().count
    }

    /// The folder of everything.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `pool.toml`.
    pub fn pool_file(&self) -> PathBuf {
        self.folder().join("pool.toml")
    }

    /// The file of an exchange.
    pub fn exchange_file(&self, exchange: &str) -> PathBuf {
        self.folder().join("exchanges").join(format!("{exchange}.toml"))
    }

    /// The folder of adapters.
    pub fn plugins(&self) -> PathBuf {
        self.folder().join("plugins")
    }

    /// Puts a component into the folder of adapters.
    pub fn plug_in(&self, stem: &str, bytes: &[u8]) {
        put_in_place(&self.plugins(), &format!("{stem}.wasm"), bytes);
    }

    /// Changes a file of the configuration.
    ///
    /// # Panics
    /// If what is to be changed is not there.
    pub fn edit(&self, file: &Path, from: &str, to: &str) {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains(from), "{} has no {from}", file.display());
        let beside = file.with_extension("part");
        std::fs::write(&beside, text.replace(from, to)).unwrap();
        std::fs::rename(beside, file).unwrap();
    }

    /// Has the pool read its configuration.
    ///
    /// # Errors
    /// Why it was refused.
    pub async fn reload(&self) -> Result<String, String> {
        alp_server::loops::reload(self.app(), &self.pool_file()).await
    }

    /// The time.
    pub fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    /// Moves the time on.
    pub fn pass(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sets the time back.
    pub fn set_back(&self, ms: u64) {
        self.now_ms.fetch_sub(ms, Ordering::SeqCst);
    }

    /// Moves the time to one second after the end of the round, and runs what is due.
    pub async fn end_round(&self) {
        let length_ms = u64::from(self.app().in_force.load().config.pool.round.seconds()) * 1000;
        self.pass(length_ms - self.now_ms() % length_ms + 1_000);
        self.run_rounds().await;
    }

    /// Runs the rounds that are due.
    pub async fn run_rounds(&self) {
        rounds_once(self.app()).await.unwrap();
    }

    /// Registers an LP at the simulated exchange.
    pub async fn register(&self, lp: &Lp, unit: &str) -> Answer {
        self.register_with(&lp.key, &lp.address, "test_exchange", unit).await
    }

    /// Registers with anything.
    pub async fn register_with(&self, user: &str, address: &str, exchange: &str, unit: &str) -> Answer {
        let members = [("user", user), ("address", address), ("exchange", exchange), ("unit", unit)];
        let members = members.map(|(name, text)| (name, serde_json::to_string(text).unwrap()));
        let members: Vec<(&str, &str)> =
            members.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.post("/register", &message_body(&members)).await
    }

    /// Signs and submits an LP's orders at the simulated exchange.
    pub async fn submit(&self, lp: &Lp, unit: &str) -> Answer {
        let body = self.signed_body(lp, "test_exchange", unit).await;
        self.post("/liquidity", &body).await
    }

    /// Submits an LP's orders on NBT/BTC, which must succeed.
    pub async fn submit_btc(&self, lp: &Lp) {
        assert_eq!(self.submit(lp, "btc").await.accepted(), "orders saved for validation");
    }

    /// The message that a bot posts, signed now.
    pub async fn signed_body(&self, lp: &Lp, exchange: &str, unit: &str) -> String {
        let nonce = self.nonce.fetch_add(1, Ordering::SeqCst) + 1;
        let (req, sign) = sign(lp, exchange, &unit.to_uppercase(), self.now_ms(), nonce).await;
        self.body(&lp.key, &req, &sign, exchange, unit)
    }

    /// A message with this `req` and this `sign`, both JSON.
    pub fn body(&self, user: &str, req: &str, sign: &str, exchange: &str, unit: &str) -> String {
        let text = |text: &str| serde_json::to_string(text).unwrap();
        message_body(&[
            ("user", &text(user)),
            ("req", req),
            ("sign", sign),
            ("exchange", &text(exchange)),
            ("unit", &text(unit)),
        ])
    }

    /// Posts a message as JSON.
    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.post_raw(path, &[("Content-Type", "application/json")], body.as_bytes()).await
    }

    /// Posts bytes with these headers.
    pub async fn post_raw(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = self.http.post(self.url(path)).body(body.to_vec());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request).await
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.http.get(self.url(path))).await
    }

    /// Asks with any method.
    pub async fn ask(&self, method: &str, path: &str) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        Answer::of(self.http.request(method, self.url(path))).await
    }

    /// Sends bytes over a connection of their own; the request in them has to close it.
    pub async fn converse(&self, bytes: &[u8]) -> Answer {
        converse(self.address(), bytes).await
    }

    /// What `/<user>/stats` shows as the whole reward.
    pub async fn reward_of(&self, lp: &Lp) -> String {
        let text = self.get(&format!("/{}/stats", lp.key)).await.text;
        let (_, rest) = text.split_once("\"total_reward\":").unwrap_or_else(|| panic!("{text}"));
        rest.split(['}', ',']).next().unwrap().to_owned()
    }

    /// What `/<user>/orders` lists.
    pub async fn orders_of(&self, lp: &Lp) -> Vec<serde_json::Value> {
        let answer = self.get(&format!("/{}/orders", lp.key)).await;
        assert!(answer.success(), "{answer:?}");
        answer.json()["message"].as_array().unwrap().clone()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }
}

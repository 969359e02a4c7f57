//! A simulated exchange, a fake pool, and a bot between them.

use std::sync::Arc;
use std::time::Duration;

use alp_bot::receipts::ReceiptFolder;
use alp_bot::simulated::{ExchangeAccess, Level, Plan, SimulatedTrader};
use alp_bot::{
    Bot, Counts, EVENT_CAPACITY, Event, Identity, NoOrders, NonceKind, Nonces, PoolClient, Secret, Settings,
    SignError, Signed, Signer, Trader, Value, generator, system_clock,
};
use alp_simulated_exchange::{Handle, Order, Running, SimulatedExchange};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::fake_pool::FakePool;

/// What a test waits for at most.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
pub(crate) const KEY: &str = "the-key";
pub(crate) const SECRET: &str = "the-secret";

/// A rhythm that makes a test short; nothing in it is waited for blindly.
pub(crate) const QUICK: Settings = Settings {
    submit_interval: Duration::from_millis(20),
    look_interval: Duration::from_millis(10),
    silence: Duration::from_secs(3_600),
};

/// Signs as the exchange's description says, without any adapter.
pub(crate) struct TestSigner;

impl Signer for TestSigner {
    fn nonce_kind(&self) -> NonceKind {
        NonceKind::Milliseconds
    }

    async fn sign(&self, now_ms: u64, nonce: String) -> Result<Signed, SignError> {
        let query = format!("market=NBT_BTC&nonce={nonce}&timestamp={now_ms}");
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("GET\n/api/v1/open-orders\n{query}").as_bytes());
        let sign = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let members = vec![
            ("market".to_owned(), Value::Text("NBT_BTC".to_owned())),
            ("nonce".to_owned(), Value::Number(nonce)),
            ("timestamp".to_owned(), Value::Number(now_ms.to_string())),
        ];
        Ok(Signed { members, sign })
    }
}

/// A bot that runs.
pub(crate) struct RunningBot {
    pub(crate) events: mpsc::Receiver<Event>,
    pub(crate) counts: watch::Receiver<Counts>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Counts>,
}

impl RunningBot {
    /// Reads events until one is `wanted`; returns it.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        let found = async {
            loop {
                let event = self.events.recv().await.expect("the bot runs");
                if wanted(&event) {
                    return event;
                }
            }
        };
        timeout(DEADLINE, found).await.expect("the event")
    }

    pub(crate) async fn accepted(&mut self) {
        self.until(|event| matches!(event, Event::Accepted { .. })).await;
    }

    /// Stops the bot; says how long that took and what it had counted.
    pub(crate) async fn stop(self) -> (Duration, Counts) {
        let start = Instant::now();
        self.stop.send_replace(true);
        let counts = timeout(DEADLINE, self.task).await.expect("an end").unwrap();
        (start.elapsed(), counts)
    }
}

pub(crate) fn run<S, T>(pool: &str, settings: Settings, signer: S, trader: T) -> RunningBot
where
    S: Signer + 'static,
    T: Trader + 'static,
{
    let nonces = Arc::new(Nonces::new(signer.nonce_kind(), generator(1)));
    run_with_nonces(pool, settings, signer, trader, nonces)
}

/// A quick bot without orders that keeps what the pool signs.
pub(crate) fn run_with_receipts(pool: &str, receipts: ReceiptFolder) -> RunningBot {
    let nonces = Arc::new(Nonces::new(NonceKind::Milliseconds, generator(1)));
    run_all(pool, QUICK, (TestSigner, NoOrders), nonces, Some(receipts))
}

pub(crate) fn run_with_nonces<S, T>(
    pool: &str,
    settings: Settings,
    signer: S,
    trader: T,
    nonces: Arc<Nonces>,
) -> RunningBot
where
    S: Signer + 'static,
    T: Trader + 'static,
{
    run_all(pool, settings, (signer, trader), nonces, None)
}

fn run_all<S, T>(
    pool: &str,
    settings: Settings,
    (signer, trader): (S, T),
    nonces: Arc<Nonces>,
    receipts: Option<ReceiptFolder>,
) -> RunningBot
where
    S: Signer + 'static,
    T: Trader + 'static,
{
    let identity = Identity {
        user: KEY.to_owned(),
        address: "BMJ2PJ1TNMwnTYUopQVxBrAPmmJjJjhd96".to_owned(),
        exchange: "test_exchange".to_owned(),
        unit: "btc".to_owned(),
    };
    let (events, received) = mpsc::channel(EVENT_CAPACITY);
    let (counts, counted) = watch::channel(Counts::default());
    let (stop, stopped) = watch::channel(false);
    let pool = PoolClient::new(pool, identity).unwrap();
    let clock = system_clock();
    let bot = Bot { settings, pool, signer, trader, receipts, heads: false, nonces, clock, events, counts };
    let task = tokio::spawn(bot.run(stopped));
    RunningBot { events: received, counts: counted, stop, task }
}

/// An exchange with the account `KEY` and the market NBT_BTC at 0.0025, and a pool.
pub(crate) struct Scene {
    pub(crate) running: Running,
    pub(crate) exchange: Handle,
    pub(crate) pool: FakePool,
}

impl Scene {
    pub(crate) async fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let running = SimulatedExchange::start(listener, system_clock()).unwrap();
        let exchange = running.handle();
        exchange.add_account(KEY, SECRET).unwrap();
        exchange.add_market("NBT", "BTC", "0.0025".parse().unwrap()).unwrap();
        Self { running, exchange, pool: FakePool::start().await }
    }

    /// A bot with two orders a side, at 0.2 % and 1 % from the price.
    pub(crate) fn run(&self, settings: Settings, restless_ms: Option<(u64, u64)>) -> RunningBot {
        let access = ExchangeAccess {
            origin: self.running.origin(),
            key: KEY.to_owned(),
            secret: Secret::new(SECRET),
            market: "NBT_BTC".to_owned(),
        };
        let levels = [("0.002", "100"), ("0.01", "50")].map(|(o, a)| Level::parse(o, a).unwrap());
        let plan = Plan::new(levels.into()).unwrap();
        let nonces = Arc::new(Nonces::new(NonceKind::Milliseconds, generator(1)));
        let restless_ms = restless_ms.map(|(least, most)| least..=most);
        let trader = SimulatedTrader::new(
            access,
            plan,
            restless_ms,
            Arc::clone(&nonces),
            system_clock(),
            generator(2),
        );
        run_with_nonces(&self.pool.url, settings, TestSigner, trader.unwrap(), nonces)
    }

    /// What the exchange answers to a submission, forwarded as a pool would.
    pub(crate) async fn list(&self, submitted: &serde_json::Value) -> serde_json::Value {
        let (origin, req) = (self.running.origin(), &submitted["req"]);
        let (nonce, timestamp) = (&req["nonce"], &req["timestamp"]);
        let query = format!("market=NBT_BTC&nonce={nonce}&timestamp={timestamp}");
        let request = reqwest::Client::new().get(format!("{origin}/api/v1/open-orders?{query}"));
        let sign = submitted["sign"].as_str().unwrap();
        let response = request.header("X-Key", KEY).header("X-Sign", sign).send().await.unwrap();
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    /// The bot's orders, once they are as `wanted`.
    pub(crate) async fn orders(&self, wanted: impl Fn(&[Order]) -> bool) -> Vec<Order> {
        let start = Instant::now();
        loop {
            let orders = self.exchange.orders(KEY).unwrap();
            if wanted(&orders) {
                return orders;
            }
            assert!(start.elapsed() < DEADLINE, "{orders:?}");
            tokio::task::yield_now().await;
        }
    }
}

//! The three liquidity providers of the demonstration, each with a bot of its own.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alp_bot::simulated::{ExchangeAccess, Level, Plan, SimulatedTrader};
use alp_bot::{
    Account, Bot, ComponentSigner, Counts, EVENT_CAPACITY, Event, Identity, Nonces, PoolClient, Secret,
    Settings, Signer, generator, system_clock,
};
use alp_sandbox::{Adapter, Compiler, Limits, Sandbox};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::AS_ALP;

/// How often a bot submits.
const SUBMITS_EVERY: Duration = Duration::from_secs(3);

/// How often a bot looks at the price.
const LOOKS_EVERY: Duration = Duration::from_secs(1);

/// After how long without an accepted submission a bot cancels its orders.
const SILENCE: Duration = Duration::from_secs(120);

/// An LP of the demonstration. Its key and secret are worth nothing anywhere else.
pub(crate) struct Lp {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Its API key at the simulated exchange.
    pub(crate) key: &'static str,
    /// Its secret there.
    pub(crate) secret: &'static str,
    /// Its payout address.
    pub(crate) address: &'static str,
    /// How far from the price its orders stand, and how much each holds, on either side.
    pub(crate) orders: &'static [(&'static str, &'static str)],
    /// How long its orders stand before it moves them for no reason, in milliseconds.
    pub(crate) restless_ms: Option<(u64, u64)>,
}

/// The LPs: one that stands close with much, one with a tail, and one that is small and restless.
pub(crate) const LPS: [Lp; 3] = [
    Lp {
        name: "alice",
        key: "alice-demo-key",
        secret: "alice-demo-secret",
        address: "B8SuTkRGThdt4ngthtKPzZZ83ATjGAKncm",
        orders: &[("0.002", "500")],
        restless_ms: None,
    },
    Lp {
        name: "bob",
        key: "bob-demo-key",
        secret: "bob-demo-secret",
        address: "BGGw5CcL5xGAGqmf6TiJVDNXpJZH9R7cbR",
        orders: &[("0.005", "300"), ("0.02", "200"), ("0.03", "200")],
        restless_ms: Some((20_000, 40_000)),
    },
    Lp {
        name: "carol",
        key: "carol-demo-key",
        secret: "carol-demo-secret",
        address: "BBPjWV5DFFxutUNES87oaVdgdrN6ZQKray",
        orders: &[("0.004", "120.5"), ("0.2", "1000")],
        restless_ms: Some((5_000, 15_000)),
    },
];

/// A bot under way.
pub(crate) struct Provider {
    lp: &'static Lp,
    counts: watch::Receiver<Counts>,
    words: watch::Receiver<String>,
    bot: JoinHandle<Counts>,
}

/// What can be seen of a bot.
pub(crate) struct Watched {
    /// Whose it is.
    pub(crate) lp: &'static Lp,
    /// How often it submitted, and with what success.
    pub(crate) counts: watch::Receiver<Counts>,
    /// What it last had to say.
    pub(crate) words: watch::Receiver<String>,
}

/// Starts a bot for each LP. They sign through the adapter that the pool verifies with.
pub(crate) async fn start(
    plugins: &Path,
    cache: &Path,
    exchange: String,
    stop: &watch::Receiver<bool>,
) -> Result<Vec<Provider>, Box<dyn Error>> {
    let compiler = Compiler {
        program: std::env::current_exe()?,
        leading_args: vec![AS_ALP.into(), "compile-adapter".into()],
        cache_dir: cache.to_owned(),
    };
    let sandbox = Sandbox::new(Limits::default(), compiler)?;
    let adapter = sandbox.load_file(&plugins.join("test_exchange.wasm")).await?;
    LPS.iter().zip(1..).map(|(lp, seed)| provide(lp, seed, &adapter, &exchange, stop)).collect()
}

/// What is to be seen of the bots.
pub(crate) fn watched(providers: &[Provider]) -> Vec<Watched> {
    let watched = providers.iter().map(|provider| Watched {
        lp: provider.lp,
        counts: provider.counts.clone(),
        words: provider.words.clone(),
    });
    watched.collect()
}

/// Completes when every bot has taken its orders back.
pub(crate) async fn ended(providers: Vec<Provider>) {
    for provider in providers {
        let _ = provider.bot.await;
    }
}

fn provide(
    lp: &'static Lp,
    seed: u64,
    adapter: &Arc<Adapter>,
    exchange: &str,
    stop: &watch::Receiver<bool>,
) -> Result<Provider, Box<dyn Error>> {
    let secret = Secret::new(lp.secret.to_owned());
    let account = Account {
        key: lp.key.to_owned(),
        secret: secret.clone(),
        parameters: BTreeMap::new(),
        base: "NBT".to_owned(),
        quote: "BTC".to_owned(),
        market_parameters: BTreeMap::new(),
        endpoint: Some(exchange.to_owned()),
    };
    let signer = ComponentSigner::new(Arc::clone(adapter), account)?;
    let random = generator(seed.wrapping_add(u64::from(std::process::id())));
    let nonces = Arc::new(Nonces::new(signer.nonce_kind(), Arc::clone(&random)));
    let access = ExchangeAccess {
        origin: exchange.to_owned(),
        key: lp.key.to_owned(),
        secret,
        market: "NBT_BTC".to_owned(),
    };
    let levels = lp.orders.iter().map(|(offset, amount)| Level::parse(offset, amount));
    let plan = Plan::new(levels.collect::<Result<_, _>>()?)?;
    let restless = lp.restless_ms.map(|(least, most)| least..=most);
    let trader = SimulatedTrader::new(access, plan, restless, Arc::clone(&nonces), system_clock(), random)?;
    let identity = Identity {
        user: lp.key.to_owned(),
        address: lp.address.to_owned(),
        exchange: "test_exchange".to_owned(),
        unit: "btc".to_owned(),
    };
    let pool = PoolClient::new(&format!("http://{}", crate::pool::ADDRESS), identity)?;
    let settings = Settings { submit_interval: SUBMITS_EVERY, look_interval: LOOKS_EVERY, silence: SILENCE };
    let (events, received) = mpsc::channel(EVENT_CAPACITY);
    let (counts, counted) = watch::channel(Counts::default());
    let (speak, words) = watch::channel("starting".to_owned());
    let (receipts, heads, clock) = (None, false, system_clock());
    let bot = Bot { settings, pool, signer, trader, receipts, heads, nonces, clock, events, counts };
    tokio::spawn(listen(received, speak));
    Ok(Provider { lp, counts: counted, words, bot: tokio::spawn(bot.run(stop.clone())) })
}

/// Keeps the last thing a bot had to say.
async fn listen(mut events: mpsc::Receiver<Event>, speak: watch::Sender<String>) {
    while let Some(event) = events.recv().await {
        let words = match event {
            Event::Registered => "registered".to_owned(),
            Event::Accepted { message } | Event::Refused { message } => message,
            Event::RegistrationRefused { message } => format!("not registered: {message}"),
            Event::Unreachable { reason }
            | Event::NotSigned { reason }
            | Event::NotKept { reason }
            | Event::NotTraded { reason } => reason,
            Event::Silent { for_ms } => format!("nothing accepted for {} s", for_ms / 1000),
        };
        speak.send_replace(words);
    }
}

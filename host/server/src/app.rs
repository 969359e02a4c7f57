//! What every endpoint and every loop shares.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use alp_sandbox::AdapterFolder;
use alp_store::{Lease, Store, StoreError};
use arc_swap::ArcSwap;

use crate::config::{Config, PriceConfig};
use crate::containment::Containment;
use crate::exchange::{ClientError, ExchangeClient, Gates, Timeouts, UnseenOrders};
use crate::fail_at::FailAt;
use crate::freshness::FreshnessLedger;
use crate::kept::KeptReplies;
use crate::leadership::Leadership;
use crate::lifecycle::Lifecycle;
use crate::liquidity_report::LiquidityReporter;
use crate::look_ups::LookUps;
use crate::ownership::Owners;
use crate::payouts::Payer;
use crate::prices::{MAX_FEED_BYTES, PriceBoard};
use crate::proof::OpenChallenges;
use crate::record::SharedPublisher;
use crate::retention::Retention;
use crate::tllp::Responses;
use crate::turns::Turns;
use crate::why_not::WhyNot;

/// How long one feed of a price may take.
const FEED_TIMEOUTS: Timeouts =
    Timeouts { connect: std::time::Duration::from_secs(3), call: std::time::Duration::from_secs(10) };

/// The host's time in Unix milliseconds.
pub type HostClock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A configuration in force, with what is made from it.
#[derive(Debug)]
pub struct InForce {
    /// The configuration.
    pub config: Config,
    /// A client for each exchange.
    pub clients: BTreeMap<String, ExchangeClient>,
}

impl InForce {
    /// Makes the clients of a configuration. Those of `before` are kept where nothing about them changed, with
    /// their open connections.
    ///
    /// # Errors
    /// [`ClientError::Setup`].
    pub fn new(config: Config, before: Option<&InForce>) -> Result<Self, ClientError> {
        let mut clients = BTreeMap::new();
        for (exchange, settings) in &config.exchanges {
            let timeouts = Timeouts { connect: settings.connect_timeout, call: settings.call_timeout };
            let kept = before.and_then(|before| {
                let same = before.config.exchanges.get(exchange) == Some(settings);
                before.clients.get(exchange).filter(|_| same)
            });
            let client = match kept {
                Some(client) => client.clone(),
                None => ExchangeClient::new(timeouts, settings.reply_bytes)?
                    .with_own_endpoint(settings.endpoint.as_deref())?,
            };
            clients.insert(exchange.clone(), client);
        }
        Ok(Self { config, clients })
    }
}

/// What a pool is put together from, beside its configuration.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The adapters.
    pub adapters: AdapterFolder,
    /// The versions of adapters.
    pub lifecycle: Lifecycle,
    /// The host's clock.
    pub clock: HostClock,
    /// Where replies go to be kept.
    pub kept: KeptReplies,
    /// Who signs the pool's record.
    pub publisher: SharedPublisher,
    /// Where a test stops rounds and payouts.
    pub fail_at: FailAt,
}

/// The pool.
pub struct App {
    /// The configuration in force. It is replaced as a whole: a reader sees the old one or the new one.
    pub in_force: Arc<ArcSwap<InForce>>,
    /// The database.
    pub store: Store,
    /// The adapters.
    pub adapters: AdapterFolder,
    /// The versions of adapters, and candidates beside them.
    pub lifecycle: Lifecycle,
    /// The entrances of the exchanges.
    pub gates: Gates,
    /// What contains bad adapters, exchanges and keys in time.
    pub containment: Containment,
    /// One request of a key at a time.
    pub turns: Turns,
    /// One signature, once.
    pub freshness: FreshnessLedger,
    /// What became of submissions, and why not.
    pub why_not: WhyNot,
    /// What became of requests in the second protocol, slice by slice.
    pub(crate) responses: Responses,
    /// One order, one owner.
    pub owners: Owners,
    /// Who was asked to prove an address.
    pub challenges: OpenChallenges,
    /// Public replies that are kept for a while.
    pub look_ups: LookUps,
    /// Signs the pool's record.
    pub publisher: SharedPublisher,
    /// The prices.
    pub prices: PriceBoard,
    /// Whether this server leads.
    pub leadership: Leadership,
    /// The client for feeds of prices.
    pub feeds: ExchangeClient,
    /// The host's clock.
    pub clock: HostClock,
    /// When the server started, in Unix milliseconds.
    pub started_at_ms: u64,
    /// What the loops last did.
    pub health: Health,
    /// Who makes payouts, if they are configured.
    pub payer: Option<Payer>,
    /// Who tells the network what liquidity is provided, if that is configured.
    pub liquidity_reporter: Option<LiquidityReporter>,
    /// Forgets what is old.
    pub retention: Retention,
    /// Where replies go to be kept.
    pub kept: KeptReplies,
    /// Orders that adapters reported and no reply showed.
    pub unseen_orders: UnseenOrders,
    /// Reward rules that are known to be in the database.
    pub known_terms: KnownTerms,
    /// Where a test stops rounds.
    pub fail_at: FailAt,
}

impl App {
    /// Puts the parts together. `in_force` is shared with the admission of adapters, which decides by it.
    ///
    /// # Errors
    /// [`ClientError::Setup`].
    pub fn new(in_force: Arc<ArcSwap<InForce>>, parts: Parts) -> Result<Self, ClientError> {
        let Parts { store, adapters, lifecycle, clock, kept, publisher, fail_at } = parts;
        let started_at_ms = clock();
        let leadership = Leadership::new(&in_force.load().config.pool.control_socket);
        let payouts = in_force.load().config.pool.payouts.clone();
        let payer = payouts.map(|config| {
            let publisher = SharedPublisher::clone(&publisher);
            Payer::new(store.clone(), publisher, config, fail_at.clone())
        });
        let payer = payer.transpose()?;
        let reports = in_force.load().config.pool.liquidity_report.clone();
        let reporter = reports.map(|config| LiquidityReporter::new(store.clone(), config, fail_at.clone()));
        let liquidity_reporter = reporter.transpose()?;
        let retention = Retention::new(store.clone(), Arc::clone(&publisher), fail_at.clone());
        Ok(Self {
            leadership,
            in_force,
            store,
            adapters,
            lifecycle,
            gates: Gates::default(),
            containment: Containment::new(Arc::clone(&clock)),
            turns: Turns::default(),
            freshness: FreshnessLedger::default(),
            why_not: WhyNot::default(),
            responses: Responses::default(),
            owners: Owners::default(),
            challenges: OpenChallenges::default(),
            look_ups: LookUps::default(),
            prices: PriceBoard::default(),
            feeds: ExchangeClient::new(FEED_TIMEOUTS, MAX_FEED_BYTES)?,
            clock,
            started_at_ms,
            health: Health::default(),
            payer,
            liquidity_reporter,
            retention,
            kept,
            publisher,
            unseen_orders: UnseenOrders::default(),
            known_terms: KnownTerms::default(),
            fail_at,
        })
    }

    /// The host's time in Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// Leads on, or begins to, as [`Leadership::lead`] says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lead(&self) -> Result<Option<Lease>, StoreError> {
        self.leadership.lead(&self.store, &self.in_force.load_full().config).await
    }

    /// Takes over the quotes that the server which leads put into the database.
    pub async fn take_prices(&self) {
        let read = async { Ok::<_, StoreError>((self.store.clock_ms().await?, self.store.prices().await?)) };
        match read.await {
            Ok((database_ms, quotes)) => self.prices.take(&quotes, database_ms, self.now_ms()),
            Err(error) => tracing::warn!(%error, "the prices in the database could not be read"),
        }
    }

    /// Asks the feeds of every unit once.
    pub async fn refresh_prices(&self) {
        let in_force = self.in_force.load_full();
        for (unit, price) in &in_force.config.prices {
            if let PriceConfig::Feeds(feeds) = price {
                self.refresh_price(unit, feeds).await;
            }
        }
    }

    /// Asks the feeds of one unit.
    pub async fn refresh_price(&self, unit: &str, feeds: &crate::config::FeedsConfig) {
        let refreshed = self.prices.refresh(unit, feeds, &self.feeds, self.now_ms()).await;
        if let (Ok(price), Some(lease)) = (&refreshed, self.leadership.lease().await)
            && let Err(error) =
                self.store.put_price(&lease, unit, &price.to_string(), &self.prices.quotes_of(unit)).await
        {
            tracing::warn!(unit, %error, "a price could not be put into the database");
        }
        match &refreshed {
            Ok(price) => tracing::debug!(unit, %price, "a price was fetched"),
            Err(fault) => tracing::warn!(unit, %fault, "a price could not be fetched"),
        }
        let outcome = refreshed.map(|price| price.to_string()).map_err(|fault| fault.to_string());
        self.health.note(&format!("price of {unit}"), self.now_ms(), outcome);
    }
}

/// The last outcome of each loop, by its name.
#[derive(Debug, Default)]
pub struct Health(Mutex<BTreeMap<String, LoopState>>);

/// What a loop last did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopState {
    /// When, in Unix milliseconds.
    pub at_ms: u64,
    /// What came of it: a few words, or why it failed.
    pub outcome: Result<String, String>,
}

impl Health {
    /// Notes what a loop did.
    pub fn note(&self, name: &str, at_ms: u64, outcome: Result<String, String>) {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        states.insert(name.to_owned(), LoopState { at_ms, outcome });
    }

    /// The states by name.
    #[must_use]
    pub fn states(&self) -> BTreeMap<String, LoopState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reward rules that this server has put into the database, so that each is written once.
#[derive(Debug, Default)]
pub struct KnownTerms(Mutex<std::collections::BTreeSet<String>>);

/// Most rules that are remembered; beyond it they are asked for again.
const MAX_KNOWN_TERMS: usize = 10_000;

impl KnownTerms {
    /// Whether these rules are known to be stored.
    #[must_use]
    pub fn contains(&self, terms_id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(terms_id)
    }

    /// Remembers that these rules are stored.
    pub fn add(&self, terms_id: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN_TERMS {
            known.clear();
        }
        known.insert(terms_id.to_owned());
    }
}

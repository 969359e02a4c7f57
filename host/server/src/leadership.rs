//! Whether this server is the one that runs rounds and fetches prices, among all that share its database. Knows
//! nothing of what a round is.
//!
//! The lease is short, so that another server takes over within a round when this one is gone. It is only a matter of
//! who works: that nobody else's work counts is the store's business, which looks at the lease in every transaction.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alp_store::{Acquired, Lease, Store, StoreError};
use serde_json::json;
use tokio::sync::Mutex;

use crate::config::{Config, PriceConfig, ProofConfig, UnitConfig};

/// The name of the lease.
const ROUNDS: &str = "rounds";

/// The longest time of the lease, in milliseconds: ten seconds after a server died, another one leads.
const LONGEST_LEASE_MS: u64 = 10_000;

/// The shortest, in milliseconds, for pools with rounds of a few seconds.
const SHORTEST_LEASE_MS: u64 = 1_000;

/// How often a lease is renewed within its time, so that one or two failures do no harm.
const RENEWALS: u64 = 3;

/// This server's part in leading.
#[derive(Debug)]
pub struct Leadership {
    holder: String,
    led: Mutex<Option<Led>>,
    /// Whether another configuration than this server's was last seen in force.
    other_configuration: AtomicBool,
}

/// A lease, and the digest of the configuration that it was granted for.
#[derive(Debug)]
struct Led {
    lease: Lease,
    digest: String,
}

impl Leadership {
    /// For the server with this control socket. No two servers of a machine share one, and a server that is started
    /// again has the same, so it does not wait for the lease of the one it was.
    #[must_use]
    pub fn new(control_socket: &Path) -> Self {
        let socket = std::path::absolute(control_socket).unwrap_or_else(|_| control_socket.to_owned());
        let machine = rustix::system::uname();
        let holder = format!("{}:{}", machine.nodename().to_string_lossy(), socket.display());
        Self { holder, led: Mutex::new(None), other_configuration: AtomicBool::new(false) }
    }

    /// Leads on, or begins to. `None` if another server leads. A leader whose configuration changed puts it in force;
    /// on SQLite, which is for one server, its configuration always is.
    ///
    /// # Errors
    /// [`StoreError::OtherConfiguration`] if this server must not lead, or what the database says.
    pub async fn lead(&self, store: &Store, config: &Config) -> Result<Option<Lease>, StoreError> {
        let document = configuration_document(config);
        let digest = Store::configuration_digest(&document);
        let ttl_ms = lease_ms(config);
        let mut led = self.led.lock().await;
        if let Some(before) = led.take() {
            match store.renew_lease(&before.lease, ttl_ms).await {
                Ok(()) if before.digest == digest => {
                    return Ok(Some(led.insert(before).lease.clone()));
                }
                Ok(()) => {
                    store.put_configuration_in_force(&document).await?;
                }
                Err(StoreError::NotLeader { .. }) => tracing::warn!("another server leads now"),
                Err(error) => {
                    // Nobody knows; the next look will tell.
                    *led = Some(before);
                    return Err(error);
                }
            }
        } else if config.pool.database.starts_with("sqlite:") {
            store.put_configuration_in_force(&document).await?;
        } else {
            store.begin_configuration(&document).await?;
        }
        let acquired = store.acquire_lease(ROUNDS, &self.holder, ttl_ms, &digest).await;
        let differs = matches!(acquired, Err(StoreError::OtherConfiguration { .. }));
        self.other_configuration.store(differs, Ordering::SeqCst);
        match acquired? {
            Acquired::Granted(lease) => {
                tracing::info!(epoch = lease.epoch(), "this server leads");
                *led = Some(Led { lease: lease.clone(), digest });
                Ok(Some(lease))
            }
            Acquired::HeldBy { holder, remaining_ms } => {
                tracing::debug!(holder, remaining_ms, "another server leads");
                Ok(None)
            }
        }
    }

    /// The lease this server had when it last looked.
    pub async fn lease(&self) -> Option<Lease> {
        self.led.lock().await.as_ref().map(|led| led.lease.clone())
    }

    /// Whether the configuration in force was another one than this server's when it last looked. Then it must not
    /// judge anybody's orders.
    #[must_use]
    pub fn has_other_configuration(&self) -> bool {
        self.other_configuration.load(Ordering::SeqCst)
    }

    /// Puts this server's configuration in force for all, whoever leads.
    ///
    /// # Errors
    /// What the database says.
    pub async fn put_in_force(&self, store: &Store, config: &Config) -> Result<(), StoreError> {
        store.put_configuration_in_force(&configuration_document(config)).await?;
        self.other_configuration.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// Lets another server lead at once.
    pub async fn release(&self, store: &Store) {
        let Some(led) = self.led.lock().await.take() else { return };
        if let Err(error) = store.release_lease(&led.lease).await {
            tracing::warn!(%error, "the lease could not be given back; it runs out by itself");
        }
    }
}

/// How long to wait before the lease is looked at again.
#[must_use]
pub fn renew_within(config: &Config) -> Duration {
    Duration::from_millis(lease_ms(config) / RENEWALS)
}

/// Half a round, within bounds: a server that takes over has the other half to credit the round before.
fn lease_ms(config: &Config) -> u64 {
    let round_ms = u64::from(config.pool.round.seconds()).saturating_mul(1000);
    (round_ms / 2).clamp(SHORTEST_LEASE_MS, LONGEST_LEASE_MS)
}

/// Everything that decides what is credited to whom and at which address it is paid, and nothing that may differ between servers, such as addresses,
/// folders and limits.
fn configuration_document(config: &Config) -> String {
    let exchanges = config.exchanges.iter().map(|(id, exchange)| {
        let units = exchange.units.iter().map(|(unit, market)| (unit.clone(), market_document(market)));
        let units: serde_json::Map<_, _> = units.collect();
        (id.clone(), json!({ "endpoint": exchange.endpoint, "units": units }))
    });
    let exchanges: serde_json::Map<_, _> = exchanges.collect();
    let prices = config.prices.iter().map(|(unit, price)| {
        let price = match price {
            PriceConfig::Fixed(price) => json!({ "fixed": price.to_string() }),
            PriceConfig::Feeds(feeds) => json!({
                "every_seconds": feeds.every.as_secs(),
                "max_age_seconds": feeds.max_age.as_secs(),
                "least_sources": feeds.least,
                "sources": feeds.sources.iter().map(|source| {
                    json!({ "url": source.grant.url().as_str(), "pointer": source.pointer, "inverted": source.inverted })
                }).collect::<Vec<_>>(),
            }),
        };
        (unit.clone(), price)
    });
    let prices: serde_json::Map<_, _> = prices.collect();
    let (pool, address) = (&config.pool, &config.pool.address);
    let mut document = json!({
        "currency": pool.currency,
        "round_seconds": pool.round.seconds(),
        "address": { "letter": address.letter.to_string(), "versions": address.versions },
        "exchanges": exchanges,
        "prices": prices,
    });
    // Left out where it is as usual, so that a pool that says nothing of it agrees with servers that know nothing of it.
    let proof = pool.proof;
    if let Some(members) = document.as_object_mut().filter(|_| proof != ProofConfig::default()) {
        let proof = json!({
            "challenge_ms": proof.challenge_ms,
            "tries": proof.tries,
            "notice_ms": proof.terms.notice_ms,
            "delay_ms": proof.terms.delay_ms,
            "require_proof": proof.require_proof,
        });
        members.insert("proof".to_owned(), proof);
    }
    document.to_string()
}

fn market_document(market: &UnitConfig) -> serde_json::Value {
    let mut document = json!({ "terms": market.rules.document, "parameters": market.parameters });
    let changes =
        market.changes_after(0).map(|(from, rules)| json!({ "from": from, "terms": rules.document }));
    let changes: Vec<_> = changes.collect();
    if let Some(members) = document.as_object_mut().filter(|_| !changes.is_empty()) {
        members.insert("changes".to_owned(), changes.into());
    }
    document
}

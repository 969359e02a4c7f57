//! The operator's configuration: one file for the pool, one file for each exchange.
//!
//! Reading it finds every fault at once; nothing is used from a configuration that has one.

mod exchange_file;
mod faults;
mod grant_section;
mod liquidityinfo_section;
mod market_section;
mod payouts_section;
mod pool_file;
mod proof_section;
mod retention_section;
mod section;
mod side_engine;
mod tllp_section;
mod unit;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use alp_pool::address::AddressRules;
use alp_pool::price::Price;
use alp_pool::round::RoundLength;
use alp_record::MarketTerms;

use crate::containment::ExchangeLimits;
use crate::liquidity_report::LiquidityReportConfig;
use crate::network::OutboundGrant;
use crate::payouts::PayoutsConfig;
use crate::retention::RetentionConfig;

pub use faults::{ConfigFault, ConfigFaults};
pub use grant_section::{Builds, GrantConfig};
pub use proof_section::ProofConfig;
pub use tllp_section::TllpConfig;
pub use unit::{RulesConfig, UnitConfig};

/// Largest configuration file that is read, in bytes. A pool of a hundred markets fits many times over.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Exchanges that are not real: whoever names one in earnest would pay anybody for made-up orders.
const TEST_EXCHANGES: [&str; 1] = ["test_exchange"];

/// Most exchange files that are read.
pub const MAX_EXCHANGES: usize = 200;

/// A configuration without faults.
#[derive(Debug, Clone)]
pub struct Config {
    /// The pool itself.
    pub pool: PoolConfig,
    /// The exchanges by id.
    pub exchanges: BTreeMap<String, ExchangeConfig>,
    /// Where the price of each unit comes from, by unit.
    pub prices: BTreeMap<String, PriceConfig>,
    /// The folder of the exchange files.
    pub exchange_folder: PathBuf,
}

/// The pool's own settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolConfig {
    /// The pool's name, shown to people.
    pub name: String,
    /// The currency that is provided and paid, in capitals.
    pub currency: String,
    /// Whether adapters of exchanges that are not real may be used.
    pub test_pool: bool,
    /// Where bots reach the pool.
    pub listen: SocketAddr,
    /// The database: `sqlite:PATH`, or `postgres://user@host/database` without a password.
    pub database: String,
    /// The file that holds the database's password.
    pub database_password_file: Option<PathBuf>,
    /// The folder of adapters.
    pub plugins: PathBuf,
    /// The folder of compiled adapters, which only the server's user may open.
    pub cache: PathBuf,
    /// The folder of versions of adapters that served, to go back to.
    pub versions: PathBuf,
    /// The socket for the operator's commands.
    pub control_socket: PathBuf,
    /// The file of the key that signs the pool's record.
    pub signing_key: PathBuf,
    /// Whether accepted submissions are answered with signed receipts.
    pub receipts: bool,
    /// How long a round is.
    pub round: RoundLength,
    /// After how many rounds an order that was not seen is nobody's.
    pub owner_lapses_after_rounds: u64,
    /// Which payout addresses are right.
    pub address: AddressRules,
    /// What bounds requests.
    pub limits: Limits,
    /// Whether replies are kept, and how.
    pub keep_replies: Option<KeepConfig>,
    /// How addresses are proven, and whether they have to be.
    pub proof: ProofConfig,
    /// Whether backups are made, and with which key.
    pub backup: Option<BackupConfig>,
    /// Whether LPs are paid, and how.
    pub payouts: Option<PayoutsConfig>,
    /// Whether the network is told what liquidity is provided, and how.
    pub liquidity_report: Option<LiquidityReportConfig>,
    /// For how long what is kept.
    pub retention: RetentionConfig,
    /// Whether the second protocol is served, and where.
    pub tllp: Option<TllpConfig>,
}

/// Keeping replies, sealed, for some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepConfig {
    /// For how many days.
    pub days: u64,
    /// The file of the key.
    pub key_file: PathBuf,
    /// The folder they are kept in.
    pub folder: PathBuf,
    /// Most bytes that are kept in all; further replies are not kept, and counted.
    pub max_bytes: u64,
}

/// Making backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupConfig {
    /// The file of the key that they are sealed with.
    pub key_file: PathBuf,
}

/// What bounds requests from bots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest request body, in bytes.
    pub body_bytes: usize,
    /// How long headers and body of a request may take to arrive.
    pub receive: Duration,
    /// Most connections at a time; further ones wait to be accepted.
    pub connections: usize,
    /// Messages a minute from one address.
    pub posts_per_minute: u32,
    /// The operator's own web server, whose word on where a message came from is taken.
    pub trusted_proxy: IpAddr,
}

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeConfig {
    /// The origin to talk to in place of the adapter's own.
    pub endpoint: Option<String>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long one call may take in all.
    pub call_timeout: Duration,
    /// Most calls under way at a time.
    pub concurrent_calls: usize,
    /// Most submissions that wait for a call to end; further ones are told so.
    pub waiting_calls: usize,
    /// Largest reply, in bytes.
    pub reply_bytes: usize,
    /// What its adapter is allowed. Without it the adapter waits and is never asked.
    pub grant: Option<GrantConfig>,
    /// Whether signed requests are taken that never expire or cannot be told from their repetition.
    pub accept_repeatable_requests: bool,
    /// How often it is asked, and what pauses whom.
    pub containment: ExchangeLimits,
    /// The markets by unit.
    pub units: BTreeMap<String, UnitConfig>,
}

/// Where a price comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PriceConfig {
    /// It is what the operator says.
    Fixed(Price),
    /// The median of feeds.
    Feeds(FeedsConfig),
}

/// Several feeds of one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedsConfig {
    /// How often they are asked.
    pub every: Duration,
    /// How old a price may be, from when it was fetched.
    pub max_age: Duration,
    /// How many must have answered.
    pub least: usize,
    /// The feeds.
    pub sources: Vec<SourceConfig>,
}

/// One feed: a JSON document somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// Its address, and what may be sent there.
    pub grant: OutboundGrant,
    /// The JSON pointer to the price within it.
    pub pointer: String,
    /// Whether it says coins for a unit where units for a coin are wanted.
    pub inverted: bool,
}

impl Config {
    /// Reads `pool.toml` and the exchange files of the folder it names.
    ///
    /// # Errors
    /// Every fault found, each with its file, its key and what would be right.
    pub fn read(pool_file: &Path) -> Result<Self, ConfigFaults> {
        let mut faults = ConfigFaults::default();
        let read = pool_file::read(pool_file, &mut faults);
        let Some((pool, prices, folder)) = read else { return Err(faults) };
        let currency = pool.as_ref().map_or("NBT", |pool| pool.currency.as_str());
        let exchanges = exchange_file::read_folder(&folder, currency, &mut faults);
        if pool.as_ref().is_some_and(|pool| !pool.test_pool) {
            for exchange in TEST_EXCHANGES.into_iter().filter(|exchange| exchanges.contains_key(*exchange)) {
                let message =
                    "is an exchange for tests: a pool uses it only with test_pool = true in its own file";
                faults.add(&folder.join(format!("{exchange}.toml")), "", message);
            }
        }
        if pool.as_ref().is_some_and(|pool| !pool.test_pool) {
            let unsaid = |config: &ExchangeConfig| {
                config.grant.as_ref().is_some_and(|grant| grant.builds == Builds::Unsaid)
            };
            for exchange in exchanges.iter().filter(|(_, config)| unsaid(config)).map(|(id, _)| id) {
                let message = "does not say which builds of the adapter may serve: pin them with sha256, or consent to \
                               changes that nobody has looked at with any_build = true";
                faults.add(&folder.join(format!("{exchange}.toml")), "grant", message);
            }
        }
        for (exchange, config) in &exchanges {
            for unit in config.units.keys().filter(|unit| !prices.contains_key(*unit)) {
                faults.add(
                    pool_file,
                    &format!("prices.{unit}"),
                    format!("is missing, but {exchange} has the unit {unit}: say where its price comes from"),
                );
            }
        }
        let Some(pool) = pool else { return Err(faults) };
        let config = Self { pool, exchanges, prices, exchange_folder: folder };
        liquidityinfo_section::check_lines(&config, pool_file, &mut faults);
        if faults.is_empty() { Ok(config) } else { Err(faults) }
    }

    /// Reads a folder of exchange files without the file of a pool. `currency` is what markets provide that do not
    /// say so.
    ///
    /// # Errors
    /// Every fault found.
    pub fn read_exchanges(
        folder: &Path,
        currency: &str,
    ) -> Result<BTreeMap<String, ExchangeConfig>, ConfigFaults> {
        let mut faults = ConfigFaults::default();
        let exchanges = exchange_file::read_folder(folder, currency, &mut faults);
        if faults.is_empty() { Ok(exchanges) } else { Err(faults) }
    }

    /// Reads the rules of one market from the text of its section. `name` is what faults say of where it is.
    ///
    /// # Errors
    /// Every fault found.
    pub fn read_rules(name: &Path, section: &str) -> Result<MarketTerms, ConfigFaults> {
        let mut faults = ConfigFaults::default();
        let terms = section::read_section(name, section, &mut faults, market_section::read_market);
        terms.filter(|_| faults.is_empty()).ok_or(faults)
    }

    /// The market of a unit at an exchange.
    #[must_use]
    pub fn unit(&self, exchange: &str, unit: &str) -> Option<&UnitConfig> {
        self.exchanges.get(exchange)?.units.get(unit)
    }
}

//! The bot's configuration file, `bot.toml`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use alp_record::chain::PublicKey;
use serde::Deserialize;

use crate::bot::DEFAULT_SILENCE_MS;
use crate::form::MinimalRates;
use crate::receipts::MAX_KEPT;
use crate::secret::Secret;

/// Bytes of a configuration or a secret's file: a page of text.
pub const MAX_FILE_BYTES: u64 = 64 * 1_024;
/// The shortest interval between submissions, in milliseconds. Pools count several samples a minute, and throttle
/// bots that send more.
pub const MIN_SUBMIT_INTERVAL_MS: u64 = 1_000;
/// The interval where none is configured, in milliseconds: once a minute.
const DEFAULT_SUBMIT_INTERVAL_MS: u64 = 60_000;
/// For how many days receipts are kept where nothing is configured: two months, by which an LP will have looked.
const DEFAULT_KEEP_DAYS: u32 = 60;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// From one look at the market to the next where nothing is configured, in milliseconds.
const DEFAULT_LOOK_INTERVAL_MS: u64 = 5_000;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The pool.
    pub pool: PoolConfig,
    /// The exchange and the market.
    pub exchange: ExchangeConfig,
    /// The account at the exchange.
    pub account: AccountConfig,
    /// Keeping what the pool signs.
    pub receipts: Option<ReceiptsConfig>,
    /// Orders at the simulated exchange, for a try-out.
    pub simulated: Option<SimulatedConfig>,
}

/// The pool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolConfig {
    /// Its address: `http://host:3333`.
    pub url: String,
    /// Where rewards are to be paid to.
    pub payout_address: String,
    /// Whether the address is proven before the bot submits.
    #[serde(default)]
    pub prove: bool,
    /// From one submission to the next, in milliseconds.
    #[serde(default = "default_submit_interval_ms")]
    pub submit_interval_ms: u64,
    /// After how long without an accepted submission the orders are taken back, in milliseconds.
    #[serde(default = "default_silence_ms")]
    pub silence_ms: u64,
    /// In which protocol it is spoken to.
    #[serde(default)]
    pub protocol: Protocol,
    /// The least that is asked, where the protocol takes that.
    pub minimal_rates: Option<MinimalRates>,
}

/// In which protocol a pool is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// That of ALP-Server: JSON.
    #[default]
    Alp,
    /// That of the first pools: forms, with minimal rates.
    Tllp,
}

/// The exchange and the market.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeConfig {
    /// The exchange's id at the pool.
    pub id: String,
    /// The unit at the pool.
    pub unit: String,
    /// The currency that is provided, in capitals.
    pub base: String,
    /// The currency it is priced in, in capitals.
    pub quote: String,
    /// The adapter that signs: a component, `*.wasm`.
    pub adapter: PathBuf,
    /// Where compiled adapters are kept.
    pub cache: PathBuf,
    /// The exchange's origin, if it is not the adapter's own.
    pub endpoint: Option<String>,
    /// What the adapter wants to know of the market.
    #[serde(default)]
    pub market_parameters: BTreeMap<String, String>,
}

/// The account at the exchange.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// The API key.
    pub key: String,
    /// The file the API secret stands in, alone.
    pub secret_file: Option<PathBuf>,
    /// The environment variable the API secret stands in.
    pub secret_env: Option<String>,
    /// What the adapter wants beyond key and secret: for each name the file its value stands in, alone.
    #[serde(default)]
    pub parameter_files: BTreeMap<String, PathBuf>,
}

/// Keeping what the pool signs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptsConfig {
    /// The folder.
    pub folder: PathBuf,
    /// The pool's public key, in hexadecimal.
    pub pool_key: Option<String>,
    /// For how many days they are kept.
    #[serde(default = "default_keep_days")]
    pub keep_days: u32,
    /// Whether heads of the pool's record are kept, too.
    #[serde(default = "default_heads")]
    pub heads: bool,
}

impl ReceiptsConfig {
    /// The pool's key, if it is known.
    ///
    /// # Errors
    /// If it is none.
    pub fn key(&self) -> Result<Option<PublicKey>, ConfigError> {
        self.pool_key.as_deref().map(|text| PublicKey::parse(text).ok_or(ConfigError::PoolKey)).transpose()
    }
}

/// Orders at the simulated exchange.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedConfig {
    /// The orders, each on either side of the price.
    pub orders: Vec<LevelConfig>,
    /// From one look at the price to the next, in milliseconds.
    #[serde(default = "default_look_interval_ms")]
    pub look_interval_ms: u64,
    /// For how long orders stand at least and at most before they move without a reason, in milliseconds.
    pub restless_ms: Option<(u64, u64)>,
}

/// One order on either side.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelConfig {
    /// How far from the price, as a share of it: `"0.005"`.
    pub offset: String,
    /// How much of base: `"100"`.
    pub amount: String,
}

/// What is wrong with the configuration. The bot's owner must act.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is too long to be what it should be.
    #[error("{path} is longer than {MAX_FILE_BYTES} bytes")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The file is not TOML, or has other members than it should.
    #[error("{path}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// Where and what.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// Not exactly one place for the secret.
    #[error("the secret comes from either `account.secret_file` or `account.secret_env`")]
    SecretSource,
    /// The environment variable is not there.
    #[error("the environment variable {0} holds no secret")]
    SecretVariable(String),
    /// A secret is empty.
    #[error("a secret is empty")]
    SecretEmpty,
    /// The interval is too short.
    #[error("`pool.submit_interval_ms` has to be at least {MIN_SUBMIT_INTERVAL_MS}")]
    Interval,
    /// The pool's key is none.
    #[error(
        "`receipts.pool_key` has to be 64 hexadecimal digits in lower case, as the pool's operator publishes it"
    )]
    PoolKey,
    /// More receipts than `alp verify` reads.
    #[error(
        "`receipts.keep_days` has to be 1 to {most}: at this `pool.submit_interval_ms`, more days hold more than \
         {MAX_KEPT} receipts, which is all that is read of a folder"
    )]
    KeepDays {
        /// The most that make sense.
        most: u64,
    },
    /// Rates without the protocol that takes them, or the other way round.
    #[error("`pool.minimal_rates` goes with `pool.protocol = \"tllp\"`, and that with it")]
    RatesAlone,
    /// A rate is no decimal.
    #[error(
        "`pool.minimal_rates` has to be two decimals a day, such as {{ ask = \"0.0025\", bid = \"0.0025\" }}"
    )]
    Rates,
    /// The pool's address is no HTTP address.
    #[error("`pool.url` has to begin with http:// or https://")]
    Url,
}

impl Config {
    /// Reads the file. Relative paths in it stand relative to its own folder.
    ///
    /// # Errors
    /// If the file cannot be read or makes no sense.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        // The parser's message quotes the line at fault. No line holds a secret: secrets stand elsewhere.
        let mut config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Toml { path: path.to_owned(), source: Box::new(source) })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        config.exchange.adapter = folder.join(&config.exchange.adapter);
        config.exchange.cache = folder.join(&config.exchange.cache);
        if let Some(receipts) = &mut config.receipts {
            receipts.folder = folder.join(&receipts.folder);
        }
        let account = &mut config.account;
        for file in account.secret_file.iter_mut().chain(account.parameter_files.values_mut()) {
            *file = folder.join(&file);
        }
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let url = &self.pool.url;
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(ConfigError::Url);
        }
        if self.pool.submit_interval_ms < MIN_SUBMIT_INTERVAL_MS {
            return Err(ConfigError::Interval);
        }
        if let Some(receipts) = &self.receipts {
            receipts.key()?;
            // With that of today, one file more than days.
            let a_day = DAY_MS.div_ceil(self.pool.submit_interval_ms.max(1)).max(1);
            let most = MAX_KEPT.checked_div(a_day).unwrap_or(1).saturating_sub(1).max(1);
            if receipts.keep_days == 0 || u64::from(receipts.keep_days) > most {
                return Err(ConfigError::KeepDays { most });
            }
        }
        if self.pool.minimal_rates.is_some() != (self.pool.protocol == Protocol::Tllp) {
            return Err(ConfigError::RatesAlone);
        }
        match &self.pool.minimal_rates {
            Some(rates) if !rates.are_decimals() => Err(ConfigError::Rates),
            Some(_) | None => Ok(()),
        }
    }
}

impl AccountConfig {
    /// The API secret. `variable` looks an environment variable up.
    ///
    /// # Errors
    /// If it is nowhere, or in two places.
    pub fn secret(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Secret, ConfigError> {
        let text = match (&self.secret_file, &self.secret_env) {
            (Some(file), None) => read(file)?,
            (None, Some(name)) => variable(name).ok_or_else(|| ConfigError::SecretVariable(name.clone()))?,
            (None, None) | (Some(_), Some(_)) => return Err(ConfigError::SecretSource),
        };
        secret_of(&text)
    }

    /// What the adapter wants beyond key and secret, by name.
    ///
    /// # Errors
    /// If a file cannot be read or is empty.
    pub fn parameters(&self) -> Result<BTreeMap<String, Secret>, ConfigError> {
        let files = self.parameter_files.iter();
        files.map(|(name, file)| Ok((name.clone(), secret_of(&read(file)?)?))).collect()
    }
}

fn secret_of(text: &str) -> Result<Secret, ConfigError> {
    match text.trim() {
        "" => Err(ConfigError::SecretEmpty),
        secret => Ok(Secret::new(secret)),
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::File { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_FILE_BYTES {
        return Err(ConfigError::TooLong { path: path.to_owned() });
    }
    std::fs::read_to_string(path).map_err(failed)
}

fn default_submit_interval_ms() -> u64 {
    DEFAULT_SUBMIT_INTERVAL_MS
}

fn default_keep_days() -> u32 {
    DEFAULT_KEEP_DAYS
}

fn default_heads() -> bool {
    true
}

fn default_silence_ms() -> u64 {
    DEFAULT_SILENCE_MS
}

fn default_look_interval_ms() -> u64 {
    DEFAULT_LOOK_INTERVAL_MS
}

//! The other configuration: which rules take the place of those that the record names.
//! It reads an operator's exchange files and changes of single keys, and knows no round beyond its start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alp_record::chain::{Digest, JudgedMarket, OtherRules, Replacements, RoundBody};
use alp_record::{Pair, TermsDocumentError, read_market, read_pair};

use super::SimulateError;
use super::market_section::MarketSection;
use crate::config::{Config, ExchangeConfig, RulesConfig};

/// What a market provides whose section does not say so. It stands in documents, and decides nothing.
const USUAL_BASE: &str = "NBT";

/// Most different changes of rules that are told of; further ones are made and not listed.
const MAX_CHANGES: usize = 100;

/// One key of a market's rules, and what it is to be: `binance.btc.target=2000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    exchange: String,
    unit: String,
    path: Vec<String>,
    value: String,
}

impl std::str::FromStr for Setting {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let fault = || SettingError(text.to_owned());
        let (names, value) = text.split_once('=').ok_or_else(fault)?;
        let mut names = names.trim().split('.').map(str::to_owned);
        let (Some(exchange), Some(unit)) = (names.next(), names.next()) else { return Err(fault()) };
        let path: Vec<String> = names.collect();
        if path.is_empty() || [&exchange, &unit].into_iter().chain(&path).any(String::is_empty) {
            return Err(fault());
        }
        Ok(Self { exchange, unit, path, value: value.trim().to_owned() })
    }
}

/// A text that is no setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not EXCHANGE.UNIT.KEY=VALUE, such as binance.btc.target=2000 or binance.btc.ask.ratio=0.6")]
pub struct SettingError(String);

impl Setting {
    fn is_of(&self, market: &JudgedMarket) -> bool {
        self.exchange == market.exchange && self.unit == market.unit
    }

    /// Another engine is set first, since it begins a market's rules anew.
    fn sets_engine(&self) -> bool {
        self.path.last().is_some_and(|key| key == "engine")
    }
}

/// A market whose rules are replaced, with both in a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
    /// The recorded rules.
    pub recorded: String,
    /// Those in their place.
    pub other: String,
}

/// The configuration that rounds are replayed under.
#[derive(Debug, Default)]
pub(super) struct OtherConfiguration {
    folder: PathBuf,
    exchanges: BTreeMap<String, ExchangeConfig>,
    settings: Vec<Setting>,
    /// Rules that were made already, by the market and the digest of the rules that settings change.
    made: BTreeMap<(String, String, String), Arc<OtherRules>>,
    met: BTreeSet<(String, String)>,
    changes: BTreeSet<Change>,
    told: BTreeSet<(JudgedMarket, String)>,
}

impl OtherConfiguration {
    /// Reads the folder, if one is given.
    pub(super) fn read(folder: Option<&Path>, settings: &[Setting]) -> Result<Self, SimulateError> {
        let mut settings = settings.to_vec();
        settings.sort_by_key(|setting| !setting.sets_engine());
        let exchanges = match folder {
            Some(folder) => Config::read_exchanges(folder, USUAL_BASE)?,
            None => BTreeMap::new(),
        };
        if exchanges.is_empty() && settings.is_empty() {
            return Err(SimulateError::NothingOther);
        }
        let folder = folder.unwrap_or(Path::new("")).to_owned();
        Ok(Self { folder, exchanges, settings, ..Self::default() })
    }

    /// What takes the place of the rules of a round: those in force at its start.
    pub(super) fn replacements(&mut self, round: &RoundBody) -> Result<Replacements, SimulateError> {
        let mut replacements = Replacements::new();
        for market in JudgedMarket::all_of(round) {
            let unit =
                self.exchanges.get(&market.exchange).and_then(|exchange| exchange.units.get(&market.unit));
            let written = unit.map(|unit| unit.rules_at(round.start).document.clone());
            self.met.insert((market.exchange.clone(), market.unit.clone()));
            if written.is_none() && !self.settings.iter().any(|setting| setting.is_of(&market)) {
                continue;
            }
            let recorded = round.terms.iter().find(|terms| terms.id == market.terms);
            let Some(recorded) = recorded.map(|terms| terms.document.clone()) else { continue };
            let base = written.unwrap_or_else(|| recorded.clone());
            let other = self.rules(&market, &base)?;
            self.tell(&market, &recorded, &other)?;
            replacements.insert(market, other);
        }
        Ok(replacements)
    }

    /// Every change that was made.
    pub(super) fn changes(&self) -> Vec<Change> {
        self.changes.iter().cloned().collect()
    }

    /// Markets of the record that stayed as they were.
    pub(super) fn unchanged(&self) -> Vec<String> {
        let changed: BTreeSet<(&str, &str)> =
            self.changes.iter().map(|change| (change.exchange.as_str(), change.unit.as_str())).collect();
        let stayed =
            self.met.iter().filter(|(exchange, unit)| !changed.contains(&(exchange.as_str(), unit.as_str())));
        stayed.map(|(exchange, unit)| format!("{exchange} {unit}")).collect()
    }

    /// Settings of markets that no round had.
    pub(super) fn never_met(&self) -> Option<String> {
        let known =
            |setting: &&Setting| !self.met.contains(&(setting.exchange.clone(), setting.unit.clone()));
        self.settings.iter().find(known).map(|setting| format!("{} {}", setting.exchange, setting.unit))
    }

    fn rules(&mut self, market: &JudgedMarket, base: &str) -> Result<Arc<OtherRules>, SimulateError> {
        let id = Digest::of(&[base.as_bytes()]).to_string();
        let key = (market.exchange.clone(), market.unit.clone(), id);
        if let Some(made) = self.made.get(&key) {
            return Ok(Arc::clone(made));
        }
        let terms = |source: TermsDocumentError| SimulateError::Rules {
            market: format!("{} {}", market.exchange, market.unit),
            source,
        };
        let mut rules = read_market(base).map_err(terms)?;
        let settings: Vec<&Setting> = self.settings.iter().filter(|setting| setting.is_of(market)).collect();
        if !settings.is_empty() {
            let mut section = MarketSection::of(&rules);
            settings.iter().for_each(|setting| section.set(&setting.path, &setting.value));
            let name = self.folder.join(format!("{} {} as set", market.exchange, market.unit));
            rules = Config::read_rules(&name, &section.text())?;
        }
        let made = Arc::new(OtherRules::new(rules, &read_pair(base).map_err(terms)?));
        self.made.insert(key, Arc::clone(&made));
        Ok(made)
    }

    fn tell(
        &mut self,
        market: &JudgedMarket,
        recorded: &str,
        other: &OtherRules,
    ) -> Result<(), SimulateError> {
        let terms = |source: TermsDocumentError| SimulateError::Rules {
            market: format!("{} {}", market.exchange, market.unit),
            source,
        };
        let pair = read_pair(recorded).map_err(terms)?;
        let other = summary(&pair, other.market().clone());
        let key = (market.clone(), other.clone());
        if self.changes.len() >= MAX_CHANGES || !self.told.insert(key) {
            return Ok(());
        }
        let recorded = summary(&pair, read_market(recorded).map_err(terms)?);
        let (exchange, unit) = (market.exchange.clone(), market.unit.clone());
        self.changes.insert(Change { exchange, unit, recorded, other });
        Ok(())
    }
}

fn summary(pair: &Pair, market: alp_record::MarketTerms) -> String {
    RulesConfig::new(&pair.base, &pair.quote, pair.reverse, market).summary()
}

//! One market: a unit at an exchange, and the reward rules that are in force there from when.
//! It knows neither file nor clock.

use std::collections::BTreeMap;

use alp_pool::schedule::Schedule;
use alp_pool::terms::Side;
use alp_record::MarketTerms;

/// One market: a unit at an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitConfig {
    /// The currency that is provided: `NBT`.
    pub base: String,
    /// The currency it is priced in: `BTC`.
    pub quote: String,
    /// Whether the exchange quotes units for a coin while the price says coins for a unit.
    pub reverse: bool,
    /// What the adapter needs to know of the market beyond its name.
    pub parameters: BTreeMap<String, String>,
    /// The reward rules until the first change.
    pub rules: RulesConfig,
    /// The changes: what is in force from when, in Unix seconds.
    pub changes: Option<Schedule<RulesConfig>>,
}

/// Reward rules, with the document that is kept with what was judged by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesConfig {
    /// The rules.
    pub terms: MarketTerms,
    /// The rules as a canonical document.
    pub document: String,
    /// The document's SHA-256, in hex.
    pub terms_id: String,
}

impl RulesConfig {
    /// The rules of a market that trades `base` for `quote`.
    #[must_use]
    pub fn new(base: &str, quote: &str, reverse: bool, terms: MarketTerms) -> Self {
        let document = alp_record::write_market(base, quote, reverse, &terms);
        let terms_id = alp_record::id_of(&document);
        Self { terms, document, terms_id }
    }

    /// The rules in a line: the engine of each side, what is paid a minute, the target, the looks.
    #[must_use]
    pub fn summary(&self) -> String {
        let terms = &self.terms;
        let [ask, bid] = Side::BOTH.map(|side| terms.rules().engine().kind(side).name());
        let engines = if ask == bid { ask.to_owned() } else { format!("{ask} and {bid}") };
        let reward = terms.judged_by().reward_per_minute();
        let looks = terms.looks();
        let slices = match looks.slices() {
            1 => "one slice".to_owned(),
            slices => format!("{slices} slices"),
        };
        let evidence = looks.rule().name();
        let id = self.terms_id.get(..12).unwrap_or(&self.terms_id);
        format!("{engines}, {reward} a minute, target {}, {slices} by {evidence}, rules {id}", terms.target())
    }
}

impl UnitConfig {
    /// The rules in force at an instant, in Unix seconds. A round goes by those in force at its start.
    #[must_use]
    pub fn rules_at(&self, unix_seconds: u64) -> &RulesConfig {
        let changed = self.changes.as_ref().and_then(|changes| changes.in_force(unix_seconds));
        changed.unwrap_or(&self.rules)
    }

    /// Every change after an instant, in order of time.
    pub fn changes_after(&self, unix_seconds: u64) -> impl Iterator<Item = (u64, &RulesConfig)> {
        let changes = self.changes.as_ref().map_or(&[][..], Schedule::changes);
        changes.iter().filter(move |(from, _)| *from > unix_seconds).map(|(from, rules)| (*from, rules))
    }
}

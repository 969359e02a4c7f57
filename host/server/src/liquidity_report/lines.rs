//! From a committed round to the lines that are told of it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use alp_pool::decimal::DecimalError;
use alp_pool::money::Amount;
use alp_pool::terms::Side;
use alp_record::judged::RoundStatistics;
use thiserror::Error;

use super::{NetworkAmount, Tiers};
use crate::config::Config;

/// The longest identifier that the network takes, in bytes of printable ASCII.
pub const MAX_IDENTIFIER_BYTES: usize = 255;

/// The most identifiers that the network keeps of a custodian; beyond it, it drops the oldest.
pub const MAX_LINES: usize = 100;

/// What is told of one rank of one market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// By which the network keeps it.
    pub identifier: String,
    /// The liquidity of the bids.
    pub buy: NetworkAmount,
    /// The liquidity of the asks.
    pub sell: NetworkAmount,
}

/// A rank of a market: exchange, unit, number.
type Place = (String, String, u8);

/// The lines of a round, by rising exchange, unit and rank: one for each rank that its statistics name or that a market has
/// at its start by the configuration. A market without samples provides nothing, and is told so.
///
/// # Errors
/// [`LineError`] if the statistics are not as they were written, or there is more to tell than the network keeps.
pub fn lines(
    config: &Config,
    tiers: Tiers,
    pool: &str,
    round_start: u64,
    statistics: &RoundStatistics,
) -> Result<Vec<Line>, LineError> {
    let mut totals: BTreeMap<Place, [NetworkAmount; 2]> =
        places(config, Some(round_start)).into_iter().map(|place| (place, Default::default())).collect();
    for market in &statistics.markets {
        for side in &market.sides {
            for rank in &side.ranks {
                let place = (market.exchange.clone(), market.unit.clone(), rank.rank);
                let [ask, bid] = totals.entry(place).or_default();
                let told = NetworkAmount::floored(Amount::parse_sum(&rank.total)?);
                match side.side.as_str() {
                    "ask" => *ask = told,
                    "bid" => *bid = told,
                    _ => return Err(LineError::Side),
                }
            }
        }
    }
    if totals.len() > MAX_LINES {
        return Err(LineError::TooMany(totals.len()));
    }
    let line = |(place, [sell, buy]): (Place, [NetworkAmount; 2])| {
        let identifier = identifier(config, tiers, pool, &place);
        Line { identifier, buy, sell }
    };
    Ok(totals.into_iter().map(line).collect())
}

/// The identifiers of every rank that a market has or will have by the configuration.
#[must_use]
pub fn identifiers(config: &Config, tiers: Tiers, pool: &str) -> Vec<String> {
    places(config, None).iter().map(|place| identifier(config, tiers, pool, place)).collect()
}

/// The end of every identifier of a pool, up to the rank's number.
pub(super) fn ending(pool: &str) -> String {
    format!(":{pool}.rank_")
}

/// `tier:pair:exchange:pool.rank_n`, where the tier is what the network reads and the rest is for people.
fn identifier(config: &Config, tiers: Tiers, pool: &str, (exchange, unit, rank): &Place) -> String {
    let tier = match tiers {
        Tiers::ByRank => *rank,
        Tiers::AlwaysOne => 1,
    };
    let (currency, unit) = (&config.pool.currency, unit.to_uppercase());
    format!("{tier}:{currency}{unit}:{exchange}{}{rank}", ending(pool))
}

/// The ranks by the rules at an instant, in Unix seconds, or by all rules there are.
fn places(config: &Config, at: Option<u64>) -> BTreeSet<Place> {
    let mut places = BTreeSet::new();
    for (exchange, settings) in &config.exchanges {
        for (unit, market) in &settings.units {
            let all = std::iter::once(&market.rules).chain(market.changes_after(0).map(|(_, rules)| rules));
            let in_force = at.map(|at| market.rules_at(at));
            for rules in all.filter(|rules| in_force.is_none_or(|in_force| *rules == in_force)) {
                let ranks =
                    Side::BOTH.into_iter().flat_map(|side| rules.terms.judged_by().side(side).ranks());
                places.extend(ranks.map(|rank| (exchange.clone(), unit.clone(), rank.number.0)));
            }
        }
    }
    places
}

/// Why a round cannot be told. The operator's.
#[derive(Debug, Error)]
pub enum LineError {
    /// A total is no amount.
    #[error("the liquidity of the last round in the database is damaged: it {0}")]
    Total(#[from] DecimalError),
    /// A side is neither ask nor bid.
    #[error("the liquidity of the last round in the database is damaged: a side is neither ask nor bid")]
    Side,
    /// More than the network keeps.
    #[error("the last round has {0} ranks, and the network keeps {MAX_LINES} lines of a custodian")]
    TooMany(usize),
}

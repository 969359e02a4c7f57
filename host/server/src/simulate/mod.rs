//! `alp simulate`: what recorded rounds would have paid under another configuration.
//! It knows where rounds and configurations come from; how a round is judged and shared anew is the record's own crate.

mod market_section;
mod other_configuration;
mod report;

use std::path::PathBuf;

use alp_record::TermsDocumentError;
use alp_record::chain::{Body, Comparison, ComparisonError, Entry, EntryError, Replay, ReplayError};
use thiserror::Error;

use crate::config::ConfigFaults;
use crate::verify::VerifyError;
use crate::verify::ahead::in_order;
use crate::verify::source::Source;

use other_configuration::OtherConfiguration;
pub use other_configuration::{Change, Setting, SettingError};
pub use report::{csv, report};

/// Most entries that are replayed at once: almost two years of rounds of a minute.
pub const MAX_ENTRIES: usize = 1_000_000;

/// What is to be replayed, and under what.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// A pool's address, or a folder of entries.
    pub record: String,
    /// A folder of exchange files.
    pub exchanges: Option<PathBuf>,
    /// Single keys that are changed, in the exchange files or in the rules that the record names.
    pub settings: Vec<Setting>,
    /// How many of the newest entries are replayed, at most [`MAX_ENTRIES`].
    pub newest: usize,
    /// How many entries are read at a time; 0 for as many as there are cores.
    pub threads: usize,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// What was recorded beside what would have been.
    pub comparison: Comparison,
    /// Which rules were replaced.
    pub changes: Vec<Change>,
    /// Markets whose rules were not.
    pub unchanged: Vec<String>,
    /// How many older entries of the record were left out.
    pub left_out: usize,
}

/// Replays. `progress` is told after each entry how many were read, and of how many.
///
/// # Errors
/// [`SimulateError`]; nothing is shown of half a replay.
pub async fn simulate(
    simulation: &Simulation,
    mut progress: impl FnMut(u64, u64),
) -> Result<Simulated, SimulateError> {
    let mut other = OtherConfiguration::read(simulation.exchanges.as_deref(), &simulation.settings)?;
    let source = Source::open(&simulation.record)?;
    let numbers = source.numbers().await?;
    let left_out = numbers.len().saturating_sub(simulation.newest.min(MAX_ENTRIES));
    let chosen = numbers.get(left_out..).unwrap_or_default();
    let (mut read, all) = (0_u64, u64::try_from(chosen.len()).unwrap_or(u64::MAX));
    let mut replay = Replay::default();
    let mut comparison = Comparison::default();
    let take = |number: u64, entry: Result<Entry, EntryError>| -> Result<(), SimulateError> {
        let entry = entry.map_err(|source| SimulateError::Entry { number, source })?;
        match &entry.body {
            // A restored database knew an older round before.
            Body::Epoch(_) => replay.begin_anew(),
            Body::Round(round) => {
                let replacements = other.replacements(round)?;
                let replayed = replay
                    .round(round, &replacements)
                    .map_err(|source| SimulateError::Replay { number, source })?;
                comparison.add(round, &replayed)?;
            }
            Body::Correction(_) | Body::Payout(_) | Body::CarryForward(_) => {}
        }
        read = read.saturating_add(1);
        progress(read, all);
        Ok(())
    };
    in_order(&source, chosen, simulation.threads, |text: String| Entry::read(&text), take).await?;
    if comparison.rounds == 0 {
        return Err(SimulateError::NoRounds);
    }
    if let Some(market) = other.never_met() {
        return Err(SimulateError::NoSuchMarket(market));
    }
    let (changes, unchanged) = (other.changes(), other.unchanged());
    Ok(Simulated { comparison, changes, unchanged, left_out })
}

/// Why nothing is replayed.
#[derive(Debug, Error)]
pub enum SimulateError {
    /// The record cannot be read.
    #[error(transparent)]
    Source(#[from] VerifyError),
    /// The other configuration is at fault.
    #[error(transparent)]
    Config(#[from] ConfigFaults),
    /// No other configuration.
    #[error(
        "nothing is different: give a folder of exchange files with --exchanges, or change a key with --set"
    )]
    NothingOther,
    /// A setting of a market that is not there.
    #[error("the rounds that were replayed have no market {0}: --set is of no use for it")]
    NoSuchMarket(String),
    /// Nothing to replay.
    #[error("the record has no round among these entries")]
    NoRounds,
    /// An entry that is not right.
    #[error("entry {number} cannot be replayed; `alp verify` says what else is wrong with the record")]
    Entry {
        /// Its number.
        number: u64,
        /// What is wrong with it.
        source: EntryError,
    },
    /// A round that cannot be computed under the other rules.
    #[error("the round of entry {number} cannot be replayed")]
    Replay {
        /// The entry's number.
        number: u64,
        /// Why.
        source: ReplayError,
    },
    /// The rules that a round names.
    #[error("the rules of {market} cannot be read")]
    Rules {
        /// The exchange and the unit.
        market: String,
        /// Why.
        source: TermsDocumentError,
    },
    /// Sums.
    #[error(transparent)]
    Comparison(#[from] ComparisonError),
}

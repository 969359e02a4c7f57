//! `alp simulate`: recorded rounds under another configuration.

use std::path::PathBuf;
use std::process::ExitCode;

use thiserror::Error;

use super::progress::Bar;
use super::{failed, show};
use crate::simulate::{MAX_ENTRIES, Setting, Simulation, csv, report, simulate};

/// A day of rounds of a minute.
const USUAL_ENTRIES: usize = 1_440;

#[derive(Debug, clap::Args)]
pub(super) struct SimulateArguments {
    /// The address of a pool, such as https://pool.example, or a folder of entries that `alp verify --save` made.
    #[arg(value_name = "URL|FOLDER")]
    record: String,
    /// A folder of exchange files, written as for a pool. Markets that it does not have keep their recorded rules. Of
    /// changes by date, each round goes by what is in force at its start.
    #[arg(long, value_name = "FOLDER")]
    exchanges: Option<PathBuf>,
    /// One key of a market's section, changed: binance.btc.target=2000, binance.btc.ask.rank_1.tolerance=0.01. As often
    /// as there are keys to change. Another engine (binance.btc.engine=uniform_auction) begins a market's rules anew: all
    /// that the engine needs has to be set with it.
    #[arg(long = "set", value_name = "EXCHANGE.UNIT.KEY=VALUE")]
    settings: Vec<Setting>,
    /// How many of the newest entries are replayed, at most 1000000. There is one for each round.
    #[arg(long, value_name = "COUNT", default_value_t = USUAL_ENTRIES)]
    newest: usize,
    /// A file for every LP's sums on every market, as comma-separated values.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// How many entries are read at a time. Default: as many as there are cores.
    #[arg(long, value_name = "COUNT", default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

/// Replays and shows what came of it.
pub(super) async fn run(arguments: SimulateArguments) -> ExitCode {
    let SimulateArguments { record, exchanges, settings, newest, csv: file, threads } = arguments;
    if newest == 0 || newest > MAX_ENTRIES {
        return failed(&OutOfRange);
    }
    let simulation = Simulation { record, exchanges, settings, newest, threads };
    let bar = Bar::new();
    let outcome = simulate(&simulation, |read, all| bar.draw("replaying", read, all, "entries")).await;
    bar.end();
    let simulated = match outcome {
        Ok(simulated) => simulated,
        Err(error) => return failed(&error),
    };
    if let Some(file) = file
        && let Err(source) = std::fs::write(&file, csv(&simulated))
    {
        return failed(&Unwritten { file, source });
    }
    show(&report(&simulated));
    ExitCode::SUCCESS
}

#[derive(Debug, Error)]
#[error("--newest is 1 to {MAX_ENTRIES}")]
struct OutOfRange;

#[derive(Debug, Error)]
#[error("{} cannot be written", file.display())]
struct Unwritten {
    file: PathBuf,
    source: std::io::Error,
}

//! `alp import`: taking over an ALP-Server, and giving out what waits after it.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alp_pool::address::AddressRules;
use alp_pool::takeover::Doubles;
use alp_store::{AlpServerDatabase, Clock, Store, StoreOptions, postgres_url_with_password};
use clap::{Subcommand, ValueEnum};
use thiserror::Error;

use super::{PoolFile, failed, show};
use crate::config::{Config, PoolConfig};
use crate::database::{database_url, read_password};
use crate::record::{Publisher, read_or_make};
use crate::takeover::{
    Choices, ConversionChoices, OldConfig, OldServerAt, Report, Sent, TakenOver, convert_folder, list_holds,
    look, release_hold, take_over, write_configuration,
};

#[derive(Debug, Subcommand)]
pub(super) enum ImportAction {
    /// Take over an ALP-Server: its configuration, its users, and its unpaid credits, each once.
    ///
    /// Without --commit it is a dry run: it reads, shows what it would do and what that server's faults had doubled or lost,
    /// and changes nothing. --out writes the configuration for this pool.
    ///
    /// With --commit the old server has to be stopped. Its payout role is taken in its own database: every unpaid credit is
    /// marked (paid = 2), a constraint forbids new ones, and its next payout is in the year 2100. Only then are the balances
    /// entered here. Killed at any point, the same command goes on; when it is done, it imports nothing.
    AlpServer(Box<AlpServerArguments>),
    /// List what waits after an import: keys with several addresses, or none that is right.
    Holds {
        #[command(flatten)]
        pool: PoolFile,
    },
    /// Give what waits to an address: its key is registered there, and it is paid with the next payout.
    Release {
        /// The number of the hold, as `alp import holds` shows it.
        hold: u64,
        /// The address.
        #[arg(long)]
        address: String,
        #[command(flatten)]
        pool: PoolFile,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct AlpServerArguments {
    /// The old server's folder of pool_config and exchanges/.
    #[arg(long, value_name = "FOLDER")]
    config_dir: PathBuf,
    /// The old server's database, postgres://user@host/database. Without it, the one that pool_config names.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// The file that holds that database's password, with mode 600. Without it PGPASSWORD or ~/.pgpass hold.
    #[arg(long, value_name = "FILE")]
    database_password_file: Option<PathBuf>,
    /// Write this pool's configuration into this folder, which must not be there yet.
    #[arg(long, value_name = "FOLDER", conflicts_with = "config")]
    out: Option<PathBuf>,
    /// This pool's configuration file, if it was written before.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of adapters: exchanges that have none are left out of the configuration.
    #[arg(long, value_name = "FOLDER", default_value = "plugins")]
    plugins: PathBuf,
    /// The database of this pool, for the configuration.
    #[arg(long, value_name = "URL", default_value = "sqlite:alp.db")]
    new_database: String,
    /// What fills a market's target: everything in any rank, as it was, or each rank its own part.
    #[arg(long, value_enum, default_value = "all")]
    fills_target: FillsTarget,
    /// Take test_exchange over too, for a trial: in a pool that pays it would pay anybody.
    #[arg(long)]
    test_pool: bool,
    /// What becomes of credits of an order that was credited in that round already (PB-08, PB-09, PB-11): the order was there
    /// once and is owed once; or they are owed as that server told its LPs.
    #[arg(long, value_enum, default_value = "drop")]
    doubles: DoublesChoice,
    /// What becomes of transactions to LPs that the old server did not record: taken off what is owed, or something else
    /// that they paid. Without a word about them nothing is taken over.
    #[arg(long, value_enum)]
    sent: Option<SentChoice>,
    /// Go on without asking the old server's wallet what it sent.
    #[arg(long)]
    without_wallet: bool,
    /// Where the old server listened.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3333")]
    old_listen: SocketAddr,
    /// The old server is stopped, on every machine, and will not be started again.
    #[arg(long)]
    old_server_stopped: bool,
    /// This pool took over another ALP-Server before, and this is a further one.
    #[arg(long)]
    another_pool: bool,
    /// Take over. Needs --out or --config.
    #[arg(long)]
    commit: bool,
    /// Write the whole report to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FillsTarget {
    #[value(name = "all")]
    All,
    #[value(name = "per_rank")]
    PerRank,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DoublesChoice {
    Drop,
    Keep,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SentChoice {
    Subtract,
    Keep,
}

/// Does it.
pub(super) async fn run(action: ImportAction) -> ExitCode {
    let done = match action {
        ImportAction::AlpServer(arguments) => import(&arguments).await,
        ImportAction::Holds { pool } => holds(&pool.config).await,
        ImportAction::Release { hold, address, pool } => release(&pool.config, hold, &address).await,
    };
    match done {
        Ok(text) => {
            show(&text);
            ExitCode::SUCCESS
        }
        Err(error) => failed(error.as_ref()),
    }
}

type Told = Result<String, Box<dyn std::error::Error>>;

async fn import(arguments: &AlpServerArguments) -> Told {
    if arguments.commit && arguments.out.is_none() && arguments.config.is_none() {
        return Err(Box::new(ImportFault::NoConfig));
    }
    let conversion = ConversionChoices {
        database: arguments.new_database.clone(),
        plugins: arguments.plugins.clone(),
        adapters: std::collections::BTreeSet::new(),
        fills_target: match arguments.fills_target {
            FillsTarget::All => "all".to_owned(),
            FillsTarget::PerRank => "per_rank".to_owned(),
        },
        test_pool: arguments.test_pool,
    };
    let (old_config, converted) = convert_folder(&arguments.config_dir, conversion)?;
    let mut notes = converted.notes.clone();
    let pool_file = match &arguments.out {
        Some(folder) => {
            let file = write_configuration(folder, &converted)?;
            notes.insert(0, format!("written to {}", folder.display()));
            Some(file)
        }
        None => arguments.config.clone(),
    };
    let pool = pool_file.as_deref().map(Config::read).transpose();
    let pool = match pool {
        Ok(config) => config.map(|config| config.pool),
        // What is wrong is among the notes; a dry run shows the rest all the same.
        Err(faults) if arguments.commit || arguments.config.is_some() => return Err(Box::new(faults)),
        Err(_) => None,
    };
    let choices = choices_of(arguments, pool.as_ref());
    let mut old = AlpServerDatabase::connect(&old_database_url(arguments, &old_config)?).await?;
    let terminal = std::io::stderr().is_terminal();
    let mut progress = |credits: u64| {
        if terminal {
            let _ = write!(std::io::stderr(), "\rread {credits} credits");
        }
    };
    let found = look(&mut old, old_config.rpc.as_ref(), &choices, &mut progress).await?;
    if terminal {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    let report = Report::new(&found, notes, &choices);
    if let Some(path) = &arguments.json {
        std::fs::write(path, report.json())
            .map_err(|source| ImportFault::Json { path: path.clone(), source })?;
    }
    let Some(pool) = pool.filter(|_| arguments.commit) else {
        return Ok(format!("{}\nThis was a dry run: nothing was taken over.", report.table()));
    };
    show(&report.table());
    let (store, publisher) = open(&pool).await?;
    let done = take_over(&mut old, &store, &publisher, &found, &report, &choices, None).await;
    store.close().await;
    Ok(match done? {
        TakenOver::Done => format!(
            "taken over as import {}: the old server pays nothing any more, and this pool owes {}. `alp import holds` lists \
             what waits",
            report.import_id, report.owed
        ),
        TakenOver::Before => {
            format!(
                "import {} was taken over before: nothing was imported, nothing was changed",
                report.import_id
            )
        }
    })
}

fn choices_of(arguments: &AlpServerArguments, pool: Option<&PoolConfig>) -> Choices {
    Choices {
        doubles: match arguments.doubles {
            DoublesChoice::Drop => Doubles::Drop,
            DoublesChoice::Keep => Doubles::Keep,
        },
        sent: match arguments.sent {
            None => Sent::Unsaid,
            Some(SentChoice::Subtract) => Sent::Subtract,
            Some(SentChoice::Keep) => Sent::Keep,
        },
        without_wallet: arguments.without_wallet,
        old_listen: Some(arguments.old_listen),
        old_server_stopped: arguments.old_server_stopped,
        another_pool: arguments.another_pool,
        addresses: pool.map_or_else(AddressRules::nubits, |pool| pool.address.clone()),
    }
}

fn old_database_url(arguments: &AlpServerArguments, old: &OldConfig) -> Told {
    if let Some(url) = &arguments.database_url {
        let Some(path) = &arguments.database_password_file else { return Ok(url.clone()) };
        return Ok(postgres_url_with_password(url, &read_password(path)?)?);
    }
    let Some(OldServerAt { user, password, host, port }) = &old.database else {
        return Err(Box::new(ImportFault::NoDatabase));
    };
    let url = format!("postgres://{user}@{host}:{port}/{}", old.database_name);
    if password.is_empty() { Ok(url) } else { Ok(postgres_url_with_password(&url, password)?) }
}

async fn open(pool: &PoolConfig) -> Result<(Store, Publisher), Box<dyn std::error::Error>> {
    let (key, _) = read_or_make(&pool.signing_key)?;
    let round_seconds = u64::from(pool.round.seconds());
    let store =
        Store::open(StoreOptions { url: database_url(pool)?, round_seconds, clock: Clock::Database }).await?;
    let publisher = Publisher::open(&store, key).await?;
    Ok((store, publisher))
}

async fn holds(pool_file: &Path) -> Told {
    let (store, _) = open(&Config::read(pool_file)?.pool).await?;
    let told = list_holds(&store).await;
    store.close().await;
    Ok(told?)
}

async fn release(pool_file: &Path, hold: u64, address: &str) -> Told {
    let pool = Config::read(pool_file)?.pool;
    let (store, publisher) = open(&pool).await?;
    let told = release_hold(&store, &publisher, hold, address, &pool.address).await;
    store.close().await;
    Ok(told?)
}

#[derive(Debug, Error)]
enum ImportFault {
    #[error(
        "--commit needs a pool to import into: --out writes its configuration, --config names one that is there"
    )]
    NoConfig,
    #[error("pool_config names no database that can be used: say --database-url")]
    NoDatabase,
    #[error("the report cannot be written to {}", path.display())]
    Json { path: PathBuf, source: std::io::Error },
}

//! `alp-bot`: a liquidity provider's bot. It reads one configuration file and runs until it is told to stop.
//! It knows no exchange and no pool's arithmetic; the library beside it does the work.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use alp_bot::config::{AccountConfig, Config, ExchangeConfig, SimulatedConfig};
use alp_bot::receipts::ReceiptFolder;
use alp_bot::simulated::{ExchangeAccess, Level, Plan, SimulatedProofOrders, SimulatedTrader};
use alp_bot::{
    Account, Bot, ComponentSigner, Counts, EVENT_CAPACITY, Event, Identity, NoOrders, Nonces, PoolClient,
    Prover, Random, Secret, Settings, Signer, Trader, chain, generator, system_clock,
};
use alp_sandbox::{Compiler, Limits, Sandbox, compile_in_child};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

/// How this program is started by itself to compile an adapter under limits of its own.
const COMPILE: &str = "compile-adapter";
/// From one submission to the next while an address is proven, in milliseconds, unless the bot submits more often: what is
/// shown is seen within seconds, and the order does not stand for longer than it must.
const PROOF_SUBMIT_INTERVAL_MS: u64 = 5_000;
/// How often a bot without orders of its own wakes up for them, in milliseconds: hardly ever.
const IDLE_LOOK_INTERVAL_MS: u64 = 3_600_000;

/// A liquidity provider's bot.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Submits signed requests to the pool until it is interrupted.
    Run {
        /// The configuration file.
        #[arg(long, default_value = "bot.toml")]
        config: PathBuf,
    },
    /// Proves to the pool that this account wants to be paid at the payout address, and ends.
    ///
    /// The pool names the last digits of an amount. The bot shows a sell order with them at twice the price, submits
    /// until the pool has seen it, and takes it back. No other bot may use the key meanwhile.
    Prove {
        /// The configuration file.
        #[arg(long, default_value = "bot.toml")]
        config: PathBuf,
    },
    /// Compiles an adapter; the program starts itself so.
    #[command(name = COMPILE, hide = true)]
    CompileAdapter {
        /// The component.
        input: PathBuf,
        /// Where the compiled adapter goes.
        output: PathBuf,
    },
}

fn main() -> ExitCode {
    let (path, only_prove) = match Arguments::parse().command {
        Command::Run { config } => (config, false),
        Command::Prove { config } => (config, true),
        Command::CompileAdapter { input, output } => {
            return compile_in_child(&input, &output, &Limits::default());
        }
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(start(&path, only_prove)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            error!("{}", chain(problem.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn start(path: &Path, only_prove: bool) -> Result<(), Box<dyn Error>> {
    let config = Config::load(path)?;
    let secret = config.account.secret(|name| std::env::var(name).ok())?;
    let random = generator(getrandom::u64()?);
    let signer = signer(&config.exchange, &config.account, secret.clone()).await?;
    let nonces = Arc::new(Nonces::new(signer.nonce_kind(), Arc::clone(&random)));
    match &config.simulated {
        Some(simulated) => {
            if only_prove || config.pool.prove {
                let proven = prove(&config, &signer, secret.clone(), Arc::clone(&nonces)).await;
                match proven {
                    Ok(proven) => info!("{proven}"),
                    Err(problem) if only_prove => return Err(problem),
                    Err(problem) => error!("the address is not proven: {}", chain(problem.as_ref())),
                }
            }
            if only_prove {
                return Ok(());
            }
            let trader = trader(simulated, &config, secret, Arc::clone(&nonces), random)?;
            run(&config, signer, trader, nonces, simulated.look_interval_ms).await
        }
        None if only_prove || config.pool.prove => {
            Err("only with `[simulated]` does the bot place orders: ask the pool by POST /v1/challenges"
                .into())
        }
        None => run(&config, signer, NoOrders, nonces, IDLE_LOOK_INTERVAL_MS).await,
    }
}

async fn run<S, T>(
    config: &Config,
    signer: S,
    trader: T,
    nonces: Arc<Nonces>,
    look_interval_ms: u64,
) -> Result<(), Box<dyn Error>>
where
    S: Signer,
    T: Trader,
{
    let settings = Settings {
        submit_interval: Duration::from_millis(config.pool.submit_interval_ms),
        look_interval: Duration::from_millis(look_interval_ms),
        silence: Duration::from_millis(config.pool.silence_ms),
    };
    let pool = pool(config)?;
    let receipts = match &config.receipts {
        Some(receipts) => Some(ReceiptFolder::open(&receipts.folder, receipts.key()?, receipts.keep_days)?),
        None => None,
    };
    let heads = config.receipts.as_ref().is_some_and(|receipts| receipts.heads);
    let (events, received) = mpsc::channel(EVENT_CAPACITY);
    let (counts, _) = watch::channel(Counts::default());
    let (stop, stopped) = watch::channel(false);
    let clock = system_clock();
    let bot = Bot { settings, pool, signer, trader, receipts, heads, nonces, clock, events, counts };
    let interruption = interrupted()?;
    let stopping = async {
        interruption.await;
        info!("stopping: taking the orders back");
        stop.send_replace(true);
    };
    let (counts, (), ()) = tokio::join!(bot.run(stopped), stopping, log(received));
    info!(counts.sent, counts.accepted, counts.refused, counts.unanswered, "stopped");
    Ok(())
}

/// Proves the payout address. If it is interrupted, the order is taken back first.
async fn prove<S: Signer>(
    config: &Config,
    signer: &S,
    secret: Secret,
    nonces: Arc<Nonces>,
) -> Result<String, Box<dyn Error>> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)?;
    let orders = SimulatedProofOrders::new(access(config, secret)?, Arc::clone(&nonces), system_clock())?;
    let submit_interval = Duration::from_millis(config.pool.submit_interval_ms.min(PROOF_SUBMIT_INTERVAL_MS));
    let pool = pool(config)?;
    let prover = Prover { pool: &pool, signer, orders, nonces, clock: system_clock(), submit_interval, salt };
    let (stop, stopped) = watch::channel(false);
    let interruption = interrupted()?;
    let mut proving = std::pin::pin!(prover.prove(stopped));
    tokio::select! {
        proven = &mut proving => Ok(proven?),
        () = interruption => {
            stop.send_replace(true);
            Ok(proving.await?)
        }
    }
}

fn pool(config: &Config) -> Result<PoolClient, Box<dyn Error>> {
    let identity = Identity {
        user: config.account.key.clone(),
        address: config.pool.payout_address.clone(),
        exchange: config.exchange.id.clone(),
        unit: config.exchange.unit.clone(),
    };
    let pool = PoolClient::new(&config.pool.url, identity)?;
    Ok(match &config.pool.minimal_rates {
        Some(rates) => pool.asking(rates.clone()),
        None => pool,
    })
}

/// Completes at Ctrl-C or SIGTERM.
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

async fn signer(
    exchange: &ExchangeConfig,
    account: &AccountConfig,
    secret: Secret,
) -> Result<ComponentSigner, Box<dyn Error>> {
    let compiler = Compiler {
        program: std::env::current_exe()?,
        leading_args: vec![COMPILE.into()],
        cache_dir: exchange.cache.clone(),
    };
    let sandbox = Sandbox::new(Limits::default(), compiler)?;
    let adapter = sandbox.load_file(&exchange.adapter).await?;
    let description = adapter.description();
    info!(exchange = description.exchange, version = description.version, "adapter loaded");
    for note in &description.notes {
        info!("the adapter notes: {note}");
    }
    let account = Account {
        key: account.key.clone(),
        secret,
        parameters: account.parameters()?,
        base: exchange.base.clone(),
        quote: exchange.quote.clone(),
        market_parameters: exchange.market_parameters.clone(),
        endpoint: exchange.endpoint.clone(),
    };
    Ok(ComponentSigner::new(adapter, account)?)
}

fn trader(
    simulated: &SimulatedConfig,
    config: &Config,
    secret: Secret,
    nonces: Arc<Nonces>,
    random: Random,
) -> Result<SimulatedTrader, Box<dyn Error>> {
    let access = access(config, secret)?;
    let levels = simulated.orders.iter().map(|level| Level::parse(&level.offset, &level.amount));
    let plan = Plan::new(levels.collect::<Result<_, _>>()?)?;
    let restless_ms = simulated.restless_ms.map(|(least, most)| least..=most);
    Ok(SimulatedTrader::new(access, plan, restless_ms, nonces, system_clock(), random)?)
}

fn access(config: &Config, secret: Secret) -> Result<ExchangeAccess, Box<dyn Error>> {
    let exchange = &config.exchange;
    let origin = exchange.endpoint.clone();
    Ok(ExchangeAccess {
        origin: origin.ok_or("`[simulated]` needs `exchange.endpoint`: where it is simulated")?,
        key: config.account.key.clone(),
        secret,
        market: format!("{}_{}", exchange.base, exchange.quote),
    })
}

/// Writes a line for every event, until the bot is gone.
async fn log(mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        match event {
            Event::Registered => info!("registered"),
            Event::Accepted { message } => info!(message, "accepted"),
            Event::Refused { message } => warn!(message, "refused"),
            Event::RegistrationRefused { message } => error!(message, "registration refused"),
            Event::Unreachable { reason } => warn!(reason, "the pool does not answer"),
            Event::NotSigned { reason } => error!(reason, "nothing to submit"),
            Event::Silent { for_ms } => {
                error!(for_ms, "nothing was accepted for too long: orders have to be cancelled");
            }
            Event::NotKept { reason } => warn!(reason, "what the pool signed is not kept"),
            Event::NotTraded { reason } => warn!(reason, "the orders are not where they belong"),
        }
    }
}

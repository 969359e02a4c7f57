//! The demonstration: a pool, a simulated exchange, and three liquidity providers' bots, on this machine alone.
//! It knows no rule of the pool; it starts the real parts and shows what they say.

mod components;
mod market;
mod pool;
mod providers;
mod table;

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use alp_bot::chain;
use clap::Parser;
use tokio::sync::watch;

/// The first argument with which the demonstration starts itself as the program `alp`.
const AS_ALP: &str = "alp";

/// How long the parts may take to end.
const FAREWELL: Duration = Duration::from_millis(1_900);

/// Builds everything and runs a pool, a simulated exchange and three bots until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "cargo demo", version)]
struct Arguments {
    /// End by itself after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    for_seconds: Option<u64>,
    /// Forget what an earlier demonstration left.
    #[arg(long)]
    afresh: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|argument| argument == AS_ALP) {
        return alp_server::cli::run_as(arguments.into_iter().skip(1).collect(), vec![AS_ALP.into()]);
    }
    let arguments = Arguments::parse();
    match prepare(&arguments).and_then(|home| run(&home, &arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(std::io::stderr(), "{}", chain(problem.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Builds the adapters and makes room for what is kept. Returns the demonstration's folder.
fn prepare(arguments: &Arguments) -> Result<PathBuf, Box<dyn Error>> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
    let root = home.parent().and_then(Path::parent).ok_or("the demonstration is not in examples/demo")?;
    components::build(root)?;
    let data = home.join("data");
    if arguments.afresh && data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    std::fs::create_dir_all(&data)?;
    Ok(home)
}

fn run(home: &Path, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(demonstrate(home, arguments.for_seconds));
    runtime.shutdown_background();
    result
}

async fn demonstrate(home: &Path, for_seconds: Option<u64>) -> Result<(), Box<dyn Error>> {
    let (stop, stopped) = watch::channel(false);
    let exchange = market::open().await?;
    let mut pool = pool::Pool::start(home).await?;
    let plugins = home.join("../../plugins");
    let lps = providers::start(&plugins, &home.join("data/bot-cache"), exchange.origin(), &stopped).await?;
    let drift = tokio::spawn(market::drift(exchange.handle(), stopped.clone()));
    let shown = tokio::spawn(table::show(providers::watched(&lps), exchange.origin(), stopped.clone()));

    let enough = async {
        match for_seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        () = alp_server::cli::told_to_stop() => None,
        () = enough => None,
        status = pool.ended() => Some(status),
    };
    stop.send_replace(true);
    let parts = async {
        pool.stop().await;
        let _ = tokio::join!(drift, shown, providers::ended(lps), exchange.shutdown());
    };
    let in_time = tokio::time::timeout(FAREWELL, parts).await.is_ok();
    match ended {
        Some(status) => {
            Err(format!("the pool ended by itself ({status}); examples/demo/data/pool.log says why").into())
        }
        None if !in_time => Err("some part of the demonstration did not end in time".into()),
        None => Ok(()),
    }
}

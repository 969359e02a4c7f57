//! The simulated exchange of the demonstration, and its price, which wanders.

use std::error::Error;
use std::time::Duration;

use alp_bot::{generator, system_clock};
use alp_simulated_exchange::{Handle, Running, SimulatedExchange};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Where it listens; the demonstration's configuration names it.
const ADDRESS: &str = "127.0.0.1:3334";

/// What one NBT costs in BTC at the start, in 1e-8.
const START_E8: u64 = 250_000;

/// How far the price may wander from the start, in 1e-8.
const REACH_E8: u64 = 25_000;

/// The largest step, in 1e-8: a fifth of a percent, so that orders mostly stay in their rank.
const STEP_E8: u64 = 500;

/// How often it moves.
const MOVES_EVERY: Duration = Duration::from_secs(13);

/// Opens the exchange with its one market.
pub(crate) async fn open() -> Result<Running, Box<dyn Error>> {
    let listener = TcpListener::bind(ADDRESS).await.map_err(|error| {
        format!("cannot listen on {ADDRESS} ({error}): is a demonstration running already?")
    })?;
    let exchange = SimulatedExchange::start(listener, system_clock())?;
    exchange.handle().add_market("NBT", "BTC", decimal(START_E8)?)?;
    for lp in crate::providers::LPS {
        exchange.handle().add_account(lp.key, lp.secret)?;
    }
    Ok(exchange)
}

/// Moves the price now and then, until told to stop.
pub(crate) async fn drift(exchange: Handle, mut stop: watch::Receiver<bool>) {
    let random = generator(u64::from(std::process::id()));
    let mut price_e8 = START_E8;
    while tokio::time::timeout(MOVES_EVERY, stop.wait_for(|stop| *stop)).await.is_err() {
        let step = random().checked_rem(2 * STEP_E8 + 1).unwrap_or(STEP_E8);
        let moved = price_e8.saturating_add(step).saturating_sub(STEP_E8);
        price_e8 = moved.clamp(START_E8 - REACH_E8, START_E8 + REACH_E8);
        if let Ok(price) = decimal(price_e8) {
            let _ = exchange.set_price("NBT_BTC", price);
        }
    }
}

fn decimal(e8: u64) -> Result<alp_simulated_exchange::Decimal, Box<dyn Error>> {
    Ok(format!("0.{e8:08}").parse()?)
}

//! A database with old orders, made once by the pool's own means: round after round, submitted and credited.

use std::path::Path;
use std::time::Instant;

use crate::database::{Database, FIRST_ROUND, ROUND_SECONDS};
use crate::market::Market;
use crate::shared::say;

/// Says in the folder that the database in it is complete, and what it holds.
const MARKER: &str = "complete";

/// Opens the database of this folder, if it has these old orders. Otherwise it is made.
pub(crate) async fn open(folder: &Path, market: &Market, old_orders: usize) -> Database {
    let rounds = old_orders.div_ceil(market.lps.len() * market.orders_per_lp);
    if let Some(database) = reopen(folder, market, rounds).await {
        say(&format!("the database of {old_orders} old orders is there"));
        return database;
    }
    make(folder, market, rounds).await
}

async fn reopen(folder: &Path, market: &Market, rounds: usize) -> Option<Database> {
    let marker = std::fs::read_to_string(folder.join(MARKER)).ok()?;
    if marker != contents(market, rounds) {
        return None;
    }
    let database = Database::open(folder, market).await.ok()?;
    let old_rounds = FIRST_ROUND..FIRST_ROUND + rounds as u64 * ROUND_SECONDS;
    // Every measurement adds rounds; once they outnumber the old ones, it is time to start afresh.
    let overgrown = database.next_round() > old_rounds.end + rounds as u64 * ROUND_SECONDS;
    let complete = is_whole(&database, market, old_rounds.start).await
        && is_whole(&database, market, old_rounds.end - ROUND_SECONDS).await;
    if complete && !overgrown {
        return Some(database);
    }
    database.close().await;
    None
}

/// Whether a round has all its samples with all their orders.
async fn is_whole(database: &Database, market: &Market, round: u64) -> bool {
    let samples = database.store.samples(round).await.unwrap_or_default();
    let orders: u64 = samples.iter().map(|stored| stored.sample.order_count).sum();
    orders == (market.lps.len() * market.orders_per_lp) as u64
}

async fn make(folder: &Path, market: &Market, rounds: usize) -> Database {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            panic!("{}: {error}", folder.display())
        }
        Ok(()) | Err(_) => {}
    }
    std::fs::create_dir_all(folder).unwrap();
    let mut database = Database::open(folder, market).await.unwrap();
    let began = Instant::now();
    for round in 1..=rounds {
        database.round(market, market.lps.len()).await;
        if round % rounds.div_ceil(20) == 0 || round == rounds {
            let orders = round * market.lps.len() * market.orders_per_lp;
            say(&format!("{orders} old orders written after {} s", began.elapsed().as_secs()));
        }
    }
    std::fs::write(folder.join(MARKER), contents(market, rounds)).unwrap();
    database
}

fn contents(market: &Market, rounds: usize) -> String {
    format!("{rounds} rounds of {} LPs with {} orders\n", market.lps.len(), market.orders_per_lp)
}

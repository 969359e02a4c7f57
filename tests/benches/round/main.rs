//! A round, from closing it to the last credit in the ledger: whether its time grows with its orders and nothing
//! else, and whether ten million old orders make a difference.
//!
//! `cargo bench -p alp-tests --bench round`. The database of old orders is made once, in a minute or two, and kept in
//! the target folder for the next time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly as a test may, and what it prints is its result"
)]

mod database;
mod history;
mod market;
#[path = "../shared/mod.rs"]
mod shared;

use std::path::Path;

use crate::database::{Database, Timed};
use crate::market::Market;
use crate::shared::{load_average, median, quick, range, say, table};

/// How much is measured.
struct Scale {
    /// Orders of each LP.
    orders_per_lp: usize,
    /// LPs in a round, each with what ALP-Server takes for such a round, in seconds, as far as that is published.
    rounds: [(usize, f64); 3],
    /// Old orders.
    old_orders: usize,
    /// How often each round is run.
    runs: usize,
}

const FULL: Scale = Scale {
    orders_per_lp: 100,
    rounds: [(10, 0.27), (100, 5.2), (1_000, 518.0)],
    old_orders: 10_000_000,
    runs: 5,
};
const QUICK: Scale =
    Scale { orders_per_lp: 10, rounds: [(5, 0.0), (10, 0.0), (20, 0.0)], old_orders: 2_000, runs: 2 };

/// What ALP-Server takes for a round of 1 000 orders on one million old ones, in seconds, as published.
const ALP_SERVER_ON_A_MILLION: f64 = 35.0;

/// How long the largest round may take, in seconds.
const REQUIRED: f64 = 2.0;

/// Both databases' times for one size of a round.
#[derive(Default)]
struct Times {
    empty: Vec<Timed>,
    old: Vec<Timed>,
}

fn main() {
    println!("\nround: closing a round, reading it, sharing the reward, recording the credits");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    runtime.block_on(async {
        if quick() {
            let folder = tempfile::tempdir_in(target).unwrap();
            measure(&QUICK, folder.path(), target).await;
            println!("  A quick run: it shows that the benchmark works, and its figures mean nothing.");
        } else {
            measure(&FULL, &target.join("alp-round-history"), target).await;
        }
    });
}

/// Runs every round on both databases by turns, and shows the times.
async fn measure(scale: &Scale, history: &Path, target: &Path) {
    let most_lps = scale.rounds.iter().map(|(lps, _)| *lps).max().unwrap_or(0);
    let market = Market::new(most_lps, scale.orders_per_lp);
    let mut old = history::open(history, &market, scale.old_orders).await;
    let mut times: [Times; 3] = Default::default();
    // The first rounds after the start read the file, and prepare the statements: a running pool has done both.
    old.round(&market, most_lps).await;
    for run in 1..=scale.runs {
        for ((lps, _), times) in scale.rounds.iter().zip(&mut times) {
            let folder = tempfile::tempdir_in(target).unwrap();
            let mut empty = Database::open(folder.path(), &market).await.unwrap();
            empty.round(&market, *lps).await;
            let on_empty = empty.round(&market, *lps).await;
            empty.close().await;
            let on_old = old.round(&market, *lps).await;
            say(&format!(
                "run {run} of {}: {} orders in {:.3} s, with old orders in {:.3} s",
                scale.runs,
                lps * scale.orders_per_lp,
                on_empty.round.as_secs_f64(),
                on_old.round.as_secs_f64()
            ));
            times.empty.push(on_empty);
            times.old.push(on_old);
        }
    }
    old.close().await;
    show(scale, &times);
}

fn show(scale: &Scale, times: &[Times; 3]) {
    let names = [
        "orders",
        "empty: s",
        "min..max",
        "µs/order",
        "with old: s",
        "min..max",
        "µs/order",
        "old/empty",
        "ALP-Server: s",
    ];
    let mut rows = vec![names.map(str::to_owned).to_vec()];
    let round = |timed: &Timed| timed.round.as_secs_f64();
    let per_order = |timed: &[Timed], orders: usize| median(timed.iter().map(round)) * 1e6 / orders as f64;
    let sizes = scale.rounds.map(|(lps, _)| lps * scale.orders_per_lp);
    for ((times, orders), (_, published)) in times.iter().zip(sizes).zip(scale.rounds) {
        let mut row = vec![orders.to_string()];
        for timed in [&times.empty, &times.old] {
            row.push(format!("{:.3}", median(timed.iter().map(round))));
            row.push(range(timed.iter().map(round), 3));
            row.push(format!("{:.1}", per_order(timed, orders)));
        }
        row.push(format!("{:.2}", per_order(&times.old, orders) / per_order(&times.empty, orders)));
        row.push(if published > 0.0 { published.to_string() } else { "-".to_owned() });
        rows.push(row);
    }
    println!("{}", table(&rows));
    let [(small, small_orders), .., (large, large_orders)] =
        [0, 1, 2].map(|size| (&times[size], sizes[size]));
    let growth =
        |of: fn(&Times) -> &[Timed]| per_order(of(large), large_orders) / per_order(of(small), small_orders);
    println!(
        "  Time per order, {large_orders} orders against {small_orders}: {:.2} on an empty database, {:.2} with {} \
         old orders (1 or less: no worse than linear).",
        growth(|times| &times.empty),
        growth(|times| &times.old),
        scale.old_orders
    );
    println!(
        "  The largest round: {:.2} s, required: under {REQUIRED} s.",
        median(large.old.iter().map(round))
    );
    let taken = |times: &Times, orders: usize| {
        median(times.old.iter().map(|timed| orders as f64 / timed.submit.as_secs_f64()))
    };
    println!("  Taking the samples before it: {:.0} orders a second.", taken(large, large_orders));
    println!(
        "  ALP-Server's figures are as published, on another machine; with a million old orders it takes \
         {ALP_SERVER_ON_A_MILLION} s for 1000 orders."
    );
    println!(
        "  {} runs of each by turns, medians; one round before the first in each database, to warm up. Load average {}.",
        scale.runs,
        load_average()
    );
}

//! Whether the endpoints are as fast with millions of credits behind them as with a thousand.
//!
//! `cargo bench -p alp-tests --bench history`. Both pools are whole ones, asked over HTTP by turns, on SQLite and, where
//! it is installed, on PostgreSQL. The large one has a million credits; `ALP_HISTORY_CREDITS=100000000` makes it so many
//! instead, which takes 14 GB on SQLite and 30 GB on PostgreSQL in the folder for temporary files (`TMPDIR` says where),
//! and half an hour to write; `ALP_HISTORY_ON=sqlite` or `postgres` leaves the other out. Everything is removed again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly as a test may, and what it prints is its result"
)]

mod calls;
mod pool;
#[path = "../shared/mod.rs"]
mod shared;

use crate::calls::{CALLS, Taken};
use crate::pool::{Documents, OldPool};
use crate::shared::{load_average, median, quick, range, say, table};

/// How much is measured.
struct Scale {
    /// Credits of the small pool and of the large one.
    credits: [u64; 2],
    /// How often each call is made of each pool.
    runs: usize,
}

const FULL: Scale = Scale { credits: [1_000, 1_000_000], runs: 200 };
const QUICK: Scale = Scale { credits: [1_000, 20_000], runs: 3 };

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

fn main() {
    println!("\nhistory: the endpoints of a pool with a thousand credits, and of one with many more");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut scale = if quick() { QUICK } else { FULL };
    if let Ok(credits) = std::env::var("ALP_HISTORY_CREDITS") {
        scale.credits[1] = credits.parse().expect("ALP_HISTORY_CREDITS is a whole number");
    }
    let only = std::env::var("ALP_HISTORY_ON").ok();
    runtime.block_on(async {
        for database in [Database::Sqlite, Database::Postgres] {
            if only.as_deref().is_none_or(|only| only == database.name()) {
                measure(database, &scale).await;
            }
        }
    });
    if quick() {
        println!("  A quick run: it shows that the benchmark works, and its figures mean nothing.");
    }
}

async fn measure(database: Database, scale: &Scale) {
    let documents = Documents::of_a_round().await;
    let [small, large] = scale.credits;
    let Some(mut small) = OldPool::start(database, small, &documents).await else { return };
    let Some(mut large) = OldPool::start(database, large, &documents).await else { return };
    let mut rows = vec![
        ["", "thousand: ms", "min..max", "old: ms", "min..max", "old/thousand", "CPU: old/thousand"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for call in CALLS {
        let mut taken = [Vec::new(), Vec::new()];
        // The first calls read pages and prepare statements: a running pool has done both.
        for run in 0..scale.runs + 2 {
            for (pool, taken) in [&mut small, &mut large].into_iter().zip(&mut taken) {
                let one = call.make(pool).await;
                if run >= 2 {
                    taken.push(one);
                }
            }
        }
        rows.push(row(call.name, &taken));
        say(&format!("{}: {} is measured", database.name(), call.name));
    }
    println!("  On {}, {} credits against {}:\n", database.name(), scale.credits[1], scale.credits[0]);
    println!("{}", table(&rows));
    println!(
        "  {} calls of each by turns, medians, over HTTP on one connection. CPU is that of this process, in which pool, \
         exchange and asker run; that of PostgreSQL is not in it. The database of the large pool has {} MB. Load \
         average {}.\n",
        scale.runs,
        large.megabytes().await,
        load_average()
    );
    small.stop().await;
    large.stop().await;
}

fn row(name: &str, taken: &[Vec<Taken>; 2]) -> Vec<String> {
    let ms = |taken: &Taken| taken.wall.as_secs_f64() * 1e3;
    let mut row = vec![name.to_owned()];
    for of_pool in taken {
        row.push(format!("{:.3}", median(of_pool.iter().map(ms))));
        row.push(range(of_pool.iter().map(ms), 2));
    }
    let ratio = |figure: fn(&Taken) -> f64| {
        let [small, large] = [0, 1].map(|pool| median(taken[pool].iter().map(figure)));
        format!("{:.2}", large / small)
    };
    row.push(ratio(|taken| taken.wall.as_secs_f64()));
    row.push(ratio(|taken| taken.cpu.as_secs_f64()));
    row
}

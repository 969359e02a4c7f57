//! One, two and four servers on one PostgreSQL database: how many submissions they take together and what each costs the
//! servers and the database; then four of them under load, of which one is killed and one paused and woken, and what
//! became of every submission that was answered with success.
//!
//! `cargo bench -p alp-tests --bench servers`. Each server is a process of its own, `alp serve` as an operator runs it; the
//! database is a cluster with its usual settings of durability.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly as a test may, and what it prints is its result"
)]

#[allow(dead_code, reason = "the other benchmarks of /liquidity use the rest")]
#[path = "../liquidity/exchange.rs"]
mod exchange;
mod faults;
#[path = "../liquidity/load.rs"]
mod load;
#[allow(dead_code, reason = "the other benchmarks use the rest")]
#[path = "../shared/mod.rs"]
mod shared;
mod used;

use std::time::{Duration, Instant};

use alp_store::{Clock, Store, StoreOptions};
use alp_tests::{Server, client, wait_until};

use crate::exchange::Exchange;
use crate::shared::{load_average, median, quick, range, say, table};
use crate::used::Used;

/// How many servers are compared.
const SERVERS: [usize; 3] = [1, 2, 4];

/// The length of a round while speed is measured, in seconds.
const ROUND_S: u64 = 60;

struct Size {
    lps: usize,
    requests: usize,
    runs: usize,
}

const FULL: Size = Size { lps: 64, requests: 60, runs: 5 };
const QUICK: Size = Size { lps: 8, requests: 5, runs: 1 };

/// Servers on a database of their own.
struct Set {
    servers: Vec<Server>,
    runs: Vec<Run>,
}

/// What came of one run.
struct Run {
    requests: f64,
    wall: Duration,
    used: Used,
}

impl Run {
    fn per_second(&self) -> f64 {
        self.requests / self.wall.as_secs_f64()
    }

    /// Microseconds of CPU for one submission.
    fn micros(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / self.requests
    }

    /// The part of all cores' time, in per cent.
    fn share(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 100.0 / (self.wall.as_secs_f64() * cores() as f64)
    }
}

fn main() {
    let size = if quick() { QUICK } else { FULL };
    println!("\nservers: one, two and four on one PostgreSQL database");
    say("building the adapter and starting the exchange, the database and the servers");
    alp_tests::component("test_exchange");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let exchange = Exchange::start(size.lps).await;
        let Some(mut sets) = start(&exchange).await else { return };
        for turn in 0..=size.runs {
            for set in &mut sets {
                let run = measure(&exchange, set, &size).await;
                let count = set.servers.len();
                say(&format!(
                    "run {turn} of {}: {count} servers, {:.0} submissions/s",
                    size.runs,
                    run.per_second()
                ));
                // The first warms up.
                if turn > 0 {
                    set.runs.push(run);
                }
            }
        }
        show(&size, &sets);
        drop(sets);
        faults::run(&exchange).await;
    });
}

/// A set of each size, each with a database and its LPs in it. `None` where PostgreSQL is not installed.
async fn start(exchange: &Exchange) -> Option<Vec<Set>> {
    let mut sets = Vec::new();
    for count in SERVERS {
        let (servers, store) = start_servers(exchange, count, ROUND_S).await?;
        store.close().await;
        sets.push(Set { servers, runs: Vec::new() });
    }
    Some(sets)
}

/// Servers on a new database with the exchange's LPs, when all of them answer.
async fn start_servers(exchange: &Exchange, count: usize, round_s: u64) -> Option<(Vec<Server>, Store)> {
    let url = alp_store::testing::postgres_database().await?;
    let options = StoreOptions { url: url.clone(), round_seconds: round_s, clock: Clock::Database };
    let store = Store::open(options).await.unwrap();
    for lp in exchange.lps() {
        store.register("test_exchange", &lp.key, &lp.address, "btc").await.unwrap();
    }
    let mut servers = Vec::new();
    for _ in 0..count {
        servers.push(Server::start(&url, &exchange.origin(), round_s).await);
    }
    let client = client();
    for server in &servers {
        let address = format!("{}/exchanges", server.origin());
        wait_until("a server answers", async || client.get(&address).send().await.is_ok()).await;
    }
    Some((servers, store))
}

/// Has every LP post everything, each to one of the servers, by turns.
async fn measure(exchange: &Exchange, set: &Set, size: &Size) -> Run {
    let bodies = exchange.signed_bodies(size.requests).await;
    let requests = bodies.iter().map(Vec::len).sum::<usize>() as f64;
    let mut connections = Vec::new();
    for (number, bodies) in bodies.into_iter().enumerate() {
        let server = &set.servers[number % set.servers.len()];
        let address = server.origin().strip_prefix("http://").unwrap().parse().unwrap();
        connections.extend(load::connect(address, vec![bodies]).await);
    }
    let before = Used::by(&set.servers).await;
    let start = Instant::now();
    load::run(connections).await;
    let wall = start.elapsed();
    Run { requests, wall, used: Used::by(&set.servers).await - before }
}

fn show(size: &Size, sets: &[Set]) {
    let names = [
        "servers",
        "submissions/s",
        "min..max",
        "to one server",
        "servers' CPU/submission in µs",
        "database's CPU/submission in µs",
        "of all cores: servers",
        "database",
        "generator and exchange",
    ];
    let mut rows = vec![names.map(str::to_owned).to_vec()];
    let one = &sets[0].runs;
    for set in sets {
        let figure = |of: &dyn Fn(&Run) -> f64| median(set.runs.iter().map(of));
        let ratio = median(set.runs.iter().zip(one).map(|(run, one)| run.per_second() / one.per_second()));
        rows.push(vec![
            set.servers.len().to_string(),
            format!("{:.0}", figure(&Run::per_second)),
            range(set.runs.iter().map(Run::per_second), 0),
            format!("{ratio:.2}"),
            format!("{:.0}", figure(&|run| run.micros(run.used.servers))),
            format!("{:.0}", figure(&|run| run.micros(run.used.database))),
            format!("{:.0} %", figure(&|run| run.share(run.used.servers))),
            format!("{:.0} %", figure(&|run| run.share(run.used.database))),
            format!("{:.0} %", figure(&|run| run.share(run.used.own))),
        ]);
    }
    println!("{}", table(&rows));
    println!(
        "  {} LPs with a kept connection and 10 orders each, {} submissions a run, {} runs of each number by turns,\n  \
         medians; every answer checked. Servers, database, generator and exchange share the {} cores of this\n  \
         machine, so servers add up only until those are busy. Load average {}.",
        size.lps,
        size.lps * size.requests,
        size.runs,
        cores(),
        load_average()
    );
    if quick() {
        println!("  A quick run: it shows that the benchmark works, and its figures mean nothing.");
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

//! `/liquidity` end to end, against a handler that only forwards: how much of the speed is left after an adapter
//! in its sandbox, exact judging and a durable record.
//!
//! `cargo bench -p alp-tests --bench liquidity`. Its result is a ratio of one run: both sides take the same requests
//! from the same generator, ask the same exchange with the same client, and run by turns in one process of their own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly as a test may, and what it prints is its result"
)]

mod bare;
mod exchange;
mod load;
mod servers;
#[path = "../shared/mod.rs"]
mod shared;
mod under_test;

use std::time::{Duration, Instant};

use crate::exchange::Exchange;
use crate::servers::{Servers, Used};
use crate::shared::{load_average, median, quick, range, say, table};

/// The least ratio of the pool's requests a second to the bare handler's.
const REQUIRED: f64 = 0.4;

/// What each side is called in the results.
const SIDES: [&str; 2] = ["bare handler", "pool"];

/// How much is measured.
struct Size {
    /// LPs, each with a connection of its own that is kept alive.
    lps: usize,
    /// Requests of each LP in one run.
    requests: usize,
    /// Runs of each side.
    runs: usize,
}

const FULL: Size = Size { lps: 128, requests: 100, runs: 9 };
const QUICK: Size = Size { lps: 8, requests: 10, runs: 2 };

/// What came of one run.
struct Run {
    requests: usize,
    wall: Duration,
    used: Used,
}

impl Run {
    fn per_second(&self) -> f64 {
        self.requests as f64 / self.wall.as_secs_f64()
    }

    fn cpu_micros(&self) -> f64 {
        self.used.cpu.as_secs_f64() * 1e6 / self.requests as f64
    }

    fn commits_per_request(&self) -> f64 {
        self.used.commits as f64 / self.requests as f64
    }
}

fn main() {
    if let Some(orders) = servers::orders() {
        return servers::serve(&orders);
    }
    let size = if quick() { QUICK } else { FULL };
    println!("\nliquidity: /liquidity end to end against a bare handler");
    say("building the adapter and starting the exchange, the pool and the bare handler");
    alp_tests::component("test_exchange");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let exchange = runtime.block_on(Exchange::start(size.lps));
    let mut servers = Servers::start(&exchange);

    let mut runs: [Vec<Run>; 2] = Default::default();
    for turn in 0..=size.runs {
        for (side, runs) in runs.iter_mut().enumerate() {
            let warming_up = turn == 0;
            let requests = if warming_up { size.requests.div_ceil(8) } else { size.requests };
            let run = runtime.block_on(measure(&exchange, &mut servers, side, requests));
            let step =
                if warming_up { "warming up".to_owned() } else { format!("run {turn} of {}", size.runs) };
            say(&format!("{step}: {} {:.0} requests/s", SIDES[side], run.per_second()));
            if !warming_up {
                runs.push(run);
            }
        }
    }
    servers.stop();
    show(&size, &runs);
}

/// Puts one side under load until every message is answered.
async fn measure(exchange: &Exchange, servers: &mut Servers, side: usize, requests: usize) -> Run {
    let address = servers.addresses[side];
    let bodies = exchange.signed_bodies(requests).await;
    let requests = bodies.iter().map(Vec::len).sum();
    let connections = load::connect(address, bodies).await;
    let (asked, before) = (exchange.requests(), servers.used());
    let start = Instant::now();
    load::run(connections).await;
    let wall = start.elapsed();
    let used = servers.used() - before;
    assert_eq!(exchange.requests() - asked, requests as u64, "the exchange is asked once for each message");
    Run { requests, wall, used }
}

fn show(size: &Size, [bare, pool]: &[Vec<Run>; 2]) {
    let row = |name: &str, runs: &[Run]| {
        let rates = || runs.iter().map(Run::per_second);
        vec![
            name.to_owned(),
            format!("{:.0}", median(rates())),
            range(rates(), 0),
            format!("{:.0}", median(runs.iter().map(Run::cpu_micros))),
            format!("{:.3}", median(runs.iter().map(Run::commits_per_request))),
        ]
    };
    let names = ["", "requests/s", "min..max", "server CPU/request in µs", "commits/request"];
    let head = names.map(str::to_owned).to_vec();
    println!("{}", table(&[head, row(SIDES[0], bare), row(SIDES[1], pool)]));
    let ratios = || bare.iter().zip(pool).map(|(bare, pool)| pool.per_second() / bare.per_second());
    println!(
        "  pool / bare handler: {:.2} ({}), required: at least {REQUIRED}",
        median(ratios()),
        range(ratios(), 2)
    );
    println!(
        "  {} LPs with a kept connection and 10 orders each, {} requests a run, {} runs of each side by turns,\n  \
         medians; every answer checked.",
        size.lps,
        size.lps * size.requests,
        size.runs
    );
    println!(
        "  The generator and the simulated exchange share the {} cores with the server, in a process of their own;\n  \
         their CPU is not in the table. Load average {}.",
        std::thread::available_parallelism().map_or(0, usize::from),
        load_average()
    );
    if quick() {
        println!("  A quick run: it shows that the benchmark works, and its figures mean nothing.");
    }
}

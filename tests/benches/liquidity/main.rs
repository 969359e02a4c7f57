//! `/liquidity` end to end, against a handler that only forwards: how much of the speed is left after an adapter
//! in its sandbox, exact judging and a durable record.
//!
//! `cargo bench -p alp-tests --bench liquidity`. Its result is a ratio of one run: both sides take the same requests
//! from the same generator, ask the same exchange with the same client, and run by turns.
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
mod meter;
#[path = "../shared/mod.rs"]
mod shared;
mod side;
mod under_test;


use crate::exchange::Exchange;
use crate::load::Generator;
use crate::meter::Run;
use crate::shared::{load_average, median, quick, range, say, table};
use crate::side::Side;

/// The least ratio of the pool's requests a second to the bare handler's.
const REQUIRED: f64 = 0.4;

/// How much is measured.
struct Size {
    /// LPs, each with a connection of its own that is kept alive.
    lps: usize,
    /// Requests of each LP in one run.
    requests: usize,
    /// Runs of each side.
    runs: usize,
}

const FULL: Size = Size { lps: 32, requests: 400, runs: 7 };
const QUICK: Size = Size { lps: 8, requests: 10, runs: 2 };

fn main() {
    let size = if quick() { QUICK } else { FULL };
    println!("\nliquidity: /liquidity end to end against a bare handler");
    say("building the adapter and starting the exchange, the pool and the bare handler");
    let component = alp_tests::component("test_exchange");
    let exchange = Exchange::start(size.lps);
    let servers = tokio::runtime::Builder::new_multi_thread().thread_name("servers").enable_all().build().unwrap();
    let pool = servers.block_on(under_test::Pool::start(&component, &exchange));
    let bare = servers.block_on(bare::start(exchange.origin()));
    let generator = Generator::start();
    let sides = [Side { name: "bare handler", address: bare }, Side { name: "pool", address: pool.address() }];

    let mut runs: [Vec<Run>; 2] = Default::default();
    for turn in 0..=size.runs {
        for (side, runs) in sides.iter().zip(&mut runs) {
            let warming_up = turn == 0;
            let requests = if warming_up { size.requests.div_ceil(8) } else { size.requests };
            let bodies = servers.block_on(exchange.signed_bodies(requests));
            let run = meter::measure(&generator, &exchange, side, bodies, || pool.commits());
            let step = if warming_up { "warming up".to_owned() } else { format!("run {turn} of {}", size.runs) };
            say(&format!("{step}: {} {:.0} requests/s", side.name, run.per_second()));
            if !warming_up {
                runs.push(run);
            }
        }
    }
    servers.block_on(pool.check_records(exchange.lps()));
    servers.block_on(pool.stop());
    show(&size, &runs);
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
    println!("{}", table(&[head, row("bare handler", bare), row("pool", pool)]));
    let ratios = || bare.iter().zip(pool).map(|(bare, pool)| pool.per_second() / bare.per_second());
    println!(
        "  pool / bare handler: {:.2} ({}), required: at least {REQUIRED}",
        median(ratios()),
        range(ratios(), 2)
    );
    println!(
        "  {} LPs with a kept connection and 10 orders each, {} requests a run, {} runs of each side by turns; \
         every answer checked.",
        size.lps,
        size.lps * size.requests,
        size.runs
    );
    println!(
        "  The generator and the simulated exchange run on the same {} cores (their CPU is not in the table); load \
         average {}.",
        std::thread::available_parallelism().map_or(0, usize::from),
        load_average()
    );
    if size.runs == QUICK.runs {
        println!("  A quick run: it shows that the benchmark works, and its figures mean nothing.");
    }
}

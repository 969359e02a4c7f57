//! What a thousand submissions cost a pool in memory while the exchange takes two seconds to answer each: an adapter
//! holds nothing meanwhile.
//!
//! `cargo bench -p alp-tests --bench waiting`. The pool is a process of its own, and only its memory counts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly as a test may, and what it prints is its result"
)]

#[allow(dead_code, reason = "the other benchmark of /liquidity uses the rest")]
#[path = "../liquidity/exchange.rs"]
mod exchange;
#[path = "../liquidity/load.rs"]
mod load;
#[allow(dead_code, reason = "the other benchmarks use the rest")]
#[path = "../shared/mod.rs"]
mod shared;
#[allow(dead_code, reason = "the other benchmark of /liquidity uses the rest")]
#[path = "../liquidity/under_test.rs"]
mod under_test;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use alp_simulated_exchange::Behaviour;

use crate::exchange::Exchange;
use crate::shared::{load_average, median, quick, range, say};

/// How long the exchange takes.
const SLOW: Duration = Duration::from_secs(2);

/// The most memory that all waiting submissions may take together, in MiB.
const AIM_MIB: f64 = 50.0;

/// The argument by which this program is started as the pool; the exchange's origin and the LPs follow.
const AS_POOL: &str = "--as-pool";

/// Lines of the exchange's file that let all of them wait for the exchange itself, and none for its turn.
const NO_TURNS: &str = "concurrent_calls = 10000\ncall_timeout_ms = 60000\n";

fn main() {
    if let Some((origin, lps)) = orders() {
        return serve(&origin, lps);
    }
    let (lps, runs) = if quick() { (20, 1) } else { (1_000, 5) };
    println!("\nwaiting: {lps} submissions at once, while the exchange takes {SLOW:?} to answer");
    say("building the adapter and starting the exchange and the pool");
    alp_tests::component("test_exchange");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let exchange = runtime.block_on(Exchange::start(lps));
    let mut pool = Pool::start(&exchange);
    runtime.block_on(run(&exchange, &pool, Duration::ZERO));
    let idle = pool.resident_mib();
    let mut above = Vec::new();
    for number in 1..=runs {
        let waiting = runtime.block_on(run(&exchange, &pool, SLOW)) - idle;
        say(&format!("run {number} of {runs}: {waiting:.1} MiB above idle"));
        above.push(waiting);
    }
    let left = pool.resident_mib() - idle;
    pool.stop();
    println!(
        "  memory of the pool above idle ({idle:.1} MiB): {:.1} MiB ({}), aim: under {AIM_MIB} MiB; {:.1} KiB each",
        median(above.iter().copied()),
        range(above.iter().copied(), 1),
        median(above.iter().copied()) * 1024.0 / lps as f64
    );
    println!(
        "  above idle afterwards: {left:.1} MiB. Idle is after {lps} submissions that did not wait. Load average {}.",
        load_average()
    );
    if quick() {
        println!("  A quick run: it shows that the benchmark works, and its figures mean nothing.");
    }
}

/// Has every LP submit once, over a connection of its own. The pool's memory while all of them wait.
async fn run(exchange: &Exchange, pool: &Pool, slow: Duration) -> f64 {
    let connections = load::connect(pool.address, exchange.signed_bodies(1).await).await;
    let wanted = exchange.requests() + connections.len() as u64;
    exchange.behave(if slow.is_zero() { Behaviour::Normal } else { Behaviour::Hang });
    let answered = tokio::spawn(load::run(connections));
    exchange.wait_for_requests(wanted).await;
    // All are at the exchange now; from here on it takes its time.
    if !slow.is_zero() {
        tokio::time::sleep(slow).await;
    }
    let waiting = pool.resident_mib();
    exchange.behave(Behaviour::Normal);
    answered.await.unwrap();
    waiting
}

/// The process of the pool.
struct Pool {
    address: SocketAddr,
    child: Child,
}

impl Pool {
    fn start(exchange: &Exchange) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([AS_POOL, &exchange.origin(), &exchange.lps().len().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { address: line.trim().parse().expect("the pool did not start"), child }
    }

    fn resident_mib(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    fn stop(&mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success(), "the pool did not end well");
    }
}

/// What this process was started with, if it is the pool's: the exchange's origin and the number of LPs.
fn orders() -> Option<(String, usize)> {
    let mut arguments = std::env::args().skip_while(|argument| argument != AS_POOL).skip(1);
    Some((arguments.next()?, arguments.next()?.parse().ok()?))
}

/// Runs the pool until the standard input ends.
fn serve(origin: &str, lps: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let pool = runtime.block_on(under_test::Pool::start_with(NO_TURNS, origin, lps));
    println!("{}", pool.address());
    assert_eq!(std::io::stdin().lines().count(), 0, "nothing is asked of the pool here");
    runtime.block_on(pool.check_records());
    runtime.block_on(pool.stop());
}

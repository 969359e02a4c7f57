//! Adapters that are replaced under load, and a start with all of them: how many submissions fail (none may), and how
//! long it takes from a file that is complete, or from a start, to serving.
//!
//! `cargo bench -p alp-tests --bench reload`. Bots submit on the exchange whose adapter is replaced, without a pause.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly as a test may, and what it prints is its result"
)]

#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "the other benchmarks need more of it")]
mod shared;
mod ways;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use alp_sandbox::Snapshot;
use alp_tests::{DEADLINE, Settings, TEST_EXCHANGE, TestPool, adapter_names, another_build};

use crate::shared::{load_average, median, quick, say, table};
use crate::ways::Way;

const NAME: &str = "test_exchange";

/// The longest time from a complete file to serving that is promised for adapters in Rust, and for a warm start.
const REQUIRED_MS: f64 = 1_000.0;

/// Bots that submit all the time.
const BOTS: usize = 4;

/// How many replacements in all, by turns in each of the ways.
fn replacements() -> usize {
    if quick() { 4 } else { 100 }
}

fn main() {
    println!("\nreload: an adapter replaced under load, and a start with all adapters");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(replaced_under_load());
    runtime.block_on(starts());
    println!("  Load average {}.", load_average());
    if quick() {
        println!("  A quick run: it shows that the benchmark works, and its figures mean nothing.");
    }
}

/// What the bots have seen.
#[derive(Default)]
struct Seen {
    submitted: AtomicUsize,
    failed: AtomicUsize,
    stop: AtomicBool,
}

async fn replaced_under_load() {
    let pool = Arc::new(TestPool::start().await);
    let seen = Arc::<Seen>::default();
    let mut bots = Vec::new();
    for number in 0..BOTS {
        let lp = pool.lp_with(&format!("lp-{number}"), &["ask 1 0.004"]).await;
        bots.push(tokio::spawn(submit_on(Arc::clone(&pool), lp, Arc::clone(&seen))));
    }
    let mut taken: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut versions = 1;
    for number in 0..replacements() {
        let way = Way::ALL[number % Way::ALL.len()];
        let bytes = fresh_build(number);
        let before = pool.app().adapters.snapshot().get(NAME).unwrap().sha256().to_owned();
        way.replace(&pool.plugins(), &format!("{NAME}.wasm"), &bytes, number).await;
        let complete = Instant::now();
        let other = |snapshot: &Snapshot| snapshot.get(NAME).unwrap().sha256() != before;
        pool.app().adapters.wait_for(DEADLINE, other).await.unwrap();
        taken.entry(way.name()).or_default().push(complete.elapsed().as_secs_f64() * 1e3);
        versions += 1;
        say(&format!("{number}: {} {:.0} ms", way.name(), complete.elapsed().as_secs_f64() * 1e3));
    }
    seen.stop.store(true, Ordering::SeqCst);
    for bot in bots {
        bot.await.unwrap();
    }
    let (submitted, failed) = (seen.submitted.load(Ordering::SeqCst), seen.failed.load(Ordering::SeqCst));
    show(&taken);
    println!(
        "  {versions} versions served {submitted} submissions of {BOTS} bots; {failed} failed, required: none\n"
    );
    assert_eq!(failed, 0, "a new version cost submissions");
}

async fn submit_on(pool: Arc<TestPool>, lp: alp_tests::Lp, seen: Arc<Seen>) {
    while !seen.stop.load(Ordering::SeqCst) {
        let answer = pool.submit(&lp, "btc").await;
        seen.submitted.fetch_add(1, Ordering::SeqCst);
        if !answer.success() || answer.message() != "orders saved for validation" {
            say(&format!("a submission failed: {}", answer.text));
            seen.failed.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A build that no run before had, so that it is compiled and checked.
fn fresh_build(number: usize) -> Vec<u8> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut bytes = another_build(NAME, u8::try_from(number % 256).unwrap());
    let mark = now.as_nanos().to_le_bytes();
    // A custom section: id 0, its length, the length of its name, its name, the time.
    bytes.extend([0, 21, 4, b't', b'i', b'm', b'e']);
    bytes.extend(mark);
    bytes
}

fn show(taken: &BTreeMap<&str, Vec<f64>>) {
    let head = ["complete to serving in ms", "replaced", "median", "p99", "max"].map(str::to_owned).to_vec();
    let row = |name: &str, figures: &[f64]| {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len() - 1;
        // The nearest rank, from above: of few figures it is the largest.
        let p99 = sorted[(sorted.len() * 99).div_ceil(100).saturating_sub(1).min(last)];
        let figure = |ms: f64| format!("{ms:.0}");
        vec![
            name.to_owned(),
            sorted.len().to_string(),
            figure(median(sorted.iter().copied())),
            figure(p99),
            figure(sorted[last]),
        ]
    };
    let all: Vec<f64> = taken.values().flatten().copied().collect();
    let mut rows = vec![head];
    rows.extend(taken.iter().map(|(name, figures)| row(name, figures)));
    rows.push(row("all", &all));
    println!("{}", table(&rows));
    println!("  required: under {REQUIRED_MS:.0} ms, compilation and self-check included");
}

/// Starts of a pool with every adapter there is: with nothing compiled yet, and with everything.
async fn starts() {
    let names: Vec<&'static str> = adapter_names().into_iter().map(|name| &*name.leak()).collect();
    let count = names.len();
    let mut settings = Settings::default();
    let file = format!("accept_repeatable_requests = true\n{TEST_EXCHANGE}");
    for name in names.into_iter().filter(|name| *name != "test_exchange") {
        settings = settings.exchange(name, &file);
    }
    let mut pool = TestPool::start_with(settings).await;
    let text = std::fs::read_to_string(pool.pool_file()).unwrap();
    let cache = text.lines().find(|line| line.starts_with("cache = ")).unwrap().to_owned();
    pool.edit(&pool.pool_file(), &cache, "cache = \"cache\"");
    let cold = start(&mut pool, count).await;
    let warm: Vec<f64> = {
        let mut warm = Vec::new();
        for _ in 0..if quick() { 2 } else { 9 } {
            warm.push(start(&mut pool, count).await.as_secs_f64() * 1e3);
        }
        warm
    };
    let most = warm.iter().copied().fold(0.0, f64::max);
    let head = ["start to serving", "adapters", "median ms", "max ms"].map(str::to_owned).to_vec();
    let cold_ms = format!("{:.0}", cold.as_secs_f64() * 1e3);
    let rows = [
        head,
        vec!["nothing compiled".to_owned(), count.to_string(), cold_ms.clone(), cold_ms],
        vec!["warm".to_owned(), count.to_string(), format!("{:.0}", median(warm)), format!("{most:.0}")],
    ];
    println!("{}", table(&rows));
    println!(
        "  required: a warm start under {REQUIRED_MS:.0} ms; opening the database and the kept versions included"
    );
}

async fn start(pool: &mut TestPool, adapters: usize) -> Duration {
    pool.stop().await;
    let begun = Instant::now();
    pool.restart().await;
    let taken = begun.elapsed();
    let snapshot = pool.app().adapters.snapshot();
    let serving = snapshot.entries().iter().filter(|entry| entry.adapter.is_some()).count();
    assert_eq!(serving, adapters, "every adapter serves when the pool is up");
    taken
}

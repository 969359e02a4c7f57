//! What the sandbox costs: a call of an adapter in it against the same code linked in, by processor time.
//!
//! `cargo bench -p alp-tests --bench sandbox`. Every figure is a ratio or a difference within one run: what is
//! compared runs by turns on one thread, and only the time of that thread counts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly as a test may, and what it prints is its result"
)]

mod cpu;
mod engines;
mod families;
#[path = "../shared/mod.rs"]
mod shared;

use std::path::PathBuf;
use std::sync::Arc;

use alp_sandbox::{Adapter, Compiler, Limits, Sandbox};
use tokio::runtime::Runtime;

use crate::cpu::{micros, resident_kib, used};
use crate::engines::{ALL, Bare, Live, Setting, check};
use crate::families::{Family, ORDERS, families};
use crate::shared::{load_average, median, quick, range, say, table};

/// The most that a call may cost, as a multiple of the same code linked in.
const AIM_RATIO: f64 = 2.2;

/// The least number of such calls a second on one core.
const AIM_RATE: f64 = 10_000.0;

/// How much is measured.
struct Size {
    /// Calls in one batch.
    calls: usize,
    /// Batches of each side, by turns.
    turns: usize,
    /// Adapters loaded to see what one takes.
    adapters: u8,
}

const FULL: Size = Size { calls: 500, turns: 15, adapters: 20 };
const QUICK: Size = Size { calls: 5, turns: 3, adapters: 2 };

fn main() {
    let size = if quick() { QUICK } else { FULL };
    println!("\nsandbox: reading a reply of {ORDERS} orders, in a component and linked in");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let families: &'static [Family] = Box::leak(families().into_boxed_slice());
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let compiler = Compiler {
        program: PathBuf::from(env!("CARGO_BIN_EXE_alp-tests-compile-adapter")),
        leading_args: Vec::new(),
        cache_dir: folder.path().join("compiled"),
    };
    let sandbox = Sandbox::new(Limits::default(), compiler).unwrap();
    against_native(&runtime, &sandbox, families, &size);
    with_settings(&runtime, &sandbox, &families[0], &size);
    memory(&runtime, &sandbox, &families[0], &size);
    println!(
        "  Processor time of the calling thread, medians of {} batches of {} calls by turns. Load average {}.",
        size.turns,
        size.calls,
        load_average()
    );
    if quick() {
        println!("  A quick run: it shows that the benchmark works, and its figures mean nothing.");
    }
}

fn against_native(runtime: &Runtime, sandbox: &Sandbox, families: &'static [Family], size: &Size) {
    let names = ["", "reply", "bytes", "linked in µs", "sandbox µs", "calls/s and core", "ratio", "min..max"];
    let mut rows = vec![names.map(str::to_owned).to_vec()];
    for family in families {
        say(&format!("{} against the same code linked in", family.exchange));
        let adapter = load(runtime, sandbox, family);
        let (mut linked, mut boxed) = (Vec::new(), Vec::new());
        for turn in 0..=size.turns {
            let native = micros(size.calls, &family.native);
            let sandbox = runtime.block_on(batch(size.calls, &adapter, family));
            // The first turn warms up.
            if turn > 0 {
                linked.push(native);
                boxed.push(sandbox);
            }
        }
        let ratios = || linked.iter().zip(&boxed).map(|(native, sandbox)| sandbox / native);
        rows.push(vec![
            family.exchange.to_owned(),
            family.kind.to_owned(),
            family.reply.body.len().to_string(),
            format!("{:.1}", median(linked.iter().copied())),
            format!("{:.1}", median(boxed.iter().copied())),
            format!("{:.0}", 1e6 / median(boxed.iter().copied())),
            format!("{:.2}", median(ratios())),
            range(ratios(), 2),
        ]);
    }
    println!("{}", table(&rows));
    println!("  Aims: at most {AIM_RATIO} times the linked code, at least {AIM_RATE:.0} calls/s and core.\n");
}

/// Microseconds for one of so many calls in the sandbox.
async fn batch(calls: usize, adapter: &Adapter, family: &Family) -> f64 {
    let before = used();
    for _ in 0..calls {
        let step = adapter.resume(&family.submission, &family.state, &family.reply).await.unwrap();
        check(step);
    }
    (used() - before).as_secs_f64() * 1e6 / calls as f64
}

fn load(runtime: &Runtime, sandbox: &Sandbox, family: &Family) -> Arc<Adapter> {
    let file = alp_tests::component(family.exchange);
    runtime.block_on(sandbox.load_file(&file)).unwrap()
}

/// What each limit costs, and what a fresh instance does.
fn with_settings(runtime: &Runtime, sandbox: &Sandbox, family: &'static Family, size: &Size) {
    say("each limit on and off");
    let wasm = std::fs::read(alp_tests::component(family.exchange)).unwrap();
    let adapter = load(runtime, sandbox, family);
    let settings = [
        ("the engine alone, everything on", ALL),
        ("without the limit on time", Setting { time: false, ..ALL }),
        ("without the limits on sizes", Setting { sizes: false, ..ALL }),
        ("without the one NaN", Setting { nan: false, ..ALL }),
        ("without kept memory", Setting { kept: false, ..ALL }),
        ("without a pool", Setting { pool: false, kept: false, ..ALL }),
    ];
    let bare: Vec<Bare> = settings.iter().map(|(_, setting)| Bare::new(&wasm, *setting)).collect();
    let mut reused: Live = runtime.block_on(bare[0].live());
    let mut figures: Vec<Vec<f64>> = vec![Vec::new(); settings.len() + 2];
    for turn in 0..=size.turns {
        let mut turn_figures = vec![runtime.block_on(batch(size.calls, &adapter, family))];
        for bare in &bare {
            turn_figures.push(micros(size.calls, || {
                runtime.block_on(async { bare.live().await.read(family).await });
            }));
        }
        turn_figures.push(micros(size.calls, || runtime.block_on(reused.read(family))));
        if turn > 0 {
            figures.iter_mut().zip(turn_figures).for_each(|(all, figure)| all.push(figure));
        }
    }
    let names = ["the sandbox"].into_iter().chain(settings.iter().map(|(name, _)| *name));
    let names = names.chain(["the same instance again and again"]);
    let first = median(figures[0].iter().copied());
    let mut rows = vec![["", "µs", "min..max", "of the sandbox's"].map(str::to_owned).to_vec()];
    for (name, figures) in names.zip(&figures) {
        let middle = median(figures.iter().copied());
        let share = format!("{:.2}", middle / first);
        rows.push(vec![name.to_owned(), format!("{middle:.1}"), range(figures.iter().copied(), 1), share]);
    }
    println!("{}", table(&rows));
}

/// What an adapter takes that is loaded, and what a call takes that runs.
fn memory(runtime: &Runtime, sandbox: &Sandbox, family: &'static Family, size: &Size) {
    say("memory");
    let before = resident_kib();
    let builds = (0..size.adapters).map(|mark| alp_tests::another_build(family.exchange, mark));
    let adapters: Vec<Arc<Adapter>> =
        builds.map(|wasm| runtime.block_on(sandbox.load(wasm)).unwrap()).collect();
    println!("  memory per loaded adapter: {:.0} KiB", (resident_kib() - before) / adapters.len() as f64);
    let wasm = std::fs::read(alp_tests::component(family.exchange)).unwrap();
    let bare = Bare::new(&wasm, ALL);
    let before = resident_kib();
    let calls = Limits::default().concurrent_calls;
    let live: Vec<Live> = runtime.block_on(async {
        let mut live = Vec::new();
        for _ in 0..calls {
            let mut call = bare.live().await;
            call.read(family).await;
            live.push(call);
        }
        live
    });
    println!(
        "  memory per running call, {} at once: {:.0} KiB\n",
        live.len(),
        (resident_kib() - before) / live.len() as f64
    );
}

//! Records: how large a round is and how long it takes to make and to verify, for 100, 1 000 and 10 000 LPs of ten
//! orders; and whether a day of rounds of 1 000 LPs is verified in well under a minute.
//!
//! `cargo bench -p alp-tests --bench verify`. Everything is compared with hashing the same bytes, and several threads with
//! one, in the same run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly as a test may, and what it prints is its result"
)]

#[allow(dead_code, reason = "the benchmark of rounds uses the rest")]
#[path = "../round/market.rs"]
mod market;
mod records;
#[allow(dead_code, reason = "the other benchmarks use the rest")]
#[path = "../shared/mod.rs"]
mod shared;

use std::path::Path;
use std::time::{Duration, Instant};

use alp_record::chain::{CheckedEntry, Digest, Verifier};
use alp_server::record::{pack, unpack};
use alp_server::verify::{Verification, verify};

use crate::records::Records;
use crate::shared::{load_average, median, quick, say, table};

/// How much is measured.
struct Scale {
    /// LPs in a round.
    lps: [usize; 3],
    /// How often each size is made and verified.
    runs: usize,
    /// LPs in each round of the day.
    lps_of_day: usize,
    /// Rounds of the day that are verified; the day is reckoned from them.
    rounds: usize,
}

/// Orders of each LP.
const ORDERS: usize = 10;

/// Rounds of a minute in a day.
const DAY: usize = 1_440;

const FULL: Scale = Scale { lps: [100, 1_000, 10_000], runs: 5, lps_of_day: 1_000, rounds: 144 };
const QUICK: Scale = Scale { lps: [2, 4, 8], runs: 2, lps_of_day: 4, rounds: 6 };

fn main() {
    println!("\nverify: making, packing and verifying the published record");
    let scale = if quick() { QUICK } else { FULL };
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    sizes(&scale);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(day(&scale, folder.path()));
    println!("  Load average {}.", load_average());
    if quick() {
        println!("  A quick run: it shows that the benchmark works, and its figures mean nothing.");
    }
}

/// One round of each size.
fn sizes(scale: &Scale) {
    let names = [
        "LPs",
        "orders",
        "bytes",
        "packed",
        "make: ms",
        "pack: ms",
        "unpack: ms",
        "verify: ms",
        "SHA-256: ms",
        "verify/SHA",
    ];
    let mut rows = vec![names.map(str::to_owned).to_vec()];
    for lps in scale.lps {
        let records = Records::new(lps, ORDERS);
        let mut times: [Vec<f64>; 5] = Default::default();
        let (mut bytes, mut packed_bytes) = (0, 0);
        for run in 1..=scale.runs {
            let (text, made) = timed(|| records.entry(0, None).text());
            let (packed, packing) = timed(|| pack(&text).unwrap());
            let (unpacked, unpacking) = timed(|| unpack(&packed).unwrap());
            assert_eq!(unpacked, text);
            let (found, verifying) = timed(|| {
                let mut verifier = Verifier::new(None);
                verifier.push_checked(CheckedEntry::read(&text));
                verifier.finish().findings
            });
            assert_eq!(found, []);
            let (_, hashing) = timed(|| std::hint::black_box(Digest::of(&[text.as_bytes()])));
            for (times, took) in times.iter_mut().zip([made, packing, unpacking, verifying, hashing]) {
                times.push(took.as_secs_f64() * 1e3);
            }
            (bytes, packed_bytes) = (text.len(), packed.len());
            say(&format!(
                "run {run} of {}: {lps} LPs verified in {:.1} ms",
                scale.runs,
                verifying.as_secs_f64() * 1e3
            ));
        }
        let [make, pack, unpack, verify, hash] = times.map(median);
        let mut row =
            vec![lps.to_string(), (lps * ORDERS).to_string(), bytes.to_string(), packed_bytes.to_string()];
        row.extend([make, pack, unpack, verify].map(|ms| format!("{ms:.1}")));
        row.push(format!("{hash:.2}"));
        row.push(format!("{:.1}", verify / hash));
        rows.push(row);
    }
    println!("{}", table(&rows));
}

/// A run of rounds from a folder, as `alp verify` does it: by one thread, and by as many as there are cores.
async fn day(scale: &Scale, folder: &Path) {
    let records = Records::new(scale.lps_of_day, ORDERS);
    let bytes = records.write(folder, scale.rounds);
    say(&format!("{} rounds of {} LPs written: {bytes} bytes", scale.rounds, scale.lps_of_day));
    let mut took = Vec::new();
    for threads in [1, 0] {
        let record = folder.display().to_string();
        let verification = Verification { record, threads, ..Verification::default() };
        let began = Instant::now();
        let outcome = verify(&verification, |_, _| {}).await.unwrap();
        took.push(began.elapsed());
        assert_eq!((outcome.findings(), outcome.verified.rounds), (&[][..], scale.rounds as u64));
        say(&format!("verified with threads = {threads} in {:.2} s", took[took.len() - 1].as_secs_f64()));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let of_day = |took: Duration| took.as_secs_f64() * DAY as f64 / scale.rounds as f64;
    println!(
        "  {} rounds of {} LPs with {ORDERS} orders each, {bytes} bytes, measured: {:.2} s by one thread, {:.2} s by {cores} \
         ({:.2} times as fast).",
        scale.rounds,
        scale.lps_of_day,
        took[0].as_secs_f64(),
        took[1].as_secs_f64(),
        took[0].as_secs_f64() / took[1].as_secs_f64(),
    );
    println!(
        "  A day of {DAY} such rounds, reckoned from that: {:.1} s by one thread, {:.1} s by {cores}; required: well under 60 s.",
        of_day(took[0]),
        of_day(took[1])
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let value = work();
    (value, began.elapsed())
}

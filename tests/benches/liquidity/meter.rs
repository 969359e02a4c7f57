//! Measuring one run: time by the clock, CPU time of the server, commits.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::exchange::Exchange;
use crate::load::Generator;
use crate::side::Side;

/// What came of one run.
pub(crate) struct Run {
    requests: usize,
    wall: Duration,
    /// Of this process, without the generator's thread and the exchange's.
    server_cpu: Duration,
    commits: u64,
}

impl Run {
    /// Requests answered in a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.requests as f64 / self.wall.as_secs_f64()
    }

    /// CPU time of the server for one request, in microseconds.
    pub(crate) fn cpu_micros(&self) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / self.requests as f64
    }

    /// Durable transactions for one request.
    pub(crate) fn commits_per_request(&self) -> f64 {
        self.commits as f64 / self.requests as f64
    }
}

/// Puts one side under load until every message is answered.
///
/// # Panics
/// If an answer is not the success that it should be, or if the exchange was not asked once for each.
pub(crate) fn measure(
    generator: &Generator,
    exchange: &Exchange,
    side: &Side,
    bodies: Vec<Vec<String>>,
    commits: impl Fn() -> u64,
) -> Run {
    let requests = bodies.iter().map(Vec::len).sum();
    let connections = generator.connect(side.address, bodies);
    let (asked_before, commits_before) = (exchange.requests(), commits());
    let cpu = || process_cpu() - generator.cpu() - exchange.cpu();
    let cpu_before = cpu();
    let start = Instant::now();
    generator.run(connections);
    let wall = start.elapsed();
    let server_cpu = cpu().saturating_sub(cpu_before);
    let asked = exchange.requests() - asked_before;
    assert_eq!(asked, requests as u64, "the exchange is asked once for each message");
    Run { requests, wall, server_cpu, commits: commits() - commits_before }
}

/// CPU time that this thread has used.
pub(crate) fn thread_cpu() -> Duration {
    clock(ClockId::ThreadCPUTime)
}

fn process_cpu() -> Duration {
    clock(ClockId::ProcessCPUTime)
}

fn clock(clock: ClockId) -> Duration {
    clock_gettime(clock).try_into().expect("time that was used is not negative")
}

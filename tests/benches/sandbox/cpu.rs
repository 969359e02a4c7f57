//! How much processor time something takes on the thread that does it: steadier than the clock on the wall, which
//! counts whatever else the machine does.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The processor time that this thread has used.
pub(crate) fn used() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("time that was used is not negative")
}

/// Microseconds of this thread for one of so many calls.
pub(crate) fn micros(calls: usize, mut call: impl FnMut()) -> f64 {
    let before = used();
    for _ in 0..calls {
        call();
    }
    (used() - before).as_secs_f64() * 1e6 / calls as f64
}

/// The resident memory of this process in KiB.
pub(crate) fn resident_kib() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

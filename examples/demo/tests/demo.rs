//! The demonstration as a newcomer runs it: all of it, from building the adapters to the interrupt that ends it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// It is over with the test, whatever came of it.
struct Demonstration(Child);

impl Drop for Demonstration {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a line of the table shows an LP with an order, a last credit that is not zero, a total and an efficiency.
fn shows_a_credit(line: &str) -> bool {
    let cells: Vec<&str> = line.split_whitespace().collect();
    let [name, ask, _, _, _, credit, total, efficiency, percent, ..] = cells[..] else { return false };
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let is_credited = credit.starts_with("0.") && credit.chars().any(|digit| ('1'..='9').contains(&digit));
    name == "alice"
        && [ask, credit, total, efficiency].into_iter().all(is_number)
        && is_credited
        && percent == "%"
}

#[test]
fn the_demonstration_credits_an_lp_and_ends_cleanly_at_an_interrupt() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alp-demo"));
    // Within half a minute a newcomer has to see a credit; then it ends by itself.
    command.args(["--afresh", "--for-seconds", "32"]).stdout(Stdio::piped());
    let mut demonstration = Demonstration(command.spawn().unwrap());
    let shown = BufReader::new(demonstration.0.stdout.take().unwrap());
    let mut lines = shown.lines().map(Result::unwrap);
    let mut before = Vec::new();
    let credited = lines.by_ref().inspect(|line| before.push(line.clone())).any(|line| shows_a_credit(&line));
    assert!(credited, "no credit was shown:\n{}", before.join("\n"));
    kill_process(Pid::from_child(&demonstration.0), Signal::INT).unwrap();
    // Read to the end, so that it is not held up by what nobody reads.
    lines.for_each(drop);
    let status = demonstration.0.wait().unwrap();
    assert!(status.success(), "it ended with {status}");
}

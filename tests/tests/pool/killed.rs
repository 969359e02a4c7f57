//! The pool in a process of its own, killed at every step of a payout and of a round: after every write, before and after
//! and within every call to somebody else, and with the database's connection cut within every commit; with SQLite also
//! half-way through what a commit writes to the file, and before that is durable. Then it is started again, and: no coin
//! twice, no coin missing, the books add up, nothing waits for ever.
//!
//! `ALP_KILL_TABLE` names a file for the table of what was killed and what came of it.

mod payout;
mod place;
mod round;
mod table;
mod takeover;

use alp_tests::{Cut, DatabaseWrite, NamedPoint, Within};

/// What a server is struck by, and where.
#[derive(Debug, Clone)]
enum Strike {
    /// It is killed at this point.
    Point(NamedPoint),
    /// It is killed within the call of this method that comes after so many others of it.
    Call { method: String, earlier: usize, within: Within },
    /// The connection of the commit that comes after so many others is cut.
    Commit { earlier: usize, cut: Cut },
    /// It is killed within this write to the file of its database, or before this sync, counted from 0.
    Write { number: usize, kind: DatabaseWrite },
}

impl Strike {
    /// The step, and what happens to whom, for the table.
    fn words(&self) -> [String; 2] {
        let again = |earlier: usize| if earlier == 0 { String::new() } else { format!(" ({})", earlier + 1) };
        match self {
            Self::Point(NamedPoint { step, done, earlier }) => {
                let side = if *done { "after it" } else { "before it" };
                [format!("{step}{}", again(*earlier)), format!("server killed {side}")]
            }
            Self::Call { method, earlier, within } => {
                let within = match within {
                    Within::BeforeItIsDone => "within the call, before it was done",
                    Within::TheAnswer => "within the answer",
                    Within::AfterItIsDone => "within the call, after it was done",
                };
                [format!("call {method}{}", again(*earlier)), format!("server killed {within}")]
            }
            Self::Commit { earlier, cut } => {
                let side = match cut {
                    Cut::BeforeItIsMade => "on its way to the database",
                    Cut::AfterItIsMade => "when it was made, before the answer",
                };
                [format!("commit {}", earlier + 1), format!("connection cut {side}")]
            }
            Self::Write { number, kind } => {
                let side = match kind {
                    DatabaseWrite::Write => "half-way through it",
                    DatabaseWrite::Sync => "before what was written is durable",
                };
                [format!("write {} to the file", number + 1), format!("server killed {side}")]
            }
        }
    }
}

/// The steps that go on beside rounds and payouts as time goes by: only the first of each belongs to what is tried.
const BESIDE: [&str; 2] = ["take the lease", "forget what is over"];

/// Kills at each of these points, once each.
fn points(passed: Vec<NamedPoint>) -> impl Iterator<Item = Strike> {
    let counts = |point: &NamedPoint| point.earlier == 0 || !BESIDE.contains(&point.step.as_str());
    let mut points: Vec<NamedPoint> = Vec::new();
    for point in passed.into_iter().filter(counts) {
        if !points.contains(&point) {
            points.push(point);
        }
    }
    points.into_iter().map(Strike::Point)
}

/// Cuts the connection within each of so many commits, on both sides of it.
fn cuts(commits: usize) -> impl Iterator<Item = Strike> {
    let sides = [Cut::BeforeItIsMade, Cut::AfterItIsMade];
    (0..commits).flat_map(move |earlier| sides.map(|cut| Strike::Commit { earlier, cut }))
}

/// Kills within each commit to a file: half-way through the write in its middle and the last one, and before it is durable.
fn torn(writes: &[DatabaseWrite]) -> Vec<Strike> {
    let mut strikes = Vec::new();
    let mut begins = 0_usize;
    for (sync, _) in writes.iter().enumerate().filter(|(_, write)| **write == DatabaseWrite::Sync) {
        let mut numbers = vec![begins.midpoint(sync), sync.saturating_sub(1).max(begins), sync];
        numbers.dedup();
        strikes.extend(numbers.into_iter().map(|number| Strike::Write { number, kind: writes[number] }));
        begins = sync + 1;
    }
    strikes
}

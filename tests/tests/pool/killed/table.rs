//! The table of what was killed and what came of it.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use super::Strike;
use super::place::Database;

/// One row.
pub(super) struct Row {
    pub(super) work: &'static str,
    pub(super) strike: Strike,
    /// What went on when it was struck, where the strike does not say it.
    pub(super) during: String,
    pub(super) outcome: String,
}

/// How many commits are cut at least on a database whose connections can be, and how often a server is killed at least
/// within what it writes to the file of one.
const FEWEST_CUTS: usize = 6;

/// Adds rows of one kind of work, and writes all of them to the file that `ALP_KILL_TABLE` names, if it does. What it never
/// came to is left out.
///
/// # Panics
/// If that is more than the renewals of leases explain.
pub(super) fn add(database: Database, rows: Vec<Option<Row>>) {
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    let within = |row: &&Row| matches!(row.strike, Strike::Commit { .. } | Strike::Write { .. });
    let within = rows.iter().filter(within).count();
    assert!(within >= FEWEST_CUTS, "only {within} commits to {} were struck", database.name());
    static TEXT: Mutex<String> = Mutex::new(String::new());
    let mut text = TEXT.lock().unwrap_or_else(PoisonError::into_inner);
    if text.is_empty() {
        text.push_str("| work | step | what was struck | database | outcome |\n|-|-|-|-|-|\n");
    }
    for Row { work, strike, during, outcome } in &rows {
        let [step, struck] = strike.words();
        writeln!(text, "| {work} | {step}{during} | {struck} | {} | {outcome} |", database.name()).unwrap();
    }
    if let Some(file) = std::env::var_os("ALP_KILL_TABLE") {
        std::fs::write(file, text.as_bytes()).unwrap();
    }
}

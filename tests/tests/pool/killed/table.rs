//! The table of what was killed and what came of it.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use super::Strike;
use super::place::Database;

/// One row.
pub(super) struct Row {
    pub(super) work: &'static str,
    pub(super) strike: Strike,
    pub(super) outcome: String,
}

/// Adds rows, and writes all of them to the file that `ALP_KILL_TABLE` names, if it does.
pub(super) fn add(database: Database, rows: &[Row]) {
    static TEXT: Mutex<String> = Mutex::new(String::new());
    let mut text = TEXT.lock().unwrap_or_else(PoisonError::into_inner);
    if text.is_empty() {
        text.push_str("| work | step | what was struck | database | outcome |\n|-|-|-|-|-|\n");
    }
    for Row { work, strike, outcome } in rows {
        let [step, struck] = strike.words();
        writeln!(text, "| {work} | {step} | {struck} | {} | {outcome} |", database.name()).unwrap();
    }
    if let Some(file) = std::env::var_os("ALP_KILL_TABLE") {
        std::fs::write(file, text.as_bytes()).unwrap();
    }
}

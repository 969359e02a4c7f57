//! The table of what was tried and what stopped it. It knows nothing of how that was found out.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use crate::measure::Usage;

/// One hostile component and what became of it.
pub(crate) struct Row {
    /// What it is.
    pub(crate) name: &'static str,
    /// The size of its file.
    pub(crate) bytes: usize,
    /// The function and the limit that it met, in the sandbox's words.
    pub(crate) stopped_by: String,
    /// What was in use before.
    pub(crate) before: Usage,
    /// The most memory meanwhile.
    pub(crate) peak: u64,
    /// What was in use afterwards.
    pub(crate) after: Usage,
}

/// How much of the sandbox's words a row shows, in characters.
const WORDS: usize = 110;

/// Adds rows, prints them, and writes all of them to the file that `ALP_HOSTILE_TABLE` names, if it does.
pub(crate) fn add(rows: &[Row]) {
    static TEXT: Mutex<String> = Mutex::new(String::new());
    let mut text = TEXT.lock().unwrap_or_else(PoisonError::into_inner);
    if text.is_empty() {
        text.push_str(
            "| component | bytes | what stopped it | memory before / peak / after in MiB | descriptors |\n\
             |-|-:|-|-:|-:|\n",
        );
    }
    for row in rows {
        let words: String = row.stopped_by.chars().take(WORDS).collect();
        writeln!(
            text,
            "| {} | {} | {} | {} / {} / {} | {} → {} |",
            row.name,
            row.bytes,
            words.replace('|', "\\|"),
            mib(row.before.memory),
            mib(row.peak),
            mib(row.after.memory),
            row.before.descriptors,
            row.after.descriptors
        )
        .unwrap();
    }
    println!("{text}");
    if let Some(file) = std::env::var_os("ALP_HOSTILE_TABLE") {
        std::fs::write(file, text.as_bytes()).unwrap();
    }
}

/// Bytes in MiB with one decimal, rounded down.
fn mib(bytes: u64) -> String {
    let tenths = bytes * 10 / (1 << 20);
    format!("{}.{}", tenths / 10, tenths % 10)
}

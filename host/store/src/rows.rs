//! Numbers and statements of many rows, as every table needs them.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use crate::dialect::Dialect;
use crate::error::StoreError;

/// What the LP `l` of a statement was credited in all: the running total of its newest credit, 0 if it has none.
///
/// An equality would say the same and let PostgreSQL walk back through the numbers of all LPs' credits until it meets one of
/// this LP: fast for most, and endless for one who left long ago. Bounds leave it the index by LP alone. Here and below.
macro_rules! credited_e8 {
    () => {
        "COALESCE((SELECT c.balance_e8 FROM credits c WHERE c.lp_id >= l.lp_id AND c.lp_id <= l.lp_id \
         ORDER BY c.lp_id DESC, c.entry_no DESC LIMIT 1), 0)"
    };
}

/// What payouts and corrections changed of the LP `l` of a statement: the running total of its newest entry.
macro_rules! moved_e8 {
    () => {
        "COALESCE((SELECT e.total_e8 FROM ledger_entries e WHERE e.lp_id >= l.lp_id AND e.lp_id <= l.lp_id \
         ORDER BY e.lp_id DESC, e.entry_no DESC LIMIT 1), 0)"
    };
}

pub(crate) use {credited_e8, moved_e8};

/// The longest name, key, address or hash kept, in bytes. The longest API key of a known exchange has 128.
pub(crate) const MAX_NAME_BYTES: usize = 256;

/// A whole number that cannot be negative, as it is stored.
pub(crate) fn unsigned(stored: i64) -> Result<u64, StoreError> {
    u64::try_from(stored).map_err(|_| StoreError::corrupt("a number is negative"))
}

/// A whole number on its way into a BIGINT.
pub(crate) fn signed(what: &'static str, number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::invalid(what, "it is beyond 63 bits"))
}

/// A column that holds a number which cannot be negative.
pub(crate) fn count(row: &AnyRow, column: &str) -> Result<u64, StoreError> {
    unsigned(row.try_get(column)?)
}

/// Refuses a text that is empty, too long, or contains NUL, which PostgreSQL cannot keep.
pub(crate) fn check_name(what: &'static str, text: &str) -> Result<(), StoreError> {
    if text.is_empty() {
        return Err(StoreError::invalid(what, "it is empty"));
    }
    check_text(what, text, MAX_NAME_BYTES)
}

/// Whether a text can be in the database at all. PostgreSQL takes a question about one with NUL for a fault.
pub(crate) fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// Refuses a text that is too long or contains NUL.
pub(crate) fn check_text(what: &'static str, text: &str, max_bytes: usize) -> Result<(), StoreError> {
    if text.len() > max_bytes {
        return Err(StoreError::invalid(what, "it is too long"));
    }
    if !is_storable(text) {
        return Err(StoreError::invalid(what, "it contains a NUL character"));
    }
    Ok(())
}

/// Cuts rows into runs for one statement each. The lengths are powers of two, so that a handful of prepared
/// statements serves any number of rows.
pub(crate) fn runs<T>(dialect: Dialect, rows: &[T]) -> Vec<&[T]> {
    let mut runs = Vec::new();
    let mut rest = rows;
    while let Some(magnitude) = rest.len().checked_ilog2() {
        let (run, remaining) = rest.split_at(dialect.longest_run().min(1 << magnitude));
        runs.push(run);
        rest = remaining;
    }
    runs
}

/// A statement of many rows: `head`, then `row` so many times with each `$` numbered, then `tail`. The
/// three are constants, so nothing anybody sent can become SQL.
pub(crate) fn statement(
    head: &'static str,
    row: &'static str,
    rows: usize,
    tail: &'static str,
) -> AssertSqlSafe<String> {
    let mut sql = String::from(head);
    let mut parameter = 0_usize;
    for index in 0..rows {
        sql.push_str(if index == 0 { " " } else { ", " });
        for (part_index, part) in row.split('$').enumerate() {
            if part_index > 0 {
                parameter += 1;
                sql.push_str(&format!("${parameter}"));
            }
            sql.push_str(part);
        }
    }
    sql.push(' ');
    sql.push_str(tail);
    AssertSqlSafe(sql)
}

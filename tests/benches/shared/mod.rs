//! What both benchmarks share: their argument, their progress, and how figures are summed up and shown.

use std::fmt::Write as _;

/// Whether to run at a tiny size, only to show that the benchmark works: `cargo bench -p alp-tests -- --quick`.
pub(crate) fn quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

/// Reports progress, apart from the results.
pub(crate) fn say(line: &str) {
    eprintln!("    {line}");
}

/// How busy the machine was in the last minute, besides what is measured: the first figure of `/proc/loadavg`.
pub(crate) fn load_average() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}

/// The middle one of some figures.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { (figures[middle - 1] + figures[middle]) / 2.0 }
}

/// The smallest and the largest of some figures, with so many decimals.
pub(crate) fn range(figures: impl IntoIterator<Item = f64>, decimals: usize) -> String {
    let (least, most) =
        figures.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), figure| {
            (least.min(figure), most.max(figure))
        });
    format!("{least:.decimals$}..{most:.decimals$}")
}

/// Lines up the columns of a table whose first row names them: the first column to the left, the others to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            let _ =
                if column == 0 { write!(text, "  {cell:<width$}") } else { write!(text, "  {cell:>width$}") };
        }
        text.push('\n');
        if number == 0 {
            let lines: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            let _ = writeln!(text, "  {}", lines.join("  "));
        }
    }
    text
}

//! What `alp simulate` says: a table, a chart, what it cannot know; and the same sums for a spreadsheet.

use std::fmt::Write;

use alp_record::chain::{BothSums, Digest};
use alp_sandbox::clean_text;

use super::{Change, Simulated};
use crate::calendar::show_moment;

/// Most LPs that are shown: those with the largest sums. A file of all of them is written with `--csv`.
const LPS_SHOWN: usize = 30;

/// How wide a bar is at most, in characters.
const BAR: i128 = 40;

/// Longest name of a market that is shown, in characters.
const MAX_NAME: usize = 40;

/// How many digits of a pseudonym are shown: enough to tell a million LPs apart.
const DIGITS: usize = 16;

/// What a replay cannot know, whatever the record holds.
const CANNOT_KNOW: &str = "\
What this cannot know:
  what LPs would have done under these rules: every bot is taken to have shown the same orders at the same moments;
  minimal rates that were not sent because the rules in force did not ask for them: they count as none;
  orders that were never shown, or that the exchange or the pool left out;
  what was shown in a slice before its last submission, and in slices without one: a record of one slice a round has
  one look at each LP, and rules with more slices are given no more than that;
  since when orders stood that no entry before shows: their age is counted from where the replay begins.
Prices and orders are those of the record. Whether the record itself is right, `alp verify` says.
";

/// The report.
#[must_use]
pub fn report(simulated: &Simulated) -> String {
    let comparison = &simulated.comparison;
    let mut text = String::new();
    // Writing to a String cannot fail; the results below are dropped for that reason.
    if let Some((first, last)) = comparison.span {
        let (first, last) = (show_moment(first), show_moment(last));
        let _ = writeln!(text, "replayed   {} rounds, from {first} to {last}", comparison.rounds);
    }
    if simulated.left_out > 0 {
        let _ = writeln!(text, "left out   {} older entries: --newest takes more", simulated.left_out);
    }
    for Change { exchange, unit, recorded, other } in &simulated.changes {
        let _ = writeln!(text, "changed    {}", name(exchange, unit));
        let _ = writeln!(text, "             recorded  {recorded}\n             other     {other}");
    }
    for market in &simulated.unchanged {
        let _ = writeln!(text, "unchanged  {}", clean_text(market, MAX_NAME));
    }
    let lps = comparison.lps();
    let mut largest: Vec<(Digest, BothSums)> = lps.iter().map(|(lp, sums)| (*lp, *sums)).collect();
    largest.sort_by_key(|(lp, sums)| (-sums.recorded_e8.max(sums.other_e8), *lp));
    largest.truncate(LPS_SHOWN);
    text.push_str(&sums_table(simulated, &largest));
    if lps.len() > largest.len() {
        let further = lps.len().saturating_sub(largest.len());
        let _ = writeln!(text, "and {further} further LPs: --csv writes all of them");
    }
    text.push_str(&charts(simulated, &largest));
    text.push('\n');
    text.push_str(CANNOT_KNOW);
    text
}

/// Every LP on every market: pseudonym, exchange, unit, and the three sums in coins.
#[must_use]
pub fn csv(simulated: &Simulated) -> String {
    let mut text = String::from("lp,exchange,unit,recorded,other,difference\n");
    for (line, sums) in &simulated.comparison.lines {
        let [recorded, other, difference] = three(*sums);
        let (exchange, unit) = (cell(&line.exchange), cell(&line.unit));
        let _ = writeln!(text, "{},{exchange},{unit},{recorded},{other},{difference}", line.lp);
    }
    text
}

fn sums_table(simulated: &Simulated, largest: &[(Digest, BothSums)]) -> String {
    let comparison = &simulated.comparison;
    let mut rows = Vec::new();
    let heading = |what: &str| [what.to_owned(), "recorded".into(), "other".into(), "difference".into()];
    let row = |what: String, sums: BothSums| {
        let [recorded, other, difference] = three(sums);
        [what, recorded, other, difference]
    };
    rows.push(heading("coins"));
    for ((exchange, unit), sums) in &comparison.markets {
        let name = name(exchange, unit);
        rows.push(row(format!("{name}: could pay"), sums.reward));
        rows.push(row(format!("{name}: paid"), sums.paid));
    }
    rows.push(row("paid in all".to_owned(), comparison.paid));
    rows.push(heading("LP"));
    rows.extend(largest.iter().map(|(lp, sums)| row(short(*lp), *sums)));
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let [first, second, third, fourth] = [0, 1, 2, 3].map(|column| width(column).unwrap_or(0));
    let mut text = String::new();
    for [what, recorded, other, difference] in &rows {
        if recorded == "recorded" {
            text.push('\n');
        }
        let _ = writeln!(text, "{what:<first$}  {recorded:>second$}  {other:>third$}  {difference:>fourth$}");
    }
    text
}

fn charts(simulated: &Simulated, largest: &[(Digest, BothSums)]) -> String {
    let of_time = simulated.comparison.parts.iter().map(|part| {
        let rounds = if part.rounds == 1 { "1 round".to_owned() } else { format!("{} rounds", part.rounds) };
        (format!("{} {rounds}", show_moment(part.start)), part.paid)
    });
    let of_lps = largest.iter().map(|(lp, sums)| (short(*lp), *sums));
    let mut text = String::from("\nPaid over time: = recorded, # other\n");
    text.push_str(&bars(&of_time.collect::<Vec<_>>()));
    text.push_str("\nPaid to each LP: = recorded, # other\n");
    text.push_str(&bars(&of_lps.collect::<Vec<_>>()));
    text
}

/// Two bars for each line, all to the same scale. What is less than a character wide shows none.
fn bars(lines: &[(String, BothSums)]) -> String {
    let most = lines.iter().map(|(_, sums)| sums.recorded_e8.max(sums.other_e8)).max().unwrap_or(0).max(1);
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let bar = |e8: i128, with: &str| {
        let length = e8.max(0).saturating_mul(BAR).checked_div(most).unwrap_or(0);
        with.repeat(usize::try_from(length).unwrap_or(0))
    };
    let mut text = String::new();
    for (name, sums) in lines {
        let [recorded, other, _] = three(*sums);
        let _ = writeln!(text, "{name:<width$}  {} {recorded}", bar(sums.recorded_e8, "="));
        let _ = writeln!(text, "{:<width$}  {} {other}", "", bar(sums.other_e8, "#"));
    }
    text
}

fn three(sums: BothSums) -> [String; 3] {
    [sums.recorded_e8, sums.other_e8, sums.difference_e8()].map(coins)
}

/// With all eight decimals, so that columns line up.
fn coins(e8: i128) -> String {
    const COIN: u128 = 100_000_000;
    let (sign, units) = (if e8 < 0 { "-" } else { "" }, e8.unsigned_abs());
    format!("{sign}{}.{:08}", units / COIN, units % COIN)
}

fn short(lp: Digest) -> String {
    lp.to_string().chars().take(DIGITS).collect()
}

fn name(exchange: &str, unit: &str) -> String {
    clean_text(&format!("{exchange} {unit}"), MAX_NAME)
}

/// A cell of a table, in quotes where it could be taken for something else.
fn cell(text: &str) -> String {
    let plain = text.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter));
    if plain && !text.starts_with('-') {
        text.to_owned()
    } else {
        format!("\"'{}\"", text.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_have_eight_decimals_and_a_sign_where_they_are_fewer() {
        let shown = [0, 1, -1, 250_000_000, -100_000_001].map(coins);
        assert_eq!(shown, ["0.00000000", "0.00000001", "-0.00000001", "2.50000000", "-1.00000001"]);
    }

    #[test]
    fn bars_are_to_one_scale() {
        let sums = |recorded_e8, other_e8| BothSums { recorded_e8, other_e8 };
        let lines = [("a".to_owned(), sums(400, 100)), ("bc".to_owned(), sums(0, 9))];
        let expected = format!(
            "a   {} 0.00000400\n    {} 0.00000100\nbc   0.00000000\n     0.00000009\n",
            "=".repeat(40),
            "#".repeat(10)
        );
        assert_eq!(bars(&lines), expected);
    }

    #[test]
    fn a_name_that_a_spreadsheet_would_run_or_split_is_kept_in_quotes() {
        let cells = ["binance", "=1+1", "-x", "a,\"b\""].map(cell);
        assert_eq!(cells, ["binance", "\"'=1+1\"", "\"'-x\"", "\"'a,\"\"b\"\"\""]);
    }
}

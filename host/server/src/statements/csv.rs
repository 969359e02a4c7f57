//! A statement as comma-separated values: a line for each change, with the balance after it.

use alp_record::chain::{CorrectionLine, CreditsLine, PayoutLine, SignedCoins, Statement, StatementLine};

use super::{date, last_second, one_line, preface};

const COLUMNS: &str = "date,exchange,kind,amount,balance,entry,payout,txid,text\n";

/// One line of the table, beside date, account, amount and balance.
#[derive(Default)]
struct Beside {
    entry: String,
    payout: String,
    txid: String,
    text: String,
}

/// The text between title and signature.
pub(super) fn write(statement: &Statement) -> String {
    let mut text: String = preface(statement).iter().map(|line| format!("# {line}\n")).collect();
    text.push_str(COLUMNS);
    for account in &statement.accounts {
        let mut balance = account.opening;
        let mut row = |at_s: u64, kind: &str, change: SignedCoins, beside: Beside| {
            balance = SignedCoins(balance.0.saturating_add(change.0));
            let Beside { entry, payout, txid, text: said } = beside;
            let cells = [
                date(at_s),
                account.exchange.clone(),
                kind.to_owned(),
                change.to_string(),
                balance.to_string(),
                entry,
                payout,
                txid,
                said,
            ];
            text.push_str(&cells.map(|cell| quoted(&cell)).join(","));
            text.push('\n');
        };
        row(statement.from, "opening", SignedCoins(0), Beside::default());
        for line in &account.lines {
            match line {
                StatementLine::Credits(CreditsLine { day, amount }) => {
                    row(*day, "credits", *amount, Beside::default());
                }
                StatementLine::Payout(PayoutLine { at_ms: _, entry, payout, txid, amount, fee }) => {
                    let beside = || Beside {
                        entry: entry.to_string(),
                        payout: payout.clone(),
                        txid: one_line(txid),
                        text: String::new(),
                    };
                    row(line.at_s(), "payout", *amount, beside());
                    if fee.0 != 0 {
                        row(line.at_s(), "fee", *fee, beside());
                    }
                }
                StatementLine::Correction(CorrectionLine { at_ms: _, entry, amount, who, why }) => {
                    // It begins with a word, so that no spreadsheet takes what others wrote for a formula.
                    let text = format!("by {}: {}", one_line(who), one_line(why));
                    row(
                        line.at_s(),
                        "correction",
                        *amount,
                        Beside { entry: entry.to_string(), text, ..Beside::default() },
                    );
                }
            }
        }
        row(last_second(statement), "closing", SignedCoins(0), Beside::default());
    }
    text
}

/// A cell, in quotes where it needs them.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

//! A statement as a journal of ledger-cli. Each account ends with an assertion of its balance, which ledger checks.

use std::fmt::Write;

use alp_record::chain::{
    CorrectionLine, CreditsLine, PayoutLine, SignedCoins, Statement, StatementAccount, StatementLine,
};

use super::{date, last_second, one_line, preface};

/// What coins are called; what the pool calls them is nothing that it signs.
const COIN: &str = "COIN";

/// The text between title and signature. Writing to a String cannot fail; the results are dropped for that reason.
pub(super) fn write(statement: &Statement) -> String {
    let mut text: String = preface(statement).iter().map(|line| format!("; {line}\n")).collect();
    let _ = writeln!(text, "; {COIN} is the coin in which the pool pays");
    for account in &statement.accounts {
        write_account(&mut text, statement, account);
    }
    text
}

fn write_account(text: &mut String, statement: &Statement, account: &StatementAccount) {
    let pool = format!("Assets:Pool:{}", name(&account.exchange));
    let mut transaction = |at_s: u64, what: &str, notes: &[String], postings: &[(&str, SignedCoins)]| {
        let _ = writeln!(text, "\n{} * {what}", date(at_s));
        for note in notes {
            let _ = writeln!(text, "    ; {note}");
        }
        for (account, coins) in postings {
            let _ = writeln!(text, "    {account}  {coins} {COIN}");
        }
    };
    if account.opening.0 != 0 {
        let postings = [(pool.as_str(), account.opening), ("Equity:Opening", account.opening.negated())];
        transaction(statement.from, "Opening balance", &[], &postings);
    }
    for line in &account.lines {
        match line {
            StatementLine::Credits(CreditsLine { day, amount }) => {
                let postings = [(pool.as_str(), *amount), ("Income:Liquidity", amount.negated())];
                transaction(*day, "Credits of the day", &[], &postings);
            }
            StatementLine::Payout(PayoutLine { at_ms: _, entry, payout, txid, amount, fee }) => {
                let notes = [format!("entry {entry}"), format!("transaction {}", one_line(txid))];
                let taken = SignedCoins(amount.0.saturating_add(fee.0));
                let mut postings = vec![("Assets:Wallet", amount.negated())];
                if fee.0 != 0 {
                    postings.push(("Expenses:Payout Fees", fee.negated()));
                }
                postings.push((pool.as_str(), taken));
                transaction(line.at_s(), &format!("Payout {}", name(payout)), &notes, &postings);
            }
            StatementLine::Correction(CorrectionLine { at_ms: _, entry, amount, who, why }) => {
                // Ledger takes what stands in brackets in a note for a date.
                let said = format!("by {}: {}", one_line(who), one_line(why)).replace('[', "(");
                let notes = [format!("entry {entry}"), said];
                let postings = [(pool.as_str(), *amount), ("Equity:Corrections", amount.negated())];
                transaction(line.at_s(), "Correction", &notes, &postings);
            }
        }
    }
    let closing = account.closing;
    let _ = writeln!(text, "\n{} * Closing balance", date(last_second(statement)));
    let _ = writeln!(text, "    {pool}  0 {COIN} = {closing} {COIN}");
}

/// A name of others' as a part of an account's name: letters, digits, and what reads like one.
fn name(text: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
    text.chars()
        .map(|character| if allowed(character) { character } else { '_' })
        .take(super::MAX_TEXT)
        .collect()
}

//! What `alp verify` says when it is done.

use std::fmt::Write;

use alp_record::chain::{Balance, SignedCoins, Statement};

use super::Outcome;

/// Most findings that are written out.
const SHOWN: usize = 100;

/// The report: a table, the findings, and what no record can prove.
#[must_use]
pub fn report(outcome: &Outcome) -> String {
    let verified = &outcome.verified;
    let mut text = String::new();
    let mut row = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<10} {value}");
    };
    if let Some(head) = &verified.head {
        row("pool", head.pool.clone());
        row("epoch", head.epoch.to_string());
        row("head", format!("entry {}, {}", head.number, head.digest()));
    }
    if let Some(key) = verified.key {
        let whence = if outcome.key_given {
            "as given"
        } else {
            "taken from the record itself: compare it with what the pool's operator publishes elsewhere"
        };
        row("key", format!("{key} ({whence})"));
    }
    row("entries", format!("{}, {} of them rounds", verified.entries, verified.rounds));
    row("LPs", verified.balances.len().to_string());
    row(
        "balances",
        sentence(verified.balances.values().fold(Balance::default(), |sum, balance| sum.plus(*balance))),
    );
    let begins = verified.first.filter(|first| *first > 0);
    if let Some(first) = begins {
        row("begins", format!("with entry {first}: older ones are forgotten"));
    }
    if outcome.receipts_given > 0 {
        row("receipts", format!("{} of {} are honoured", verified.receipts, outcome.receipts_given));
    }
    if let Some(statement) = &outcome.statement {
        row(
            "statement",
            match &statement.statement {
                Some(Statement { accounts, .. }) => {
                    let named = accounts.iter().filter(|account| account.lp.is_some()).count();
                    format!("{named} of {} accounts name their pseudonym and were held against the record", accounts.len())
                }
                None => "only the signature of its text was checked: ask for the form json to hold it against the record".to_owned(),
            },
        );
    }
    if outcome.heads_compared > 0 {
        row("heads", format!("{} seen elsewhere were compared", outcome.heads_compared));
    }
    if begins.is_some() && verified.receipts_too_old > 0 {
        row("too old", format!("{} receipts are about rounds before that", verified.receipts_too_old));
    }
    if outcome.heads_too_old > 0 {
        row("too old", format!("{} heads seen elsewhere are of entries before that", outcome.heads_too_old));
    }
    let count =
        u64::try_from(verified.findings.len()).unwrap_or(u64::MAX).saturating_add(verified.more_findings);
    row("findings", count.to_string());
    for finding in verified.findings.iter().take(SHOWN) {
        let _ = writeln!(text, "  {finding}");
    }
    let shown = u64::try_from(SHOWN).unwrap_or(u64::MAX);
    if count > shown {
        let _ = writeln!(text, "  and {} more", count.saturating_sub(shown));
    }
    text.push_str(if count == 0 {
        "\nEvery signature, link, judgement, credit and sum was checked and is right.\n"
    } else {
        "\nThe record is not right.\n"
    });
    if begins.is_some() {
        text.push_str(
            "What was not checked: whether the balances that the record begins with are what older entries came to, and \
             whether its first round takes over the right things from the one before. With a folder that --save filled \
             while the pool still had those entries, both are checked.\n",
        );
    }
    text.push_str(
        "What this cannot prove: that the orders existed at the exchanges at all, that every submission is in the \
         record (receipts show that of yours), or that the pool shows everybody the same record (heads that others \
         kept show that).\n",
    );
    text
}

/// Each LP's balance, a line for each: what `--balances` prints.
#[must_use]
pub fn balances(outcome: &Outcome) -> String {
    let mut text = String::new();
    for (lp, balance) in &outcome.verified.balances {
        let _ = writeln!(text, "{lp} {}", sentence(*balance));
    }
    text
}

fn sentence(balance: Balance) -> String {
    let shown =
        |e8: i128| i64::try_from(e8).map_or_else(|_| format!("{e8}e-8"), |e8| SignedCoins(e8).to_string());
    let Balance { credited_e8, corrected_e8, paid_out_e8 } = balance;
    format!(
        "credits {} + corrections {} - payouts {} = {} owed",
        shown(credited_e8),
        shown(corrected_e8),
        shown(paid_out_e8),
        shown(balance.owed_e8())
    )
}

//! What `alp verify` says when it is done.

use std::fmt::Write;

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
    if outcome.receipts_given > 0 {
        row("receipts", format!("{} of {} are honoured", verified.receipts, outcome.receipts_given));
    }
    if outcome.heads_compared > 0 {
        row("heads", format!("{} seen elsewhere were compared", outcome.heads_compared));
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
    text.push_str(
        "What this cannot prove: that the orders existed at the exchanges at all, that every submission is in the \
         record (receipts show that of yours), or that the pool shows everybody the same record (heads that others \
         kept show that).\n",
    );
    text
}

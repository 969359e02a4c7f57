//! Payouts and corrections in the record: each LP's balance is credits + corrections − payouts, and nobody is paid more.

use alp_record::chain::{Body, Correction, Entry, PayoutEntry, PayoutShare, Verified, Verifier};

use crate::books::{ROUND, chain, key, pseudonym, round, signed};

/// What LP 1 was credited in the three rounds.
fn credited() -> i64 {
    let (_, computed) = round(ROUND);
    let of = computed.credits.iter().filter(|credit| credit.lp_id == 10);
    of.map(|credit| credit.amount_e8).sum::<i64>() * 3
}

fn payout(id: &str, shares: &[(u8, i64, i64)]) -> Body {
    let share =
        |&(lp, amount_e8, fee_e8): &(u8, i64, i64)| PayoutShare { lp: pseudonym(lp), amount_e8, fee_e8 };
    let lps = shares.iter().map(share).collect();
    Body::Payout(PayoutEntry { payout: id.to_owned(), txid: "ff".repeat(32), lps })
}

fn correction(amount_e8: i64) -> Body {
    let (who, why) = ("the operator".to_owned(), "a missed round".to_owned());
    Body::Correction(Correction { lp: pseudonym(1), amount_e8, who, why })
}

fn with(more: Vec<Body>) -> Vec<Entry> {
    let mut bodies: Vec<Body> = chain().into_iter().map(|entry| entry.body).collect();
    bodies.extend(more);
    signed(&key(), bodies)
}

fn verified(entries: &[Entry]) -> Verified {
    let mut verifier = Verifier::new(Some(key().public()));
    entries.iter().for_each(|entry| verifier.push(&entry.text()));
    verifier.finish()
}

fn found(more: Vec<Body>) -> Vec<String> {
    verified(&with(more)).findings.iter().map(ToString::to_string).collect()
}

#[test]
fn balances_are_credits_and_corrections_less_payouts_with_their_fees() {
    let entries =
        with(vec![payout("1", &[(1, 300, 10), (2, 50, 0)]), correction(-7), payout("2", &[(1, 5, 0)])]);
    let verified = verified(&entries);
    assert_eq!(verified.findings, []);
    let balance = verified.balances[&pseudonym(1)];
    assert_eq!(
        (balance.credited_e8, balance.corrected_e8, balance.paid_out_e8),
        (credited().into(), -7, 305)
    );
    assert_eq!(balance.owed_e8(), i128::from(credited()) - 312);
}

#[test]
fn an_entry_without_a_fee_is_written_as_before_there_were_fees() {
    let line = payout("1", &[(1, 300, 0)]).line();
    let txid = "ff".repeat(32);
    let lp = pseudonym(1);
    let right =
        format!(r#"{{"payout":{{"payout":"1","txid":"{txid}","lps":[{{"lp":"{lp}","amount_e8":300}}]}}}}"#);
    assert_eq!(line, right);
    let entries = with(vec![payout("1", &[(1, 300, 0)])]);
    assert_eq!(Entry::read(&entries[4].text()).unwrap(), entries[4]);
}

#[test]
fn a_payout_that_is_altered_is_found() {
    let text = with(vec![payout("1", &[(1, 300, 10)])])[4].text();
    for (from, to) in [
        ("300", "301"),
        (r#""fee_e8":10"#, r#""fee_e8":11"#),
        ("ffff", "fffe"),
        (r#""payout":"1""#, r#""payout":"2""#),
    ] {
        assert!(text.contains(from), "{text}");
        let refused = Entry::read(&text.replacen(from, to, 1)).unwrap_err();
        assert!(refused.to_string().contains("its body is not the one that was signed"), "{from}: {refused}");
    }
}

#[test]
fn a_payout_that_is_removed_is_found_by_the_link_of_what_follows() {
    let mut entries = with(vec![payout("1", &[(1, 300, 10)]), payout("2", &[(1, 300, 10)])]);
    entries.remove(4);
    let found: Vec<String> = verified(&entries).findings.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["entry 5: follows entry 3: 1 between them are missing"]);
}

#[test]
fn a_payout_beyond_what_is_owed_is_found_and_names_by_how_much() {
    assert_eq!(found(vec![payout("1", &[(1, credited(), 0)])]), [] as [&str; 0]);
    let above = found(vec![payout("1", &[(1, credited() + 5, 1)])]);
    let lp = pseudonym(1);
    assert_eq!(above, [format!("entry 4: pays {lp} more than it was owed, by 0.00000005")]);
    let above = found(vec![payout("1", &[(1, credited(), 0)]), correction(-1)]);
    assert_eq!(above, [format!("entry 5: corrects {lp} by more than it was owed, by 0.00000001")]);
}

#[test]
fn a_payout_that_is_taken_twice_or_gives_instead_is_found() {
    let twice = found(vec![payout("1", &[(1, 5, 0)]), payout("1", &[(1, 5, 0)])]);
    assert_eq!(twice, ["entry 5: payout 1 was taken from balances before, in entry 4"]);
    assert_eq!(found(vec![payout("1", &[(1, 5, 0), (1, 5, 0)])]).len(), 1);
    for (amount_e8, fee_e8) in [(-5, 0), (0, 0), (5, 6), (5, -1)] {
        let impossible = found(vec![payout("1", &[(1, amount_e8, fee_e8)])]);
        assert!(impossible[0].contains("which cannot be"), "{impossible:?}");
    }
}

#[test]
fn a_payout_may_come_to_have_another_transaction() {
    let mut other = payout("1", &[]);
    let Body::Payout(renamed) = &mut other else { panic!("no payout") };
    renamed.txid = "aa".repeat(32);
    let entries = with(vec![payout("1", &[(1, 5, 0)]), other]);
    let verified = verified(&entries);
    assert_eq!(verified.findings, []);
    assert_eq!(verified.balances[&pseudonym(1)].paid_out_e8, 5);
}

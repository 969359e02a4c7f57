//! Statements: signed, exact, and held against the record line by line.

use alp_record::chain::{
    Body, Correction, CorrectionLine, CreditsLine, Entry, PayoutEntry, PayoutLine, PayoutShare,
    STATEMENT_VERSION, SignedCoins, SignedStatement, Statement, StatementAccount, StatementCheck,
    StatementHead, StatementLine, TextForm, read_text_form, sign_text_form,
};

use crate::books::{POOL, ROUND, chain, key, pseudonym, round, signed};

const DAY: u64 = 86_400;

/// What LP 1 was credited in the three rounds, which lie on one day.
fn credited() -> i64 {
    let (_, computed) = round(ROUND);
    computed.credits.iter().filter(|credit| credit.lp_id == 10).map(|credit| credit.amount_e8).sum::<i64>()
        * 3
}

/// The chain, then a payout of 300 with a fee of 10 and a correction by 7. Entries are of the rounds' day.
fn entries() -> Vec<Entry> {
    let mut bodies: Vec<Body> = chain().into_iter().map(|entry| entry.body).collect();
    let share = PayoutShare { lp: pseudonym(1), amount_e8: 310, fee_e8: 10 };
    bodies.push(Body::Payout(PayoutEntry { payout: "1".into(), txid: "ff".into(), lps: vec![share] }));
    let (who, why) = ("the operator".to_owned(), "a missed round".to_owned());
    bodies.push(Body::Correction(Correction { lp: pseudonym(1), amount_e8: 7, who, why }));
    signed(&key(), bodies)
}

fn statement(entries: &[Entry]) -> Statement {
    let head = &entries.last().unwrap().header;
    let day = ROUND - ROUND % DAY;
    let lines = vec![
        StatementLine::Payout(PayoutLine {
            at_ms: entries[4].header.at_ms,
            entry: 4,
            payout: "1".into(),
            txid: "ff".into(),
            amount: SignedCoins(-300),
            fee: SignedCoins(-10),
        }),
        StatementLine::Correction(CorrectionLine {
            at_ms: entries[5].header.at_ms,
            entry: 5,
            amount: SignedCoins(7),
            who: "the operator".into(),
            why: "a missed round".into(),
        }),
        StatementLine::Credits(CreditsLine { day, amount: SignedCoins(credited()) }),
    ];
    Statement {
        version: STATEMENT_VERSION,
        pool: POOL.to_owned(),
        from: day,
        until: day + DAY,
        at_ms: 1,
        head: StatementHead { epoch: 1, number: head.number, digest: head.digest() },
        accounts: vec![StatementAccount {
            exchange: "binance".into(),
            address: "Ba".into(),
            lp: Some(pseudonym(1)),
            opening: SignedCoins(0),
            lines,
            closing: SignedCoins(credited() - 303),
        }],
    }
}

fn against_the_record(statement: Statement, entries: &[Entry]) -> Vec<String> {
    let mut check = StatementCheck::new(statement);
    entries.iter().for_each(|entry| check.compare(entry));
    check.findings().iter().map(ToString::to_string).collect()
}

#[test]
fn a_statement_is_right_by_itself_and_against_the_record() {
    let entries = entries();
    let made = statement(&entries);
    assert_eq!(made.wrong(), [] as [&str; 0]);
    let signed = made.clone().sign(&key());
    let (read, by) = SignedStatement::read(&signed.text()).unwrap();
    assert_eq!((read, by), (signed, key().public()));
    assert_eq!(against_the_record(made, &entries), [] as [&str; 0]);
}

#[test]
fn any_changed_byte_of_a_statement_is_found_in_every_form() {
    let text = statement(&entries()).sign(&key()).text();
    let csv = sign_text_form(TextForm::Csv, "# pool\ndate,amount\n2026-11-27,1\n", &key());
    let ledger =
        sign_text_form(TextForm::Ledger, "; pool\n2026-11-27 * Payout\n    A  1 COIN\n    B\n", &key());
    assert_eq!(read_text_form(&csv).unwrap(), (TextForm::Csv, key().public()));
    assert_eq!(read_text_form(&ledger).unwrap(), (TextForm::Ledger, key().public()));
    for (form, text) in [("json", text), ("csv", csv), ("ledger", ledger)] {
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let refused = SignedStatement::read(&changed).is_err() && read_text_form(&changed).is_err();
            assert!(refused, "{form}: byte {at} of {changed}");
        }
        let cut = &text[..text.len() - 1];
        assert!(SignedStatement::read(cut).is_err() && read_text_form(cut).is_err(), "{form} cut off");
    }
}

#[test]
fn a_signature_is_good_for_one_form_alone() {
    let csv = sign_text_form(TextForm::Csv, "date\n", &key());
    let posing = csv.replacen(TextForm::Csv.title(), TextForm::Ledger.title(), 1).replace("# alp", "; alp");
    assert!(read_text_form(&posing).is_err());
}

#[test]
fn sums_that_do_not_add_up_and_lines_outside_the_period_are_found() {
    let mut made = statement(&entries());
    made.accounts[0].closing = SignedCoins(1);
    assert_eq!(made.wrong(), ["the lines of binance do not lead to its closing balance"]);
    let mut made = statement(&entries());
    made.from += DAY;
    made.until += DAY;
    assert_eq!(made.wrong().len(), 3);
}

#[test]
fn what_a_statement_says_otherwise_than_the_record_is_found() {
    let entries = entries();
    let changed = |change: fn(&mut Statement)| {
        let mut made = statement(&entries);
        change(&mut made);
        against_the_record(made, &entries)
    };
    let one_of = |found: Vec<String>, words: &str| {
        assert!(found.iter().any(|finding| finding.contains(words)), "{words:?} is not among {found:#?}");
    };
    one_of(changed(|made| drop(made.accounts[0].lines.remove(0))), "leaves out entry 4");
    one_of(changed(|made| drop(made.accounts[0].lines.remove(2))), "leaves out the credits of the day");
    one_of(changed(|made| made.accounts[0].opening = SignedCoins(5)), "opens with 0.00000005 for");
    one_of(changed(|made| made.head.digest = pseudonym(9)), "names another head for this entry");
    one_of(changed(|made| made.head.number = 77), "the record has no such entry");
    one_of(
        changed(|made| {
            let StatementLine::Payout(line) = &mut made.accounts[0].lines[0] else { panic!("no payout") };
            line.amount = SignedCoins(-299);
        }),
        "says otherwise of entry 4 than the record",
    );
    one_of(
        changed(|made| {
            let StatementLine::Credits(line) = &mut made.accounts[0].lines[2] else { panic!("no credits") };
            line.amount = SignedCoins(1);
        }),
        "has 0.00000001 as the credits of the day",
    );
    one_of(
        changed(|made| {
            let StatementLine::Correction(line) = &mut made.accounts[0].lines[1] else {
                panic!("no correction")
            };
            line.entry = 3;
        }),
        "has a line of entry 3 that the record does not have",
    );
}

#[test]
fn a_part_of_the_record_says_nothing_of_what_came_before_it() {
    let entries = entries();
    assert_eq!(against_the_record(statement(&entries), &entries[2..]), [] as [&str; 0]);
    let mut wrong = statement(&entries);
    wrong.accounts[0].lines.remove(1);
    assert_eq!(against_the_record(wrong, &entries[2..]), ["the statement leaves out entry 5"]);
}

#[test]
fn an_account_that_names_no_pseudonym_cannot_be_held_against_the_record() {
    let mut made = statement(&entries());
    made.accounts[0].lp = None;
    made.accounts[0].lines.clear();
    assert_eq!(StatementCheck::new(made.clone()).accounts(), 0);
    assert_eq!(against_the_record(made, &entries()), [] as [&str; 0]);
}

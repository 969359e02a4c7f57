//! What a record comes to once its older entries are forgotten: it begins with what they came to.

use alp_record::chain::{
    Body, CarryForward, Digest, Entry, OwedByRecord, PayoutEntry, PayoutShare, Verified, Verifier,
};

use crate::books::{ROUND, chain, key, pseudonym, receipt, round, signed};

/// The chain, what it comes to in entries of at most so many LPs each, and two rounds more.
fn carried(most_lps: usize) -> Vec<Body> {
    let mut bodies: Vec<Body> = chain().into_iter().map(|entry| entry.body).collect();
    let lps = vec![share(pseudonym(2), 17)];
    bodies.push(Body::Payout(PayoutEntry { payout: "1".into(), txid: "ff".into(), lps }));
    bodies.extend(sums(&bodies).carry_forward("they are a year old", most_lps).unwrap());
    bodies.extend([3, 4].map(|number| Body::Round(Box::new(round(ROUND + 60 * number).0))));
    bodies
}

fn share(lp: Digest, amount_e8: i64) -> PayoutShare {
    PayoutShare { lp, amount_e8, fee_e8: 0 }
}

fn sums(bodies: &[Body]) -> OwedByRecord {
    let mut sums = OwedByRecord::default();
    bodies.iter().for_each(|body| sums.add(body));
    sums
}

fn verified(entries: &[Entry]) -> Verified {
    let mut verifier = Verifier::new(Some(key().public()));
    entries.iter().for_each(|entry| verifier.push(&entry.text()));
    verifier.finish()
}

/// What is found in these bodies, signed as a chain, from the entry of this number on.
fn found_from(number: usize, bodies: Vec<Body>) -> Vec<String> {
    verified(&signed(&key(), bodies)[number..]).findings.iter().map(ToString::to_string).collect()
}

fn found(bodies: Vec<Body>) -> Vec<String> {
    found_from(0, bodies)
}

fn forward(body: &mut Body) -> &mut CarryForward {
    match body {
        Body::CarryForward(forward) => forward,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_that_begins_with_what_is_carried_forward_comes_to_the_same_balances() {
    for most_lps in [1, 2, 100] {
        let entries = signed(&key(), carried(most_lps));
        let (whole, pruned) = (verified(&entries), verified(&entries[5..]));
        assert_eq!((&whole.findings, &pruned.findings), (&Vec::new(), &Vec::new()));
        assert_eq!((whole.first, pruned.first), (Some(0), Some(5)));
        for lp in 1..=3 {
            let owed = whole.balances[&pseudonym(lp)].owed_e8();
            assert!(owed > 0);
            assert_eq!(owed, pruned.balances[&pseudonym(lp)].owed_e8(), "LP {lp} in parts of {most_lps}");
        }
        // Who adds up from what is carried forward comes to the same as who adds up from the start.
        let bodies: Vec<Body> = entries.into_iter().map(|entry| entry.body).collect();
        assert_eq!(sums(&bodies).carry_forward("x", 9), sums(&bodies[5..]).carry_forward("x", 9));
    }
}

#[test]
fn a_short_carry_forward_is_written_as_one_always_was() {
    let line = carried(100)[5].line();
    assert!(line.starts_with(r#"{"carry_forward":{"why":"they are a year old","lps":[{"lp":""#), "{line}");
    assert!(carried(2)[6].line().contains(r#""part":2,"parts":2"#));
}

#[test]
fn a_balance_that_is_changed_left_out_or_carried_twice_is_found_where_the_entries_before_are_known() {
    let mut changed = carried(2);
    forward(&mut changed[5]).lps[0].amount_e8 += 1;
    assert!(found(changed.clone())[0].contains("entry 6: carries"), "{:?}", found(changed.clone()));
    assert_eq!(found_from(5, changed), Vec::<String>::new(), "nobody can tell without them");

    let mut left_out = carried(100);
    let lp = forward(&mut left_out[5]).lps.pop().unwrap().lp;
    let wanted = format!("entry 5: carries 0 forward for {lp}, whose entries come to ");
    assert!(found(left_out.clone())[0].starts_with(&wanted), "{:?}", found(left_out));

    let mut twice = carried(100);
    let lps = &mut forward(&mut twice[5]).lps;
    lps.push(lps[0].clone());
    assert!(found(twice)[0].contains("carries two balances forward for"));

    // A second one is held against the first, also where nothing before that is known.
    let mut second = carried(100);
    let mut sums = sums(&second);
    sums.add(&Body::Payout(PayoutEntry {
        payout: "2".into(),
        txid: "ee".into(),
        lps: vec![share(pseudonym(3), 1)],
    }));
    second.extend(sums.carry_forward("again", 100).unwrap());
    let findings = found_from(5, second);
    assert!(findings[0].contains(&format!("forward for {}", pseudonym(3))), "{findings:?}");
    assert_eq!(findings.len(), 1);
}

#[test]
fn parts_are_whole_and_follow_each_other() {
    let right = carried(1);
    assert_eq!(right.len(), 5 + 3 + 2);
    let mut missing = right.clone();
    missing.remove(6);
    assert!(found(missing)[0].contains("entry 6: is part 3 of 3, and another one is due"));
    let mut interrupted = right.clone();
    interrupted.swap(7, 8);
    assert!(found(interrupted)[0].contains("comes where part 3 of 3 of what is carried forward is due"));
    let cut_off = right[..7].to_vec();
    assert!(found(cut_off)[0].contains("part 3 of 3"));
    let findings = found_from(6, right);
    assert!(findings[0].contains("entry 6: is where the record begins, and carries nothing forward"));
}

#[test]
fn a_record_whose_beginning_was_dropped_without_carrying_anything_forward_is_found() {
    let bodies: Vec<Body> = chain().into_iter().map(|entry| entry.body).collect();
    let findings = found_from(2, bodies);
    assert_eq!(
        findings,
        ["entry 2: is where the record begins, and carries nothing forward: what came before is missing"]
    );
}

#[test]
fn after_the_beginning_everything_is_still_checked() {
    let owed = sums(&carried(100)).carry_forward("x", 100).unwrap().remove(0);
    let Body::CarryForward(owed) = owed else { panic!("{owed:?}") };
    let mut bodies = carried(100);
    let overpaid = share(owed.lps[0].lp, owed.lps[0].amount_e8 + 1);
    bodies.push(Body::Payout(PayoutEntry { payout: "2".into(), txid: "ee".into(), lps: vec![overpaid] }));
    let findings = found_from(5, bodies.clone());
    assert!(findings[0].starts_with("entry 8: pays ") && findings.len() == 1, "{findings:?}");

    let Body::Round(round) = &mut bodies[6] else { panic!("no round") };
    round.lps[0].credits[0].amount = "1".to_owned();
    let findings = found_from(5, bodies);
    assert!(findings[0].contains("entry 6 (round"), "{findings:?}");
}

#[test]
fn receipts_of_rounds_before_the_beginning_are_counted_and_not_held_against_the_pool() {
    let entries = signed(&key(), carried(100));
    let mut verifier = Verifier::new(None);
    verifier.expect_receipts(vec![receipt(&entries)]);
    entries[5..].iter().for_each(|entry| verifier.push(&entry.text()));
    let verified = verifier.finish();
    assert_eq!((verified.findings, verified.receipts, verified.receipts_too_old), (Vec::new(), 0, 1));
}

#[test]
fn more_than_fits_is_refused_and_nothing_owed_is_left_out() {
    let lp = Digest::of(&[b"lp"]);
    let mut sums = OwedByRecord::default();
    let pay = |amount_e8| {
        let lps = vec![share(lp, amount_e8)];
        Body::Payout(PayoutEntry { payout: "1".into(), txid: "ff".into(), lps })
    };
    sums.add(&pay(7));
    sums.add(&pay(-7));
    let forward = sums.carry_forward("nothing", 10).unwrap();
    assert!(forward[0].line().ends_with(r#""lps":[]}}"#), "{}", forward[0].line());
    sums.add(&pay(i64::MAX));
    sums.add(&pay(i64::MAX));
    assert!(sums.carry_forward("too much", 10).is_err());
}

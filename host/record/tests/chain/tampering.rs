//! What is found when a record was changed: by somebody without the pool's key, and by the pool itself.

use alp_record::chain::{
    Body, Digest, Entry, PoolKey, Receipt, RoundBody, SignedReceipt, Verifier, prove_equivocation,
};

use crate::books::{ROUND, chain, key, pseudonym, receipt, round, signed};

pub(crate) fn findings(texts: &[String], receipts: Vec<SignedReceipt>) -> Vec<String> {
    let mut verifier = Verifier::new(Some(key().public()));
    verifier.expect_receipts(receipts);
    texts.iter().for_each(|text| verifier.push(text));
    verifier.finish().findings.iter().map(ToString::to_string).collect()
}

pub(crate) fn texts() -> Vec<String> {
    chain().iter().map(Entry::text).collect()
}

/// The findings when the pool itself signs a history in which the first round is changed.
pub(crate) fn of_a_lying_pool(change: impl FnOnce(&mut RoundBody)) -> Vec<String> {
    let mut bodies: Vec<Body> = chain().into_iter().map(|entry| entry.body).collect();
    if let Body::Round(round) = &mut bodies[1] {
        change(round);
    }
    let entries = signed(&key(), bodies);
    findings(&entries.iter().map(Entry::text).collect::<Vec<_>>(), Vec::new())
}

fn one_of(found: &[String], words: &str) {
    assert!(found.iter().any(|finding| finding.contains(words)), "{words:?} is not among {found:#?}");
}

#[test]
fn any_changed_byte_is_found() {
    let texts = texts();
    let length = texts[2].len();
    for at in (0..length).step_by(97) {
        let mut bytes = texts[2].clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        let changed = [texts[0].clone(), texts[1].clone(), changed, texts[3].clone()];
        assert!(!findings(&changed, Vec::new()).is_empty(), "byte {at} of {length}");
    }
}

#[test]
fn a_dropped_round_is_found_and_named() {
    let mut texts = texts();
    texts.remove(2);
    assert_eq!(findings(&texts, Vec::new()), ["entry 3: follows entry 1: 1 between them are missing"]);
}

#[test]
fn exchanged_and_repeated_entries_are_found() {
    let mut swapped = texts();
    swapped.swap(1, 2);
    assert!(findings(&swapped, Vec::new()).len() >= 3);
    let mut repeated = texts();
    repeated.insert(2, repeated[1].clone());
    one_of(&findings(&repeated, Vec::new()), "it is repeated or out of order");
}

#[test]
fn an_entry_of_another_key_is_found() {
    let stranger = PoolKey::from_seed(&[1; 32]).unwrap();
    let entries = signed(&stranger, chain().into_iter().map(|entry| entry.body).collect());
    let found = findings(&entries.iter().map(Entry::text).collect::<Vec<_>>(), Vec::new());
    assert_eq!(found.len(), 4);
    one_of(&found, "not by the pool's key");
}

#[test]
fn a_credit_that_the_pool_moved_to_another_is_found() {
    let found = of_a_lying_pool(|round| {
        let mut own = std::mem::take(&mut round.lps[0].credits);
        std::mem::swap(&mut own, &mut round.lps[1].credits);
        round.lps[0].credits = own;
    });
    assert_eq!(found.len(), 2);
    one_of(&found, &format!("(round {ROUND}): {} is credited [", pseudonym(1)));
}

#[test]
fn a_swapped_price_is_found_by_the_orders_it_does_not_fit() {
    let to_other = |round: &mut RoundBody| round.lps[0].samples[0].price.numerator = "0.0039".into();
    one_of(&of_a_lying_pool(to_other), "was judged by a price that was not in force");
    let found = of_a_lying_pool(|round| {
        round.prices[0].price = "0.0039".to_owned();
        round.prices[0].quotes = vec![round.prices[0].quotes[0].clone()];
        to_other(round);
    });
    one_of(&found, "is judged otherwise than its price says");
    one_of(
        &of_a_lying_pool(|round| round.prices[0].price = "0.0041".to_owned()),
        "is not the median of its quotes",
    );
}

#[test]
fn a_wrong_sum_a_wrong_total_and_changed_rules_are_found() {
    one_of(&of_a_lying_pool(|round| round.paid = "0.01".to_owned()), "its sum of credits is 0.01 where");
    one_of(&of_a_lying_pool(|round| round.statistics.orders = 1), "its totals and pots are not those");
    let rules =
        |round: &mut RoundBody| round.terms[0].document = round.terms[0].document.replace("0.025", "0.5");
    one_of(&of_a_lying_pool(rules), "were changed");
    one_of(&of_a_lying_pool(|round| drop(round.lps.remove(2))), "where");
}

#[test]
fn a_rank_that_the_pool_gave_away_is_found() {
    let found = of_a_lying_pool(|round| round.lps[2].samples[0].orders[2].rank = Some(1));
    one_of(&found, "is judged otherwise than its price says");
}

#[test]
fn a_round_that_is_recorded_twice_is_found() {
    let mut bodies: Vec<Body> = chain().into_iter().map(|entry| entry.body).collect();
    bodies.push(Body::Round(Box::new(round(ROUND).0)));
    let entries = signed(&key(), bodies);
    let found = findings(&entries.iter().map(Entry::text).collect::<Vec<_>>(), Vec::new());
    assert_eq!(found, [format!("entry 4 (round {ROUND}): begins before the round recorded earlier ended")]);
}

#[test]
fn with_receipts_omitted_and_altered_submissions_are_found() {
    let honest = receipt(&chain());
    let without = |change: fn(&mut RoundBody)| {
        // Whatever else the pool mends so that the rest fits, it cannot take the receipt back.
        let mut bodies: Vec<Body> = chain().into_iter().map(|entry| entry.body).collect();
        let Body::Round(first) = &mut bodies[1] else { panic!("not a round") };
        change(first);
        let texts: Vec<String> = signed(&key(), bodies).iter().map(Entry::text).collect();
        findings(&texts, vec![honest.clone()])
    };
    one_of(&without(|round| drop(round.lps.remove(0))), "and the record has no sample of it");
    one_of(&without(|round| round.lps[0].samples[0].at_ms -= 1), "leaves out the submission of");
    let fewer = |round: &mut RoundBody| drop(round.lps[0].samples[0].orders.pop());
    one_of(&without(fewer), "has other orders than the receipt");
}

#[test]
fn a_receipt_that_the_pool_did_not_sign_proves_nothing_and_is_named() {
    let entries = chain();
    let mut forged = receipt(&entries);
    forged.receipt.orders = Receipt::orders_digest(&[]);
    one_of(&findings(&texts(), vec![forged]), "is not signed by the pool");
}

#[test]
fn two_signed_heads_for_one_number_prove_a_lie() {
    let entries = chain();
    let mut bodies: Vec<Body> = chain().into_iter().map(|entry| entry.body).collect();
    bodies.truncate(2);
    bodies.push(Body::Round(Box::new(round(ROUND + 600).0)));
    let other = signed(&key(), bodies);
    let pair = |entry: &Entry| (entry.header.clone(), entry.signature.clone());
    let (one, two) = (pair(&entries[2]), pair(&other[2]));
    let proof = prove_equivocation((&one.0, &one.1), (&two.0, &two.1)).unwrap();
    assert!(
        proof.to_string().starts_with("entry 2: the pool's key signed two entries of this number"),
        "{proof}"
    );
    assert_eq!(prove_equivocation((&one.0, &one.1), (&one.0, &one.1)), None);
    let third = pair(&entries[3]);
    assert_eq!(prove_equivocation((&one.0, &one.1), (&third.0, &third.1)), None);

    let mut verifier = Verifier::new(Some(key().public()));
    verifier.expect_head(2, two.0.digest(), "another server");
    entries.iter().for_each(|entry| verifier.push(&entry.text()));
    let found: Vec<String> = verifier.finish().findings.iter().map(ToString::to_string).collect();
    one_of(&found, "another head was signed or shown for this entry: another server has");
}

#[test]
fn a_new_epoch_goes_on_from_what_was_published() {
    let entries = chain();
    let last = entries.last().unwrap();
    let start = alp_record::chain::EpochStart {
        reason: "restored from a backup".to_owned(),
        last_published: last.header.digest(),
        last_round: 0,
    };
    let epoch = Entry::sign(&key(), &last.header.pool, 2, Some(&last.header), 1, Body::Epoch(start));
    let mut all: Vec<String> = texts();
    all.push(epoch.text());
    assert_eq!(findings(&all, Vec::new()), [] as [&str; 0]);
    let same_epoch = Entry::sign(&key(), &last.header.pool, 1, Some(&last.header), 1, epoch.body.clone());
    all[4] = same_epoch.text();
    one_of(&findings(&all, Vec::new()), "is of epoch 1 where 2 is due");
    assert_ne!(epoch.header.digest(), Digest::NOTHING);
}

#[test]
fn an_epoch_that_signs_a_published_round_again_is_found() {
    let mut entries = chain();
    let again = entries.pop().unwrap();
    let last = entries.last().unwrap().header.clone();
    let epoch = |last_round| {
        let start = alp_record::chain::EpochStart {
            reason: "restored from a backup".to_owned(),
            last_published: again.header.digest(),
            last_round,
        };
        let epoch = Entry::sign(&key(), &last.pool, 2, Some(&last), 1, Body::Epoch(start));
        let round = Entry::sign(&key(), &last.pool, 2, Some(&epoch.header), 2, again.body.clone());
        let entries = entries.iter().chain([&epoch, &round]);
        findings(&entries.map(Entry::text).collect::<Vec<_>>(), Vec::new())
    };
    assert_eq!(epoch(0), [] as [&str; 0]);
    one_of(&epoch(crate::books::ROUND + 120), "was published before the epoch began, and is signed again");
}

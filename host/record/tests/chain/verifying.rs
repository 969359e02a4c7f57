//! What a right record comes to.

use alp_record::chain::{
    Body, CarryForward, Correction, Digest, Entry, Header, LpAmount, NONCE_BYTES, Opening, PayoutEntry,
    PayoutShare, PoolKey, Signature, Verifier, order_commitment, verify_proof,
};

use crate::books::{POOL, ROUND, chain, key, opening, pseudonym, receipt, round, signed};

#[test]
fn a_right_record_is_found_right_and_comes_to_the_credits_that_were_booked() {
    let mut verifier = Verifier::new(Some(key().public()));
    for entry in chain() {
        verifier.push(&entry.text());
    }
    let verified = verifier.finish();
    assert_eq!(verified.findings, []);
    assert_eq!((verified.entries, verified.rounds), (4, 3));
    let (_, computed) = round(ROUND);
    for lp in 1..=3_u8 {
        let of = computed.credits.iter().filter(|credit| credit.lp_id == i64::from(lp) * 10);
        let booked: i64 = of.map(|credit| credit.amount_e8).sum();
        assert!(booked > 0);
        assert_eq!(verified.balances[&pseudonym(lp)].owed_e8(), i128::from(booked) * 3, "LP {lp}");
    }
}

#[test]
fn an_entry_reads_back_as_it_was_written() {
    for entry in chain() {
        assert_eq!(Entry::read(&entry.text()).unwrap(), entry);
    }
}

#[test]
fn a_body_that_is_written_in_any_other_way_is_refused_though_the_pool_signed_it() {
    let entry = &chain()[1];
    let body = entry.body.line();
    let spaced = body.replacen("\"samples\":", "\"samples\": ", 1);
    let swapped =
        body.replacen("{\"start\":1760000040,\"seconds\":60,", "{\"seconds\":60,\"start\":1760000040,", 1);
    let more = format!("{} ]}}}}", body.strip_suffix("]}}").unwrap());
    let unknown = body.replacen("\"side\":", "\"more\":1,\"side\":", 1);
    for other in [spaced, swapped, more, unknown] {
        assert_ne!(other, body);
        let header = Header { body: Digest::of(&[other.as_bytes()]), ..entry.header.clone() };
        let text = signed_text(&header, &other);
        let refused = Entry::read(&text).unwrap_err().to_string();
        assert_eq!(refused, "its body is not written in the canonical form", "{other}");
    }
    let header = Header { lps: Digest::NOTHING, ..entry.header.clone() };
    let refused = Entry::read(&signed_text(&header, &body)).unwrap_err().to_string();
    assert_eq!(refused, "the root over its LPs does not belong to its body");
}

/// An entry with this header and body, signed by the pool as it would sign any.
fn signed_text(header: &Header, body: &str) -> String {
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[42; 32]).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let signature = pair.sign(format!("alp record v1\n{}", header.line()).as_bytes());
    let signature = Signature { key: key().public().to_string(), signature: hex(signature.as_ref()) };
    format!("{}\n{body}\n{}\n", header.line(), serde_json::to_string(&signature).unwrap())
}

#[test]
fn no_key_and_no_order_id_of_an_lp_stands_in_the_record() {
    let text: String = chain().iter().map(Entry::text).collect();
    for secret in ["key-1", "key-2", "\"1-1\"", "\"2-3\""] {
        assert!(!text.contains(secret), "{secret}");
    }
    let commitment = order_commitment(&opening(2), "binance", "btc", "2-1").to_string();
    assert!(text.contains(&commitment), "its LP finds its order");
    let other = Opening::new([9; NONCE_BYTES]).pseudonym(POOL, "key-2").to_string();
    assert!(!text.contains(&other), "nobody finds it without the nonce");
}

#[test]
fn each_lp_can_be_proven_to_be_in_a_round_and_no_other() {
    let entries = chain();
    let (first, second) = (&entries[1], &entries[2]);
    for lp in 1..=3 {
        let proof = first.prove(pseudonym(lp)).unwrap();
        assert!(proof.leaf.contains(&pseudonym(lp).to_string()));
        assert_eq!(verify_proof(&first.header, &first.signature, &proof).unwrap(), key().public());
        assert!(verify_proof(&second.header, &second.signature, &proof).is_err(), "of another round");
    }
    assert_eq!(first.prove(pseudonym(4)), None);
}

#[test]
fn corrections_payouts_and_carrying_forward_keep_each_balance_exact() {
    let lp = pseudonym(1);
    let owed = i64::try_from(balance_after(chain(), lp)).unwrap();
    let mut bodies: Vec<Body> = chain().into_iter().map(|entry| entry.body).collect();
    bodies.push(Body::Correction(Correction {
        lp,
        amount_e8: -7,
        who: "operator".into(),
        why: "a test".into(),
    }));
    let lps = vec![PayoutShare { lp, amount_e8: owed - 10, fee_e8: 0 }];
    bodies.push(Body::Payout(PayoutEntry { payout: "1".into(), txid: "ff".into(), lps }));
    let others = (2..=3).map(|other| {
        let amount = balance_after(chain(), pseudonym(other));
        LpAmount { lp: pseudonym(other), amount_e8: i64::try_from(amount).unwrap() }
    });
    let lps = [LpAmount { lp, amount_e8: 3 }].into_iter().chain(others).collect();
    bodies.push(Body::CarryForward(CarryForward {
        why: "old rounds are dropped".into(),
        part: 1,
        parts: 1,
        lps,
    }));
    bodies.push(Body::Round(Box::new(round(ROUND + 180).0)));
    assert_eq!(balance_after(signed(&key(), bodies), lp), i128::from(owed / 3 + 3));
}

#[test]
fn a_receipt_that_the_record_honours_is_counted() {
    let entries = chain();
    let mut verifier = Verifier::new(None);
    verifier.expect_receipts(vec![receipt(&entries)]);
    entries.iter().for_each(|entry| verifier.push(&entry.text()));
    let verified = verifier.finish();
    assert_eq!((verified.findings, verified.receipts), (Vec::new(), 1));
}

#[test]
fn the_signing_key_does_not_show_itself() {
    let shown = format!("{:?}", PoolKey::from_seed(&[7; 32]).unwrap());
    assert!(!shown.contains("0707"), "{shown}");
}

fn balance_after(entries: Vec<Entry>, lp: alp_record::chain::Digest) -> i128 {
    let mut verifier = Verifier::new(Some(key().public()));
    entries.iter().for_each(|entry| verifier.push(&entry.text()));
    let verified = verifier.finish();
    assert_eq!(verified.findings, []);
    verified.balances[&lp].owed_e8()
}

//! The table of what verifying finds: what was changed, by whom, with which evidence, and what was said of it. Each line is
//! tried when the test runs; the file that `ALP_TAMPERING_TABLE` names gets them all.

use std::fmt::Write;

use alp_record::chain::{
    Body, Digest, Entry, EpochStart, PoolKey, Receipt, RoundBody, SignedReceipt, Verifier,
};

use crate::books::{ROUND, chain, key, receipt, round, signed};
use crate::shown::{every_kind, recorded, steady};
use crate::tampering::{findings, of_a_lying_pool, texts};

/// Longest sentence of a line, in characters.
const WORDS: usize = 150;

const RECORD: &str = "the record alone";
const RECEIPTS: &str = "a receipt";
const HEADS: &str = "a head kept from before";

/// What was changed, the evidence, words that have to be said; no words where nothing can be found.
type Line = (&'static str, &'static str, Option<&'static str>, Vec<String>);

#[test]
fn each_change_is_found_by_the_evidence_that_can_find_it() {
    let mut text = String::from("| what was changed | evidence | what verifying said |\n|-|-|-|\n");
    let lines = [by_strangers(), in_a_round(), over_rounds(), with_evidence(), beyond_reach()].concat();
    for (what, evidence, words, found) in lines {
        let said = match words {
            Some(words) => {
                let said = found.iter().find(|finding| finding.contains(words));
                said.unwrap_or_else(|| panic!("{what}: {words:?} is not among {found:#?}")).clone()
            }
            None => {
                assert_eq!(found, [] as [String; 0], "{what}");
                "nothing: out of reach".to_owned()
            }
        };
        let said: String = said.chars().take(WORDS).collect();
        writeln!(text, "| {what} | {evidence} | {} |", said.replace('|', "\\|")).unwrap();
    }
    if let Some(file) = std::env::var_os("ALP_TAMPERING_TABLE") {
        std::fs::write(file, text).unwrap();
    }
}

/// What somebody without the pool's key can do.
fn by_strangers() -> Vec<Line> {
    let changed = |change: fn(&mut Vec<String>)| {
        let mut texts = texts();
        change(&mut texts);
        findings(&texts, Vec::new())
    };
    let bit =
        |texts: &mut Vec<String>| texts[2] = texts[2].replacen("\"amount\":\"107\"", "\"amount\":\"106\"", 1);
    let header = |texts: &mut Vec<String>| texts[2] = texts[2].replacen("\"epoch\":1", "\"epoch\":2", 1);
    let stranger = PoolKey::from_seed(&[1; 32]).unwrap();
    let by_stranger = signed(&stranger, chain().into_iter().map(|entry| entry.body).collect());
    let by_stranger: Vec<String> = by_stranger.iter().map(Entry::text).collect();
    vec![
        ("one digit of a body", RECORD, Some("its body is not the one that was signed"), changed(bit)),
        ("one digit of a header", RECORD, Some("its signature is wrong"), changed(header)),
        (
            "an entry cut off in the middle",
            RECORD,
            Some("it is not three lines"),
            changed(|texts| texts[2].truncate(90)),
        ),
        (
            "an entry left out",
            RECORD,
            Some("1 between them are missing"),
            changed(|texts| drop(texts.remove(2))),
        ),
        (
            "two entries exchanged",
            RECORD,
            Some("repeated or out of order"),
            changed(|texts| texts.swap(1, 2)),
        ),
        (
            "an entry repeated",
            RECORD,
            Some("repeated or out of order"),
            changed(|texts| texts.insert(2, texts[1].clone())),
        ),
        (
            "everything signed by another key",
            "the record and the pool's key",
            Some("not by the pool's key"),
            findings(&by_stranger, Vec::new()),
        ),
    ]
}

/// What the pool itself can write into a round and sign.
fn in_a_round() -> Vec<Line> {
    let lying =
        |what, words, change: fn(&mut RoundBody)| (what, RECORD, Some(words), of_a_lying_pool(change));
    vec![
        lying("a credit made larger", "is credited [", |round| {
            round.lps[0].credits[0].amount = "1".to_owned();
        }),
        lying("a credit moved from one LP to another", "is credited [", |round| {
            let mut first = std::mem::take(&mut round.lps[0].credits);
            std::mem::swap(&mut first, &mut round.lps[1].credits);
            round.lps[0].credits = first;
        }),
        lying("the sum of credits", "its sum of credits is", |round| round.paid = "0.01".to_owned()),
        lying("the reward", "its reward is", |round| round.reward = "9".to_owned()),
        lying("a total", "its totals and pots are not those", |round| round.statistics.orders = 1),
        lying("a price that fits no feed", "is not the median of its quotes", |round| {
            round.prices[0].price = "0.0041".to_owned();
        }),
        lying("the price that one LP was judged by", "by a price that was not in force", |round| {
            round.lps[0].samples[0].price.numerator = "0.0039".into();
        }),
        lying("price and quotes together", "by a price that was not in force", |round| {
            round.prices[0].price = "0.0039".to_owned();
            round.prices[0].quotes.truncate(1);
        }),
        lying("an order's rank", "is judged otherwise than its price says", |round| {
            round.lps[2].samples[0].orders[2].rank = Some(1);
        }),
        lying("an order's deviation", "is judged otherwise than its price says", |round| {
            round.lps[2].samples[0].orders[0].deviation = "0".into();
        }),
        lying("an order's amount", "is credited [", |round| {
            round.lps[2].samples[0].orders[0].amount = "900".into();
        }),
        lying("an order removed", "is credited [", |round| drop(round.lps[2].samples[0].orders.remove(0))),
        lying("an LP removed", "where [", |round| drop(round.lps.remove(2))),
        lying("an LP entered twice", "stands in it twice", |round| round.lps.push(round.lps[0].clone())),
        lying("the reward rules", "were changed", |round| {
            round.terms[0].document = round.terms[0].document.replace("0.025", "0.5");
        }),
        lying("the reward rules removed", "names reward rules that are not there", |round| {
            round.terms.clear()
        }),
        lying("the round's length", "does not exist", |round| round.seconds = 7),
    ]
}

/// What the pool can do to the rounds beside each other.
fn over_rounds() -> Vec<Line> {
    let mut twice: Vec<Body> = chain().into_iter().map(|entry| entry.body).collect();
    twice.push(Body::Round(Box::new(round(ROUND).0)));
    let again = |last_round| {
        let mut entries = chain();
        let body = entries.pop().unwrap().body;
        let last = entries.last().unwrap().header.clone();
        let reason = "restored".to_owned();
        let start = EpochStart { reason, last_published: last.digest(), last_round };
        let epoch = Entry::sign(&key(), &last.pool, 2, Some(&last), 1, Body::Epoch(start));
        let round = Entry::sign(&key(), &last.pool, 2, Some(&epoch.header), 2, body);
        findings(&entries.iter().chain([&epoch, &round]).map(Entry::text).collect::<Vec<_>>(), Vec::new())
    };
    // Rules that hold a round against the one before it.
    let sliced = |change: fn(&mut RoundBody)| {
        let mut rounds = recorded(&every_kind()[4], &steady());
        change(&mut rounds[1]);
        let bodies = rounds.into_iter().map(|round| Body::Round(Box::new(round))).collect();
        all_of(bodies)
    };
    vec![
        ("a round recorded twice", RECORD, Some("before the round recorded earlier ended"), all_of(twice)),
        (
            "a published round signed again after a restore",
            RECORD,
            Some("is signed again"),
            again(ROUND + 120),
        ),
        (
            "what was shown in the round before, left out",
            RECORD,
            Some("leaves out that"),
            sliced(|round| round.lps[0].before.clear()),
        ),
        (
            "what was shown in the round before, made up",
            RECORD,
            Some("that is not in the round before"),
            sliced(|round| round.lps[0].before[0].at_ms += 1),
        ),
        (
            "what was carried over",
            RECORD,
            Some("does not begin with what the round"),
            sliced(|round| round.carried[0].ask = "2".to_owned()),
        ),
        (
            "the slice of a sample",
            RECORD,
            Some("stands for slice"),
            sliced(|round| round.lps[0].samples[0].slice = 4),
        ),
    ]
}

/// What is consistent in itself, and found by what others kept.
fn with_evidence() -> Vec<Line> {
    let with_receipt = |receipt: SignedReceipt, change: fn(&mut RoundBody)| {
        let mut bodies: Vec<Body> = chain().into_iter().map(|entry| entry.body).collect();
        if let Body::Round(first) = &mut bodies[1] {
            change(first);
        }
        let texts: Vec<String> = signed(&key(), bodies).iter().map(Entry::text).collect();
        findings(&texts, vec![receipt])
    };
    let honest = || receipt(&chain());
    let mut forged = honest();
    forged.receipt.orders = Receipt::orders_digest(&[]);
    vec![
        (
            "an LP left out",
            RECEIPTS,
            Some("and the record has no sample of it"),
            with_receipt(honest(), |round| drop(round.lps.remove(0))),
        ),
        (
            "an older sample in place of the last",
            RECEIPTS,
            Some("leaves out the submission of"),
            with_receipt(honest(), |round| round.lps[0].samples[0].at_ms -= 1),
        ),
        (
            "an order left out",
            RECEIPTS,
            Some("has other orders than the receipt"),
            with_receipt(honest(), |round| drop(round.lps[0].samples[0].orders.pop())),
        ),
        ("the receipt itself", RECEIPTS, Some("is not signed by the pool"), with_receipt(forged, |_| {})),
        ("a second history for others", HEADS, Some("another head was signed or shown"), second_history()),
    ]
}

/// What no record and no evidence of one LP can show: the documentation says so.
fn beyond_reach() -> Vec<Line> {
    let shown = steady();
    let rules = &every_kind()[0];
    let bodies = |shown: &[crate::shown::ShownRound]| {
        recorded(rules, shown).into_iter().map(|round| Body::Round(Box::new(round))).collect()
    };
    let mut invented = shown.clone();
    invented[0].shown[0].orders.push((3, true, 0, 1_999));
    let mut without = shown;
    without.iter_mut().for_each(|round| round.shown.retain(|shown| shown.lp != 2));
    vec![
        (
            "an order that never existed, judged and shared as if it had",
            RECORD,
            None,
            all_of(bodies(&invented)),
        ),
        (
            "an LP left out from the start, all else computed without it",
            RECORD,
            None,
            all_of(bodies(&without)),
        ),
    ]
}

fn second_history() -> Vec<String> {
    let mut other: Vec<Body> = chain().into_iter().map(|entry| entry.body).collect();
    other.truncate(2);
    other.push(Body::Round(Box::new(round(ROUND + 600).0)));
    let seen: Digest = signed(&key(), other)[2].header.digest();
    let mut verifier = Verifier::new(Some(key().public()));
    verifier.expect_head(2, seen, "another server");
    texts().iter().for_each(|text| verifier.push(text));
    verifier.finish().findings.iter().map(ToString::to_string).collect()
}

/// The findings in a chain of these bodies after its beginning.
fn all_of(bodies: Vec<Body>) -> Vec<String> {
    let begins = chain().into_iter().next().unwrap().body;
    let bodies = match bodies.first() {
        Some(Body::Epoch(_)) => bodies,
        _ => std::iter::once(begins).chain(bodies).collect(),
    };
    findings(&signed(&key(), bodies).iter().map(Entry::text).collect::<Vec<_>>(), Vec::new())
}

//! What a submission can and cannot make the pool do.

use alp_adapter::testing::{Submissions, pending_of};
use alp_adapter::*;
use ccedk::Ccedk;

const CCEDK: Submissions<Ccedk> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

fn pairs(names: &[&str]) -> String {
    let pair = |(id, name)| format!(r#"{{"pair_id":{id},"pair_name":"{name}"}}"#);
    let list: Vec<String> = (1..).zip(names).map(pair).collect();
    format!(r#"{{"errors":false,"response":{{"entities":[{}]}}}}"#, list.join(","))
}

#[test]
fn the_look_up_is_public_and_carries_nothing_of_the_submission() {
    let Step::LookUp(look_up) = Ccedk::start(CCEDK.good()).unwrap().step else {
        panic!("it looks nothing up")
    };
    let request = look_up.request;
    assert_eq!((request.query.len(), request.headers.len(), request.body), (0, 0, Body::None));
    assert!(Ccedk::describe().calls.iter().any(|call| call.name == request.call && !call.signed));
}

#[test]
fn a_wrong_submission_is_refused_before_anything_is_looked_up() {
    CCEDK.refuses_text("nonce", "1&pair_id=2");
    CCEDK.refuses_number("pair_id", "47");
    CCEDK.refuses(Submission { sign: "00".to_owned(), ..CCEDK.good() });
    CCEDK.refuses(Submission { user: "key\nSign: 0".to_owned(), ..CCEDK.good() });
}

#[test]
fn a_pair_is_found_by_any_of_its_names_and_by_its_own_first() {
    let found = |names: &[&str]| pending_of(CCEDK.resume(&[], 200, &pairs(names)).unwrap()).state;
    assert_eq!(found(&["ltc/btc", "NBT/BTC"]), b"2");
    assert_eq!(found(&["usnbt/eur", "UsNbt/Btc"]), b"2");
    assert_eq!(found(&["usnbt/btc", "btc/nbt", "nbt/btc"]), b"3");
}

#[test]
fn a_pair_that_is_not_listed_is_for_the_operator_to_mend() {
    let missing = CCEDK.resume(&[], 200, &pairs(&["btc/nbt", "nbt/btcd"]));
    assert!(matches!(missing, Err(Fault::Misconfigured(text)) if text.contains("`NBT/BTC`")));
}

#[test]
fn a_look_up_that_fails_is_never_the_bots_fault() {
    let error = r#"{"errors":{"page":"Not now."},"response":null}"#;
    assert_eq!(CCEDK.resume(&[], 200, error), Err(Fault::Unavailable("Not now.".to_owned())));
    assert_eq!(CCEDK.resume(b"47", 200, error), Err(Fault::Refused("Not now.".to_owned())));
    assert!(matches!(CCEDK.resume(&[], 404, "gone"), Err(Fault::Unavailable(_))));
    assert!(matches!(
        CCEDK.resume(&[], 200, r#"{"errors":false,"response":null}"#),
        Err(Fault::Unreadable(_))
    ));
}

#[test]
fn an_error_without_words_is_an_error_all_the_same() {
    for errors in ["true", r#"{"nonce":["wrong"]}"#] {
        let body = format!(r#"{{"errors":{errors},"response":{{"entities":[]}}}}"#);
        assert!(matches!(CCEDK.resume(b"47", 200, &body), Err(Fault::Refused(_))));
    }
}

//! What a submission can and cannot make the pool do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first thing that is not as expected"
)]

use std::path::Path;

use alp_adapter::testing::{self, Native};
use alp_adapter::*;
use ccedk::Ccedk;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Ccedk>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Ccedk::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(state: &[u8], status: u16, body: &str) -> Result<Step, Fault> {
    let reply = Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    Ccedk::resume(submission(), state.to_vec(), reply)
}

fn pairs(names: &[&str]) -> String {
    let pair = |(id, name)| format!(r#"{{"pair_id":{id},"pair_name":"{name}"}}"#);
    let list: Vec<String> = (1..).zip(names).map(pair).collect();
    format!(r#"{{"errors":false,"response":{{"entities":[{}]}}}}"#, list.join(","))
}

fn found(names: &[&str]) -> Vec<u8> {
    match resume(&[], 200, &pairs(names)).unwrap() {
        Step::Send(pending) => pending.state,
        other => panic!("it should send, is {other:?}"),
    }
}

#[test]
fn the_look_up_is_public_and_carries_nothing_of_the_submission() {
    let Step::LookUp(look_up) = Ccedk::start(submission()).unwrap().step else {
        panic!("it looks nothing up")
    };
    let request = look_up.request;
    assert_eq!((request.query.len(), request.headers.len(), request.body), (0, 0, Body::None));
    assert!(Ccedk::describe().calls.iter().any(|call| call.name == request.call && !call.signed));
}

#[test]
fn a_wrong_submission_is_refused_before_anything_is_looked_up() {
    refusal(with("nonce", Scalar::Text("1&pair_id=2".to_owned())));
    refusal(with("pair_id", Scalar::Number("47".to_owned())));
    refusal(Submission { sign: "00".to_owned(), ..submission() });
    refusal(Submission { user: "key\nSign: 0".to_owned(), ..submission() });
}

#[test]
fn a_pair_is_found_by_any_of_its_names_and_by_its_own_first() {
    assert_eq!(found(&["ltc/btc", "NBT/BTC"]), b"2");
    assert_eq!(found(&["usnbt/eur", "UsNbt/Btc"]), b"2");
    assert_eq!(found(&["usnbt/btc", "btc/nbt", "nbt/btc"]), b"3");
}

#[test]
fn a_pair_that_is_not_listed_is_for_the_operator_to_mend() {
    let missing = resume(&[], 200, &pairs(&["btc/nbt", "nbt/btcd"]));
    assert!(matches!(missing, Err(Fault::Misconfigured(text)) if text.contains("`NBT/BTC`")));
}

#[test]
fn a_look_up_that_fails_is_never_the_bots_fault() {
    let error = r#"{"errors":{"page":"Not now."},"response":null}"#;
    assert_eq!(resume(&[], 200, error), Err(Fault::Unavailable("Not now.".to_owned())));
    assert_eq!(resume(b"47", 200, error), Err(Fault::Refused("Not now.".to_owned())));
    assert!(matches!(resume(&[], 404, "gone"), Err(Fault::Unavailable(_))));
    assert!(matches!(resume(&[], 200, r#"{"errors":false,"response":null}"#), Err(Fault::Unreadable(_))));
}

#[test]
fn an_error_without_words_is_an_error_all_the_same() {
    for errors in ["true", r#"{"nonce":["wrong"]}"#] {
        let body = format!(r#"{{"errors":{errors},"response":{{"entities":[]}}}}"#);
        assert!(matches!(resume(b"47", 200, &body), Err(Fault::Refused(_))));
    }
}

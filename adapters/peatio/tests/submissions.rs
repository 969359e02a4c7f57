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
use peatio::Peatio;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Peatio>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Peatio::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = refusal(with("market", Scalar::Text("btccny".to_owned())));
    assert!(text.contains("`nbtbtc`") && text.contains("`btccny`"), "{text}");
}

#[test]
fn somebody_elses_key_is_refused() {
    refusal(with("access_key", Scalar::Text("somebody-elses".to_owned())));
    refusal(Submission { user: "somebody-elses".to_owned(), ..submission() });
}

#[test]
fn another_page_or_state_is_refused() {
    refusal(with("limit", Scalar::Number("10".to_owned())));
    refusal(with("state", Scalar::Text("done".to_owned())));
}

#[test]
fn what_would_add_a_parameter_is_refused() {
    refusal(with("tonce", Scalar::Text("1&state=done".to_owned())));
    let key = "key&market=btccny";
    refusal(Submission { user: key.to_owned(), ..with("access_key", Scalar::Text(key.to_owned())) });
    refusal(Submission { sign: format!("{}&page=2", "0".repeat(57)), ..submission() });
}

#[test]
fn where_the_exchange_is_has_to_be_configured() {
    assert!(Peatio::describe().origin.is_empty());
    let started = Peatio::start(Submission { endpoint: None, ..submission() });
    assert!(matches!(started, Err(Fault::Misconfigured(_))));
}

#[test]
fn a_full_page_may_not_be_all() {
    let order = r#"{"id":1,"side":"buy","price":"1","state":"done","market":"nbtbtc","created_at":"",
        "remaining_volume":"1"}"#;
    let is_cut = |count| {
        let body = format!("[{}]", vec![order; count].join(",")).into_bytes();
        let reply = Reply { status: 200, headers: Vec::new(), body };
        match Peatio::resume(submission(), Vec::new(), reply).unwrap() {
            Step::Orders(list) => list.maybe_truncated,
            other => panic!("it should be done, is {other:?}"),
        }
    };
    assert!(is_cut(1000) && !is_cut(999));
}

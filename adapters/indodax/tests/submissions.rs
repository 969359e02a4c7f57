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
use indodax::Indodax;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Indodax>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Indodax::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn without(names: &[&str]) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| !names.contains(&member.name.as_str()));
    submission
}

#[test]
fn another_command_or_pair_is_refused() {
    refusal(with("method", Scalar::Text("trade".to_owned())));
    refusal(with("pair", Scalar::Text("eth_idr".to_owned())));
    assert!(refusal(without(&["pair"])).contains("`pair`"));
}

#[test]
fn a_window_of_more_than_a_minute_is_refused() {
    refusal(with("recvWindow", Scalar::Number("60001".to_owned())));
    refusal(with("recvWindow", Scalar::Number("1578303937000".to_owned())));
    refusal(with("recvWindow", Scalar::Number("6e4".to_owned())));
}

#[test]
fn without_a_window_the_request_lives_for_the_five_seconds_the_exchange_gives_it() {
    let started = Indodax::start(without(&["recvWindow"])).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_005_123));
    assert_eq!(started.signed, ["method=openOrders&pair=btc_idr&timestamp=1760000000123"]);
}

#[test]
fn a_nonce_stands_for_the_time_and_never_beside_it() {
    let nonce = Member { name: "nonce".to_owned(), value: Scalar::Number("7".to_owned()) };
    let mut with_nonce = without(&["timestamp", "recvWindow"]);
    refusal(with_nonce.clone());
    with_nonce.members.push(nonce);
    let started = Indodax::start(with_nonce).unwrap();
    assert_eq!(started.signed, ["method=openOrders&pair=btc_idr&nonce=7"]);
    assert_eq!((started.freshness[0].rising, started.freshness[0].expires_ms), (Some(7), None));
    for beside in [&["timestamp"][..], &["recvWindow"], &[]] {
        let mut both = without(beside);
        both.members.push(Member::number("nonce", 7));
        refusal(both);
    }
}

#[test]
fn a_time_that_would_add_a_parameter_is_refused() {
    refusal(with("timestamp", Scalar::Text("1&method=withdrawCoin".to_owned())));
}

#[test]
fn too_many_requests_are_no_refusal() {
    let body = br#"{"success":0,"error":"Slow down.","error_code":"too_many_requests"}"#.to_vec();
    let fault = Indodax::resume(submission(), Vec::new(), Reply { status: 200, headers: Vec::new(), body });
    assert!(matches!(fault, Err(Fault::Throttled(_))));
}

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
use test_exchange::TestExchange;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<TestExchange>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match TestExchange::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = refusal(with("market", Scalar::Text("NBT_USD".to_owned())));
    assert!(text.contains("`NBT_BTC`") && text.contains("`NBT_USD`"), "{text}");
}

#[test]
fn a_market_that_smuggles_a_parameter_is_refused() {
    refusal(with("market", Scalar::Text("NBT_BTC&nonce=1".to_owned())));
}

#[test]
fn the_nonce_makes_it_fresh_and_the_timestamp_makes_it_expire() {
    let started = TestExchange::start(submission()).unwrap();
    let nonce = Some("1760000000123".to_owned());
    let expected = Freshness { nonce, rising: Some(1_760_000_000_123), expires_ms: Some(1_760_000_060_123) };
    assert_eq!(started.freshness, [expected]);
}

#[test]
fn nothing_is_explained_unless_it_is_asked_for() {
    let quiet = Submission { explain: false, ..submission() };
    assert!(TestExchange::start(quiet).unwrap().signed.is_empty());
}

#[test]
fn a_throttling_exchange_says_for_how_long() {
    let reply = Reply {
        status: 429,
        headers: vec![Field { name: "retry-after".to_owned(), value: "7".to_owned() }],
        body: br#"{"success":false,"error":"throttled","message":"Slow down."}"#.to_vec(),
    };
    let fault = TestExchange::resume(submission(), Vec::new(), reply).unwrap_err();
    let expected = Throttle { message: "throttled: Slow down.".to_owned(), retry_after_ms: Some(7000) };
    assert_eq!(fault, Fault::Throttled(expected));
}

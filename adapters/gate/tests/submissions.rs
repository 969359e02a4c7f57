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
use gate::Gate;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Gate>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Gate::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<OrderList, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match Gate::resume(submission, Vec::new(), reply)? {
        Step::Orders(list) => Ok(list),
        other => panic!("it should be done, is {other:?}"),
    }
}

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = refusal(with("currency_pair", Scalar::Text("BTC_USDT".to_owned())));
    assert!(text.contains("`ADA_USDT`") && text.contains("`BTC_USDT`"), "{text}");
}

#[test]
fn closed_orders_another_page_or_a_smaller_one_are_refused() {
    refusal(with("status", Scalar::Text("finished".to_owned())));
    refusal(with("page", Scalar::Number("2".to_owned())));
    refusal(with("limit", Scalar::Number("10".to_owned())));
    refusal(with("account", Scalar::Text("margin".to_owned())));
}

#[test]
fn a_time_that_would_add_a_line_is_refused() {
    refusal(with("timestamp", Scalar::Text("1760000000\r\nKEY: x".to_owned())));
    refusal(with("timestamp", Scalar::Number("176e7".to_owned())));
}

#[test]
fn the_request_lives_for_a_minute_from_its_second() {
    let started = Gate::start(submission()).unwrap();
    assert_eq!(started.freshness[0].rising, Some(1_760_000_000));
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_060_000));
}

#[test]
fn a_full_page_may_not_be_all() {
    let one = r#"{"id":"1","create_time_ms":1760000000123,"status":"open","currency_pair":"ADA_USDT","type":"limit",
        "account":"spot","side":"buy","price":"0.5","left":"1"}"#;
    let list = |count| resume(submission(), &format!("[{}]", vec![one; count].join(","))).unwrap();
    assert!(!list(99).maybe_truncated);
    assert!(list(100).maybe_truncated);
}

#[test]
fn labels_become_the_fault_of_whoever_must_act() {
    let fault =
        |label: &str| resume(submission(), &format!(r#"{{"label":"{label}","message":"why"}}"#)).unwrap_err();
    assert!(matches!(fault("TOO_MANY_REQUESTS"), Fault::Throttled(_)));
    assert!(matches!(fault("SERVER_ERROR"), Fault::Unavailable(_)));
    assert!(matches!(fault("INVALID_CURRENCY_PAIR"), Fault::Misconfigured(_)));
    assert_eq!(fault("INVALID_KEY"), Fault::Refused("INVALID_KEY: why".to_owned()));
}

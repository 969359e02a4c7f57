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
use mexc::Mexc;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Mexc>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Mexc::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<OrderList, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match Mexc::resume(submission, Vec::new(), reply)? {
        Step::Orders(list) => Ok(list),
        other => panic!("it should be done, is {other:?}"),
    }
}

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = refusal(with("symbol", Scalar::Text("ETHUSDT".to_owned())));
    assert!(text.contains("`BTCUSDT`") && text.contains("`ETHUSDT`"), "{text}");
}

#[test]
fn several_markets_or_a_further_parameter_in_the_symbol_are_refused() {
    refusal(with("symbol", Scalar::Text("BTCUSDT,ETHUSDT".to_owned())));
    refusal(with("symbol", Scalar::Text("BTCUSDT&orderId=1".to_owned())));
}

#[test]
fn a_window_of_a_minute_or_more_is_refused() {
    assert!(Mexc::start(with("recvWindow", Scalar::Number("59999".to_owned()))).is_ok());
    refusal(with("recvWindow", Scalar::Number("60000".to_owned())));
    refusal(with("recvWindow", Scalar::Number("-1".to_owned())));
}

#[test]
fn without_a_window_the_request_lives_for_the_five_seconds_the_exchange_gives_it() {
    let mut short = submission();
    short.members.retain(|member| member.name != "recvWindow");
    let started = Mexc::start(short).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_005_123));
    assert_eq!(started.signed, ["symbol=BTCUSDT&timestamp=1760000000123"]);
}

#[test]
fn a_signature_that_would_add_a_parameter_is_refused() {
    let sign = format!("{}&orderId=1", "0".repeat(54));
    assert_eq!(sign.len(), 64);
    refusal(Submission { sign, ..submission() });
}

#[test]
fn codes_become_the_fault_of_whoever_must_act() {
    let fault = |code: &str, text: &str| {
        resume(submission(), &format!(r#"{{"code":{code},"msg":"{text}"}}"#)).unwrap_err()
    };
    assert!(matches!(fault("429", "Too Many Requests"), Fault::Throttled(_)));
    assert!(matches!(fault("500", "Under maintenance"), Fault::Unavailable(_)));
    assert!(matches!(fault("10007", "bad symbol"), Fault::Misconfigured(_)));
    assert_eq!(
        fault("10072", "Api key info invalid"),
        Fault::Refused("code 10072: Api key info invalid".to_owned())
    );
}

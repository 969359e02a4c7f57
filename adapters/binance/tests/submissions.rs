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
use binance::Binance;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Binance>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Binance::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = refusal(with("symbol", Scalar::Text("BTCUSDT".to_owned())));
    assert!(text.contains("`LTCBTC`") && text.contains("`BTCUSDT`"), "{text}");
}

#[test]
fn a_window_of_more_than_a_minute_is_refused() {
    refusal(with("recvWindow", Scalar::Number("60001".to_owned())));
    refusal(with("recvWindow", Scalar::Number("6e4".to_owned())));
}

#[test]
fn without_a_window_the_request_lives_for_the_five_seconds_the_exchange_gives_it() {
    let mut short = submission();
    short.members.retain(|member| member.name != "recvWindow");
    let started = Binance::start(short).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_005_123));
    assert_eq!(started.signed, ["symbol=LTCBTC&timestamp=1760000000123"]);
}

#[test]
fn a_signature_that_would_add_a_parameter_is_refused() {
    let sign = format!("{}&fromId=1", "0".repeat(55));
    assert_eq!(sign.len(), 64);
    refusal(Submission { sign, ..submission() });
}

#[test]
fn a_missing_time_is_named() {
    let mut lacking = submission();
    lacking.members.retain(|member| member.name != "timestamp");
    assert!(refusal(lacking).contains("`timestamp`"));
}

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
use hitbtc::Hitbtc;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Hitbtc>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Hitbtc::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<OrderList, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match Hitbtc::resume(submission, Vec::new(), reply)? {
        Step::Orders(list) => Ok(list),
        other => panic!("it should be done, is {other:?}"),
    }
}

fn authorization(submission: Submission) -> String {
    let Step::Send(Pending { request, .. }) = Hitbtc::start(submission).unwrap().step else {
        panic!("nothing is sent")
    };
    request.headers.first().unwrap().value.clone()
}

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = refusal(with("symbol", Scalar::Text("ETHUSDT".to_owned())));
    assert!(text.contains("`BTCUSDT`") && text.contains("`ETHUSDT`"), "{text}");
    refusal(with("symbol", Scalar::Text("BTCUSDT&x=1".to_owned())));
}

#[test]
fn a_window_of_more_than_a_minute_is_refused() {
    refusal(with("window", Scalar::Number("60001".to_owned())));
    refusal(with("window", Scalar::Number("6e4".to_owned())));
}

#[test]
fn without_a_window_the_request_lives_for_the_ten_seconds_the_exchange_gives_it() {
    let mut short = submission();
    short.members.retain(|member| member.name != "window");
    let started = Hitbtc::start(short.clone()).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_010_123));
    assert_eq!(started.signed, ["GET/api/3/spot/order?symbol=BTCUSDT1760000000123"]);
    let parts = format!("hitbtc-test-key-fixture:{}:1760000000123", short.sign);
    assert_eq!(authorization(short), format!("HS256 {}", sign::base64(parts.as_bytes())));
}

#[test]
fn no_part_of_the_token_can_hold_a_colon() {
    refusal(Submission { user: "key:signature".to_owned(), ..submission() });
    refusal(Submission { sign: format!("{}:1", "0".repeat(62)), ..submission() });
    refusal(with("timestamp", Scalar::Text("1760000000123:60000".to_owned())));
    refusal(with("method", Scalar::Text("DELETE".to_owned())));
}

#[test]
fn error_codes_become_the_fault_of_whoever_must_act() {
    let fault = |code: &str| {
        let body = format!(r#"{{"error":{{"code":{code},"message":"Oh.","description":""}}}}"#);
        resume(submission(), &body).unwrap_err()
    };
    assert!(matches!(fault("429"), Fault::Throttled(_)));
    assert!(matches!(fault("\"20010\""), Fault::Unavailable(_)));
    assert!(matches!(fault("2001"), Fault::Misconfigured(_)));
    assert_eq!(fault("\"1003\""), Fault::Refused("code 1003: Oh".to_owned()));
}

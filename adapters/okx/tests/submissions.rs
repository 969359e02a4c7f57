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
use okx::Okx;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Okx>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Okx::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<OrderList, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match Okx::resume(submission, Vec::new(), reply)? {
        Step::Orders(list) => Ok(list),
        other => panic!("it should be done, is {other:?}"),
    }
}

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = refusal(with("instId", Scalar::Text("ETH-USDT".to_owned())));
    assert!(text.contains("`BTC-USDT`") && text.contains("`ETH-USDT`"), "{text}");
}

#[test]
fn margin_a_smaller_page_or_a_later_one_are_refused() {
    refusal(with("instType", Scalar::Text("MARGIN".to_owned())));
    refusal(with("limit", Scalar::Text("10".to_owned())));
    refusal(with("after", Scalar::Text("1".to_owned())));
}

#[test]
fn a_time_that_is_none_is_refused() {
    for wrong in ["1760000000123", "2025-10-09T08:53:20.123", "2025-13-09T08:53:20.123Z", "Z"] {
        assert!(refusal(with("timestamp", Scalar::Text(wrong.to_owned()))).contains("`req.timestamp`"));
    }
}

#[test]
fn a_passphrase_that_would_add_a_header_is_refused_and_not_repeated() {
    let text = refusal(with("passphrase", Scalar::Text("secret\r\nX-Other: 1".to_owned())));
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn the_request_lives_for_half_a_minute() {
    let started = Okx::start(submission()).unwrap();
    let freshness = &started.freshness[0];
    assert_eq!(freshness.nonce.as_deref(), Some("2025-10-09T08:53:20.123Z"));
    assert_eq!((freshness.rising, freshness.expires_ms), (Some(1_760_000_000_123), Some(1_760_000_030_123)));
}

#[test]
fn a_full_page_may_not_be_all() {
    let one = r#"{"instType":"SPOT","instId":"BTC-USDT","ordId":"1","ordType":"limit","tdMode":"cash","state":"live",
        "side":"buy","px":"1","sz":"1","accFillSz":"0","cTime":"1760000000123"}"#;
    let list = |count| {
        let orders = vec![one; count].join(",");
        resume(submission(), &format!(r#"{{"code":"0","msg":"","data":[{orders}]}}"#)).unwrap()
    };
    assert!(!list(99).maybe_truncated);
    assert!(list(100).maybe_truncated);
}

#[test]
fn codes_become_the_fault_of_whoever_must_act() {
    let fault =
        |code: &str| resume(submission(), &format!(r#"{{"code":"{code}","msg":"why"}}"#)).unwrap_err();
    assert!(matches!(fault("50011"), Fault::Throttled(_)));
    assert!(matches!(fault("50001"), Fault::Unavailable(_)));
    assert!(matches!(fault("51001"), Fault::Misconfigured(_)));
    assert_eq!(fault("50111"), Fault::Refused("code 50111: why".to_owned()));
    assert!(matches!(fault("0"), Fault::Unreadable(_)));
}

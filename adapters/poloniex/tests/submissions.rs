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
use poloniex::Poloniex;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Poloniex>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Poloniex::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<OrderList, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match Poloniex::resume(submission, Vec::new(), reply)? {
        Step::Orders(list) => Ok(list),
        other => panic!("it should be done, is {other:?}"),
    }
}

const ORDER: &str = r#"{"id":"1","symbol":"BTC_USDT","state":"NEW","accountType":"TYPE","side":"BUY","type":"LIMIT",
    "quantity":3,"price":2,"amount":"9","filledQuantity":1,"createTime":1}"#;

#[test]
fn a_request_for_another_market_is_refused_and_so_is_the_legacy_spelling() {
    let text = refusal(with("symbol", Scalar::Text("USDT_BTC".to_owned())));
    assert!(text.contains("`BTC_USDT`") && text.contains("`USDT_BTC`"), "{text}");
    refusal(with("limit", Scalar::Text("1".to_owned())));
}

#[test]
fn nothing_can_be_added_to_the_request() {
    refusal(with("symbol", Scalar::Text("BTC_USDT&side=BUY".to_owned())));
    refusal(with("recvWindow", Scalar::Number("600000".to_owned())));
    refusal(with("signTimestamp", Scalar::Text("1760000000123&x=1".to_owned())));
    refusal(Submission { user: "key\r\nsignature: x".to_owned(), ..submission() });
}

#[test]
fn a_signed_request_has_no_expiry_and_its_time_must_rise() {
    let started = Poloniex::start(submission()).unwrap();
    assert_eq!(
        (started.freshness[0].rising, started.freshness[0].expires_ms),
        (Some(1_760_000_000_123), None)
    );
}

#[test]
fn numbers_and_texts_are_read_alike_and_what_is_left_is_in_the_base_currency() {
    let list = resume(submission(), &format!("[{}]", ORDER.replace("TYPE", "SPOT"))).unwrap();
    assert_eq!((list.orders[0].amount.as_str(), list.maybe_truncated), ("2", false));
    assert!(
        resume(submission(), &format!("[{}]", ORDER.replace("TYPE", "FUTURE"))).unwrap().orders.is_empty()
    );
    let page = vec![ORDER; 2000].join(",");
    assert!(resume(submission(), &format!("[{page}]")).unwrap().maybe_truncated);
}

#[test]
fn error_codes_become_the_fault_of_whoever_must_act() {
    let fault = |code: u64| resume(submission(), &format!(r#"{{"code":{code},"message":"x"}}"#)).unwrap_err();
    assert!(matches!(fault(429), Fault::Throttled(_)));
    assert!(matches!(fault(500), Fault::Unavailable(_)));
    assert!(matches!(fault(24101), Fault::Misconfigured(_)));
    assert_eq!(fault(401), Fault::Refused("code 401: x".to_owned()));
}

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
use bitget::Bitget;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Bitget>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Bitget::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<OrderList, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match Bitget::resume(submission, Vec::new(), reply)? {
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
fn a_smaller_page_a_later_one_or_stop_orders_are_refused() {
    refusal(with("limit", Scalar::Number("10".to_owned())));
    refusal(with("idLessThan", Scalar::Text("1".to_owned())));
    refusal(with("tpslType", Scalar::Text("tpsl".to_owned())));
    refusal(with("symbol", Scalar::Text("BTCUSDT&orderId=1".to_owned())));
}

#[test]
fn a_passphrase_that_would_add_a_header_is_refused_and_not_repeated() {
    let text = refusal(with("passphrase", Scalar::Text("secret\r\nX-Other: 1".to_owned())));
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn the_request_lives_for_half_a_minute() {
    let started = Bitget::start(submission()).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_030_123));
}

const ORDER: &str = r#"{"symbol":"btcusdt","orderId":"1","priceAvg":"2","basePrice":"1.9","size":"3","baseVolume":"1",
    "orderType":"limit","side":"buy","status":"live","tpslType":"normal","triggerPrice":null,"cTime":"1760000000"}"#;

fn list(orders: &str) -> OrderList {
    resume(submission(), &format!(r#"{{"code":"00000","msg":"success","data":[{orders}]}}"#)).unwrap()
}

#[test]
fn the_price_is_the_limit_and_a_time_in_seconds_is_understood() {
    let order = &list(ORDER).orders[0];
    assert_eq!((order.price.as_str(), order.amount.as_str()), ("2", "2"));
    assert_eq!(order.opened_ms, Some(1_760_000_000_000));
}

#[test]
fn an_order_with_a_trigger_is_not_counted() {
    assert!(list(&ORDER.replace("null", r#""2.5""#)).orders.is_empty());
    assert!(list(&ORDER.replace("normal", "tpsl")).orders.is_empty());
}

#[test]
fn a_full_page_may_not_be_all() {
    assert!(!list(&vec![ORDER; 99].join(",")).maybe_truncated);
    assert!(list(&vec![ORDER; 100].join(",")).maybe_truncated);
}

#[test]
fn codes_become_the_fault_of_whoever_must_act() {
    let fault = |code: &str| {
        resume(submission(), &format!(r#"{{"code":"{code}","msg":"why","data":null}}"#)).unwrap_err()
    };
    assert!(matches!(fault("429"), Fault::Throttled(_)));
    assert!(matches!(fault("40200"), Fault::Unavailable(_)));
    assert!(matches!(fault("40034"), Fault::Misconfigured(_)));
    assert_eq!(fault("40006"), Fault::Refused("code 40006: why".to_owned()));
    assert!(matches!(fault("00000"), Fault::Unreadable(_)));
}

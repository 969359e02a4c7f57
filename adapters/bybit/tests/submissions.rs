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
use bybit::Bybit;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Bybit>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Bybit::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<OrderList, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match Bybit::resume(submission, Vec::new(), reply)? {
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
fn derivatives_closed_orders_or_a_single_order_are_refused() {
    refusal(with("category", Scalar::Text("linear".to_owned())));
    refusal(with("openOnly", Scalar::Number("1".to_owned())));
    refusal(with("limit", Scalar::Number("20".to_owned())));
    refusal(with("orderId", Scalar::Text("1".to_owned())));
    refusal(with("symbol", Scalar::Text("BTCUSDT&orderId=1".to_owned())));
}

#[test]
fn a_window_of_more_than_a_minute_is_refused() {
    refusal(with("recv_window", Scalar::Number("60001".to_owned())));
    refusal(with("recv_window", Scalar::Number("6e4".to_owned())));
    let started = Bybit::start(with("recv_window", Scalar::Number("5000".to_owned()))).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_005_123));
}

#[test]
fn a_signature_that_is_not_64_hexadecimal_digits_is_refused() {
    refusal(Submission { sign: "AAAA".to_owned(), ..submission() });
}

const ORDER: &str = r#"{"symbol":"BTCUSDT","orderId":"1","orderType":"Limit","side":"Buy","price":"1","qty":"3",
    "cumExecQty":"1","orderStatus":"New","stopOrderType":"","triggerPrice":"0.00","isLeverage":"0",
    "createdTime":"1760000000123"}"#;

fn page(category: &str, orders: &str) -> Result<OrderList, Fault> {
    let result = format!(r#"{{"category":"{category}","list":[{orders}]}}"#);
    resume(submission(), &format!(r#"{{"retCode":0,"retMsg":"OK","result":{result}}}"#))
}

#[test]
fn orders_of_another_book_are_not_read() {
    assert_eq!(page("spot", ORDER).unwrap().orders[0].amount, "2");
    assert!(matches!(page("linear", ORDER), Err(Fault::Unreadable(_))));
}

#[test]
fn orders_with_a_trigger_or_leverage_are_not_counted() {
    let others = [
        ORDER.replace(r#""stopOrderType":"""#, r#""stopOrderType":"Stop""#),
        ORDER.replace("0.00", "0.5"),
        ORDER.replace(r#""isLeverage":"0""#, r#""isLeverage":"1""#),
    ];
    for other in others {
        assert_ne!(other, ORDER);
        assert!(page("spot", &other).unwrap().orders.is_empty(), "{other}");
    }
}

#[test]
fn a_full_page_may_not_be_all() {
    assert!(!page("spot", &vec![ORDER; 49].join(",")).unwrap().maybe_truncated);
    assert!(page("spot", &vec![ORDER; 50].join(",")).unwrap().maybe_truncated);
}

#[test]
fn a_ban_of_the_pools_address_is_not_put_on_the_bot() {
    let ban = |text: &str| Reply { status: 403, headers: Vec::new(), body: text.as_bytes().to_vec() };
    let fault = |text: &str| Bybit::resume(submission(), Vec::new(), ban(text)).unwrap_err();
    let throttle = fault("403, access too frequent");
    assert!(matches!(throttle, Fault::Throttled(Throttle { retry_after_ms: Some(600_000), .. })));
    assert!(matches!(fault("<html>blocked</html>"), Fault::Unavailable(_)));
}

#[test]
fn codes_become_the_fault_of_whoever_must_act() {
    let fault = |code: &str| {
        let body = format!(r#"{{"retCode":{code},"retMsg":"why","result":{{}}}}"#);
        resume(submission(), &body).unwrap_err()
    };
    assert!(matches!(fault("10006"), Fault::Throttled(_)));
    assert!(matches!(fault("10016"), Fault::Unavailable(_)));
    assert!(matches!(fault("170121"), Fault::Misconfigured(_)));
    assert_eq!(fault("33004"), Fault::Refused("retCode 33004: why".to_owned()));
    // A code that ends like that of another fault is not taken for it.
    assert!(matches!(fault("110006"), Fault::Refused(_)));
    assert!(matches!(fault("0"), Fault::Unreadable(_)));
}

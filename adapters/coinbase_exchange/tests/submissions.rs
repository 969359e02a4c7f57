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
use coinbase_exchange::CoinbaseExchange;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<CoinbaseExchange>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match CoinbaseExchange::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<OrderList, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match CoinbaseExchange::resume(submission, Vec::new(), reply)? {
        Step::Orders(list) => Ok(list),
        other => panic!("it should be done, is {other:?}"),
    }
}

const ORDER: &str = r#"{"id":"1","price":"2","size":"3","filled_size":"1","product_id":"BTC-USD","side":"buy",
    "type":"limit","status":"open"MORE}"#;

#[test]
fn a_request_for_another_market_or_for_closed_orders_is_refused() {
    let text = refusal(with("product_id", Scalar::Text("ETH-USD".to_owned())));
    assert!(text.contains("`BTC-USD`") && text.contains("`ETH-USD`"), "{text}");
    refusal(with("status", Scalar::Text("all".to_owned())));
    refusal(with("limit", Scalar::Number("100".to_owned())));
}

#[test]
fn nothing_can_be_added_to_the_request() {
    refusal(with("after", Scalar::Number("1".to_owned())));
    refusal(with("passphrase", Scalar::Text("pass\r\nHost: example.org".to_owned())));
    refusal(Submission { user: "key\r\n".to_owned(), ..submission() });
    refusal(Submission { sign: "AAAA".to_owned(), ..submission() });
}

#[test]
fn a_time_with_a_fraction_is_a_time_and_a_date_is_none() {
    let started =
        CoinbaseExchange::start(with("timestamp", Scalar::Text("1760000000.25".to_owned()))).unwrap();
    assert_eq!(started.freshness[0].rising, Some(1_760_000_000_250));
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_030_250));
    refusal(with("timestamp", Scalar::Text("2025-10-09".to_owned())));
}

#[test]
fn a_refusal_does_not_repeat_the_passphrase() {
    let text = refusal(with("passphrase", Scalar::Text("my secret words".to_owned())));
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn stops_and_icebergs_do_not_count() {
    let count = |more: &str| {
        resume(submission(), &format!("[{}]", ORDER.replace("MORE", more))).unwrap().orders.len()
    };
    assert_eq!((count(""), count(r#","stop":null,"max_floor":"0""#)), (1, 1));
    assert_eq!((count(r#","stop":"entry""#), count(r#","max_floor":"0.5""#)), (0, 0));
}

#[test]
fn a_full_page_may_not_be_all() {
    let page = |count: usize| {
        let orders = vec![ORDER.replace("MORE", ""); count].join(",");
        resume(submission(), &format!("[{orders}]")).unwrap().maybe_truncated
    };
    assert!(page(1000) && !page(999));
}

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
use bitcoincoid::BitcoinCoId;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<BitcoinCoId>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match BitcoinCoId::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<Vec<Order>, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match BitcoinCoId::resume(submission, Vec::new(), reply)? {
        Step::Orders(list) => Ok(list.orders),
        other => panic!("it should be done, is {other:?}"),
    }
}

fn order(members: &str) -> String {
    let common = r#""order_id":"1","submit_time":"1433154030""#;
    format!(r#"{{"success":1,"return":{{"orders":[{{{common},{members}}}]}}}}"#)
}

#[test]
fn another_command_or_pair_is_refused() {
    refusal(with("method", Scalar::Text("trade".to_owned())));
    refusal(with("pair", Scalar::Text("ltc_btc".to_owned())));
    let mut all = submission();
    all.members.retain(|member| member.name != "pair");
    assert!(refusal(all).contains("`pair`"));
}

#[test]
fn a_nonce_that_would_add_a_parameter_is_refused() {
    refusal(with("nonce", Scalar::Text("1&method=withdrawCoin".to_owned())));
}

#[test]
fn a_key_that_would_add_a_header_is_refused() {
    refusal(Submission { user: "key\r\nSign: 0".to_owned(), ..submission() });
}

#[test]
fn what_is_left_is_read_by_the_currency_it_is_named_after_whatever_the_side() {
    let amount = |members| resume(submission(), &order(members)).unwrap()[0].amount.clone();
    assert_eq!(amount(r#""type":"buy","price":"0.25","remain_nbt":"3","remain_btc":"0.75""#), "3");
    assert_eq!(amount(r#""type":"buy","price":"0.3","remain_btc":"0.1""#), "0.33333333");
    let missing = resume(submission(), &order(r#""type":"buy","price":"0.3","remain_ltc":"0.1""#));
    assert!(matches!(missing, Err(Fault::Unreadable(text)) if text.contains("`remain_btc`")));
}

#[test]
fn an_order_without_a_price_is_not_divided_by_it() {
    assert!(
        resume(submission(), &order(r#""type":"buy","price":"0","remain_btc":"0.1""#)).unwrap().is_empty()
    );
}

#[test]
fn the_old_name_of_the_rupiah_is_understood() {
    let mut rupiah = submission();
    rupiah.market.quote = "IDR".to_owned();
    let orders = resume(rupiah, &order(r#""type":"buy","price":"4","remain_rp":"10""#)).unwrap();
    assert_eq!(orders[0].amount, "2.50000000");
}

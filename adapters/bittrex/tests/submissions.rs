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
use bittrex::Bittrex;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Bittrex>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Bittrex::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

/// A submission of the older form, with these URLs and a signature of the right form for each.
fn single(urls: &[&str]) -> Submission {
    let list = |texts: &[String]| serde_json::to_string(texts).unwrap();
    let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
    let signs = vec!["0".repeat(128); urls.len()];
    let members = vec![Member::text("requests", list(&urls)), Member::text("signs", list(&signs))];
    Submission { members, sign: "anything".to_owned(), ..submission() }
}

const GOOD: &str = "https://bittrex.com/api/v1.1/account/getorder?apikey=bittrex-test-key-fixture&nonce=1\
    &uuid=5b1cbd4f-9f0e-4d0b-8f3a-0f6d7f4a1c11";

#[test]
fn a_request_signed_for_another_market_is_refused() {
    refusal(with("market", Scalar::Text("BTC-LTC".to_owned())));
}

#[test]
fn the_operators_endpoint_is_part_of_what_is_signed() {
    let endpoint = Some("https://api.bittrex.com".to_owned());
    let signed = Bittrex::start(Submission { endpoint, ..submission() }).unwrap().signed;
    assert!(signed[0].starts_with("https://api.bittrex.com/api/v1.1/market/getopenorders?apikey="));
}

#[test]
fn with_signed_urls_the_member_sign_can_be_anything() {
    let started = Bittrex::start(single(&[GOOD, GOOD])).unwrap();
    assert_eq!((started.freshness.len(), started.signed.len()), (2, 2));
    assert_eq!(started.signed[0], GOOD);
}

#[test]
fn any_other_url_is_refused() {
    let others = [
        GOOD.replace("https:", "http:"),
        GOOD.replace("bittrex.com", "bittrex.com.example.org"),
        GOOD.replace("bittrex.com", "bittrex.com@example.org"),
        GOOD.replace("account/getorder", "account/withdraw"),
        GOOD.replace("account/getorder", "account/../market/cancel"),
        GOOD.replace("apikey=bittrex-test-key-fixture", "apikey=somebody-elses"),
        GOOD.replace("nonce=1", "nonce="),
        GOOD.replace("nonce=1", "nonce=1&apikey=2"),
        GOOD.replace("&uuid=5b1", "&uuid=5b1&"),
        format!("{GOOD}&currency=BTC"),
        format!("{GOOD}#"),
    ];
    for other in others {
        assert_ne!(other, GOOD);
        refusal(single(&[&other]));
    }
}

#[test]
fn only_one_or_two_urls_with_as_many_signatures_are_taken() {
    refusal(single(&[]));
    refusal(single(&[GOOD, GOOD, GOOD]));
    let mut unsigned = single(&[GOOD, GOOD]);
    unsigned.members[1] = Member::text("signs", "[]");
    refusal(unsigned);
    let mut both = single(&[GOOD]);
    both.members.push(Member::text("market", "BTC-NBT"));
    refusal(both);
}

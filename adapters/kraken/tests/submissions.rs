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
use kraken::Kraken;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Kraken>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Kraken::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<Vec<Order>, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match Kraken::resume(submission, Vec::new(), reply)? {
        Step::Orders(list) => Ok(list.orders),
        other => panic!("it should be done, is {other:?}"),
    }
}

const DOGE: &str = r#"{"error":["WGeneral:Danger"],"result":{"open":{"O1":{"status":"open","opentm":1760000000.5,
    "descr":{"pair":"XDGUSD","type":"buy","ordertype":"limit","price":"0.25","leverage":"none"},
    "vol":"10","vol_exec":"1","oflags":"fciq"},"O2":{"status":"open","opentm":1760000000.5,
    "descr":{"pair":"XDGUSD","type":"buy","ordertype":"limit","price":"0.25","leverage":"none"},
    "vol":"10","vol_exec":"1","oflags":"fciq,viqc"},"O3":{"status":"open","opentm":1760000000.5,
    "descr":{"type":"buy","ordertype":"limit","price":"0.25","leverage":"none"},"vol":"10","vol_exec":"1"}}}}"#;

#[test]
fn markets_go_by_the_exchanges_own_names_and_a_warning_is_no_error() {
    let mut doge = submission();
    doge.market.base = "DOGE".to_owned();
    let orders = resume(doge, DOGE).unwrap();
    assert_eq!(
        orders.iter().map(|order| (order.id.as_str(), order.amount.as_str())).collect::<Vec<_>>(),
        [("O1", "9")]
    );
}

#[test]
fn error_texts_become_the_fault_of_whoever_must_act() {
    let fault = |text: &str| resume(submission(), &format!(r#"{{"error":["{text}"]}}"#)).unwrap_err();
    assert!(matches!(fault("EAPI:Rate limit exceeded"), Fault::Throttled(_)));
    assert!(matches!(fault("EService:Unavailable"), Fault::Unavailable(_)));
    assert_eq!(fault("EAPI:Invalid key"), Fault::Refused("EAPI:Invalid key".to_owned()));
    assert!(matches!(resume(submission(), r#"{"error":[]}"#), Err(Fault::Unreadable(_))));
}

#[test]
fn a_nonce_beyond_64_bits_and_an_otp_are_refused() {
    refusal(with("nonce", Scalar::Number("18446744073709551616".to_owned())));
    assert!(refusal(with("otp", Scalar::Text("123456".to_owned()))).contains("`otp`"));
}

#[test]
fn a_signature_that_is_not_64_bytes_in_base64_is_refused() {
    refusal(Submission { sign: "AAAA".to_owned(), ..submission() });
}

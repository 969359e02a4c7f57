//! What a submission can and cannot make the pool do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first thing that is not as expected"
)]

use std::path::Path;

use alp_adapter::testing::{self, Native, SignedCall};
use alp_adapter::*;
use bter::Bter;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Bter>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Bter::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<Vec<Order>, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match Bter::resume(submission, Vec::new(), reply)? {
        Step::Orders(list) => Ok(list.orders),
        other => panic!("it should be done, is {other:?}"),
    }
}

/// One order of a reply, with what is given in place of what it usually has.
fn order(members: &str) -> String {
    let common = r#""oid":"1","rate":0.5,"sell_amount":"3","buy_amount":"1.5""#;
    format!(r#"{{"result":"true","orders":[{{{common},{members}}}]}}"#)
}

#[test]
fn the_older_form_with_an_empty_req_gives_its_request() {
    let call: SignedCall = serde_json::from_str(include_str!("../fixtures/old_form.json")).unwrap();
    let old = Submission { members: Vec::new(), sign: call.sign.clone(), ..submission() };
    assert!(call.req.is_empty());
    let started = Bter::start(old).unwrap();
    assert_eq!(started.signed, [call.string_to_sign.as_str()]);
    assert_eq!(started.freshness, [Freshness { nonce: None, rising: None, expires_ms: None }]);
    let Step::Send(pending) = started.step else { panic!("nothing is sent") };
    assert_eq!(call.http.url, format!("https://data.bter.com{}", pending.request.path));
    assert_eq!((pending.request.method, pending.request.query), (Method::Post, Vec::new()));
    assert_eq!((pending.request.body, call.http.body.as_deref()), (Body::Form(Vec::new()), Some("")));
    let headers = pending.request.headers.into_iter().map(|header| (header.name, header.value));
    assert!(
        headers.eq([("Key", call.user), ("Sign", call.sign), ("Content-Type", FORM.to_owned())]
            .map(|(name, value)| (name.to_owned(), value)))
    );
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn a_nonce_that_would_add_a_parameter_is_refused() {
    refusal(with("nonce", Scalar::Text("1&currency=BTC".to_owned())));
    refusal(with("currency", Scalar::Text("BTC".to_owned())));
}

#[test]
fn an_order_of_another_pair_is_not_counted_even_if_one_of_its_names_fits() {
    let seen = |members| resume(submission(), &order(members)).unwrap().len();
    assert_eq!(seen(r#""sell_type":"NBT","buy_type":"BTC""#), 1);
    assert_eq!(seen(r#""sell_type":"NBT","buy_type":"LTC""#), 0);
    assert_eq!(seen(r#""sell_type":"NBT","buy_type":"BTC","pair":"nbt_cny""#), 0);
    assert_eq!(seen(r#""sell_type":"NBT","buy_type":"NBT","pair":"nbt_btc""#), 0);
}

#[test]
fn a_reply_without_orders_is_unreadable_and_one_with_an_error_is_a_refusal() {
    assert!(matches!(resume(submission(), r#"{"result":true}"#), Err(Fault::Unreadable(_))));
    assert!(matches!(
        resume(submission(), r#"{"result":true,"orders":{"1":{}}}"#),
        Err(Fault::Unreadable(_))
    ));
    let refused = resume(submission(), r#"{"result":"false","message":"No."}"#);
    assert_eq!(refused, Err(Fault::Refused("No.".to_owned())));
}

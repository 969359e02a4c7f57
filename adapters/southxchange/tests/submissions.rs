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
use southxchange::SouthXchange;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<SouthXchange>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match SouthXchange::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn body(json: &str) -> Submission {
    with("data", Scalar::Text(json.to_owned()))
}

fn resume(status: u16, body: &str) -> Result<Vec<Order>, Fault> {
    let reply = Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match SouthXchange::resume(submission(), Vec::new(), reply)? {
        Step::Orders(list) => Ok(list.orders),
        other => panic!("it should be done, is {other:?}"),
    }
}

#[test]
fn the_text_is_sent_as_it_was_signed() {
    let texts = [
        r#"{"key":"southxchange-test-key-fixture","nonce":"1760000000123"}"#,
        r#"{ "nonce" : 1760000000123 , "key" : "southxchange-test-key-fixture" }"#,
    ];
    for text in texts {
        let started = SouthXchange::start(body(text)).unwrap();
        assert_eq!(
            (started.signed[0].as_str(), started.freshness[0].rising),
            (text, Some(1_760_000_000_123))
        );
        let Step::Send(pending) = started.step else { panic!("nothing is sent") };
        assert_eq!(pending.request.body, Body::Text(text.to_owned()));
    }
}

#[test]
fn any_other_text_is_refused() {
    let key = r#""key":"southxchange-test-key-fixture""#;
    let others = [
        format!(r#"{{{key}}}"#),
        format!(r#"{{{key},"nonce":1,"currency":"BTC"}}"#),
        format!(r#"{{{key},"nonce":1,"Nonce":2}}"#),
        format!(r#"{{{key},"nonce":1,"nonce":2}}"#),
        format!(r#"{{{key},"nonce":1,{key}}}"#),
        format!(r#"{{{key},"nonce":1}}{{}}"#),
        format!(r#"{{{key},"nonce":1.5}}"#),
        format!(r#"{{{key},"nonce":"+1"}}"#),
        format!(r#"{{{key},"nonce":null}}"#),
        format!(r#"{{{key},"nonce":18446744073709551616}}"#),
        r#"{"key":"somebody-elses","nonce":1}"#.to_owned(),
        r#"[1,"southxchange-test-key-fixture"]"#.to_owned(),
        format!("{{{key},\n\"nonce\":1}}"),
        format!("{{{key},\"nonce\":1}}{}", " ".repeat(512)),
    ];
    for other in others {
        refusal(body(&other));
    }
}

#[test]
fn an_order_of_a_reversed_market_without_a_price_is_not_divided_by_it() {
    let order = |price: &str, listing: &str, reference: &str| {
        format!(
            r#"[{{"Code":7,"Type":"sell","Amount":"2","LimitPrice":{price},"ListingCurrency":"{listing}",
                "ReferenceCurrency":"{reference}"}}]"#
        )
    };
    assert_eq!(resume(200, &order("400", "BTC", "NBT")).unwrap()[0].price, "0.00250000");
    assert!(matches!(resume(200, &order("0", "BTC", "NBT")), Err(Fault::Unreadable(_))));
    assert!(resume(200, &order("400", "BTC", "LTC")).unwrap().is_empty());
    assert!(resume(200, &order("400", "NBT", "NBT")).unwrap().is_empty());
}

#[test]
fn an_error_without_json_is_told_in_the_exchanges_words() {
    assert_eq!(resume(400, "Invalid nonce"), Err(Fault::Refused("HTTP 400: Invalid nonce".to_owned())));
}

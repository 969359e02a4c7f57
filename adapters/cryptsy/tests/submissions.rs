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
use cryptsy::Cryptsy;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Cryptsy>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Cryptsy::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn configured(market_id: Option<&str>) -> Submission {
    let mut submission = submission();
    let field = |id: &str| Field { name: "marketid".to_owned(), value: id.to_owned() };
    submission.market.parameters = market_id.map(field).into_iter().collect();
    submission
}

#[test]
fn another_command_or_market_is_refused() {
    refusal(with("method", Scalar::Text("allmyorders".to_owned())));
    let text = refusal(with("marketid", Scalar::Number("14".to_owned())));
    assert!(text.contains("`442`") && text.contains("`14`"), "{text}");
    refusal(with("marketid", Scalar::Number("0442".to_owned())));
}

#[test]
fn a_market_without_its_number_is_for_the_operator_to_mend() {
    assert!(Cryptsy::start(configured(Some("442"))).is_ok());
    for wrong in [None, Some(""), Some("NBT/BTC")] {
        let started = Cryptsy::start(configured(wrong));
        assert!(matches!(started, Err(Fault::Misconfigured(text)) if text.contains("`marketid`")));
    }
}

#[test]
fn a_nonce_that_would_add_a_parameter_is_refused() {
    refusal(with("nonce", Scalar::Text("1&method=createorder".to_owned())));
}

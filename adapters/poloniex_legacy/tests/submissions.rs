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
use poloniex_legacy::PoloniexLegacy;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<PoloniexLegacy>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match PoloniexLegacy::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<Vec<Order>, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match PoloniexLegacy::resume(submission, Vec::new(), reply)? {
        Step::Orders(list) => Ok(list.orders),
        other => panic!("it should be done, is {other:?}"),
    }
}

const ALL: &str = r#"{"BTC_NBT":[{"orderNumber":1,"type":"sell","rate":"0.025","amount":"100"}],"BTC_LTC":
    [{"orderNumber":2,"type":"sell","rate":"0.025","amount":"100"}]}"#;
const ONE: &str = r#"[{"orderNumber":1,"type":"sell","rate":"0.025","amount":"100"}]"#;

#[test]
fn another_command_or_market_is_refused() {
    refusal(with("command", Scalar::Text("withdraw".to_owned())));
    refusal(with("currencyPair", Scalar::Text("BTC_LTC".to_owned())));
}

#[test]
fn of_all_markets_only_the_one_asked_for_is_counted() {
    let all = with("currencyPair", Scalar::Text("all".to_owned()));
    assert!(PoloniexLegacy::start(all.clone()).unwrap().signed[0].ends_with("&currencyPair=all"));
    let orders = resume(all.clone(), ALL).unwrap();
    assert_eq!(orders.iter().map(|order| order.id.as_str()).collect::<Vec<_>>(), ["1"]);
    assert!(resume(all, r#"{"BTC_LTC":[]}"#).unwrap().is_empty());
}

#[test]
fn orders_without_a_market_are_not_counted_when_all_markets_were_asked_for() {
    let all = with("currencyPair", Scalar::Text("all".to_owned()));
    assert!(matches!(resume(all.clone(), ONE), Err(Fault::Unreadable(_))));
    assert!(resume(all, "[]").unwrap().is_empty());
    assert_eq!(resume(submission(), ONE).unwrap().len(), 1);
}

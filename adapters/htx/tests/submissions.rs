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
use htx::Htx;

fn submission() -> Submission {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, message) = testing::sign_first_call(&Native::<Htx>::new(), &folder).unwrap();
    testing::submission(&ask, &message)
}

fn with(name: &str, value: Scalar) -> Submission {
    let mut submission = submission();
    submission.members.retain(|member| member.name != name);
    submission.members.push(Member { name: name.to_owned(), value });
    submission
}

fn refusal(submission: Submission) -> String {
    match Htx::start(submission) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

fn resume(submission: Submission, body: &str) -> Result<OrderList, Fault> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match Htx::resume(submission, Vec::new(), reply)? {
        Step::Orders(list) => Ok(list),
        other => panic!("it should be done, is {other:?}"),
    }
}

const ORDER: &str = r#"{"symbol":"ethusdt","source":"SOURCE","price":"1","created-at":1,"amount":"2","field-amount":"0.5",
    "id":9223372036854775807,"state":"STATE","type":"KIND"}"#;

fn amounts(source: &str, state: &str, kind: &str) -> Vec<(String, String)> {
    let order = ORDER.replace("SOURCE", source).replace("STATE", state).replace("KIND", kind);
    let list = resume(submission(), &format!(r#"{{"status":"ok","data":[{order}]}}"#)).unwrap();
    list.orders.into_iter().map(|order| (order.id, order.amount)).collect()
}

#[test]
fn a_request_for_another_market_or_for_all_markets_is_refused() {
    let text = refusal(with("symbol", Scalar::Text("btcusdt".to_owned())));
    assert!(text.contains("`ethusdt`") && text.contains("`btcusdt`"), "{text}");
    for name in ["symbol", "account-id"] {
        let mut lacking = submission();
        lacking.members.retain(|member| member.name != name);
        assert!(refusal(lacking).contains(name));
    }
}

#[test]
fn nothing_can_be_added_to_the_query() {
    refusal(with("account-id", Scalar::Text("1&symbol=btcusdt".to_owned())));
    refusal(with("Timestamp", Scalar::Text("2025-10-09T08:53:20&side=buy".to_owned())));
    refusal(with("Timestamp", Scalar::Text("yesterday".to_owned())));
    refusal(with("SignatureMethod", Scalar::Text("HmacSHA1".to_owned())));
    refusal(with("states", Scalar::Text("filled".to_owned())));
    refusal(Submission { user: "key&size=1".to_owned(), ..submission() });
}

#[test]
fn the_operators_endpoint_is_part_of_what_is_signed() {
    let endpoint = Some("https://api-aws.huobi.pro".to_owned());
    let started = Htx::start(Submission { endpoint, ..submission() }).unwrap();
    assert!(started.signed[0].starts_with("GET\napi-aws.huobi.pro\n/v1/order/openOrders\n"));
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_300_000));
}

#[test]
fn stop_and_margin_orders_and_those_for_an_instant_do_not_count() {
    assert_eq!(
        amounts("spot-web", "submitted", "sell-limit-maker"),
        [("9223372036854775807".to_owned(), "1.5".to_owned())]
    );
    let others = [
        ("spot-web", "submitted", "sell-stop-limit"),
        ("spot-web", "created", "sell-limit"),
        ("spot-web", "submitted", "sell-limit-fok"),
        ("spot-web", "submitted", "sell-market"),
        ("super-margin-web", "submitted", "sell-limit"),
    ];
    for (source, state, kind) in others {
        assert!(amounts(source, state, kind).is_empty(), "{source} {state} {kind}");
    }
}

#[test]
fn a_full_page_may_not_be_all() {
    let page = |count: usize| {
        let orders = vec![ORDER; count].join(",");
        resume(submission(), &format!(r#"{{"status":"ok","data":[{orders}]}}"#)).unwrap().maybe_truncated
    };
    assert!(page(500) && !page(499));
}

#[test]
fn error_texts_become_the_fault_of_whoever_must_act() {
    let fault = |code: &str| {
        let body = format!(r#"{{"status":"error","err-code":"{code}","err-msg":"","data":null}}"#);
        resume(submission(), &body).unwrap_err()
    };
    assert!(matches!(fault("base-request-exceed-frequency-limit"), Fault::Throttled(_)));
    assert!(matches!(fault("system-maintenance"), Fault::Unavailable(_)));
    assert!(matches!(fault("base-symbol-error"), Fault::Misconfigured(_)));
    assert!(matches!(fault("login-required"), Fault::Refused(_)));
    assert!(matches!(resume(submission(), r#"{"status":"ok"}"#), Err(Fault::Unreadable(_))));
}

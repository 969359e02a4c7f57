//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use peatio::Peatio;

const PEATIO: Submissions<Peatio> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = PEATIO.refuses_text("market", "btccny");
    assert!(text.contains("`nbtbtc`") && text.contains("`btccny`"), "{text}");
}

#[test]
fn somebody_elses_key_is_refused() {
    PEATIO.refuses_text("access_key", "somebody-elses");
    PEATIO.refuses(Submission { user: "somebody-elses".to_owned(), ..PEATIO.good() });
}

#[test]
fn another_page_or_state_is_refused() {
    PEATIO.refuses_number("limit", "10");
    PEATIO.refuses_text("state", "done");
}

#[test]
fn what_would_add_a_parameter_is_refused() {
    PEATIO.refuses_text("tonce", "1&state=done");
    let key = "key&market=btccny";
    PEATIO.refuses(Submission { user: key.to_owned(), ..PEATIO.with(Member::text("access_key", key)) });
    PEATIO.refuses(Submission { sign: format!("{}&page=2", "0".repeat(57)), ..PEATIO.good() });
}

#[test]
fn where_the_exchange_is_has_to_be_configured() {
    assert!(Peatio::describe().origin.is_empty());
    let started = Peatio::start(Submission { endpoint: None, ..PEATIO.good() });
    assert!(matches!(started, Err(Fault::Misconfigured(_))));
}

#[test]
fn a_full_page_may_not_be_all() {
    let order = r#"{"id":1,"side":"buy","price":"1","state":"done","market":"nbtbtc","created_at":"",
        "remaining_volume":"1"}"#;
    let is_cut = |count| PEATIO.list(&format!("[{}]", vec![order; count].join(","))).maybe_truncated;
    assert!(is_cut(1000) && !is_cut(999));
}

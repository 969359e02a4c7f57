//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use gate::Gate;

const GATE: Submissions<Gate> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = GATE.refuses_text("currency_pair", "BTC_USDT");
    assert!(text.contains("`ADA_USDT`") && text.contains("`BTC_USDT`"), "{text}");
}

#[test]
fn closed_orders_another_page_or_a_smaller_one_are_refused() {
    GATE.refuses_text("status", "finished");
    GATE.refuses_number("page", "2");
    GATE.refuses_number("limit", "10");
    GATE.refuses_text("account", "margin");
}

#[test]
fn a_time_that_would_add_a_line_is_refused() {
    GATE.refuses_text("timestamp", "1760000000\r\nKEY: x");
    GATE.refuses_number("timestamp", "176e7");
}

#[test]
fn the_request_lives_for_a_minute_from_its_second() {
    let started = Gate::start(GATE.good()).unwrap();
    assert_eq!(started.freshness[0].rising, Some(1_760_000_000));
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_060_000));
}

#[test]
fn a_full_page_may_not_be_all() {
    let one = r#"{"id":"1","create_time_ms":1760000000123,"status":"open","currency_pair":"ADA_USDT","type":"limit",
        "account":"spot","side":"buy","price":"0.5","left":"1"}"#;
    let list = |count| GATE.list(&format!("[{}]", vec![one; count].join(",")));
    assert!(!list(99).maybe_truncated);
    assert!(list(100).maybe_truncated);
}

#[test]
fn labels_become_the_fault_of_whoever_must_act() {
    let fault = |label: &str| GATE.fault(&format!(r#"{{"label":"{label}","message":"why"}}"#));
    assert!(matches!(fault("TOO_MANY_REQUESTS"), Fault::Throttled(_)));
    assert!(matches!(fault("SERVER_ERROR"), Fault::Unavailable(_)));
    assert!(matches!(fault("INVALID_CURRENCY_PAIR"), Fault::Misconfigured(_)));
    assert_eq!(fault("INVALID_KEY"), Fault::Refused("INVALID_KEY: why".to_owned()));
}

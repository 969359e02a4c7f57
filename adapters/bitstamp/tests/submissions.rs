//! What a submission can and cannot make the pool do.

use alp_adapter::testing::{Submissions, pending_of};
use alp_adapter::*;
use bitstamp::Bitstamp;

const BITSTAMP: Submissions<Bitstamp> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

const ORDER: &str = r#"{"id":1,"datetime":"2025-10-09 08:53:20","type":0,"price":"2","amount":"3"MORE}"#;

fn count(more: &str) -> usize {
    BITSTAMP.list(&format!("[{}]", ORDER.replace("MORE", more))).orders.len()
}

#[test]
fn another_market_all_markets_and_another_call_are_refused() {
    for path in ["ethusd", "all", "btcusd/../../cancel_all_orders", "btcusd/?x=1"] {
        BITSTAMP.refuses_text("path", format!("/api/v2/open_orders/{path}/"));
    }
    BITSTAMP.refuses_text("path", "/api/v2/cancel_all_orders/");
}

#[test]
fn only_a_uuid_in_lower_case_is_a_nonce() {
    let uuid = "f93c979d-b00d-43a9-9b9c-fd4cd9547fa6";
    for wrong in [uuid.to_uppercase(), uuid.replace('-', "0"), uuid.replace("f9", "g9"), uuid[1..].to_owned()]
    {
        BITSTAMP.refuses_text("nonce", wrong);
    }
    BITSTAMP.refuses_text("Content-Type", "text/plain");
}

#[test]
fn there_is_no_body_and_no_content_type_and_the_host_is_signed() {
    let endpoint = Some("https://sandbox.example.com:8443".to_owned());
    let started = Bitstamp::start(Submission { endpoint, ..BITSTAMP.good() }).unwrap();
    assert!(started.signed[0].contains("POSTsandbox.example.com:8443/api/v2/open_orders/btcusd/f93c"));
    let request = pending_of(started.step).request;
    assert_eq!((request.method, request.body), (Method::Post, Body::None));
    assert!(request.headers.iter().all(|header| !header.name.eq_ignore_ascii_case("content-type")));
}

#[test]
fn a_nonce_is_used_once_and_lives_for_150_seconds() {
    let freshness = &Bitstamp::start(BITSTAMP.good()).unwrap().freshness[0];
    assert_eq!(freshness.nonce.as_deref(), Some("f93c979d-b00d-43a9-9b9c-fd4cd9547fa6"));
    assert_eq!((freshness.rising, freshness.expires_ms), (Some(1_760_000_000_123), Some(1_760_000_150_123)));
}

#[test]
fn an_order_of_another_market_or_one_that_waits_does_not_count() {
    for counted in
        ["", r#","market":"BTC/USD""#, r#","market":"btcusd","stop_price":null,"trailing_amount":"0.00""#]
    {
        assert_eq!(count(counted), 1, "{counted}");
    }
    let others = [
        r#","market":"ETH/USD""#,
        r#","currency_pair":"BTC/EUR""#,
        r#","stop_price":"1""#,
        r#","is_stop":true"#,
        r#","trailing":{"delta":"1"}"#,
    ];
    for other in others {
        assert_eq!(count(other), 0, "{other}");
    }
}

#[test]
fn every_way_to_word_an_error_is_understood() {
    let fault = |body: &str| BITSTAMP.fault(body);
    assert_eq!(fault(r#"{"error":"No permission found"}"#), Fault::Refused("No permission found".to_owned()));
    let reason = r#"{"status":"error","reason":{"__all__":["Wrong"]},"code":"API0011"}"#;
    assert_eq!(fault(reason), Fault::Refused(r#"API0011: {"__all__":["Wrong"]}"#.to_owned()));
    let throttled = r#"{"response_code":"400.002","response_explanation":"Request rate limit exceeded"}"#;
    assert!(matches!(fault(throttled), Fault::Throttled(_)));
    assert!(matches!(fault(r#"{"status":"error"}"#), Fault::Unreadable(_)));
}

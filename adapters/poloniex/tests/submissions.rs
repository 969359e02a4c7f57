//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use poloniex::Poloniex;

const POLONIEX: Submissions<Poloniex> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

const ORDER: &str = r#"{"id":"1","symbol":"BTC_USDT","state":"NEW","accountType":"TYPE","side":"BUY","type":"LIMIT",
    "quantity":3,"price":2,"amount":"9","filledQuantity":1,"createTime":1}"#;

#[test]
fn a_request_for_another_market_is_refused_and_so_is_the_legacy_spelling() {
    let text = POLONIEX.refuses_text("symbol", "USDT_BTC");
    assert!(text.contains("`BTC_USDT`") && text.contains("`USDT_BTC`"), "{text}");
    POLONIEX.refuses_text("limit", "1");
}

#[test]
fn nothing_can_be_added_to_the_request() {
    POLONIEX.refuses_text("symbol", "BTC_USDT&side=BUY");
    POLONIEX.refuses_number("recvWindow", "600000");
    POLONIEX.refuses_text("signTimestamp", "1760000000123&x=1");
    POLONIEX.refuses(Submission { user: "key\r\nsignature: x".to_owned(), ..POLONIEX.good() });
}

#[test]
fn a_signed_request_has_no_expiry_and_its_time_must_rise() {
    let started = Poloniex::start(POLONIEX.good()).unwrap();
    assert_eq!(
        (started.freshness[0].rising, started.freshness[0].expires_ms),
        (Some(1_760_000_000_123), None)
    );
}

#[test]
fn numbers_and_texts_are_read_alike_and_what_is_left_is_in_the_base_currency() {
    let list = POLONIEX.list(&format!("[{}]", ORDER.replace("TYPE", "SPOT")));
    assert_eq!((list.orders[0].amount.as_str(), list.maybe_truncated), ("2", false));
    assert!(POLONIEX.list(&format!("[{}]", ORDER.replace("TYPE", "FUTURE"))).orders.is_empty());
    let page = vec![ORDER; 2000].join(",");
    assert!(POLONIEX.list(&format!("[{page}]")).maybe_truncated);
}

#[test]
fn error_codes_become_the_fault_of_whoever_must_act() {
    let fault = |code: u64| POLONIEX.fault(&format!(r#"{{"code":{code},"message":"x"}}"#));
    assert!(matches!(fault(429), Fault::Throttled(_)));
    assert!(matches!(fault(500), Fault::Unavailable(_)));
    assert!(matches!(fault(24101), Fault::Misconfigured(_)));
    assert_eq!(fault(401), Fault::Refused("code 401: x".to_owned()));
}

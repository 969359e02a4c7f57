//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use mexc::Mexc;

const MEXC: Submissions<Mexc> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = MEXC.refuses_text("symbol", "ETHUSDT");
    assert!(text.contains("`BTCUSDT`") && text.contains("`ETHUSDT`"), "{text}");
}

#[test]
fn several_markets_or_a_further_parameter_in_the_symbol_are_refused() {
    MEXC.refuses_text("symbol", "BTCUSDT,ETHUSDT");
    MEXC.refuses_text("symbol", "BTCUSDT&orderId=1");
}

#[test]
fn a_window_of_a_minute_or_more_is_refused() {
    assert!(Mexc::start(MEXC.with(Member::number("recvWindow", 59_999))).is_ok());
    MEXC.refuses_number("recvWindow", "60000");
    MEXC.refuses_number("recvWindow", "-1");
}

#[test]
fn without_a_window_the_request_lives_for_the_five_seconds_the_exchange_gives_it() {
    let short = MEXC.without(&["recvWindow"]);
    let started = Mexc::start(short).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_005_123));
    assert_eq!(started.signed, ["symbol=BTCUSDT&timestamp=1760000000123"]);
}

#[test]
fn a_signature_that_would_add_a_parameter_is_refused() {
    let sign = format!("{}&orderId=1", "0".repeat(54));
    assert_eq!(sign.len(), 64);
    MEXC.refuses(Submission { sign, ..MEXC.good() });
}

#[test]
fn codes_become_the_fault_of_whoever_must_act() {
    let fault = |code: &str, text: &str| MEXC.fault(&format!(r#"{{"code":{code},"msg":"{text}"}}"#));
    assert!(matches!(fault("429", "Too Many Requests"), Fault::Throttled(_)));
    assert!(matches!(fault("500", "Under maintenance"), Fault::Unavailable(_)));
    assert!(matches!(fault("10007", "bad symbol"), Fault::Misconfigured(_)));
    assert_eq!(
        fault("10072", "Api key info invalid"),
        Fault::Refused("code 10072: Api key info invalid".to_owned())
    );
}

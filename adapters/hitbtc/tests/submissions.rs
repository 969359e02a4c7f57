//! What a submission can and cannot make the pool do.

use alp_adapter::testing::{Submissions, pending_of};
use alp_adapter::*;
use hitbtc::Hitbtc;

const HITBTC: Submissions<Hitbtc> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = HITBTC.refuses_text("symbol", "ETHUSDT");
    assert!(text.contains("`BTCUSDT`") && text.contains("`ETHUSDT`"), "{text}");
    HITBTC.refuses_text("symbol", "BTCUSDT&x=1");
}

#[test]
fn a_window_of_more_than_a_minute_is_refused() {
    HITBTC.refuses_number("window", "60001");
    HITBTC.refuses_number("window", "6e4");
}

#[test]
fn without_a_window_the_request_lives_for_the_ten_seconds_the_exchange_gives_it() {
    let short = HITBTC.without(&["window"]);
    let parts = format!("hitbtc-test-key-fixture:{}:1760000000123", short.sign);
    let started = Hitbtc::start(short).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_010_123));
    assert_eq!(started.signed, ["GET/api/3/spot/order?symbol=BTCUSDT1760000000123"]);
    let authorization = &pending_of(started.step).request.headers[0].value;
    assert_eq!(*authorization, format!("HS256 {}", sign::base64(parts.as_bytes())));
}

#[test]
fn no_part_of_the_token_can_hold_a_colon() {
    HITBTC.refuses(Submission { user: "key:signature".to_owned(), ..HITBTC.good() });
    HITBTC.refuses(Submission { sign: format!("{}:1", "0".repeat(62)), ..HITBTC.good() });
    HITBTC.refuses_text("timestamp", "1760000000123:60000");
    HITBTC.refuses_text("method", "DELETE");
}

#[test]
fn error_codes_become_the_fault_of_whoever_must_act() {
    let fault = |code: &str| {
        HITBTC.fault(&format!(r#"{{"error":{{"code":{code},"message":"Oh.","description":""}}}}"#))
    };
    assert!(matches!(fault("429"), Fault::Throttled(_)));
    assert!(matches!(fault("\"20010\""), Fault::Unavailable(_)));
    assert!(matches!(fault("2001"), Fault::Misconfigured(_)));
    assert_eq!(fault("\"1003\""), Fault::Refused("code 1003: Oh".to_owned()));
}

//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use binance::Binance;

const BINANCE: Submissions<Binance> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = BINANCE.refuses_text("symbol", "BTCUSDT");
    assert!(text.contains("`LTCBTC`") && text.contains("`BTCUSDT`"), "{text}");
}

#[test]
fn a_window_of_more_than_a_minute_is_refused() {
    BINANCE.refuses_number("recvWindow", "60001");
    BINANCE.refuses_number("recvWindow", "6e4");
}

#[test]
fn without_a_window_the_request_lives_for_the_five_seconds_the_exchange_gives_it() {
    let short = BINANCE.without(&["recvWindow"]);
    let started = Binance::start(short).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_005_123));
    assert_eq!(started.signed, ["symbol=LTCBTC&timestamp=1760000000123"]);
}

#[test]
fn a_signature_that_would_add_a_parameter_is_refused() {
    let sign = format!("{}&fromId=1", "0".repeat(55));
    assert_eq!(sign.len(), 64);
    BINANCE.refuses(Submission { sign, ..BINANCE.good() });
}

#[test]
fn a_missing_time_is_named() {
    let lacking = BINANCE.without(&["timestamp"]);
    assert!(BINANCE.refuses(lacking).contains("`timestamp`"));
}

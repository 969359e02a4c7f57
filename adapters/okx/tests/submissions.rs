//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use okx::Okx;

const OKX: Submissions<Okx> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = OKX.refuses_text("instId", "ETH-USDT");
    assert!(text.contains("`BTC-USDT`") && text.contains("`ETH-USDT`"), "{text}");
}

#[test]
fn margin_a_smaller_page_or_a_later_one_are_refused() {
    OKX.refuses_text("instType", "MARGIN");
    OKX.refuses_text("limit", "10");
    OKX.refuses_text("after", "1");
}

#[test]
fn a_time_that_is_none_is_refused() {
    for wrong in ["1760000000123", "2025-10-09T08:53:20.123", "2025-13-09T08:53:20.123Z", "Z"] {
        assert!(OKX.refuses_text("timestamp", wrong).contains("`req.timestamp`"));
    }
}

#[test]
fn a_passphrase_that_would_add_a_header_is_refused_and_not_repeated() {
    let text = OKX.refuses_text("passphrase", "secret\r\nX-Other: 1");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn the_request_lives_for_half_a_minute() {
    let started = Okx::start(OKX.good()).unwrap();
    let freshness = &started.freshness[0];
    assert_eq!(freshness.nonce.as_deref(), Some("2025-10-09T08:53:20.123Z"));
    assert_eq!((freshness.rising, freshness.expires_ms), (Some(1_760_000_000_123), Some(1_760_000_030_123)));
}

#[test]
fn a_full_page_may_not_be_all() {
    let one = r#"{"instType":"SPOT","instId":"BTC-USDT","ordId":"1","ordType":"limit","tdMode":"cash","state":"live",
        "side":"buy","px":"1","sz":"1","accFillSz":"0","cTime":"1760000000123"}"#;
    let list = |count| {
        let orders = vec![one; count].join(",");
        OKX.list(&format!(r#"{{"code":"0","msg":"","data":[{orders}]}}"#))
    };
    assert!(!list(99).maybe_truncated);
    assert!(list(100).maybe_truncated);
}

#[test]
fn codes_become_the_fault_of_whoever_must_act() {
    let fault = |code: &str| OKX.fault(&format!(r#"{{"code":"{code}","msg":"why"}}"#));
    assert!(matches!(fault("50011"), Fault::Throttled(_)));
    assert!(matches!(fault("50001"), Fault::Unavailable(_)));
    assert!(matches!(fault("51001"), Fault::Misconfigured(_)));
    assert_eq!(fault("50111"), Fault::Refused("code 50111: why".to_owned()));
    assert!(matches!(fault("0"), Fault::Unreadable(_)));
}

//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use indodax::Indodax;

const INDODAX: Submissions<Indodax> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

#[test]
fn another_command_or_pair_is_refused() {
    INDODAX.refuses_text("method", "trade");
    INDODAX.refuses_text("pair", "eth_idr");
    assert!(INDODAX.refuses(INDODAX.without(&["pair"])).contains("`pair`"));
}

#[test]
fn a_window_of_more_than_a_minute_is_refused() {
    INDODAX.refuses_number("recvWindow", "60001");
    INDODAX.refuses_number("recvWindow", "1578303937000");
    INDODAX.refuses_number("recvWindow", "6e4");
}

#[test]
fn without_a_window_the_request_lives_for_the_five_seconds_the_exchange_gives_it() {
    let started = Indodax::start(INDODAX.without(&["recvWindow"])).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_005_123));
    assert_eq!(started.signed, ["method=openOrders&pair=btc_idr&timestamp=1760000000123"]);
}

#[test]
fn a_nonce_stands_for_the_time_and_never_beside_it() {
    let mut with_nonce = INDODAX.without(&["timestamp", "recvWindow"]);
    INDODAX.refuses(with_nonce.clone());
    with_nonce.members.push(Member::number("nonce", 7));
    let started = Indodax::start(with_nonce).unwrap();
    assert_eq!(started.signed, ["method=openOrders&pair=btc_idr&nonce=7"]);
    assert_eq!((started.freshness[0].rising, started.freshness[0].expires_ms), (Some(7), None));
    for beside in [&["timestamp"][..], &["recvWindow"], &[]] {
        let mut both = INDODAX.without(beside);
        both.members.push(Member::number("nonce", 7));
        INDODAX.refuses(both);
    }
}

#[test]
fn a_time_that_would_add_a_parameter_is_refused() {
    INDODAX.refuses_text("timestamp", "1&method=withdrawCoin");
}

#[test]
fn too_many_requests_are_no_refusal() {
    let fault = INDODAX.fault(r#"{"success":0,"error":"Slow down.","error_code":"too_many_requests"}"#);
    assert!(matches!(fault, Fault::Throttled(_)));
}

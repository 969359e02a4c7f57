//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use test_exchange::TestExchange;

const TEST_EXCHANGE: Submissions<TestExchange> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = TEST_EXCHANGE.refuses_text("market", "NBT_USD");
    assert!(text.contains("`NBT_BTC`") && text.contains("`NBT_USD`"), "{text}");
}

#[test]
fn a_market_that_smuggles_a_parameter_is_refused() {
    TEST_EXCHANGE.refuses_text("market", "NBT_BTC&nonce=1");
}

#[test]
fn the_nonce_makes_it_fresh_and_the_timestamp_makes_it_expire() {
    let started = TestExchange::start(TEST_EXCHANGE.good()).unwrap();
    let nonce = Some("1760000000123".to_owned());
    let expected = Freshness { nonce, rising: Some(1_760_000_000_123), expires_ms: Some(1_760_000_060_123) };
    assert_eq!(started.freshness, [expected]);
}

#[test]
fn nothing_is_explained_unless_it_is_asked_for() {
    let quiet = Submission { explain: false, ..TEST_EXCHANGE.good() };
    assert!(TestExchange::start(quiet).unwrap().signed.is_empty());
}

#[test]
fn a_throttling_exchange_says_for_how_long() {
    let reply = Reply {
        status: 429,
        headers: vec![Field { name: "retry-after".to_owned(), value: "7".to_owned() }],
        body: br#"{"success":false,"error":"throttled","message":"Slow down."}"#.to_vec(),
    };
    let fault = TestExchange::resume(TEST_EXCHANGE.good(), Vec::new(), reply).unwrap_err();
    let expected = Throttle { message: "throttled: Slow down.".to_owned(), retry_after_ms: Some(7000) };
    assert_eq!(fault, Fault::Throttled(expected));
}

#[test]
#[should_panic(expected = "it should be unusable, is accepted")]
fn a_submission_that_is_accepted_does_not_pass_for_one_that_is_refused() {
    TEST_EXCHANGE.refuses(TEST_EXCHANGE.good());
}

#[test]
#[should_panic(expected = "it should be a fault")]
fn a_list_without_orders_does_not_pass_for_a_fault() {
    TEST_EXCHANGE.fault(r#"{"success":true,"orders":[]}"#);
}

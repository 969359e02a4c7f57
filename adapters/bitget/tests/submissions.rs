//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use bitget::Bitget;

const BITGET: Submissions<Bitget> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = BITGET.refuses_text("symbol", "ETHUSDT");
    assert!(text.contains("`BTCUSDT`") && text.contains("`ETHUSDT`"), "{text}");
}

#[test]
fn a_smaller_page_a_later_one_or_stop_orders_are_refused() {
    BITGET.refuses_number("limit", "10");
    BITGET.refuses_text("idLessThan", "1");
    BITGET.refuses_text("tpslType", "tpsl");
    BITGET.refuses_text("symbol", "BTCUSDT&orderId=1");
}

#[test]
fn a_passphrase_that_would_add_a_header_is_refused_and_not_repeated() {
    let text = BITGET.refuses_text("passphrase", "secret\r\nX-Other: 1");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn the_request_lives_for_half_a_minute() {
    let started = Bitget::start(BITGET.good()).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_030_123));
}

const ORDER: &str = r#"{"symbol":"btcusdt","orderId":"1","priceAvg":"2","basePrice":"1.9","size":"3","baseVolume":"1",
    "orderType":"limit","side":"buy","status":"live","tpslType":"normal","triggerPrice":null,"cTime":"1760000000"}"#;

fn list(orders: &str) -> OrderList {
    BITGET.list(&format!(r#"{{"code":"00000","msg":"success","data":[{orders}]}}"#))
}

#[test]
fn the_price_is_the_limit_and_a_time_in_seconds_is_understood() {
    let order = &list(ORDER).orders[0];
    assert_eq!((order.price.as_str(), order.amount.as_str()), ("2", "2"));
    assert_eq!(order.opened_ms, Some(1_760_000_000_000));
}

#[test]
fn an_order_with_a_trigger_is_not_counted() {
    assert!(list(&ORDER.replace("null", r#""2.5""#)).orders.is_empty());
    assert!(list(&ORDER.replace("normal", "tpsl")).orders.is_empty());
}

#[test]
fn a_full_page_may_not_be_all() {
    assert!(!list(&vec![ORDER; 99].join(",")).maybe_truncated);
    assert!(list(&vec![ORDER; 100].join(",")).maybe_truncated);
}

#[test]
fn codes_become_the_fault_of_whoever_must_act() {
    let fault = |code: &str| BITGET.fault(&format!(r#"{{"code":"{code}","msg":"why","data":null}}"#));
    assert!(matches!(fault("429"), Fault::Throttled(_)));
    assert!(matches!(fault("40200"), Fault::Unavailable(_)));
    assert!(matches!(fault("40034"), Fault::Misconfigured(_)));
    assert_eq!(fault("40006"), Fault::Refused("code 40006: why".to_owned()));
    assert!(matches!(fault("00000"), Fault::Unreadable(_)));
}

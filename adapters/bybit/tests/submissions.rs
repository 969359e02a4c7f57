//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use bybit::Bybit;

const BYBIT: Submissions<Bybit> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = BYBIT.refuses_text("symbol", "ETHUSDT");
    assert!(text.contains("`BTCUSDT`") && text.contains("`ETHUSDT`"), "{text}");
}

#[test]
fn derivatives_closed_orders_or_a_single_order_are_refused() {
    BYBIT.refuses_text("category", "linear");
    BYBIT.refuses_number("openOnly", "1");
    BYBIT.refuses_number("limit", "20");
    BYBIT.refuses_text("orderId", "1");
    BYBIT.refuses_text("symbol", "BTCUSDT&orderId=1");
}

#[test]
fn a_window_of_more_than_a_minute_is_refused() {
    BYBIT.refuses_number("recv_window", "60001");
    BYBIT.refuses_number("recv_window", "6e4");
    let started = Bybit::start(BYBIT.with(Member::number("recv_window", 5000))).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_005_123));
}

#[test]
fn a_signature_that_is_not_64_hexadecimal_digits_is_refused() {
    BYBIT.refuses(Submission { sign: "AAAA".to_owned(), ..BYBIT.good() });
}

const ORDER: &str = r#"{"symbol":"BTCUSDT","orderId":"1","orderType":"Limit","side":"Buy","price":"1","qty":"3",
    "cumExecQty":"1","orderStatus":"New","stopOrderType":"","triggerPrice":"0.00","isLeverage":"0",
    "createdTime":"1760000000123"}"#;

fn page(category: &str, orders: &str) -> Result<OrderList, Fault> {
    let result = format!(r#"{{"category":"{category}","list":[{orders}]}}"#);
    BYBIT.read(BYBIT.good(), &format!(r#"{{"retCode":0,"retMsg":"OK","result":{result}}}"#))
}

#[test]
fn orders_of_another_book_are_not_read() {
    assert_eq!(page("spot", ORDER).unwrap().orders[0].amount, "2");
    assert!(matches!(page("linear", ORDER), Err(Fault::Unreadable(_))));
}

#[test]
fn orders_with_a_trigger_or_leverage_are_not_counted() {
    let others = [
        ORDER.replace(r#""stopOrderType":"""#, r#""stopOrderType":"Stop""#),
        ORDER.replace("0.00", "0.5"),
        ORDER.replace(r#""isLeverage":"0""#, r#""isLeverage":"1""#),
    ];
    for other in others {
        assert_ne!(other, ORDER);
        assert!(page("spot", &other).unwrap().orders.is_empty(), "{other}");
    }
}

#[test]
fn a_full_page_may_not_be_all() {
    assert!(!page("spot", &vec![ORDER; 49].join(",")).unwrap().maybe_truncated);
    assert!(page("spot", &vec![ORDER; 50].join(",")).unwrap().maybe_truncated);
}

#[test]
fn a_ban_of_the_pools_address_is_not_put_on_the_bot() {
    let fault = |text: &str| BYBIT.resume(&[], 403, text).unwrap_err();
    let throttle = fault("403, access too frequent");
    assert!(matches!(throttle, Fault::Throttled(Throttle { retry_after_ms: Some(600_000), .. })));
    assert!(matches!(fault("<html>blocked</html>"), Fault::Unavailable(_)));
}

#[test]
fn codes_become_the_fault_of_whoever_must_act() {
    let fault = |code: &str| BYBIT.fault(&format!(r#"{{"retCode":{code},"retMsg":"why","result":{{}}}}"#));
    assert!(matches!(fault("10006"), Fault::Throttled(_)));
    assert!(matches!(fault("10016"), Fault::Unavailable(_)));
    assert!(matches!(fault("170121"), Fault::Misconfigured(_)));
    assert_eq!(fault("33004"), Fault::Refused("retCode 33004: why".to_owned()));
    // A code that ends like that of another fault is not taken for it.
    assert!(matches!(fault("110006"), Fault::Refused(_)));
    assert!(matches!(fault("0"), Fault::Unreadable(_)));
}

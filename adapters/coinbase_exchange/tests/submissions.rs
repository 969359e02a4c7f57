//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use coinbase_exchange::CoinbaseExchange;

const COINBASE: Submissions<CoinbaseExchange> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

const ORDER: &str = r#"{"id":"1","price":"2","size":"3","filled_size":"1","product_id":"BTC-USD","side":"buy",
    "type":"limit","status":"open"MORE}"#;

#[test]
fn a_request_for_another_market_or_for_closed_orders_is_refused() {
    let text = COINBASE.refuses_text("product_id", "ETH-USD");
    assert!(text.contains("`BTC-USD`") && text.contains("`ETH-USD`"), "{text}");
    COINBASE.refuses_text("status", "all");
    COINBASE.refuses_number("limit", "100");
}

#[test]
fn nothing_can_be_added_to_the_request() {
    COINBASE.refuses_number("after", "1");
    COINBASE.refuses_text("passphrase", "pass\r\nHost: example.org");
    COINBASE.refuses(Submission { user: "key\r\n".to_owned(), ..COINBASE.good() });
    COINBASE.refuses(Submission { sign: "AAAA".to_owned(), ..COINBASE.good() });
}

#[test]
fn a_time_with_a_fraction_is_a_time_and_a_date_is_none() {
    let started = CoinbaseExchange::start(COINBASE.with(Member::text("timestamp", "1760000000.25"))).unwrap();
    assert_eq!(started.freshness[0].rising, Some(1_760_000_000_250));
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_030_250));
    COINBASE.refuses_text("timestamp", "2025-10-09");
}

#[test]
fn a_refusal_does_not_repeat_the_passphrase() {
    let text = COINBASE.refuses_text("passphrase", "my secret words");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn stops_and_icebergs_do_not_count() {
    let count = |more: &str| COINBASE.list(&format!("[{}]", ORDER.replace("MORE", more))).orders.len();
    assert_eq!((count(""), count(r#","stop":null,"max_floor":"0""#)), (1, 1));
    assert_eq!((count(r#","stop":"entry""#), count(r#","max_floor":"0.5""#)), (0, 0));
}

#[test]
fn a_full_page_may_not_be_all() {
    let page = |count: usize| {
        let orders = vec![ORDER.replace("MORE", ""); count].join(",");
        COINBASE.list(&format!("[{orders}]")).maybe_truncated
    };
    assert!(page(1000) && !page(999));
}

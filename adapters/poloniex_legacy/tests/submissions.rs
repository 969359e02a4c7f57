//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use poloniex_legacy::PoloniexLegacy;

const POLONIEX: Submissions<PoloniexLegacy> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

const ALL: &str = r#"{"BTC_NBT":[{"orderNumber":1,"type":"sell","rate":"0.025","amount":"100"}],"BTC_LTC":
    [{"orderNumber":2,"type":"sell","rate":"0.025","amount":"100"}]}"#;
const ONE: &str = r#"[{"orderNumber":1,"type":"sell","rate":"0.025","amount":"100"}]"#;

#[test]
fn another_command_or_market_is_refused() {
    POLONIEX.refuses_text("command", "withdraw");
    POLONIEX.refuses_text("currencyPair", "BTC_LTC");
}

#[test]
fn of_all_markets_only_the_one_asked_for_is_counted() {
    let all = POLONIEX.with(Member::text("currencyPair", "all"));
    assert!(PoloniexLegacy::start(all.clone()).unwrap().signed[0].ends_with("&currencyPair=all"));
    let orders = POLONIEX.read(all.clone(), ALL).unwrap().orders;
    assert_eq!(orders.iter().map(|order| order.id.as_str()).collect::<Vec<_>>(), ["1"]);
    assert!(POLONIEX.read(all, r#"{"BTC_LTC":[]}"#).unwrap().orders.is_empty());
}

#[test]
fn orders_without_a_market_are_not_counted_when_all_markets_were_asked_for() {
    let all = POLONIEX.with(Member::text("currencyPair", "all"));
    assert!(matches!(POLONIEX.read(all.clone(), ONE), Err(Fault::Unreadable(_))));
    assert!(POLONIEX.read(all, "[]").unwrap().orders.is_empty());
    assert_eq!(POLONIEX.list(ONE).orders.len(), 1);
}

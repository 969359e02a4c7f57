//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use bitcoincoid::BitcoinCoId;

const BITCOINCOID: Submissions<BitcoinCoId> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

fn order(members: &str) -> String {
    let common = r#""order_id":"1","submit_time":"1433154030""#;
    format!(r#"{{"success":1,"return":{{"orders":[{{{common},{members}}}]}}}}"#)
}

#[test]
fn another_command_or_pair_is_refused() {
    BITCOINCOID.refuses_text("method", "trade");
    BITCOINCOID.refuses_text("pair", "ltc_btc");
    let all = BITCOINCOID.without(&["pair"]);
    assert!(BITCOINCOID.refuses(all).contains("`pair`"));
}

#[test]
fn a_nonce_that_would_add_a_parameter_is_refused() {
    BITCOINCOID.refuses_text("nonce", "1&method=withdrawCoin");
}

#[test]
fn a_key_that_would_add_a_header_is_refused() {
    BITCOINCOID.refuses(Submission { user: "key\r\nSign: 0".to_owned(), ..BITCOINCOID.good() });
}

#[test]
fn what_is_left_is_read_by_the_currency_it_is_named_after_whatever_the_side() {
    let amount = |members| BITCOINCOID.list(&order(members)).orders[0].amount.clone();
    assert_eq!(amount(r#""type":"buy","price":"0.25","remain_nbt":"3","remain_btc":"0.75""#), "3");
    assert_eq!(amount(r#""type":"buy","price":"0.3","remain_btc":"0.1""#), "0.33333333");
    let missing = BITCOINCOID.fault(&order(r#""type":"buy","price":"0.3","remain_ltc":"0.1""#));
    assert!(matches!(missing, Fault::Unreadable(text) if text.contains("`remain_btc`")));
}

#[test]
fn an_order_without_a_price_is_not_divided_by_it() {
    assert!(BITCOINCOID.list(&order(r#""type":"buy","price":"0","remain_btc":"0.1""#)).orders.is_empty());
}

#[test]
fn the_old_name_of_the_rupiah_is_understood() {
    let mut rupiah = BITCOINCOID.good();
    rupiah.market.quote = "IDR".to_owned();
    let orders =
        BITCOINCOID.read(rupiah, &order(r#""type":"buy","price":"4","remain_rp":"10""#)).unwrap().orders;
    assert_eq!(orders[0].amount, "2.50000000");
}

//! What a submission can and cannot make the pool do.

use std::collections::BTreeMap;
use std::path::Path;

use alp_adapter::testing::{self, Driver, Native, SigningAsk, Submissions};
use alp_adapter::*;
use kucoin::Kucoin;

const KUCOIN: Submissions<Kucoin> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

#[test]
fn a_request_signed_for_another_market_is_refused() {
    let text = KUCOIN.refuses_text("symbol", "ETH-USDT");
    assert!(text.contains("`BTC-USDT`") && text.contains("`ETH-USDT`"), "{text}");
}

#[test]
fn a_further_parameter_or_another_path_in_the_symbol_is_refused() {
    KUCOIN.refuses_text("symbol", "BTC-USDT&type=market");
    KUCOIN.refuses_text("symbol", "BTC-USDT/../../accounts");
}

#[test]
fn a_passphrase_as_it_is_is_refused_and_not_repeated() {
    let text = KUCOIN.refuses_text("passphrase", "pass-fixture");
    assert!(text.contains("never the passphrase itself") && !text.contains("pass-fixture"), "{text}");
    KUCOIN.refuses_text("key_version", "1");
}

#[test]
fn a_key_of_version_3_is_signed_for_as_such() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (ask, _) = testing::sign_first_call(&Native::<Kucoin>::new(), &folder).unwrap();
    let version = BTreeMap::from([
        ("passphrase".to_owned(), "p".to_owned()),
        ("key_version".to_owned(), "3".to_owned()),
    ]);
    let signing =
        SigningAsk { ask, secret: "s".to_owned(), credential_parameters: version, nonce: String::new() };
    let message = Native::<Kucoin>::new().sign(&signing).unwrap();
    assert_eq!(message.members.last().unwrap().1.as_str(), "3");
    assert!(Kucoin::start(testing::submission(&signing.ask, &message)).is_ok());

    let without = SigningAsk { credential_parameters: BTreeMap::new(), ..signing };
    assert!(Native::<Kucoin>::new().sign(&without).err().unwrap().message.contains("`passphrase`"));
}

#[test]
fn the_request_lives_for_five_seconds() {
    let started = Kucoin::start(KUCOIN.good()).unwrap();
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_005_123));
}

const ORDER: &str = r#"{"id":"1","symbol":"BTC-USDT","type":"limit","side":"buy","price":"1","size":"10","dealSize":"2",
    "cancelledSize":"3","tradeType":"TRADE","active":true,"hidden":false,"stop":null,"createdAt":1760000000123}"#;

#[test]
fn what_was_cancelled_of_an_order_is_not_left() {
    let list = KUCOIN.list(&format!(r#"{{"code":"200000","data":[{ORDER}]}}"#));
    assert_eq!(list.orders[0].amount, "5");
}

#[test]
fn hidden_stop_and_margin_orders_are_not_counted() {
    let others = [
        ORDER.replace(r#""hidden":false"#, r#""hidden":true"#),
        ORDER.replace(r#""stop":null"#, r#""stop":"loss""#),
        ORDER.replace(r#""TRADE""#, r#""MARGIN_TRADE""#),
    ];
    for other in others {
        assert_ne!(other, ORDER);
        let list = KUCOIN.list(&format!(r#"{{"code":"200000","data":[{other}]}}"#));
        assert!(list.orders.is_empty(), "{other}");
    }
}

#[test]
fn codes_become_the_fault_of_whoever_must_act() {
    let fault = |code: &str| KUCOIN.fault(&format!(r#"{{"code":"{code}","msg":"why"}}"#));
    assert!(matches!(fault("429000"), Fault::Throttled(_)));
    assert!(matches!(fault("500000"), Fault::Unavailable(_)));
    assert!(matches!(fault("900001"), Fault::Misconfigured(_)));
    assert_eq!(fault("400003"), Fault::Refused("code 400003: why".to_owned()));
    assert!(matches!(fault("200000"), Fault::Unreadable(_)));
}

//! What a submission can and cannot make the pool do.

use alp_adapter::testing::{Submissions, pending_of};
use alp_adapter::*;
use southxchange::SouthXchange;

const SOUTHXCHANGE: Submissions<SouthXchange> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

fn body(json: &str) -> Submission {
    SOUTHXCHANGE.with(Member::text("data", json))
}

#[test]
fn the_text_is_sent_as_it_was_signed() {
    let texts = [
        r#"{"key":"southxchange-test-key-fixture","nonce":"1760000000123"}"#,
        r#"{ "nonce" : 1760000000123 , "key" : "southxchange-test-key-fixture" }"#,
    ];
    for text in texts {
        let started = SouthXchange::start(body(text)).unwrap();
        assert_eq!(
            (started.signed[0].as_str(), started.freshness[0].rising),
            (text, Some(1_760_000_000_123))
        );
        let pending = pending_of(started.step);
        assert_eq!(pending.request.body, Body::Text(text.to_owned()));
    }
}

#[test]
fn any_other_text_is_refused() {
    let key = r#""key":"southxchange-test-key-fixture""#;
    let others = [
        format!(r#"{{{key}}}"#),
        format!(r#"{{{key},"nonce":1,"currency":"BTC"}}"#),
        format!(r#"{{{key},"nonce":1,"Nonce":2}}"#),
        format!(r#"{{{key},"nonce":1,"nonce":2}}"#),
        format!(r#"{{{key},"nonce":1,{key}}}"#),
        format!(r#"{{{key},"nonce":1}}{{}}"#),
        format!(r#"{{{key},"nonce":1.5}}"#),
        format!(r#"{{{key},"nonce":"+1"}}"#),
        format!(r#"{{{key},"nonce":null}}"#),
        format!(r#"{{{key},"nonce":18446744073709551616}}"#),
        r#"{"key":"somebody-elses","nonce":1}"#.to_owned(),
        r#"[1,"southxchange-test-key-fixture"]"#.to_owned(),
        format!("{{{key},\n\"nonce\":1}}"),
        format!("{{{key},\"nonce\":1}}{}", " ".repeat(512)),
    ];
    for other in others {
        SOUTHXCHANGE.refuses(body(&other));
    }
}

#[test]
fn an_order_of_a_reversed_market_without_a_price_is_not_divided_by_it() {
    let order = |price: &str, listing: &str, reference: &str| {
        format!(
            r#"[{{"Code":7,"Type":"sell","Amount":"2","LimitPrice":{price},"ListingCurrency":"{listing}",
                "ReferenceCurrency":"{reference}"}}]"#
        )
    };
    assert_eq!(SOUTHXCHANGE.list(&order("400", "BTC", "NBT")).orders[0].price, "0.00250000");
    assert!(matches!(SOUTHXCHANGE.fault(&order("0", "BTC", "NBT")), Fault::Unreadable(_)));
    assert!(SOUTHXCHANGE.list(&order("400", "BTC", "LTC")).orders.is_empty());
    assert!(SOUTHXCHANGE.list(&order("400", "NBT", "NBT")).orders.is_empty());
}

#[test]
fn an_error_without_json_is_told_in_the_exchanges_words() {
    assert_eq!(
        SOUTHXCHANGE.resume(&[], 400, "Invalid nonce"),
        Err(Fault::Refused("HTTP 400: Invalid nonce".to_owned()))
    );
}

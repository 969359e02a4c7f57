//! What a submission can and cannot make the pool do.

use alp_adapter::testing::{SignedCall, Submissions, pending_of};
use alp_adapter::*;
use bter::Bter;

const BTER: Submissions<Bter> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

/// One order of a reply, with what is given in place of what it usually has.
fn order(members: &str) -> String {
    let common = r#""oid":"1","rate":0.5,"sell_amount":"3","buy_amount":"1.5""#;
    format!(r#"{{"result":"true","orders":[{{{common},{members}}}]}}"#)
}

#[test]
fn the_older_form_with_an_empty_req_gives_its_request() {
    let call: SignedCall = serde_json::from_str(include_str!("../fixtures/old_form.json")).unwrap();
    let old = Submission { members: Vec::new(), sign: call.sign.clone(), ..BTER.good() };
    assert!(call.req.is_empty());
    let started = Bter::start(old).unwrap();
    assert_eq!(started.signed, [call.string_to_sign.as_str()]);
    assert_eq!(started.freshness, [Freshness { nonce: None, rising: None, expires_ms: None }]);
    let pending = pending_of(started.step);
    assert_eq!(call.http.url, format!("https://data.bter.com{}", pending.request.path));
    assert_eq!((pending.request.method, pending.request.query), (Method::Post, Vec::new()));
    assert_eq!((pending.request.body, call.http.body.as_deref()), (Body::Form(Vec::new()), Some("")));
    let headers = pending.request.headers.into_iter().map(|header| (header.name, header.value));
    assert!(
        headers.eq([("Key", call.user), ("Sign", call.sign), ("Content-Type", FORM.to_owned())]
            .map(|(name, value)| (name.to_owned(), value)))
    );
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn a_nonce_that_would_add_a_parameter_is_refused() {
    BTER.refuses_text("nonce", "1&currency=BTC");
    BTER.refuses_text("currency", "BTC");
}

#[test]
fn an_order_of_another_pair_is_not_counted_even_if_one_of_its_names_fits() {
    let seen = |members| BTER.list(&order(members)).orders.len();
    assert_eq!(seen(r#""sell_type":"NBT","buy_type":"BTC""#), 1);
    assert_eq!(seen(r#""sell_type":"NBT","buy_type":"LTC""#), 0);
    assert_eq!(seen(r#""sell_type":"NBT","buy_type":"BTC","pair":"nbt_cny""#), 0);
    assert_eq!(seen(r#""sell_type":"NBT","buy_type":"NBT","pair":"nbt_btc""#), 0);
}

#[test]
fn a_reply_without_orders_is_unreadable_and_one_with_an_error_is_a_refusal() {
    assert!(matches!(BTER.fault(r#"{"result":true}"#), Fault::Unreadable(_)));
    assert!(matches!(BTER.fault(r#"{"result":true,"orders":{"1":{}}}"#), Fault::Unreadable(_)));
    let refused = BTER.fault(r#"{"result":"false","message":"No."}"#);
    assert_eq!(refused, Fault::Refused("No.".to_owned()));
}

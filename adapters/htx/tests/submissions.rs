//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use htx::Htx;

const HTX: Submissions<Htx> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

const ORDER: &str = r#"{"symbol":"ethusdt","source":"SOURCE","price":"1","created-at":1,"amount":"2","field-amount":"0.5",
    "id":9223372036854775807,"state":"STATE","type":"KIND"}"#;

fn amounts(source: &str, state: &str, kind: &str) -> Vec<(String, String)> {
    let order = ORDER.replace("SOURCE", source).replace("STATE", state).replace("KIND", kind);
    let list = HTX.list(&format!(r#"{{"status":"ok","data":[{order}]}}"#));
    list.orders.into_iter().map(|order| (order.id, order.amount)).collect()
}

#[test]
fn a_request_for_another_market_or_for_all_markets_is_refused() {
    let text = HTX.refuses_text("symbol", "btcusdt");
    assert!(text.contains("`ethusdt`") && text.contains("`btcusdt`"), "{text}");
    for name in ["symbol", "account-id"] {
        let lacking = HTX.without(&[name]);
        assert!(HTX.refuses(lacking).contains(name));
    }
}

#[test]
fn nothing_can_be_added_to_the_query() {
    HTX.refuses_text("account-id", "1&symbol=btcusdt");
    HTX.refuses_text("Timestamp", "2025-10-09T08:53:20&side=buy");
    HTX.refuses_text("Timestamp", "yesterday");
    HTX.refuses_text("SignatureMethod", "HmacSHA1");
    HTX.refuses_text("states", "filled");
    HTX.refuses(Submission { user: "key&size=1".to_owned(), ..HTX.good() });
}

#[test]
fn the_operators_endpoint_is_part_of_what_is_signed() {
    let endpoint = Some("https://api-aws.huobi.pro".to_owned());
    let started = Htx::start(Submission { endpoint, ..HTX.good() }).unwrap();
    assert!(started.signed[0].starts_with("GET\napi-aws.huobi.pro\n/v1/order/openOrders\n"));
    assert_eq!(started.freshness[0].expires_ms, Some(1_760_000_300_000));
}

#[test]
fn stop_and_margin_orders_and_those_for_an_instant_do_not_count() {
    assert_eq!(
        amounts("spot-web", "submitted", "sell-limit-maker"),
        [("9223372036854775807".to_owned(), "1.5".to_owned())]
    );
    let others = [
        ("spot-web", "submitted", "sell-stop-limit"),
        ("spot-web", "created", "sell-limit"),
        ("spot-web", "submitted", "sell-limit-fok"),
        ("spot-web", "submitted", "sell-market"),
        ("super-margin-web", "submitted", "sell-limit"),
    ];
    for (source, state, kind) in others {
        assert!(amounts(source, state, kind).is_empty(), "{source} {state} {kind}");
    }
}

#[test]
fn a_full_page_may_not_be_all() {
    let page = |count: usize| {
        let orders = vec![ORDER; count].join(",");
        HTX.list(&format!(r#"{{"status":"ok","data":[{orders}]}}"#)).maybe_truncated
    };
    assert!(page(500) && !page(499));
}

#[test]
fn error_texts_become_the_fault_of_whoever_must_act() {
    let fault = |code: &str| {
        HTX.fault(&format!(r#"{{"status":"error","err-code":"{code}","err-msg":"","data":null}}"#))
    };
    assert!(matches!(fault("base-request-exceed-frequency-limit"), Fault::Throttled(_)));
    assert!(matches!(fault("system-maintenance"), Fault::Unavailable(_)));
    assert!(matches!(fault("base-symbol-error"), Fault::Misconfigured(_)));
    assert!(matches!(fault("login-required"), Fault::Refused(_)));
    assert!(matches!(HTX.fault(r#"{"status":"ok"}"#), Fault::Unreadable(_)));
}

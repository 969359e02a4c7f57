//! The test exchange's adapter, built as an author builds it.

use alp_sandbox::types::{Fault, Method, Side, SignQuery, Step, Submission};
use alp_sandbox::{Limits, Sandbox};

use crate::built::test_exchange;
use crate::{compiler, load, market, reply, sandbox};

fn component() -> Vec<u8> {
    std::fs::read(test_exchange()).unwrap()
}

fn query() -> SignQuery {
    SignQuery {
        user: "alice".into(),
        secret: "her secret".into(),
        parameters: vec![],
        market: market(),
        endpoint: None,
        now_ms: 1_760_000_000_000,
        nonce: "1760000000001".into(),
        extras: vec![],
    }
}

#[tokio::test]
async fn the_test_exchanges_adapter_signs_starts_and_resumes_within_the_default_limits() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(Limits::default(), compiler(folder.path())).unwrap();
    let adapter = load(&sandbox, component()).await;
    assert_eq!(adapter.description().exchange, "test_exchange");
    assert_eq!(adapter.wit_version(), "1.0.0");

    let signed = adapter.sign(&query()).await.unwrap().unwrap();
    assert_eq!(signed.sign.len(), 64);
    let submission = Submission {
        user: "alice".into(),
        members: signed.members,
        sign: signed.sign.clone(),
        explain: true,
        ..crate::submission()
    };

    let started = adapter.start(&submission).await.unwrap().unwrap();
    assert_eq!(started.freshness[0].rising, Some(1_760_000_000_001));
    assert_eq!(started.signed.len(), 1);
    let Step::Send(pending) = started.step else { panic!("{:?}", started.step) };
    assert_eq!(pending.request.method, Method::Get);
    assert_eq!(pending.request.path, "/api/v1/open-orders");
    assert_eq!(pending.request.query[0].value, "NBT_BTC");
    assert!(pending.request.headers.iter().any(|header| header.value == signed.sign));

    let body = r#"{"orders": [{"id": "17", "market": "NBT_BTC", "side": "buy", "type": "limit",
        "price": "0.00000100", "amount": "250.5", "filled": "0.5", "opened_ms": "1760000000000"}]}"#;
    let step = adapter.resume(&submission, &pending.state, &reply(body)).await.unwrap().unwrap();
    let Step::Orders(list) = step else { panic!("{step:?}") };
    assert_eq!(list.orders.len(), 1);
    assert_eq!(list.orders[0].id, "17");
    assert_eq!(list.orders[0].side, Side::Bid);

    let fault = adapter.resume(&submission, &pending.state, &reply("{}")).await.unwrap();
    assert!(matches!(fault, Err(Fault::Unreadable(_))), "{fault:?}");
}

#[tokio::test]
async fn the_adapter_refuses_a_submission_for_another_market_in_words() {
    let (_folder, sandbox) = sandbox();
    let adapter = load(&sandbox, component()).await;
    let signed = adapter.sign(&query()).await.unwrap().unwrap();
    let mut submission = crate::submission();
    submission.members = signed.members;
    submission.sign = signed.sign;
    submission.market.quote = "USD".into();
    let fault = adapter.start(&submission).await.unwrap().unwrap_err();
    assert!(matches!(&fault, Fault::Unusable(text) if !text.is_empty()), "{fault:?}");
}

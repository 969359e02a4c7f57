//! What an adapter may say about itself.

use alp_sandbox::types::{
    Binding, BodyKind, Call, Description, Field, Lifetime, Method, NonceKind, OrderIdScope, Parameter,
    ParameterNeed, Place,
};
use alp_sandbox::{check_description, check_origin, is_forbidden_header};

fn call() -> Call {
    Call {
        name: "open-orders".into(),
        origin: None,
        method: Method::Post,
        path: "/api/v2/open_orders/{}/".into(),
        parameters: vec![parameter("market"), parameter("ids[]")],
        headers: vec!["X-Sign".into()],
        body: BodyKind::Form,
        signed: true,
        reply_headers: vec!["retry-after".into()],
    }
}

fn parameter(name: &str) -> Parameter {
    Parameter { name: name.into(), place: Place::Form, fixed: None }
}

fn need(name: &str) -> ParameterNeed {
    ParameterNeed { name: name.into(), purpose: "A\nsentence.".into(), optional: false }
}

fn description() -> Description {
    Description {
        exchange: "good_2".into(),
        version: "1.2.0-rc.1+5".into(),
        notes: vec!["Use a key\r\nfor the pool\u{1b}[31m alone.".into()],
        origin: "https://api.example.com:8443".into(),
        calls: vec![call()],
        lifetime: Lifetime::Unlimited,
        nonce: NonceKind::None,
        single_use: false,
        binds: Binding::HOST | Binding::PATH,
        order_ids: OrderIdScope::Account,
        market_parameters: vec![need("market-id")],
        credential_parameters: vec![need("passphrase")],
        extras: vec![Field { name: "more".into(), value: "a\u{0}b".into() }],
    }
}

fn refusal(change: impl FnOnce(&mut Description)) -> String {
    let mut description = description();
    change(&mut description);
    check_description(description).unwrap_err()
}

fn call_refusal(change: impl FnOnce(&mut Call)) -> String {
    refusal(|description| change(&mut description.calls[0]))
}

#[test]
fn a_sensible_description_is_taken_and_its_sentences_are_cleaned() {
    let checked = check_description(description()).unwrap();
    assert_eq!(checked.notes, ["Use a key for the pool [31m alone."]);
    assert_eq!(checked.market_parameters[0].purpose, "A sentence.");
    assert_eq!(checked.extras[0].value, "a b");
    assert_eq!(checked.calls, [call()]);
}

#[test]
fn an_adapter_without_calls_or_with_two_of_one_name_is_refused() {
    assert!(refusal(|it| it.calls.clear()).contains("no calls"));
    assert!(refusal(|it| it.calls.push(call())).contains("two calls are named `open-orders`"));
    assert!(refusal(|it| it.calls = vec![call(); 17]).contains("17 calls"));
}

#[test]
fn headers_of_the_connection_are_the_hosts() {
    for header in ["Host", "cookie", "CONTENT-LENGTH", "Proxy-Authorization", "Transfer-Encoding"] {
        assert!(is_forbidden_header(header));
        let text = call_refusal(|call| call.headers = vec![header.into()]);
        assert!(text.contains("the host's to set"), "{text}");
    }
    assert!(!is_forbidden_header("Content-Type"));
    for header in ["", "X Sign", "X-Sign:", "X-Sign\r\nHost"] {
        let text = call_refusal(|call| call.reply_headers = vec![header.into()]);
        assert!(text.contains("is no header name"), "{text}");
    }
}

#[test]
fn parameters_are_declared_once_where_there_is_a_place_for_them() {
    let twice = call_refusal(|call| call.parameters.push(parameter("market")));
    assert!(twice.contains("`market` is declared twice"), "{twice}");
    let nowhere = call_refusal(|call| call.body = BodyKind::None);
    assert!(nowhere.contains("stands in a form"), "{nowhere}");
    for name in ["", "a&b", "a=b", "a b", "a#", "\u{e4}"] {
        let text = call_refusal(|call| call.parameters[0].name = name.into());
        assert!(text.contains("cannot stand in a query"), "{text}");
    }
    let fixed = call_refusal(|call| call.parameters[0].fixed = Some("all&withdraw=1".into()));
    assert!(fixed.contains("fixed value of `market`"), "{fixed}");
    assert!(call_refusal(|call| call.method = Method::Get).contains("a GET has no body"));
}

#[test]
fn a_path_can_be_written_in_one_way_only() {
    for path in ["", "orders", "//a", "/a//b", "/a/./b", "/..", "/a?b", "/a#b", "/%2e", "/{a}", "/a b"] {
        call_refusal(|call| call.path = path.into());
    }
    for path in ["/", "/a", "/a/", "/0/private/OpenOrders", "/a/{}/b-{}"] {
        let mut it = description();
        it.calls[0].path = path.into();
        check_description(it).unwrap();
    }
}

#[test]
fn only_encrypted_origins_may_leave_the_machine() {
    for origin in [
        "https://api.example.com",
        "https://example.com:65535",
        "http://127.0.0.1:3334",
        "http://localhost:1",
    ] {
        check_origin(origin).unwrap();
    }
    for origin in [
        "",
        "api.example.com",
        "ftp://example.com",
        "http://example.com",
        "https://",
        "https://a..b",
        "https://EXAMPLE.com",
        "https://example.com/",
        "https://example.com/a",
        "https://a@b",
        "https://example.com:",
        "https://example.com:0",
        "https://example.com:65536",
        "https://example.com:+1",
        "http://localhost.example.com",
        "https://[::1]",
        "https://a?b",
    ] {
        check_origin(origin).unwrap_err();
    }
}

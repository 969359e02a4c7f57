//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use bitfinex::Bitfinex;

const BITFINEX: Submissions<Bitfinex> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

fn order(amount: &str, flags: &str, status: &str, hidden: &str) -> String {
    format!(
        r#"[9007199254740993,null,7,"tLTCUST",7,7,{amount},1,"EXCHANGE LIMIT",0,0,0,{flags},"{status}",0,0,1e-8,0,0,0,
        0,0,0,{hidden},0,0,0,0,"API>BFX",null,null,{{"$F7":1}},"more"]"#
    )
}

#[test]
fn another_market_all_markets_and_another_call_are_refused() {
    for symbol in ["tBTCUSD", "LTCUST", "tLTCUST/hist", "tLTC:UST", "../../w/order/cancel/all"] {
        BITFINEX.refuses_text("symbol", symbol);
    }
    BITFINEX.refuses_text("body", "{\"id\":[1]}");
}

#[test]
fn a_nonce_beyond_what_the_exchange_takes_is_refused() {
    assert!(Bitfinex::start(BITFINEX.with(Member::text("nonce", "9007199254740991"))).is_ok());
    BITFINEX.refuses_text("nonce", "9007199254740992");
    BITFINEX.refuses_text("nonce", "1\r\n");
}

#[test]
fn markets_go_by_the_exchanges_own_names() {
    let signed = |base: &str, quote: &str, parameters: Vec<Field>| {
        let market = Market { base: base.to_owned(), quote: quote.to_owned(), parameters };
        let nothing = SignQuery {
            user: "key".to_owned(),
            secret: "secret".to_owned(),
            parameters: Vec::new(),
            market,
            endpoint: None,
            now_ms: 1,
            nonce: "1".to_owned(),
            extras: Vec::new(),
        };
        let members = Bitfinex::sign(nothing).unwrap().members;
        members.into_iter().find(|member| member.name == "symbol").map(|member| member.value)
    };
    let text = |text: &str| Some(Scalar::Text(text.to_owned()));
    assert_eq!(signed("BTC", "USD", Vec::new()), text("tBTCUSD"));
    assert_eq!(signed("DOGE", "USDT", Vec::new()), text("tDOGE:UST"));
    let own = Field { name: "symbol".to_owned(), value: "tDSHUSD".to_owned() };
    assert_eq!(signed("DASH", "USD", vec![own]), text("tDSHUSD"));
}

#[test]
fn hidden_orders_and_those_no_longer_open_do_not_count() {
    let orders = |order: String| BITFINEX.list(&format!("[{order}]")).orders;
    let open = orders(order("-2.50", "4096", "PARTIALLY FILLED @ 1(-1)", "0"));
    assert_eq!(
        (open[0].id.as_str(), open[0].side, open[0].amount.as_str()),
        ("9007199254740993", Side::Ask, "2.50")
    );
    assert_eq!(open[0].price, "0.00000001");
    let others = [
        ("1", "64", "ACTIVE", "0"),
        ("1", "0", "ACTIVE", "1"),
        ("1", "-1", "ACTIVE", "0"),
        ("1", "0", "EXECUTED @ 1(1)", "0"),
        ("1", "0", "CANCELED was: PARTIALLY FILLED", "0"),
        ("0", "0", "ACTIVE", "0"),
    ];
    for (amount, flags, status, hidden) in others {
        assert!(
            orders(order(amount, flags, status, hidden)).is_empty(),
            "{amount} {flags} {status} {hidden}"
        );
    }
}

#[test]
fn a_list_that_is_an_error_and_an_order_that_is_too_short_are_told_apart() {
    let fault = |body: &str| BITFINEX.fault(body);
    assert_eq!(
        fault(r#"["error",10100,"apikey: invalid"]"#),
        Fault::Refused("code 10100: apikey: invalid".to_owned())
    );
    assert!(matches!(fault(r#"["error",10020,"symbol: invalid"]"#), Fault::Misconfigured(_)));
    assert!(matches!(fault(r#"{"error":"ERR_RATE_LIMIT"}"#), Fault::Throttled(_)));
    assert!(matches!(fault(r#"[[1,2,3]]"#), Fault::Unreadable(_)));
    assert!(matches!(fault(r#"["on",1,"x"]"#), Fault::Unreadable(_)));
}

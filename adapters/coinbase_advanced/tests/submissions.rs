//! What a submission can and cannot make the pool do.

use alp_adapter::testing::{Submissions, orders_of, pending_of};
use alp_adapter::*;
use coinbase_advanced::CoinbaseAdvanced;

const COINBASE: Submissions<CoinbaseAdvanced> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

const HEADER: &str = r#"{"alg":"ES256","kid":"USER","nonce":"00","typ":"JWT"}"#;
const CLAIMS: &str = r#"{"sub":"USER","iss":"cdp","nbf":1760000000,"exp":1760000120,"uri":"URI"}"#;
const URI: &str = "GET api.coinbase.com/api/v3/brokerage/orders/historical/batch";

/// A submission with a token of these parts; its signature is none, which only the exchange can tell.
fn with_token(header: &str, claims: &str) -> Submission {
    let mut submission = COINBASE.good();
    let part =
        |json: &str| sign::base64url(json.replace("USER", &submission.user).replace("URI", URI).as_bytes());
    submission.sign = format!("{}.{}.{}", part(header), part(claims), sign::base64url(&[7; 64]));
    submission
}

fn page(ids: std::ops::Range<usize>, cursor: &str) -> String {
    let order = |id| {
        format!(
            r#"{{"order_id":"0a000000-0000-4000-8000-{id:012}","product_id":"LTC-BTC","product_type":"SPOT","side":"BUY",
            "order_type":"LIMIT","status":"OPEN","created_time":"2025-10-09T08:53:22Z","order_configuration":
            {{"limit_limit_gtc":{{"base_size":"10.00000000","limit_price":"0.00100000"}}}}}}"#
        )
    };
    let orders: Vec<String> = ids.map(order).collect();
    format!(r#"{{"orders":[{}],"has_next":true,"cursor":"{cursor}"}}"#, orders.join(","))
}

#[test]
fn a_token_for_this_call_is_accepted_and_says_when_it_ends() {
    let freshness = |claims: &str| CoinbaseAdvanced::start(with_token(HEADER, claims)).unwrap().freshness;
    let expected = Freshness {
        nonce: Some("00".to_owned()),
        rising: Some(1_760_000_000),
        expires_ms: Some(1_760_000_120_000),
    };
    assert_eq!(freshness(CLAIMS), std::slice::from_ref(&expected));
    assert_eq!(freshness(&CLAIMS.replace(r#""uri":"URI""#, r#""uris":["URI"]"#)), [expected]);
    assert!(CoinbaseAdvanced::start(with_token(&HEADER.replace("ES256", "EdDSA"), CLAIMS)).is_ok());
}

#[test]
fn a_token_of_another_key_or_kind_is_refused() {
    COINBASE.refuses(with_token(&HEADER.replace("USER", "another"), CLAIMS));
    COINBASE.refuses(with_token(HEADER, &CLAIMS.replace("USER", "another")));
    COINBASE.refuses(with_token(&HEADER.replace("ES256", "none"), CLAIMS));
    COINBASE.refuses(Submission { sign: "e30.e30.".to_owned(), ..COINBASE.good() });
    COINBASE.refuses(Submission { sign: format!("{}\r\nX: 1", COINBASE.good().sign), ..COINBASE.good() });
}

#[test]
fn a_token_for_another_call_is_refused() {
    let others = [
        r#""uri":"POST api.coinbase.com/api/v3/brokerage/orders/historical/batch""#,
        r#""uri":"GET api.coinbase.com/api/v3/brokerage/accounts""#,
        r#""uri":"GET example.org/api/v3/brokerage/orders/historical/batch""#,
        r#""uri":"""#,
        r#""uris":[]"#,
        r#""uris":["URI","GET api.coinbase.com/api/v3/brokerage/accounts"]"#,
        r#""uri":"URI","uris":["POST api.coinbase.com/api/v3/brokerage/orders"]"#,
        r#""uri":"URI","uri":"URI""#,
    ];
    for other in others {
        COINBASE.refuses(with_token(HEADER, &CLAIMS.replace(r#""uri":"URI""#, other)));
    }
    let endpoint = Some("https://api.example.com".to_owned());
    assert!(
        COINBASE.refuses(Submission { endpoint, ..COINBASE.good() }).contains("GET api.example.com/api/v3/")
    );
}

#[test]
fn a_token_that_is_over_or_too_long_is_refused() {
    COINBASE.refuses(Submission { now_ms: 1_760_000_120_000, ..COINBASE.good() });
    COINBASE.refuses(with_token(HEADER, &CLAIMS.replace("1760000120", "1760000121")));
    COINBASE.refuses(with_token(HEADER, &CLAIMS.replace("1760000120", "18446744073709551615")));
    assert!(
        COINBASE.refuses(with_token(HEADER, &CLAIMS.replace(r#""exp":1760000120,"#, ""))).contains("`exp`")
    );
}

#[test]
fn the_query_is_the_adapters_alone() {
    COINBASE.refuses_text("product_ids", "BTC-USD");
    COINBASE.refuses_text("order_status", "FILLED");
    COINBASE.refuses_text("cursor", "x");
    COINBASE.refuses_text("start_date", "2020-01-01");
}

#[test]
fn pages_follow_the_cursor_up_to_the_third_and_the_notes_have_room_for_it() {
    let Pending { request, state } = pending_of(COINBASE.resume(&[], 200, &page(0..250, "a&b")).unwrap());
    assert_eq!(request.query.last().map(|field| field.value.as_str()), Some("a%26b"));
    let Pending { state, .. } = pending_of(COINBASE.resume(&state, 200, &page(250..500, "c")).unwrap());
    assert!(state.len() < 60 << 10, "{}", state.len());
    let done = orders_of(COINBASE.resume(&state, 200, &page(490..740, "d")).unwrap());
    assert_eq!((done.orders.len(), done.maybe_truncated), (740, true));
}

#[test]
fn a_next_page_that_is_not_to_be_had_leaves_what_was_seen() {
    assert!(orders_of(COINBASE.resume(&[], 200, &page(0..2, "")).unwrap()).maybe_truncated);
    assert!(orders_of(COINBASE.resume(&[], 200, &page(0..2, &"x".repeat(1025))).unwrap()).maybe_truncated);
    let Pending { state, .. } = pending_of(COINBASE.resume(&[], 200, &page(0..2, "c")).unwrap());
    let done = orders_of(COINBASE.resume(&state, 401, "Unauthorized").unwrap());
    assert_eq!((done.orders.len(), done.maybe_truncated), (2, true));
    assert!(matches!(COINBASE.resume(&state, 503, ""), Err(Fault::Unavailable(_))));
    assert!(matches!(COINBASE.resume(&[], 401, "Unauthorized"), Err(Fault::Refused(_))));
}
